"""Idempotency keys: one effect, one answer, whatever is sent again, at once, altered, or after a crash."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from explorer.access.actors import Scope
from explorer.access.idempotency import KEPT, LEASE, Answer, Attempt, Busy, answered, begin, failed, prune
from explorer.access.service import AccessService
from tests.integration.access.serving import Got, World, bearer

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SAME, OTHER = bytes(32), b"\1" * 32
ANSWER = Answer(201, {"Content-Type": "application/json", "Location": "/x"}, b'{"a":1}')


async def test_an_answer_is_given_again_for_a_day(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        attempt = await begin(connection, "cluster:a", "k", SAME, now=NOW)
        assert isinstance(attempt, Attempt)
        assert await begin(connection, "cluster:a", "k", SAME, now=NOW) is Busy.UNDER_WAY
        assert await begin(connection, "cluster:a", "k", OTHER, now=NOW) is Busy.OTHER
        await answered(connection, attempt, ANSWER)
        late = NOW + KEPT - timedelta(seconds=1)
        assert await begin(connection, "cluster:a", "k", SAME, now=late) == ANSWER
        assert await begin(connection, "cluster:a", "k", OTHER, now=late) is Busy.OTHER
        assert isinstance(await begin(connection, "cluster:b", "k", SAME, now=late), Attempt)
        assert isinstance(await begin(connection, "cluster:a", "k", OTHER, now=NOW + KEPT), Attempt)


async def test_a_failed_attempt_leaves_nothing(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        attempt = await begin(connection, "cluster:a", "k", SAME, now=NOW)
        assert isinstance(attempt, Attempt)
        await failed(connection, attempt)
        assert isinstance(await begin(connection, "cluster:a", "k", OTHER, now=NOW), Attempt)


async def test_after_a_crash_the_next_attempt_runs_and_the_dead_one_says_nothing(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        dead = await begin(connection, "cluster:a", "k", SAME, now=NOW)
        assert isinstance(dead, Attempt)
        assert await begin(connection, "cluster:a", "k", SAME, now=NOW + LEASE / 2) is Busy.UNDER_WAY
        assert await begin(connection, "cluster:a", "k", OTHER, now=NOW + LEASE) is Busy.OTHER
        taker = await begin(connection, "cluster:a", "k", SAME, now=NOW + LEASE)
        assert isinstance(taker, Attempt)
        await answered(connection, dead, ANSWER)
        await failed(connection, dead)
        assert await begin(connection, "cluster:a", "k", SAME, now=NOW + LEASE) is Busy.UNDER_WAY
        await answered(connection, taker, ANSWER)
        assert await begin(connection, "cluster:a", "k", SAME, now=NOW + LEASE) == ANSWER


async def test_of_many_at_once_one_begins(pool: asyncpg.Pool) -> None:
    async def once() -> object:
        async with pool.acquire() as connection:
            return await begin(connection, "cluster:a", "k", SAME)

    begun = await asyncio.gather(*(once() for _ in range(40)))
    assert sum(isinstance(one, Attempt) for one in begun) == 1
    assert begun.count(Busy.UNDER_WAY) == 39


async def test_pruning_forgets_what_is_over(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        for number, at in enumerate((NOW, NOW + timedelta(hours=2))):
            await begin(connection, "cluster:a", str(number), SAME, now=at)
        await prune(connection, now=NOW + KEPT + timedelta(hours=1))
        assert await connection.fetchval("SELECT array_agg(key) FROM access.idempotency") == ["1"]
    await AccessService(pool).take_signature(SAME, timedelta(seconds=-1))
    await AccessService(pool).prune()
    assert await pool.fetchval("SELECT count(*) FROM access.used_signatures") == 0


HOOK = "https://one.one.one.one/hook"


async def add_webhook(world: World, key: str | None, idempotency: str | None, url: str = HOOK) -> Got:
    """Adds a webhook: an effect that can be counted."""
    extra = {} if idempotency is None else {"Idempotency-Key": idempotency}
    return await world.ask("POST", "/webhooks", json={"url": url}, headers={**bearer(key), **extra})


async def test_over_http_the_effect_comes_once_and_its_answer_again(world: World, pool: asyncpg.Pool) -> None:
    key = (await world.add("ops", Scope.ADMIN)).key
    first = await add_webhook(world, key, "k-1")
    assert first.status == 201, first.body
    assert "Idempotency-Replayed" not in first.headers
    for spelling in ("k-1", '"k-1"', " k-1 "):
        again = await add_webhook(world, key, spelling)
        assert (again.status, again.body) == (first.status, first.body)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
        assert again.headers.get("Location") == first.headers.get("Location")
    other = await add_webhook(world, key, "k-1", url=HOOK + "2")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    elsewhere = await world.ask(
        "POST", "/webhooks/wh_1/test", json={"url": HOOK}, headers={**bearer(key), "Idempotency-Key": "k-1"}
    )
    assert (elsewhere.status, elsewhere.code) == (422, "idempotency_key_reused")
    assert await pool.fetchval("SELECT count(*) FROM alerts.endpoints") == 1
    assert (await add_webhook(world, key, None)).status >= 400


async def test_keys_of_different_callers_have_nothing_to_do_with_each_other(world: World) -> None:
    ops, more = await world.add("ops", Scope.ADMIN), await world.add("more", Scope.ADMIN)
    first = await add_webhook(world, ops.key, "k")
    second = await add_webhook(world, more.key, "k", url=HOOK + "2")
    assert (first.status, second.status) == (201, 201)
    assert first.body != second.body


async def test_what_was_refused_can_be_mended_under_the_same_key(world: World) -> None:
    key = (await world.add("ops", Scope.ADMIN)).key
    for _ in range(2):
        refused = await add_webhook(world, key, "k", url="http://127.0.0.1/hook")
        assert 400 <= refused.status < 500
        assert "Idempotency-Replayed" not in refused.headers
    assert (await add_webhook(world, key, "k")).status == 201


async def test_at_once_one_works_and_the_others_wait(world: World, pool: asyncpg.Pool) -> None:
    key = (await world.add("ops", Scope.ADMIN)).key
    got = await asyncio.gather(*(add_webhook(world, key, "k") for _ in range(12)))
    assert {one.status for one in got} <= {201, 409}
    assert len({one.body for one in got if one.status == 201}) == 1
    waiting = [one for one in got if one.status == 409]
    assert all(one.code == "under_way" and one.headers["Retry-After"] == "2" for one in waiting)
    assert await pool.fetchval("SELECT count(*) FROM alerts.endpoints") == 1


async def test_a_service_that_died_between_leaves_a_request_that_runs_again(world: World, pool: asyncpg.Pool) -> None:
    """The effect was not committed; the next attempt after the lease brings it."""
    made = await world.add("ops", Scope.ADMIN)
    first = await add_webhook(world, made.key, "k")
    await pool.execute(
        "UPDATE access.idempotency SET status = NULL, headers = NULL, body = NULL, attempt = gen_random_uuid(),"
        " leased_until = clock_timestamp() + interval '1 hour'"
    )
    await pool.execute("DELETE FROM alerts.secrets")
    await pool.execute("DELETE FROM alerts.endpoints")
    assert (await add_webhook(world, made.key, "k")).code == "under_way"
    await pool.execute("UPDATE access.idempotency SET leased_until = clock_timestamp()")
    again = await add_webhook(world, made.key, "k")
    assert again.status == 201
    assert again.body != first.body
    assert (await add_webhook(world, made.key, "k")).body == again.body


@pytest.mark.parametrize("key", ["", '""', "a b", "é", "x" * 201, '"' + "x" * 201 + '"'])
async def test_no_idempotency_key(world: World, key: str) -> None:
    made = await world.add("ops", Scope.ADMIN)
    got = await add_webhook(world, made.key, key)
    assert (got.status, got.code) == (400, "malformed_idempotency_key")


async def test_who_is_not_let_in_leaves_nothing(world: World, pool: asyncpg.Pool) -> None:
    key = (await world.add("berlin")).key
    assert (await add_webhook(world, key, "k")).status == 403
    assert (await add_webhook(world, None, "k")).status == 401
    assert await pool.fetchval("SELECT count(*) FROM access.idempotency") == 0


def test_any_order_of_attempts_has_one_effect_at_a_time(dsn: str) -> None:
    """A model of one key: at most one attempt holds it, an answer never changes within a day."""
    runner = asyncio.Runner()
    connection = runner.run(asyncpg.connect(dsn))

    class Model(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.now = NOW
            self.open: list[Attempt] = []
            self.holder: Attempt | None = None
            self.leased_until = self.began = NOW
            self.answer: Answer | None = None
            self.fingerprint: bytes | None = None
            self.numbers = 0
            runner.run(connection.execute("TRUNCATE access.idempotency"))

        @rule(seconds=st.sampled_from([1, 59, 60, 3600, 86_400]))
        def wait(self, seconds: int) -> None:
            self.now += timedelta(seconds=seconds)

        @rule(fingerprint=st.sampled_from([SAME, OTHER]))
        def begin(self, fingerprint: bytes) -> None:
            is_new = self.fingerprint is None or self.now >= self.began + KEPT
            is_dead = self.holder is not None and self.now >= self.leased_until
            found = runner.run(begin(connection, "cluster:a", "k", fingerprint, now=self.now))
            if is_new or (is_dead and fingerprint == self.fingerprint):
                assert isinstance(found, Attempt)
                self.holder, self.answer, self.fingerprint = found, None, fingerprint
                self.began, self.leased_until = self.now, self.now + LEASE
                self.open.append(found)
            elif fingerprint != self.fingerprint:
                assert found is Busy.OTHER
            else:
                assert found == (Busy.UNDER_WAY if self.answer is None else self.answer)

        @rule(data=st.data())
        def answer_one(self, data: st.DataObject) -> None:
            if self.open:
                attempt = data.draw(st.sampled_from(self.open))
                self.numbers += 1
                answer = Answer(200, {"Content-Type": "text/plain"}, str(self.numbers).encode())
                runner.run(answered(connection, attempt, answer))
                if attempt == self.holder:
                    self.answer, self.holder = answer, None

        @rule(data=st.data())
        def fail_one(self, data: st.DataObject) -> None:
            if self.open:
                attempt = data.draw(st.sampled_from(self.open))
                runner.run(failed(connection, attempt))
                if attempt == self.holder:
                    self.holder = self.answer = self.fingerprint = None

        @invariant()
        def one_row_at_most(self) -> None:
            assert runner.run(connection.fetchval("SELECT count(*) FROM access.idempotency")) <= 1

    Model.TestCase.settings = settings(max_examples=30, stateful_step_count=30, suppress_health_check=list(HealthCheck))
    Model.TestCase("runTest").runTest()
    runner.run(connection.close())
    runner.close()
