"""Who may do what: every operation of the contract by everybody who may ask, by a table that is written here by hand.

An operation that the table doesn't name fails: nobody adds a route without saying who may use it.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import orjson
import pytest

from explorer.access.actors import Scope
from explorer.access.clusters import revoke_cluster
from explorer.access.keys import new_key
from tests.integration.access.serving import Got, Signer, World, bearer, cookie, open_world

CONTRACT: Final[Mapping[str, Any]] = orjson.loads(files("explorer.web").joinpath("openapi.json").read_bytes())
ENDING: Final = ("/me/sign-out", "/auth/logout", "/sign-out")
OPERATIONS: Final[Mapping[str, tuple[str, str]]] = {
    node["operationId"]: (method.upper(), path)
    for path, item in sorted(
        CONTRACT["paths"].items(), key=lambda entry: entry[0] in ENDING and 1 + ENDING.index(entry[0])
    )
    for method, node in item.items()
}
"""Method and path of each, signing out last: it ends the session that the others are tried with."""

EVERYBODY: Final = "everybody"
WRITE, READ, ADMIN, NOTARY = "reviews:write", "reviews:read", "admin", "notary"
ANONYMOUS: Final = "anonymous"

OPEN: Final = (
    "getHome", "getVerdict", "getCid", "postVerdicts", "getDeal", "getClaim", "getAllocation",
    "getStatus", "getConfig", "getVersion", "getHealth", "getReadiness", "getMetrics", "getContract", "getDocs",
    "postSignInForm", "postSignOutForm",
    "getNonce", "postSignature", "postSignOut", "getClient", "getClientTable", "getProvider", "getProviderTable",
    "getAllocator",
)  # fmt: skip
OPERATORS: Final = (
    "getWebhooks", "postWebhook", "getWebhook", "deleteWebhook", "postWebhookTest", "postWebhookRotate",
    "postWebhookEnable", "getWebhookDeliveries", "getDelivery", "postDeliveryReplay",
)  # fmt: skip

ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    **{operation: frozenset({EVERYBODY}) for operation in OPEN},
    "getEvents": frozenset({ANONYMOUS, READ, ADMIN, NOTARY}),
    "getReviews": frozenset({READ, ADMIN, NOTARY}),
    "postReview": frozenset({WRITE}),
    "getReview": frozenset({READ, ADMIN, NOTARY}),
    "postReviewResults": frozenset({WRITE}),
    "postReviewComment": frozenset({WRITE, ADMIN, NOTARY}),
    "postReviewWithdrawal": frozenset({WRITE, ADMIN}),
    "postReviewReopening": frozenset({WRITE, ADMIN, NOTARY}),
    "getPublisherProof": frozenset({READ, ADMIN, NOTARY}),
    "postPublisherProof": frozenset({WRITE, ADMIN, NOTARY}),
    "getSearch": frozenset({ANONYMOUS, NOTARY}),
    "getSignIn": frozenset({ANONYMOUS, NOTARY}),
    "postReviewForm": frozenset({ANONYMOUS, NOTARY}),
    "getViews": frozenset({NOTARY}),
    "postViewForm": frozenset({ANONYMOUS, NOTARY}),
    "getNotary": frozenset({ADMIN, NOTARY}),
    "getPublisher": frozenset({READ, ADMIN, NOTARY}),
    "getApproval": frozenset({ANONYMOUS, NOTARY}),
    "postDecision": frozenset({ANONYMOUS, NOTARY}),
    "getMe": frozenset({WRITE, READ, ADMIN, NOTARY}),
    "postSignOutEverywhere": frozenset({NOTARY}),
    "getAudit": frozenset({ADMIN, NOTARY}),
    **{operation: frozenset({ADMIN}) for operation in OPERATORS},
}

NOT_LET_IN: Final = frozenset({
    "credentials_missing", "malformed_key", "unknown_key", "ended_key", "ended_session", "refused_signature",
    "replayed_signature", "scope_missing", "too_many_requests", "cross_site", "repeated_credentials",
})  # fmt: skip


def test_the_table_names_every_operation() -> None:
    assert set(ALLOWED) == set(OPERATIONS)


@dataclass
class Callers:
    """Everybody who may ask, by what they may."""

    world: World
    credentials: dict[str, dict[str, str]]
    signers: dict[str, Signer]


@pytest.fixture
async def callers(dsn: str, data_dir: Path, pool: asyncpg.Pool) -> AsyncIterator[Callers]:
    """An explorer with a cluster of each scope, one that was revoked, and a notary."""
    async with open_world(dsn, data_dir, pool) as world:
        signers = {scope: Signer() for scope in Scope}
        keys = {scope: await world.add(scope, scope, public_key=signers[scope].public_key) for scope in Scope}
        revoked = await world.add("revoked")
        async with pool.acquire() as connection:
            await revoke_cluster(connection, revoked.id)
        credentials = {
            ANONYMOUS: {},
            "wrong": bearer(new_key()),
            "revoked": bearer(revoked.key),
            **{str(scope): bearer(made.key) for scope, made in keys.items()},
            NOTARY: cookie(await world.sign_in()),
            "wrong session": cookie("x" * 43),
        }
        yield Callers(world, credentials, {str(scope): signer for scope, signer in signers.items()})


def path_of(path: str) -> str:
    """An address that fits the template."""
    examples = {"cid": "bafkqaaa", "id": "1", "address": "f01000", "table": "claims"}
    return path.format_map(examples)


def session_from(number: int) -> aiohttp.ClientSession:
    """A client that asks from an address of its own in this machine's network, as wrong keys are counted by address."""
    connector = aiohttp.TCPConnector(local_addr=(f"127.0.1.{number + 1}", 0))
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


