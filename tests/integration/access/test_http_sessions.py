"""Signing in over HTTP: the cookie, whose pages may send it, and what it opens."""

import io
import json
import re
from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import orjson
import pytest

from explorer.access.actors import OPERATOR, Scope
from explorer.access.keys import new_key
from explorer.access.notaries import add_notary, revoke_notary
from explorer.audit.log import record
from explorer.audit.verifying import verify_file
from explorer.web.contract import Contract
from tests.integration.access.notary_keys import ADDRESSES, signature_of
from tests.integration.access.serving import Got, World, cookie, open_world
from tests.unit.signatures.builders import NOTARY_F1, OTHER_F1

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def notaries(world: World) -> World:
    """A running explorer with a notary of each kind of key."""
    await add_notaries(world)
    return world


async def add_notaries(world: World) -> None:
    async with world.pool.acquire() as connection:
        for kind, address in ADDRESSES.items():
            await add_notary(connection, address, f"Ada {kind}", by=OPERATOR)


@pytest.fixture
async def behind_tls(dsn: str, data_dir: Path, pool: asyncpg.Pool) -> AsyncIterator[World]:
    """One that people reach by https, through a proxy."""
    async with open_world(dsn, data_dir, pool, public_url="https://explorer.example.org") as opened:
        await add_notaries(opened)
        yield opened


async def signed(world: World, kind: str = "f1") -> dict[str, str]:
    """A good body of `POST /auth/verify`."""
    offer = (await world.get(f"/auth/nonce?address={ADDRESSES[kind]}")).document
    return {"message": offer["message"], "signature": signature_of(kind, offer["message"])}


async def sign_in(world: World, kind: str = "f1", **headers: str) -> Got:
    return await world.ask("POST", "/auth/verify", json=await signed(world, kind), headers={**OWN, **headers})


def morsel(got: Got) -> Morsel[str]:
    """The one cookie that an answer sets."""
    (found,) = SimpleCookie(got.headers["Set-Cookie"]).values()
    return found


def check(operation_id: str, got: Got) -> Any:
    """The document, which fits the contract."""
    contract = Contract.load(public_url="http://127.0.0.1", version="0")
    media_type = got.headers["Content-Type"].partition(";")[0]
    schema = contract.response_schema(operation_id, got.status, media_type)
    assert schema is not None, (operation_id, got.status, media_type)
    contract.validator(schema).validate(json.loads(got.body))
    return json.loads(got.body)


@pytest.mark.parametrize("kind", ADDRESSES)
async def test_a_notary_signs_in_and_out(notaries: World, kind: str) -> None:
    got = await sign_in(notaries, kind)
    document = check("postSignature", got)
    assert (got.status, document["kind"], document["id"]) == (200, "notary", str(ADDRESSES[kind]))
    session = cookie(morsel(got).value)
    me = await notaries.get("/me", **session)
    known = {"kind": "notary", "id": str(ADDRESSES[kind]), "name": f"Ada {kind}", "scopes": [], "network": "mainnet"}
    assert check("getMe", me) == known
    assert me.headers["Cache-Control"] == "private, no-store"
    out = await notaries.ask("POST", "/auth/logout", headers=session)
    assert check("postSignOut", out) == {"signed_in": False}
    assert (morsel(out).value, morsel(out)["max-age"]) == ("", "0")
    assert (await notaries.get("/me", **session)).code == "ended_session"
    assert (await notaries.ask("POST", "/auth/logout", headers=session)).status == 200


async def test_the_cookie_is_of_this_host_alone(behind_tls: World) -> None:
    found = morsel(await sign_in(behind_tls))
    assert found.key == "__Host-filplus-session"
    assert (found["secure"], found["httponly"], found["samesite"], found["path"], found["domain"]) == (
        True, True, "Strict", "/", ""
    )  # fmt: skip
    assert found["max-age"] == str(12 * 60 * 60)
    assert len(found.value) == 43
    told = {"Cookie": f"__Host-filplus-session={found.value}"}
    assert (await behind_tls.get("/me", **told)).status == 200
    # By https nothing but the cookie that no other host can set is looked at.
    told = {"Cookie": f"filplus-session={found.value}"}
    assert (await behind_tls.get("/me", **told)).code == "credentials_missing"


