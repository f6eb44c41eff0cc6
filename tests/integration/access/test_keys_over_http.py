"""Keys at the door: wrong, ended, malformed, smuggled, too many; and what an answer to a known caller carries."""

import asyncio
import re
from datetime import timedelta

import asyncpg
import pytest

from explorer.access.actors import Scope
from explorer.access.clusters import list_clusters, revoke_cluster, rotate_key
from explorer.access.keys import new_key
from tests.integration.access.serving import World, cookie
from tests.patience import PATIENCE_S

KEY = "fpk_R3G68YVesTuPzZDET8LElpEkK1LUf9x40jiVyOJ2efuvRc1l4i10wLc1D"
"""A key of nobody's."""


async def test_a_key_is_recognised(world: World) -> None:
    made = await world.add("berlin")
    got = await world.get("/me", made.key)
    assert got.status == 200
    assert (got.document["kind"], got.document["id"], got.document["name"]) == ("cluster", made.id, "berlin")
    assert sorted(got.document["scopes"]) == ["reviews:read", "reviews:write"]
    ops = await world.add("ops", Scope.ADMIN)
    assert (await world.get("/me", ops.key)).document["kind"] == "operator"


async def test_an_answer_to_a_known_caller_is_for_nobody_else(world: World) -> None:
    key = (await world.add("berlin")).key
    for got in (await world.get("/me", key), await world.get("/me"), await world.get("/webhooks", key)):
        assert got.headers["Cache-Control"] == "private, no-store"
        assert "Access-Control-Allow-Origin" not in got.headers
        assert "Authorization" in got.headers["Vary"]
        assert "Cookie" in got.headers["Vary"]
    public = await world.get("/status", key)
    assert public.headers["Access-Control-Allow-Origin"] == "*"
    assert public.headers["Cache-Control"].startswith("public")
    events = await world.get("/events")
    assert events.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in (await world.get("/events", key)).headers


async def test_other_sites_are_told_of_nothing_that_needs_a_key(world: World) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    closed = await world.ask("OPTIONS", "/webhooks", headers=headers)
    assert closed.status == 204
    assert "Access-Control-Allow-Origin" not in closed.headers
    assert closed.headers["Access-Control-Allow-Methods"] == "OPTIONS"
    assert "POST" in closed.headers["Allow"]
    public = await world.ask("OPTIONS", "/cids/filplus", headers=headers)
    assert public.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" not in public.headers["Access-Control-Allow-Headers"]


async def test_revoking_holds_for_the_next_request(world: World, pool: asyncpg.Pool) -> None:
    made = await world.add("berlin")
    assert (await world.get("/me", made.key)).status == 200
    async with pool.acquire() as connection:
        await revoke_cluster(connection, "berlin")
    got = await world.get("/me", made.key)
    assert (got.status, got.code) == (401, "ended_key")
    assert "revoked" in got.document["detail"]


async def test_after_a_rotation_both_keys_hold_for_a_while(world: World, pool: asyncpg.Pool) -> None:
    first = await world.add("berlin")
    async with pool.acquire() as connection:
        second = await rotate_key(connection, "berlin", overlap=timedelta(seconds=2))
        assert [(await world.get("/me", key)).status for key in (first.key, second.key)] == [200, 200]
        await connection.execute("UPDATE access.keys SET not_after = clock_timestamp() WHERE not_after IS NOT NULL")
    got = await world.get("/me", first.key)
    assert (got.status, got.code) == (401, "ended_key")
    assert (await world.get("/me", second.key)).status == 200


async def test_the_use_of_a_key_is_noted(world: World, pool: asyncpg.Pool) -> None:
    key = (await world.add("berlin")).key
    async with pool.acquire() as connection:
        assert (await list_clusters(connection))[0].keys[0].last_used_at is None
        await world.get("/me", key)
        used = (await list_clusters(connection))[0].keys[0].last_used_at
        assert used is not None
        await world.get("/me", key)
        assert (await list_clusters(connection))[0].keys[0].last_used_at == used


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        KEY,
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY} {KEY}",
        f"Bearer {KEY},{KEY}",
        f'Bearer "{KEY}"',
        f"Bearer {KEY.swapcase()}",
        f"Bearer {'fpk_' + 'A' * 57}",
        f"Bearer fpk_{'A' * 8000}",
        "Bearer %66pk_",
        "Bearer fpk_é" + "a" * 56,
        "Bearer\tx",
        "Signature x",
    ],
)
async def test_no_key_at_all(world: World, header: str) -> None:
    got = await world.ask("GET", "/me", headers={"Authorization": header})
    assert (got.status, got.code) == (401, "malformed_key")
    assert 'error="invalid_token"' in got.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_schemes_case_is_all_the_same(world: World, scheme: str) -> None:
    key = (await world.add("berlin")).key
    assert (await world.ask("GET", "/me", headers={"Authorization": f"{scheme}  {key} "})).status == 200


async def raw(world: World, *lines: str) -> bytes:
    """The beginning of the answer to a request that is sent as it is written."""
    host, port = world.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        head = "\r\n".join(["GET /me HTTP/1.1", "Host: x", "Connection: close", *lines, "", ""])
        writer.write(head.encode("utf-8", "surrogateescape"))
        await writer.drain()
        return await asyncio.wait_for(reader.read(100_000), PATIENCE_S)
    finally:
        writer.close()


