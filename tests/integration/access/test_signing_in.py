"""Signing in: by each kind of key, once, in time, here, and by nobody else."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from explorer.access.actors import SYSTEM
from explorer.access.errors import NonceRefused, NotANotary, SignInInsecure
from explorer.access.notaries import revoke_notary
from explorer.access.sessions import find_session
from explorer.audit.verifying import verify_database
from explorer.signatures.errors import (
    Expired,
    ForgedSignature,
    MalformedText,
    NotYetValid,
    OtherDomain,
    OtherNetwork,
    OtherText,
    SignedTextError,
    WrongKey,
    WrongScheme,
)
from explorer.signatures.facts import SignIn
from explorer.signatures.texts import facts_of, text_of
from explorer.signatures.verify import sign_text
from tests.integration.access.notary_keys import ADDRESSES, service_of, signature_of, with_notary
from tests.unit.signatures.builders import NOTARY, NOTARY_F1, OTHER, OTHER_F1, decision, signed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", ADDRESSES)
async def test_a_notary_signs_in_once(pool: asyncpg.Pool, kind: str) -> None:
    notary = await with_notary(pool, ADDRESSES[kind])
    service = service_of(pool)
    offer = await service.offer(str(ADDRESSES[kind]))
    signature = signature_of(kind, offer["message"])
    signed_in = await service.sign_in(offer["message"], signature)
    assert signed_in.actor == notary.actor()
    async with pool.acquire() as connection:
        assert await find_session(connection, signed_in.token) == notary.actor()
    with pytest.raises(NonceRefused):
        await service.sign_in(offer["message"], signature)
    async with pool.acquire() as connection:
        report = await verify_database(connection)
        assert (report.entries, report.signatures) == (2, 1)


async def test_of_many_who_replay_at_once_one_is_let_in(pool: asyncpg.Pool) -> None:
    await with_notary(pool)
    service = service_of(pool)
    offer = await service.offer(str(NOTARY_F1))
    signature = signature_of("f1", offer["message"])
    found = await asyncio.gather(
        *(service.sign_in(offer["message"], signature) for _ in range(20)), return_exceptions=True
    )
    assert sum(not isinstance(one, NonceRefused) for one in found) == 1
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM access.sessions") == 1


async def _text(pool: asyncpg.Pool, **changes: Any) -> str:
    """A text with a good nonce, altered."""
    offer = await service_of(pool).offer(str(NOTARY_F1))
    facts = facts_of(offer["message"])
    assert isinstance(facts, SignIn)
    names = ("signer", "network", "domain", "nonce", "issued_at", "expires_at")
    return text_of(SignIn(**{name: getattr(facts, name) for name in names} | changes))


LATER = timedelta(minutes=10)
REFUSED: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "another domain": ({"domain": "explorer.example.com"}, OtherDomain),
    "another port": ({"domain": "explorer.example.org:8443"}, OtherDomain),
    "another network": ({"network": "calibration"}, OtherNetwork),
    "another nonce": ({"nonce": "A" * 48}, NonceRefused),
    "a nonce made up": ({"nonce": "12345678"}, NonceRefused),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_text_of_elsewhere_is_refused(pool: asyncpg.Pool, what: str) -> None:
    await with_notary(pool)
    changes, error = REFUSED[what]
    text = await _text(pool, **changes)
    with pytest.raises(error):
        await service_of(pool).sign_in(text, sign_text(NOTARY, text))
    await _nobody_is_in(pool)


async def _nobody_is_in(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM access.sessions") == 0
        assert await connection.fetchval("SELECT count(*) FROM access.taken_nonces") == 0


async def test_a_text_has_its_time(pool: asyncpg.Pool) -> None:
    await with_notary(pool)
    offer = await service_of(pool, now=lambda: NOW).offer(str(NOTARY_F1))
    signature = signature_of("f1", offer["message"])
    for now, error in ((NOW + timedelta(minutes=5), Expired), (NOW - timedelta(minutes=2), NotYetValid)):
        with pytest.raises(error):
            await service_of(pool, now=lambda now=now: now).sign_in(offer["message"], signature)
    in_time = service_of(pool, now=lambda: NOW + timedelta(minutes=5, seconds=-1))
    assert (await in_time.sign_in(offer["message"], signature)).actor.id == str(NOTARY_F1)


async def test_a_longer_expiry_than_the_nonces_is_of_no_use(pool: asyncpg.Pool) -> None:
    await with_notary(pool)
    offer = await service_of(pool, now=lambda: NOW).offer(str(NOTARY_F1))
    text = offer["message"].replace("Expires: 2026-11-23T12:05:00Z", "Expires: 2027-11-23T12:05:00Z")
    assert text != offer["message"]
    with pytest.raises(NonceRefused):
        await service_of(pool, now=lambda: NOW + LATER).sign_in(text, sign_text(NOTARY, text))


FORGERIES: dict[str, Callable[[str], str]] = {
    "another's": lambda text: sign_text(OTHER, text),
    "of another text": lambda text: sign_text(NOTARY, text + " "),
    "by personal_sign": lambda text: signature_of("0x", text),
    "by BLS": lambda text: signature_of("f3", text),
    "nothing": lambda text: "",
    "zeros": lambda text: "01" + "00" * 65,
    "no hexadecimal": lambda text: "zz",
    "NUL": lambda text: "\0",
}


@pytest.mark.parametrize("what", FORGERIES)
async def test_a_forged_signature_is_refused(pool: asyncpg.Pool, what: str) -> None:
    await with_notary(pool)
    text = await _text(pool)
    with pytest.raises((ForgedSignature, WrongKey, WrongScheme)):
        await service_of(pool).sign_in(text, FORGERIES[what](text))
    await _nobody_is_in(pool)


@pytest.mark.parametrize("text", ["", "x", "\0", "é" * 9000, "FIL+ explorer: sign in, version 1"])
async def test_what_is_no_text_is_refused(pool: asyncpg.Pool, text: str) -> None:
    with pytest.raises(MalformedText):
        await service_of(pool).sign_in(text, "00")


async def test_a_decision_signs_nobody_in(pool: asyncpg.Pool) -> None:
    await with_notary(pool)
    with pytest.raises(OtherText):
        await service_of(pool).sign_in(*signed(decision()))


async def test_only_notaries_sign_in(pool: asyncpg.Pool) -> None:
    notary = await with_notary(pool)
    service = service_of(pool)
    strangers = (await service.offer(str(OTHER_F1)))["message"]
    with pytest.raises(NotANotary):
        await service.sign_in(strangers, sign_text(OTHER, strangers))
    own = (await service.offer(str(NOTARY_F1)))["message"]
    async with pool.acquire() as connection:
        await revoke_notary(connection, notary.id, by=SYSTEM)
    with pytest.raises(NotANotary):
        await service.sign_in(own, sign_text(NOTARY, own))
    await _nobody_is_in(pool)


async def test_the_browsers_former_session_ends(pool: asyncpg.Pool) -> None:
    await with_notary(pool)
    service = service_of(pool)
    first = await _signed_in(service)
    second = await _signed_in(service, former_token=first)
    assert first != second
    async with pool.acquire() as connection:
        assert await find_session(connection, first) is None
        assert await find_session(connection, second) is not None
        # A token that somebody else has put there never becomes a session.
        await _signed_in(service, former_token="planted")
        assert await find_session(connection, "planted") is None


async def _signed_in(service: Any, **options: Any) -> str:
    offer = await service.offer(str(NOTARY_F1))
    token: str = (await service.sign_in(offer["message"], signature_of("f1", offer["message"]), **options)).token
    return token


@pytest.mark.parametrize(
    ("public_url", "domain"),
    [
        ("https://Explorer.example.org/", "explorer.example.org"),
        ("https://explorer.example.org:443", "explorer.example.org"),
        ("https://explorer.example.org:8443", "explorer.example.org:8443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost", "localhost"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
async def test_texts_name_where_the_explorer_is_reached(pool: asyncpg.Pool, public_url: str, domain: str) -> None:
    facts = facts_of((await service_of(pool, public_url=public_url).offer(str(NOTARY_F1)))["message"])
    assert isinstance(facts, SignIn)
    assert facts.domain == domain


@pytest.mark.parametrize("public_url", ["http://explorer.example.org", "http://10.0.0.1:8080", "http://0.0.0.0:80"])
async def test_nobody_signs_in_where_it_can_be_overheard(pool: asyncpg.Pool, public_url: str) -> None:
    await with_notary(pool)
    with pytest.raises(SignInInsecure, match="FILPLUS_PUBLIC_URL"):
        await service_of(pool, public_url=public_url).offer(str(NOTARY_F1))
    text = await _text(pool)
    with pytest.raises(SignInInsecure):
        await service_of(pool, public_url=public_url).sign_in(text, sign_text(NOTARY, text))


async def test_the_loop_goes_on_while_a_bls_signature_is_verified(pool: asyncpg.Pool) -> None:
    await with_notary(pool, ADDRESSES["f3"])
    service = service_of(pool)
    offer = await service.offer(str(ADDRESSES["f3"]))
    forged = "02" + signature_of("f3", "another text")[2:]
    longest, last, done = 0.0, time.perf_counter(), False

    async def tick() -> None:
        nonlocal longest, last
        while not done:
            await asyncio.sleep(0)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

    ticking = asyncio.create_task(tick())
    started = time.perf_counter()
    with pytest.raises(SignedTextError):
        await service.sign_in(offer["message"], forged)
    spent = time.perf_counter() - started
    done = True
    await ticking
    assert longest < spent / 2, (longest, spent)
