"""What is done each night: a sample is compared, and what was found is shown."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from apscheduler.triggers.date import DateTrigger
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from explorer.chores import Chore, Chores, DriftGauges, NightlyVerification, Pruning, night_minute
from explorer.follow.state_read import STATE_SOURCE
from explorer.follow.verify import Wanted, verify
from explorer.index import verifications
from explorer.index.followed import SOURCE
from explorer.index.verifications import Verification, load_last_verification, save_verification
from tests.integration.follow_verify.world import World
from tests.patience import PATIENCE_S


def verification(at: datetime, sector_drift: int = 0) -> Verification:
    return Verification(
        at=at,
        epoch=7,
        node="simulated",
        scope={"what": "all"},
        compared={"claims": {"index": 3, "node": 3, "rejected": 0}},
        drift={"claims": {"missing": 0, "surplus": 0, "different": sector_drift}},
        examples=[],
        not_compared={"deals": "no"},
        seconds=0.5,
    )


async def save(pool: asyncpg.Pool, one: Verification) -> None:
    async with pool.acquire() as connection:
        await save_verification(connection, one)


async def count(pool: asyncpg.Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM explorer.verifications"))


async def test_the_night_compares_a_sample_and_warns_of_drift(world: World, pool: asyncpg.Pool, followed: int) -> None:
    await pool.execute("UPDATE explorer.claims SET sector = sector + 1")
    with capture_logs() as logs:
        await NightlyVerification(pool, lambda: world.chain).run()
    [line] = [one for one in logs if one["event"] == "index_verified"]
    assert (line["log_level"], line["drifted"]) == ("warning", 9)
    registry = CollectorRegistry()
    await DriftGauges(pool, registry).refresh()
    assert registry.get_sample_value("filplus_index_drift", {"kind": "claims"}) == 9
    assert registry.get_sample_value("filplus_index_drift", {"kind": "deals"}) == 0
    at = registry.get_sample_value("filplus_index_verified_seconds")
    assert at == pytest.approx(datetime.now(UTC).timestamp(), abs=60)


async def test_the_night_names_the_nodes_that_answered_it(world: World, pool: asyncpg.Pool, followed: int) -> None:
    both = world.with_another_node()
    await both.on("other").head()
    with capture_logs() as logs:
        await NightlyVerification(pool, lambda: both).run()
    async with pool.acquire() as connection:
        last = await load_last_verification(connection)
    assert last is not None
    assert (last.node, both.nodes) == ("simulated", ("simulated", "other"))
    assert [one["log_level"] for one in logs if one["event"] == "index_verified"] == ["info"]


async def test_nothing_to_compare_is_no_reason_to_warn(world: World, pool: asyncpg.Pool, followed: int) -> None:
    with capture_logs() as logs:
        found = await verify(
            pool, world.chain, Wanted(seed=1, providers=(999,)), told_by=lambda: ", ".join(world.chain.answered)
        )
    assert (found.is_clean, found.drifted) == (False, 0)
    assert [one["log_level"] for one in logs if one["event"] == "index_verified"] == ["info"]


async def test_what_another_process_compared_lately_is_not_repeated(
    world: World, pool: asyncpg.Pool, followed: int
) -> None:
    await save(pool, verification(datetime.now(UTC) - timedelta(hours=2)))
    nightly = NightlyVerification(pool, lambda: world.chain)
    await nightly.run()
    assert await count(pool) == 1
    await NightlyVerification(pool, lambda: world.chain, now=lambda: datetime.now(UTC) + timedelta(days=1)).run()
    assert await count(pool) == 2


async def test_without_a_chain_the_night_is_quiet(pool: asyncpg.Pool) -> None:
    await NightlyVerification(pool, lambda: None).run()
    assert await count(pool) == 0


async def test_no_metric_before_the_first_verification(pool: asyncpg.Pool) -> None:
    registry = CollectorRegistry()
    await DriftGauges(pool, registry).refresh()
    assert registry.get_sample_value("filplus_index_drift", {"kind": "claims"}) is None


HOUR, DAY = 120, 2880
DAYS = 40


async def cover(pool: asyncpg.Pool, kind: str, source: str, spans: Iterable[tuple[int, int]]) -> None:
    add = "INSERT INTO explorer.coverage (kind, from_epoch, through_epoch, source) VALUES ($1, $2, $3, $4)"
    await pool.executemany(add, [(kind, first, last, source) for first, last in spans])


async def points(pool: asyncpg.Pool, kind: str, source: str) -> list[int]:
    """The single epochs that a source covers."""
    select = "SELECT from_epoch FROM explorer.coverage WHERE (kind, source) = ($1, $2) AND from_epoch = through_epoch"
    return sorted(row[0] for row in await pool.fetch(select, kind, source))


async def test_of_the_states_read_each_hour_long_ago_the_first_of_each_day_stays_covered(pool: asyncpg.Pool) -> None:
    hours = range(60, DAYS * DAY, HOUR)
    begun, by_file = 3 * DAY + 10 * HOUR + 60, 2 * DAY + 61
    for kind in ("claims", "allocations"):
        await cover(pool, kind, STATE_SOURCE, [(epoch, epoch) for epoch in hours])
    await cover(pool, "claims", SOURCE, [(begun, begun + HOUR // 2)])
    await cover(pool, "claims", "dump.json", [(by_file, by_file)])
    await cover(pool, "deals", STATE_SOURCE, [(60, 60), (180, 180)])
    for _ in range(2):
        await Pruning(pool).run()
        newest = hours[-1]
        kept = [epoch for epoch in hours if epoch >= newest - 30 * DAY or epoch % DAY == 60]
        assert await points(pool, "allocations", STATE_SOURCE) == kept
        assert await points(pool, "claims", STATE_SOURCE) == sorted([*kept, begun])
        assert await points(pool, "claims", "dump.json") == [by_file]
        assert await points(pool, "deals", STATE_SOURCE) == [60, 180]
    assert await pool.fetchval("SELECT count(*) FROM explorer.coverage WHERE source = $1", SOURCE) == 1


async def test_old_verifications_are_pruned_but_the_newest_stay(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifications, "KEPT", 2)
    now = datetime.now(UTC)
    for days in (1, 400, 500, 600):
        await save(pool, verification(now - timedelta(days=days)))
    await Pruning(pool).run()
    assert await count(pool) == 2
    async with pool.acquire() as connection:
        last = await load_last_verification(connection)
    assert last is not None
    assert last.at == now - timedelta(days=1)


async def test_a_chore_that_fails_ends_neither_the_others_nor_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.chores.CronTrigger", lambda **_: DateTrigger(timezone=UTC))
    beats: list[int] = []
    ended, was_cancelled = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        raise ValueError("a fault")

    async def works() -> None:
        ended.set()
        try:
            await asyncio.sleep(3600)
        finally:
            was_cancelled.set()

    with capture_logs() as logs:
        task = asyncio.create_task(Chores([Chore("fails", fails), Chore("works", works)], tmp_path).run(_beat(beats)))
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(PATIENCE_S):
            await was_cancelled.wait()
    assert beats == [1]
    assert [(one["chore"], one["log_level"]) for one in logs] == [("fails", "error")]


def _beat(beats: list[int]) -> Callable[[], None]:
    return lambda: beats.append(1)


def test_the_hour_and_minute_are_those_of_the_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, object]] = []
    monkeypatch.setattr("explorer.chores.CronTrigger", lambda **times: given.append(times) or DateTrigger())
    monkeypatch.setattr("explorer.chores.AsyncIOScheduler.start", _stop)
    with pytest.raises(_Stopped):
        asyncio.run(Chores([Chore("one", _nothing)], tmp_path).run(lambda: None))
    minute = night_minute(f"{tmp_path}:one")
    assert given == [{"hour": minute // 60, "minute": minute % 60, "timezone": UTC}]


class _Stopped(Exception):
    pass


def _stop(_scheduler: object) -> None:
    raise _Stopped


async def _nothing() -> None:
    pass
