"""Catching up goes in stages of bounded size, and a node's ranges of events are believed as far as they go."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg

from explorer.follow.follower import STAGE_TIPSETS
from node.lotus.in_process import InProcessTransport
from node.lotus.transport import Call, RpcFault
from node.sim.rpc.dispatch import Dispatcher
from tests.integration.feed.conftest import feed_of
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.world import World
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
