"""Catching up goes in stages of bounded size, and a node's ranges of events are believed as far as they go."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.follow.follower import STAGE_TIPSETS
from explorer.ground.queries import load_queries
from explorer.index.followed import Link
from explorer.index.tipsets import begin, load_following
from node.lotus.in_process import InProcessTransport
from node.lotus.transport import Call, RpcFault
from node.sim.rpc.dispatch import Dispatcher
from tests.integration.feed.conftest import feed_of
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.world import World
from tests.plans import rows_read
from tests.unit.lotus.chains import chain_over


async def test_what_comes_after_a_long_gap_of_null_rounds_is_staged_too(pool: asyncpg.Pool, tmp_path: Path) -> None:
    world = World(61)
    world.live("mine")
    index = LivingIndex(pool, world, tmp_path)
    await index.follow()
    begun = world.height
    world.ask("Sim.NullRounds", STAGE_TIPSETS * 7 // 2)
    world.ask("Sim.Mine", STAGE_TIPSETS * 5 // 2)
    await index.follow()
    heads = [begun, *(event.data["epoch"] for event in await feed_of(pool) if event.type == "head")]
    heights = [tipset.height for tipset in world.chain.canon.between(begun, world.height)]
    places = [heights.index(head) for head in heads if head in heights]
    assert max(after - before for before, after in pairwise(places)) <= STAGE_TIPSETS
    await index.assert_at_head("after the gap")


class CountingTransport(InProcessTransport):
    """Counts what it is asked."""

    asked = 0

    async def call(self, call: Call) -> object:
        self.asked += 1
        return await super().call(call)


async def test_a_chain_that_stood_still_for_long_takes_few_questions(pool: asyncpg.Pool, tmp_path: Path) -> None:
    world = World(63)
    world.live("mine")
    index = LivingIndex(pool, world, tmp_path)
    await index.follow()
    world.ask("Sim.NullRounds", 3_000)
    world.ask("Sim.Mine", STAGE_TIPSETS + 5)
    transport = CountingTransport(world.dispatcher)
    index.follower = type(index.follower)(chain_over(transport, time=index.time), pool, index.time.clock)
    await index.follow()
    await index.assert_at_head("after the gap")
    assert transport.asked < 10 * STAGE_TIPSETS


@pytest.mark.parametrize("name", ["links", "forget_told"])
async def test_what_each_head_costs_grows_not_with_the_chain(pool: asyncpg.Pool, name: str) -> None:
    length, final = 30_000, 29_990
    query = load_queries("explorer.index.sql", "tipsets.sql")[name]
    async with pool.acquire() as connection:
        await begin(
            connection,
            Link(1, (b"1",)),
            parent_weight=1,
            genesis_cid=b"genesis",
            genesis_time=0,
            final_source="depth",
            network_version=28,
        )
        await connection.execute(
            "INSERT INTO explorer.tipsets SELECT n, ARRAY['k'::bytea], n, NULL FROM generate_series(2, $1) AS n", length
        )
        await connection.execute("UPDATE explorer.following SET final_epoch = $1", final)
        await connection.execute("VACUUM ANALYZE explorer.tipsets")
        arguments = [final + 5] if name == "forget_told" else []
        assert await rows_read(connection, query, *arguments) < 100


class Mixed(InProcessTransport):
    """Two nodes behind one address: one tells what is final, the other all that it knows."""

    def __init__(self, dispatcher: Dispatcher, final: Dispatcher) -> None:
        super().__init__(dispatcher)
        self._final = InProcessTransport(final)

    async def call(self, call: Call) -> object:
        if call.version == 2:
            return await self._final.call(call)
        try:
            return await super().call(call)
        except RpcFault:
            return await self._final.call(call)


@pytest.mark.usefixtures("soon_final")
async def test_what_is_final_of_another_fork_makes_nothing_final_on_the_way(pool: asyncpg.Pool, tmp_path: Path) -> None:
    ours, theirs = World(64), World(64)
    ours.ask("Sim.Mine", 80)
    ours.ask("Sim.Fork", 40)
    ours.ask("Sim.Mine", 220)
    theirs.ask("Sim.Mine", 300)
    index = LivingIndex(pool, ours, tmp_path)
    await index.begin_at_genesis()
    mixed = Mixed(ours.dispatcher, theirs.dispatcher)
    index.follower = type(index.follower)(chain_over(mixed, time=index.time), pool, index.time.clock)
    await index.follow()
    await index.assert_at_head("on our fork")
    async with pool.acquire() as connection:
        following = await load_following(connection)
    assert following is not None
    assert following.final_epoch == 0


class RangesTransport(InProcessTransport):
    """A node that loses the events of some heights from ranges, or gives at most so many events, or no range at all."""

    def __init__(self, dispatcher: Dispatcher, most: int | None, lost: range) -> None:
        super().__init__(dispatcher)
        self._most, self._lost = most, lost
        self.ranges = 0

    async def call(self, call: Call) -> object:
        answer: Any = await super().call(call)
        if call.method != "Filecoin.GetActorEventsRaw" or "fromHeight" not in str(call.params):
            return answer
        self.ranges += 1
        kept = [event for event in answer or () if event["height"] not in self._lost]
        if self._most is None:
            raise RpcFault(1, "method not supported by this provider")
        if len(kept) > self._most:
            raise RpcFault(1, "filter matches too many events, try a more restricted filter")
        return kept


async def followed(pool: asyncpg.Pool, folder: Path, most: int | None, lost: range) -> int:
    """Catches up with a busy chain over such a node; how many ranges were asked for."""
    world = World(62)
    world.live("mine")
    index = LivingIndex(pool, world, folder)
    await index.follow()
    world.live(*("allocate", "onboard", "publish", "activate", "skip") * 6)
    transport = RangesTransport(world.dispatcher, most, lost)
    index.follower = type(index.follower)(chain_over(transport, time=index.time), pool, index.time.clock)
    await index.follow()
    await index.assert_at_head(f"at most {most}, without {lost}")
    await index.assert_coverage(list(range(0, world.height, 7)), "of ranges")
    return transport.ranges


async def test_events_that_a_range_lacks_are_asked_for_by_tipset(pool: asyncpg.Pool, tmp_path: Path) -> None:
    assert await followed(pool, tmp_path, 10_000, range(20, 60)) >= 1


async def test_a_range_with_too_many_events_is_halved(pool: asyncpg.Pool, tmp_path: Path) -> None:
    assert await followed(pool, tmp_path, 5, range(0)) > 8


async def test_a_node_that_gives_no_ranges_is_asked_by_tipset(pool: asyncpg.Pool, tmp_path: Path) -> None:
    assert await followed(pool, tmp_path, None, range(0)) == 1
