"""Nonces: once, for one purpose, in time, and nothing kept of those that are only asked for."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.access.nonces import SIGN_IN, SIGN_IN_LIFETIME, issue_nonce, take_nonce

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def test_a_nonce_is_taken_once(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        nonce = await issue_nonce(connection, SIGN_IN)
        assert await take_nonce(connection, nonce, SIGN_IN)
        assert not await take_nonce(connection, nonce, SIGN_IN)


async def test_a_nonce_is_for_one_purpose(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        nonce = await issue_nonce(connection, "decision rev_1")
        assert not await take_nonce(connection, nonce, SIGN_IN)
        assert not await take_nonce(connection, nonce, "decision rev_2")
        assert await take_nonce(connection, nonce, "decision rev_1")


async def test_a_nonce_has_its_time(pool: asyncpg.Pool) -> None:
    second = timedelta(seconds=1)
    async with pool.acquire() as connection:
        for lifetime in (SIGN_IN_LIFETIME, timedelta(days=7)):
            nonce = await issue_nonce(connection, SIGN_IN, now=NOW, lifetime=lifetime)
            assert not await take_nonce(connection, nonce, SIGN_IN, now=NOW + lifetime)
            assert await take_nonce(connection, nonce, SIGN_IN, now=NOW + lifetime - second)


async def test_of_many_who_take_it_at_once_one_does(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        nonce = await issue_nonce(connection, SIGN_IN)

    async def take() -> bool:
        async with pool.acquire() as connection, connection.transaction():
            return await take_nonce(connection, nonce, SIGN_IN)

    assert sum(await asyncio.gather(*(take() for _ in range(30)))) == 1


async def test_a_nonce_that_was_taken_for_nothing_is_still_there(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        nonce = await issue_nonce(connection, SIGN_IN)
        transaction = connection.transaction()
        await transaction.start()
        assert await take_nonce(connection, nonce, SIGN_IN)
        await transaction.rollback()
        assert await take_nonce(connection, nonce, SIGN_IN)


async def test_asking_keeps_nothing_and_taking_only_for_a_while(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        given_out = {await issue_nonce(connection, SIGN_IN, now=NOW) for _ in range(500)}
        assert len(given_out) == 500
        assert await _kept(connection) == 0
        for nonce in sorted(given_out)[:50]:
            assert await take_nonce(connection, nonce, SIGN_IN, now=NOW)
        assert await _kept(connection) == 50
        later = NOW + timedelta(days=2)
        assert await take_nonce(connection, await issue_nonce(connection, SIGN_IN, now=later), SIGN_IN, now=later)
        assert await _kept(connection) == 1


async def _kept(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM access.taken_nonces")
    return count


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, 47), char=st.characters())
async def test_no_other_nonce_is_ours(pool: asyncpg.Pool, place: int, char: str) -> None:
    async with pool.acquire() as connection:
        nonce = await issue_nonce(connection, SIGN_IN)
        changed = nonce[:place] + char + nonce[place + 1 :]
        assert await take_nonce(connection, changed, SIGN_IN) == (changed == nonce)


@pytest.mark.parametrize("text", ["", "A" * 48, "A" * 47, "a" * 48, "A" * 10_000, "=" * 48, "\0" * 48, "é" * 48])
async def test_what_is_no_nonce_is_not_taken(pool: asyncpg.Pool, text: str) -> None:
    async with pool.acquire() as connection:
        assert not await take_nonce(connection, text, SIGN_IN)
