"""Sectors that were terminated before following began are learnt from the events that the node still keeps."""

import random
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from explorer.follow.backfill import SOURCE, Backfill
from explorer.index.backfill import load_backfilled
from explorer.index.tipsets import load_following
from node.chain.errors import ChainError
from node.lotus.in_process import InProcessTransport
from node.lotus.transport import Call, RpcFault
from node.sim.rpc import event_methods
from node.sim.rpc.dispatch import Dispatcher
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.world import World
from tests.unit.lotus.chains import chain_over

pytestmark = pytest.mark.usefixtures("soon_final")

TERMINATED = "SELECT provider_id, sector, height FROM explorer.sector_terminations"


class Deaf(InProcessTransport):
    """A node that keeps no events."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__(dispatcher, name="deaf")

    async def call(self, call: Call) -> object:
        if call.method.endswith("GetActorEventsRaw"):
            raise RpcFault(1, "module disabled, enable with Events.EnableActorEventsAPI")
        return await super().call(call)


class Tiring(InProcessTransport):
    """A node that gives so many answers with events, and then no more."""

    def __init__(self, dispatcher: Dispatcher, answers: int) -> None:
        super().__init__(dispatcher, name="tiring")
        self._left = answers

    async def call(self, call: Call) -> object:
        answer = await super().call(call)
        if call.method.endswith("GetActorEventsRaw") and answer:
            self._left -= 1
            if self._left < 0:
                raise RpcFault(1, "datastore closed")
        return answer


def lived(seed: int) -> World:
    """A chain on which sectors were claimed and terminated, some long ago."""
    world = World(seed)
    for name in ("allocate", "onboard", "terminate", "mine") * 12:
        world.step((name,))
    for _ in range(40):
        world.step(("mine", "skip"))
    return world


async def told(index: LivingIndex, backfill: Backfill) -> None:
    """Asks until nothing is left."""
    while not await backfill.step():
        pass


async def followed_late(pool: asyncpg.Pool, tmp_path: Path, seed: int) -> LivingIndex:
    """An index that began to follow when most had happened."""
    index = LivingIndex(pool, lived(seed), tmp_path)
    await index.begin_at(index.world.height - 30)
    await index.follow()
    return index


async def test_a_fresh_index_knows_what_was_terminated_before_it(
    pool: asyncpg.Pool, tmp_path: Path, say_seed: Callable[[int], None]
) -> None:
    seed = random.randrange(10**6)
    say_seed(seed)
    living = LivingIndex(pool, lived(seed), tmp_path)
    await living.begin_at_genesis()
    await living.follow()
    known = set(await pool.fetch(TERMINATED))
    await living.forget()

    fresh = LivingIndex(pool, living.world, tmp_path)
    await fresh.begin_at(fresh.world.height - 30)
    await fresh.follow()
    assert set(await pool.fetch(TERMINATED)) < known
    await told(fresh, Backfill(fresh.chain(), pool))
    assert set(await pool.fetch(TERMINATED)) == known
    await fresh.assert_at_head(f"seed {seed}")
    status = await fresh.service.status()
    assert status["index"]["terminations"] == {"from_epoch": 0, "is_done": True, "reason": None}


async def test_it_goes_on_where_it_was(pool: asyncpg.Pool, tmp_path: Path) -> None:
    index = await followed_late(pool, tmp_path, 7)
    async with pool.acquire() as connection:
        following = await load_following(connection)
        assert following is not None
        assert (await load_backfilled(connection, following.start_epoch)).reached_epoch == following.start_epoch
    assert not await Backfill(index.chain(), pool).step()
    assert await Backfill(index.chain(), pool).step()


async def test_each_answer_is_taken_in_by_itself_and_a_stretch_that_breaks_off_is_asked_for_anew(
    pool: asyncpg.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that one answer of the node is all that is held at once."""
    index = await followed_late(pool, tmp_path, 9)
    monkeypatch.setattr(event_methods, "MAX_RESULTS", 2)
    before = set(await pool.fetch(TERMINATED))
    tiring = Backfill(chain_over(Tiring(index.world.dispatcher, 2), time=index.time), pool)
    with pytest.raises(ChainError, match="datastore closed"):
        await tiring.step()
    some = set(await pool.fetch(TERMINATED))
    assert some > before
    assert (await index.service.status())["index"]["terminations"]["from_epoch"] > 0

    await told(index, Backfill(index.chain(), pool))
    assert set(await pool.fetch(TERMINATED)) > some
    assert (await index.service.status())["index"]["terminations"]["is_done"]
    answers = [row[0] for row in await pool.fetch("SELECT records FROM explorer.imports WHERE source = $1", SOURCE)]
    assert len(answers) > 3
    assert max(answers) <= 2
    await index.assert_at_head("taken in by pieces")


async def test_a_node_without_events_ends_it_with_a_reason(pool: asyncpg.Pool, tmp_path: Path) -> None:
    index = await followed_late(pool, tmp_path, 8)
    await told(index, Backfill(chain_over(Deaf(index.world.dispatcher), time=index.time), pool))
    terminations = (await index.service.status())["index"]["terminations"]
    assert terminations["is_done"]
    assert terminations["reason"]
