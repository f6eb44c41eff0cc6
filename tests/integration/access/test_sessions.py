"""Sessions: random, kept as hashes, ended by idleness, age, signing out and revocation."""

import hashlib
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from explorer.access.sessions import IDLE, LONGEST, begin_session, end_session, find_session
from tests.integration.access.notary_keys import with_notary

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def test_a_session_ends_when_nobody_uses_it(pool: asyncpg.Pool) -> None:
    notary = await with_notary(pool)
    async with pool.acquire() as connection:
        token = await begin_session(connection, notary, now=NOW)
        assert await find_session(connection, token, now=NOW + IDLE - SECOND) == notary.actor()
        assert await find_session(connection, token, now=NOW + 2 * IDLE - 2 * SECOND) == notary.actor()
        assert await find_session(connection, token, now=NOW + 3 * IDLE) is None


async def test_a_session_ends_after_half_a_day_though_it_is_used(pool: asyncpg.Pool) -> None:
    notary = await with_notary(pool)
    async with pool.acquire() as connection:
        token, now = await begin_session(connection, notary, now=NOW), NOW
        while now < NOW + LONGEST:
            assert await find_session(connection, token, now=now) == notary.actor()
            now += IDLE - SECOND
        assert await find_session(connection, token, now=NOW + LONGEST) is None


async def test_nothing_that_is_kept_lets_anybody_in(pool: asyncpg.Pool) -> None:
    notary = await with_notary(pool)
    async with pool.acquire() as connection:
        token = await begin_session(connection, notary)
        assert len(token) == 43
        kept = await connection.fetchrow("SELECT * FROM access.sessions")
        assert kept["token_hash"] == hashlib.sha256(token.encode()).digest()
        assert token not in repr(tuple(kept))
        for stolen in (kept["token_hash"].hex(), kept["token_hash"].decode("latin-1")):
            assert await find_session(connection, stolen) is None


async def test_an_ended_session_is_over(pool: asyncpg.Pool) -> None:
    notary = await with_notary(pool)
    async with pool.acquire() as connection:
        token, other = await begin_session(connection, notary), await begin_session(connection, notary)
        assert await end_session(connection, token) == notary
        assert await end_session(connection, token) is None
        assert await find_session(connection, token) is None
        assert await find_session(connection, other) == notary.actor()


async def test_ended_sessions_are_forgotten(pool: asyncpg.Pool) -> None:
    notary = await with_notary(pool)
    async with pool.acquire() as connection:
        for _ in range(5):
            await begin_session(connection, notary, now=NOW)
        await begin_session(connection, notary, now=NOW + IDLE)
        assert await connection.fetchval("SELECT count(*) FROM access.sessions") == 1


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "é", "x" * 10_000, "'; --"])
async def test_no_other_token_is_a_session(pool: asyncpg.Pool, token: str) -> None:
    await with_notary(pool)
    async with pool.acquire() as connection:
        assert await find_session(connection, token) is None
        assert await end_session(connection, token) is None