async def asked(callers: Callers, operation: str, headers: Mapping[str, str], session: aiohttp.ClientSession) -> Got:
    """The answer to a request that is as small as can be."""
    method, path = OPERATIONS[operation]
    body = {} if method in ("GET", "DELETE") else {"json": {}}
    return await callers.world.ask(method, path_of(path), session=session, headers=dict(headers), **body)


def expected(operation: str, caller: str) -> int | None:
    """401, 403, or None for whoever is let in."""
    allowed = ALLOWED[operation]
    if EVERYBODY in allowed or caller in allowed:
        return None
    if caller == "wrong session" and ANONYMOUS in allowed:
        return None  # a browser sends an old cookie by itself
    return 401 if caller in (ANONYMOUS, "wrong", "revoked", "wrong session") else 403


async def test_every_operation_lets_in_whom_it_should(callers: Callers) -> None:
    wrong = []
    for number, operation in enumerate(OPERATIONS):
        async with session_from(number) as session:
            for caller, headers in callers.credentials.items():
                got = await asked(callers, operation, headers, session)
                if not fits(expected(operation, caller), got):
                    wrong.append((operation, caller, expected(operation, caller), got.status, got.code))
    assert wrong == []


def fits(status: int | None, got: Got) -> bool:
    """Whether the answer is of that kind, and says what it must. No answer is a server's error."""
    if got.status >= 500:
        return False
    if status is None:
        return got.code not in NOT_LET_IN
    challenged = got.headers.get("WWW-Authenticate", "").startswith("Bearer ")
    private = got.headers["Cache-Control"] == "private, no-store" and "Access-Control-Allow-Origin" not in got.headers
    return got.status == status and got.code in NOT_LET_IN and challenged == (status == 401) and private


async def test_a_signature_lets_in_where_a_key_of_its_scopes_does(callers: Callers) -> None:
    wrong = []
    for number, (operation, (method, path)) in enumerate(OPERATIONS.items()):
        body = None if method in ("GET", "DELETE") else b"{}"
        async with session_from(number) as session:
            for caller, signer in callers.signers.items():
                headers = signer.headers(method, callers.world.url + path_of(path), body)
                got = await callers.world.ask(method, path_of(path), session=session, headers=headers, data=body)
                if not fits(expected(operation, caller), got):
                    wrong.append((operation, caller, got.status, got.code))
    assert wrong == []


async def test_head_is_judged_as_get_is(callers: Callers) -> None:
    for number, (operation, (method, path)) in enumerate(OPERATIONS.items()):
        if method == "GET" and operation != "getEvents":
            async with session_from(number) as session:
                for caller in (ANONYMOUS, "reviews:write", "admin"):
                    headers = callers.credentials[caller]
                    got = await callers.world.ask("HEAD", path_of(path), session=session, headers=headers)
                    due = expected(operation, caller)
                    assert (got.status if due else got.status in (401, 403)) == (due or False), (operation, caller)