async def test_the_cookie_of_this_machine_needs_no_tls(notaries: World) -> None:
    found = morsel(await sign_in(notaries))
    assert (found.key, found["secure"], found["httponly"], found["samesite"]) == ("filplus-session", "", True, "Strict")


async def test_every_sign_in_gives_another_session_and_ends_the_former(notaries: World) -> None:
    planted = {"Cookie": "filplus-session=planted"}
    first = morsel(await sign_in(notaries, **planted)).value
    assert first != "planted"
    assert (await notaries.get("/me", **planted)).code == "ended_session"
    second = morsel(await sign_in(notaries, **cookie(first))).value
    assert (await notaries.get("/me", **cookie(first))).code == "ended_session"
    assert (await notaries.get("/me", **cookie(second))).status == 200


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_pages_of_other_sites_neither_sign_in_nor_out(notaries: World, headers: dict[str, str]) -> None:
    body = await signed(notaries)
    got = await notaries.ask("POST", "/auth/verify", json=body, headers=headers)
    check("postSignature", got)
    assert (got.status, got.code) == (403, "cross_site")
    assert "Set-Cookie" not in got.headers
    done = await notaries.ask("POST", "/auth/verify", json=body, headers={"Origin": notaries.url})
    token = morsel(done).value
    got = await notaries.ask("POST", "/auth/logout", headers={"Cookie": f"filplus-session={token}", **headers})
    assert got.code == "cross_site"
    assert (await notaries.get("/me", **cookie(token))).status == 200


async def test_programs_sign_in_without_saying_where_they_come_from(notaries: World) -> None:
    assert (await notaries.ask("POST", "/auth/verify", json=await signed(notaries))).status == 200


