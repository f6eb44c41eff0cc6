"""What `/status` says while nodes fail, over sockets: never that all is well, and the truth again soon after."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest
from structlog.testing import capture_logs

from explorer.follow import disputing
from explorer.web.sentences import reach
from tests.integration.follow.watched import HEAD_METHODS, PACE, port, served, watched
from tests.integration.follow.world import World


@pytest.mark.parametrize("kind", ["hang", "garbage", "429", "cut", "stale", "network"])
async def test_a_node_that_fails_is_never_called_level_with(pool: asyncpg.Pool, kind: str) -> None:
    world = World(51)
    world.ask("Sim.Mine", 20)
    async with served(world, block_time_s=0.3) as node, watched(pool, node.url) as status:
        await status.level()
        await node.do(lambda: world.fault(kind, HEAD_METHODS))
        failing = await status.until(lambda found: found["error"] is not None)
        assert failing["failing_since"] is not None
        assert "level" not in reach(failing)
        assert failing["nodes"][0]["error"] is not None
        assert failing["heard_at"] is not None
        if kind == "network":
            await status.until(lambda found: found["head_epoch"] is None)
        await node.do(lambda: world.fault(None))
        well = await status.level()
        assert (well["failing_since"], well["nodes"][0]["error"]) == (None, None)
        assert reach(well) == "the index is level with it"


async def test_trouble_is_told_when_it_begins_and_ends_and_metrics_show_it(pool: asyncpg.Pool) -> None:
    world = World(52)
    async with served(world, block_time_s=0.2) as node, watched(pool, node.url) as status:
        await status.level()
        told: list[bool] = []
        status.standing.changed = lambda: told.append(status.standing.silent_since is not None)
        await node.do(lambda: world.fault("hang", HEAD_METHODS))
        await status.until(lambda found: bool(told))
        assert status.standing.registry.get_sample_value("filplus_following_failing") == 1
        await node.do(lambda: world.fault(None))
        await status.level()
        await status.until(lambda found: len(told) >= 2)
        assert told[:2] == [True, False]


async def test_a_second_node_of_another_chain_is_shown_and_seldom_asked(pool: asyncpg.Pool) -> None:
    one, other = World(53), World(54)
    async with (
        served(one, block_time_s=0.2) as first,
        served(other) as second,
        watched(pool, first.url, second.url) as status,
    ):
        await status.level()
        found = await status.until(lambda node: node["nodes"][1]["error"] is not None)
        assert "another chain" in found["nodes"][1]["error"]
        assert "FILPLUS_CHAIN_URL" in found["nodes"][1]["error"]
        assert found["nodes"][1]["failing_since"] is not None
        before = found["nodes"][1]["failures"]
        await asyncio.sleep(2)
        later = await status.node()
        assert later["nodes"][1]["failures"] - before <= 2 / 0.5 + 5
        assert later["nodes"][1]["rests_s"] <= 0.5
        assert later["error"] is None


async def test_a_chain_replaced_at_its_address_is_refused_with_the_remedy(pool: asyncpg.Pool) -> None:
    bound = port()
    again = bound.dup()
    async with AsyncExitStack() as server:
        old = await server.enter_async_context(served(World(55), bound, block_time_s=0.2))
        async with watched(pool, old.url) as status:
            await status.level()
            await server.aclose()
            async with served(World(56), again):
                node = await status.until(lambda found: "another chain" in (found["error"] or ""))
                assert "FILPLUS_CHAIN_URL" in node["error"]
                assert "FILPLUS_DATA_DIR" in node["error"]
                assert (node["head_epoch"], node["lag_epochs"]) == (None, None)
                assert reach(node) == ""


@pytest.mark.usefixtures("soon_final")
async def test_a_dispute_is_counted_logged_and_alerted_once(pool: asyncpg.Pool) -> None:
    one, other = World(57), World(57)
    for world in (one, other):
        world.ask("Sim.Mine", 80)
    async with served(one) as first, served(other) as second, watched(pool, first.url, second.url) as status:
        await status.level()
        assert (await status.node())["disputes"] == []
        with capture_logs() as logs:
            await first.do(lambda: one.ask("Sim.Fork", 40))
            await first.do(lambda: one.ask("Sim.Mine", 60))
            await second.do(lambda: other.ask("Sim.Mine", 60))
            node = await status.until(lambda found: bool(found["disputes"]))
        [dispute] = node["disputes"]
        assert dispute["node"] == second.url.removeprefix("http://").partition("/")[0]
        assert dispute["since"].endswith("Z")
        assert [entry["log_level"] for entry in logs if entry["event"] == "dispute_begins"] == ["error"]
        for _ in range(3):
            await first.do(lambda: one.ask("Sim.Mine", 1))
            await status.level()
        assert status.standing.registry.get_sample_value("filplus_finality_disputes_begun_total") == 1
        messages = await pool.fetch("SELECT type, subject_id FROM alerts.messages")
        assert [tuple(row) for row in messages] == [(disputing.DISPUTED, f"node {dispute['node']}")]


async def test_an_outage_began_with_the_first_that_went_wrong(pool: asyncpg.Pool) -> None:
    world = World(59)
    world.ask("Sim.Mine", 20)
    async with served(world) as node, watched(pool, node.url) as status:
        await status.level()
        await node.do(lambda: world.fault("hang", ("Filecoin.ChainHead",)))
        failing = await status.until(lambda found: found["error"] is not None)
        since = datetime.fromisoformat(failing["failing_since"])
        await status.until(lambda _: (datetime.now(UTC) - since).total_seconds() > 2)
        with capture_logs() as logs:
            await node.do(lambda: world.fault("garbage"))
            await node.do(lambda: world.ask("Sim.Mine", 1))
            await status.until(lambda _: any(entry["event"] == "following_failed" for entry in logs))
        later = await status.node()
        assert (later["failing_since"], later["nodes"][0]["failing_since"]) == (failing["failing_since"],) * 2
        await node.do(lambda: world.fault(None))
        await status.level()


async def test_a_silent_node_is_asked_again_when_status_says_so(pool: asyncpg.Pool) -> None:
    """Though reads pass it over for long, its head is asked for at every beat of the pulse."""
    patient = replace(PACE, retries=replace(PACE.retries, rest_s=100.0, longest_rest_s=300.0))
    one, other = World(60), World(60)
    bound = port()
    again = bound.dup()
    async with AsyncExitStack() as server, served(one, block_time_s=0.2) as first:
        second = await server.enter_async_context(served(other, bound))
        async with watched(pool, first.url, second.url, pace=patient) as status:
            await status.level()
            await status.until(lambda found: found["nodes"][1]["head_epoch"] is not None)
            await server.aclose()
            await status.until(lambda found: found["nodes"][1]["failures"] > 0)
            for _ in range(20):
                await first.do(lambda: one.ask("Sim.Mine", 1))
                node = (await status.node())["nodes"][1]
                assert 0 <= node["rests_s"] <= patient.every_s
            async with served(other, again):  # heard again, and found to be where it was
                await status.until(lambda found: "epochs behind another's" in (found["nodes"][1]["error"] or ""))