async def test_headers_can_not_be_smuggled(world: World) -> None:
    key = (await world.add("berlin")).key
    good = f"Authorization: Bearer {key}"
    assert (await raw(world, good)).startswith(b"HTTP/1.1 200")
    refused = [
        (good, good),
        (good, f"Authorization: Bearer {KEY}"),
        (f"Authorization: Bearer {KEY}", good),
        (f"Authorization: Bearer {key}\0",),
        (f"Authorization: Bearer\x01 {key}",),
        ("Authorization: Bearer", f" {key}"),
        (f"Authorization : Bearer {key}",),
        (f"X: y\rAuthorization: Bearer {key}",),
        (f"Authorization: Bearer \udcff{key}",),
        (f"Authorization: Bearer {key}", "Signature: sig=:AAAA:"),
        ("Signature: sig=:AAAA:",),
        ("Signature-Input: sig=()",),
        ("Authorization: " + "x" * 20_000,),
    ]
    for lines in refused:
        status = (await raw(world, *lines))[:12]
        assert re.fullmatch(rb"HTTP/1.[01] 4\d\d", status), (lines, status)


async def test_a_key_in_the_address_is_no_key(world: World) -> None:
    key = (await world.add("berlin")).key
    for path in (f"/me?key={key}", f"/me?access_token={key}", f"/me?Authorization=Bearer%20{key}"):
        assert (await world.get(path)).status == 401


async def test_the_rate_of_a_key(world: World) -> None:
    first, other = await world.add("berlin"), await world.add("paris")
    for left in range(99, -1, -1):
        got = await world.get("/webhooks", first.key)
        assert got.status == 403
        r, t = map(int, re.fullmatch(r'"key";r=(\d+);t=(\d+)', got.headers["RateLimit"]).groups())  # type: ignore[union-attr]
        assert left <= r <= left + 20
        assert t <= 100
        assert got.headers["RateLimit-Policy"] == '"key";q=100;w=100'
    statuses = [(await world.get("/me", first.key)) for _ in range(40)]
    limited = [got for got in statuses if got.status == 429]
    assert limited
    assert limited[-1].code == "too_many_requests"
    assert 1 <= int(limited[-1].headers["Retry-After"]) <= 2
    assert limited[-1].headers["RateLimit"].startswith('"key";r=0')
    assert (await world.get("/me", other.key)).status == 200
    assert (await world.get("/status", first.key)).status == 200
    rates = (await world.get("/config")).document["rates"]
    assert rates["key"] == {"per_minute": 60, "burst": 100}


async def test_wrong_keys_become_neither_an_oracle_nor_a_load(world: World) -> None:
    good = await world.add("berlin")
    assert (await world.get("/me", good.key)).status == 200
    codes = [(await world.get("/me", new_key())).code for _ in range(60)]
    assert codes[:30] == ["unknown_key"] * 30
    assert codes.count("too_many_requests") >= 20
    limited = await world.get("/me", new_key())
    assert (limited.status, limited.code) == (429, "too_many_requests")
    assert int(limited.headers["Retry-After"]) >= 1
    assert (await world.get("/me", good.key)).status == 200, "who was known stays so, behind a proxy too"
    wrong_secret = good.key[:12] + new_key()[12:]  # type: ignore[index]
    assert (await world.get("/me", wrong_secret)).code in ("malformed_key", "too_many_requests")


async def test_refusals_are_counted_by_reason(world: World) -> None:
    key = (await world.add("berlin")).key
    await world.get("/me", new_key())
    await world.get("/me", "x")
    await world.get("/webhooks", key)
    text = (await world.get("/metrics")).body.decode()
    for reason in ("unknown_key", "malformed_key", "scope_missing"):
        assert f'filplus_access_refusals_total{{reason="{reason}"}} 1.0' in text
    assert str(key) not in text


async def test_an_old_cookie_closes_nothing_that_is_open(world: World) -> None:
    headers = cookie("x" * 43)
    for _ in range(40):
        assert (await world.ask("GET", "/events", headers=headers)).status == 200
    assert (await world.ask("GET", "/me", headers=headers)).status in (401, 429)


async def test_a_session_is_only_believed_on_our_own_pages(world: World) -> None:
    token = await world.sign_in()
    elsewhere = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ]
    for headers in elsewhere:
        got = await world.ask(
            "POST", "/reviews/x/comments", json={"text": "x"}, headers={"Cookie": f"filplus-session={token}", **headers}
        )
        assert (got.status, got.code) == (403, "cross_site")
    got = await world.ask("POST", "/reviews/x/comments", json={"text": "x"}, headers=cookie(token))
    assert got.code not in ("cross_site", "ended_session")


async def test_without_the_database_nobody_is_let_in(world: World) -> None:
    key = (await world.add("berlin")).key
    assert (await world.get("/me", key)).status == 200
    world.own_pool.terminate()
    for given in (key, KEY):
        got = await world.get("/me", given)
        assert (got.status, got.code) == (503, "database_unavailable")
        assert got.headers["Cache-Control"] == "private, no-store"
    assert (await world.get("/me")).status == 401
    assert (await world.get("/healthz")).status == 200