async def refused_page(world: World, body: dict[str, str]) -> str:
    """The page that a sign-in by the form ends with, where it isn't taken."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", **OWN}
    got = await world.ask("POST", "/sign-in", data=urlencode(body).encode(), headers=headers)
    assert got.status == 403, got.body
    return got.body.decode()


async def test_a_refused_sign_in_says_once_what_helps(notaries: World) -> None:
    body = await signed(notaries)
    await notaries.ask("POST", "/auth/verify", json=body, headers=OWN)
    assert (await refused_page(notaries, body)).lower().count("new text") == 1, "the nonce was used"
    altered = {**body, "message": body["message"].replace("mainnet", "calibration")}
    assert (await refused_page(notaries, altered)).lower().count("new text") == 1
    body = await signed(notaries)
    async with notaries.pool.acquire() as connection:
        await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
    assert (await refused_page(notaries, body)).count("filplus notary add") == 1


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_a_form_could_send_signs_nobody_in(notaries: World, media_type: str) -> None:
    body = orjson.dumps(await signed(notaries))
    got = await notaries.ask("POST", "/auth/verify", data=body, headers={"Content-Type": media_type})
    assert got.status == 415


async def test_a_replayed_signature_is_refused(notaries: World) -> None:
    body = await signed(notaries)
    assert (await notaries.ask("POST", "/auth/verify", json=body)).status == 200
    got = await notaries.ask("POST", "/auth/verify", json=body)
    check("postSignature", got)
    assert (got.status, got.code) == (403, "nonce_refused")
    # Not with a key for idempotency either: the cookie of the first must not be given out again.
    for _ in range(2):
        got = await notaries.ask("POST", "/auth/verify", json=body, headers={"Idempotency-Key": "abcdefgh"})
        assert got.code == "nonce_refused"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signature": "00"}, "signature_refused"),
        ({"signature": "\0"}, "signature_refused"),
        ({"message": "x"}, "malformed_text"),
        ({"message": "\0\n" * 100}, "malformed_text"),
        ({"message": ""}, "malformed_body"),
        ({"message": 7}, "malformed_body"),
        ({"signature": "0" * 300}, "malformed_body"),
        ({"more": "x"}, "malformed_body"),
        ({"message": None}, "malformed_body"),
    ],
)
async def test_bad_bodies_are_refused(notaries: World, changes: dict[str, Any], code: str) -> None:
    got = await notaries.ask("POST", "/auth/verify", json={**await signed(notaries), **changes})
    check("postSignature", got)
    assert got.code == code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "address_unsuited"),
        ("?address=", "address_unsuited"),
        ("?address=f01234", "address_unsuited"),
        ("?address=%00", "address_unsuited"),
        (f"?address={'f1' * 100}", "address_unsuited"),
        ("?address=x&address=y", "repeated_parameter"),
        ("?adress=x", "unknown_parameter"),
    ],
)
async def test_bad_addresses_are_refused(notaries: World, query: str, code: str) -> None:
    got = await notaries.get(f"/auth/nonce{query}")
    check("getNonce", got)
    assert (got.status, got.code) == (400, code)


async def test_strangers_get_a_text_and_no_session(notaries: World) -> None:
    offer = check("getNonce", await notaries.get(f"/auth/nonce?address={OTHER_F1}"))
    got = await notaries.ask("POST", "/auth/verify", json={"message": offer["message"], "signature": "00"})
    assert (got.status, got.code) == (403, "not_a_notary")


async def test_a_stranger_can_try_slow_signatures_only_so_often(notaries: World) -> None:
    body = {**await signed(notaries, "f3"), "signature": "02" + "00" * 96}
    codes = [(await notaries.ask("POST", "/auth/verify", json=body)).code for _ in range(40)]
    assert set(codes[:30]) == {"signature_refused"}
    assert codes[-1] == "too_many_requests"


async def test_a_stranger_keeps_nobody_out(notaries: World) -> None:
    """Behind a proxy all come from one address: wrong keys and signatures must not stop a good signature."""
    body = {**await signed(notaries), "signature": "01" + "00" * 65}
    for _ in range(40):
        assert (await notaries.ask("POST", "/auth/verify", json=body)).code == "signature_refused"
        wrong = await notaries.ask("GET", "/me", headers={"Authorization": f"Bearer {new_key()}"})
    assert (wrong.status, wrong.code) == (429, "too_many_requests")
    assert (await sign_in(notaries)).status == 200


async def test_revoking_ends_a_session_at_once(notaries: World) -> None:
    token = morsel(await sign_in(notaries)).value
    assert (await notaries.get("/audit", **cookie(token))).status == 200
    async with notaries.pool.acquire() as connection:
        await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
    for path in ("/audit", "/me"):
        got = await notaries.get(path, **cookie(token))
        assert (got.status, got.code) == (401, "ended_session")


async def test_the_log_is_read_by_notaries_and_operators(notaries: World) -> None:
    token = morsel(await sign_in(notaries, "0x")).value
    page = check("getAudit", await notaries.get("/audit?limit=2", **cookie(token)))
    assert [entry["action"] for entry in page["entries"]] == ["notary.signed_in", "notary.added"]
    assert page["head"] == {"seq": 4, "hash": page["entries"][0]["hash"]}
    admin = await notaries.add("operators", Scope.ADMIN)
    usual = await notaries.add("cluster")
    assert (await notaries.get("/audit", admin.key)).status == 200
    assert (await notaries.get("/audit", usual.key)).code == "scope_missing"
    assert (await notaries.get("/audit")).code == "credentials_missing"


async def test_an_action_that_there_is_not_is_named_with_those_that_there_are(notaries: World) -> None:
    session = cookie(morsel(await sign_in(notaries)).value)
    for accept in ("application/json", "application/x-ndjson", "text/html"):
        got = await notaries.get("/audit?action=%21review.decided", **session, Accept=accept)
        assert got.status == 400
        assert b"!review.decided" in got.body
        assert b"without ! or commas" in got.body
        assert b"review.asked, review.commented, review.decided" in got.body
    assert (await notaries.get("/audit?action=review.withdrawn", **session)).document["entries"] == []


async def test_the_log_finds_who_did_something_by_any_address_and_by_name(notaries: World) -> None:
    await sign_in(notaries, "f3")
    session = cookie(morsel(await sign_in(notaries, "0x")).value)
    eth = ADDRESSES["0x"].to_eth()
    for actor in (str(ADDRESSES["0x"]), str(eth), str(eth).lower(), "Ada 0x", "ada 0X", f"t{str(ADDRESSES['0x'])[1:]}"):
        entries = (await notaries.get(f"/audit?actor={quote(actor)}", **session)).document["entries"]
        assert [entry["actor"]["name"] for entry in entries] == ["Ada 0x"], actor
    assert (await notaries.get("/audit?actor=Ada", **session)).document["entries"] == [], "a whole name"
    page = (await notaries.get("/audit?actor=Nobody%20%3Cb%3E", **session, Accept="text/html")).body.decode()
    assert "By “Nobody &lt;b&gt;” there is none: a notary is found by its address" in page


async def test_pages_of_the_log_are_an_export(notaries: World) -> None:
    """Whoever follows the links has the whole log, and can verify it."""
    session = cookie(morsel(await sign_in(notaries, "f3")).value)
    lines, path = b"", "/audit?order=oldest&limit=3"
    while path:
        got = await notaries.get(path, Accept="application/x-ndjson", **session)
        assert got.headers["Content-Type"].startswith("application/x-ndjson")
        lines += got.body
        path = got.headers.get("Link", "").partition(">")[0].removeprefix("<")
    head = got.headers["Filplus-Audit-Head"].partition('hash="')[2].rstrip('"')
    report = verify_file(io.BytesIO(lines), noted=head)
    assert (report.first, report.entries, report.signatures) == (1, 4, 1)


async def test_an_export_is_whole_and_ends_where_it_says(notaries: World) -> None:
    """Without a limit the lines are all that fit, however many; HEAD and a known tag send none."""
    session = {"Accept": "application/x-ndjson", **cookie(morsel(await sign_in(notaries, "f3")).value)}
    async with notaries.pool.acquire() as connection, connection.transaction():
        for number in range(1_100):
            await record(connection, OPERATOR, f"test.{number % 2}", f"s-{number}", {})
    got = await notaries.get("/audit?order=oldest", **session)
    head = got.headers["Filplus-Audit-Head"].partition('hash="')[2].rstrip('"')
    report = verify_file(io.BytesIO(got.body), noted=head)
    assert (report.first, report.entries, report.signatures) == (1, 1_104, 1)
    assert "attachment" in got.headers["Content-Disposition"]
    lines = (await notaries.get("/audit?action=test.1", **session)).body.splitlines()
    assert [orjson.loads(line)["seq"] for line in lines] == list(range(1_104, 4, -2)), "the newest first"
    assert len((await notaries.get("/audit?limit=3", **session)).body.splitlines()) == 3
    tag = got.headers["ETag"]
    assert (await notaries.get("/audit?order=oldest", **session, **{"If-None-Match": tag})).status == 304
    told = await notaries.ask("HEAD", "/audit?order=oldest", headers=session)
    assert (told.status, told.headers["ETag"], told.body) == (200, tag, b"")
    page = (await notaries.get("/audit?action=test.1&limit=2", **{**session, "Accept": "text/html"})).body.decode()
    assert 'href="/audit?action=test.1&amp;order=oldest&amp;format=ndjson"' in page
    further = re.search(r'href="([^"]+)" rel="next"', page)
    assert further is not None
    second = await notaries.get(further[1].replace("&amp;", "&"), **{**session, "Accept": "text/html"})
    assert '<a href="/audit?action=test.1">Back' in second.body.decode()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?cursor=x", "malformed_cursor"),
        ("?since=yesterday", "malformed_time"),
        ("?since=0001-01-01T00:00:00%2B14:00", "malformed_time"),
        ("?limit=0", "malformed_parameter"),
        ("?limit=501", "malformed_parameter"),
        ("?order=best", "malformed_parameter"),
        ("?actor=%00", "malformed_parameter"),
        ("?actor=%ED%A0%80", None),
        ("?action=%F0%9F%9C%81", "malformed_parameter"),
        ("?action=%21review.decided", "malformed_parameter"),
        ("?action=review.decided%2Creview.asked", "malformed_parameter"),
        ("?action=review.withdrawn&subject=x&actor=%E2%80%AE&since=9999-12-31T23:59:59Z", None),
        ("?since=2026-11-23T12:00:00.123456789%2B05:30", None),
    ],
)
async def test_bad_questions_about_the_log_are_refused(notaries: World, query: str, code: str | None) -> None:
    session = cookie(morsel(await sign_in(notaries)).value)
    got = await notaries.get(f"/audit{query}", **session)
    check("getAudit", got)
    assert got.code == code
    assert got.status == (200 if code is None else 400)


async def test_nobody_signs_in_by_plain_http_from_elsewhere(dsn: str, data_dir: Path, pool: asyncpg.Pool) -> None:
    async with open_world(dsn, data_dir, pool, public_url="http://explorer.example.org") as world:
        got = await world.get(f"/auth/nonce?address={NOTARY_F1}")
        check("getNonce", got)
        assert (got.status, got.code) == (403, "sign_in_insecure")


async def test_the_page_of_oneself_shows_every_session_and_signs_out_everywhere(notaries: World) -> None:
    one, other = [morsel(await sign_in(notaries)).value for _ in range(2)]
    stranger = morsel(await sign_in(notaries, "0x")).value
    page = await notaries.get("/me", Accept="text/html", **cookie(one))
    text = page.body.decode()
    assert (page.status, text.count("this one</span>"), text.count(">another<")) == (200, 1, 1)
    for words in ("Ada f1", str(ADDRESSES["f1"]), "secp256k1", "Nothing waits for you", "Nothing yet."):
        assert words in text, words
    assert one not in text
    away = await notaries.get("/me", Accept="text/html")
    assert (away.status, away.headers["Location"]) == (303, "/sign-in?next=%2Fme")
    foreign = {**cookie(one), "Sec-Fetch-Site": "cross-site"}
    assert (await notaries.ask("POST", "/me/sign-out", headers=foreign)).code == "cross_site"
    done = await notaries.ask("POST", "/me/sign-out", headers=cookie(one))
    assert (done.status, done.headers["Location"], morsel(done)["max-age"]) == (303, "/", "0")
    for token in (one, other):
        assert (await notaries.get("/me", **cookie(token))).code == "ended_session"
    assert (await notaries.get("/me", **cookie(stranger))).status == 200
    facts = await notaries.pool.fetchval("SELECT facts FROM audit.entries ORDER BY seq DESC LIMIT 1")
    assert json.loads(facts) == {"sessions": 2}


async def test_a_key_is_shown_what_it_is_too(world: World) -> None:
    key = (await world.add("berlin")).key
    page = (await world.get("/me", key, Accept="text/html")).body.decode()
    assert "A key of cluster on mainnet: it may do reviews:read, reviews:write." in page


async def test_a_notarys_open_pages_have_a_rate_of_their_own(notaries: World) -> None:
    token = morsel(await sign_in(notaries)).value
    first = await notaries.get("/me", **cookie(token))
    assert first.headers["RateLimit-Policy"] == '"session";q=300;w=60'
    statuses = [(await notaries.get("/me", **cookie(token))).status for _ in range(150)]
    assert statuses == [200] * 150, "which is more than a key has"
    assert (await notaries.get("/config")).document["rates"]["session"] == {"per_minute": 300, "burst": 300}
