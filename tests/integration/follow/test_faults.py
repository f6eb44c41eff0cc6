"""Nodes that fail or lie: every fault on every method that following asks. Nothing wrong is written, and a minute after
the fault ended the index is at the head."""

from pathlib import Path

import asyncpg
import pytest

from explorer.errors import FollowError
from explorer.follow.follower import LIGHTER_AFTER_S, Follower
from explorer.follow.pace import PAUSES_S
from explorer.index.tipsets import load_following, load_head
from node.chain.errors import ChainError
from node.lotus.in_process import InProcessTransport
from node.lotus.limits import Retries
from node.sim.faults import KINDS
from tests.integration.follow.faulty import EXPECTED, METHODS, FaultyIndex
from tests.integration.follow.truth import assert_true_of, truth_of
from tests.integration.follow.world import World
from tests.unit.lotus.chains import Time, chain_over


@pytest.fixture
def index(pool: asyncpg.Pool, tmp_path: Path) -> FaultyIndex:
    world = World(21)
    world.live("allocate", "publish", "onboard", "skip", "activate")
    return FaultyIndex(pool, world, tmp_path, Time())


SOMETHING = ("mine", "allocate", "skip", "onboard", "publish", "activate")


async def test_every_method_that_following_asks_is_listed(index: FaultyIndex) -> None:
    for upgraded in (False, True):
        await index.attempts(1)
        index.world.live(*SOMETHING)
        if upgraded:
            index.world.upgrade()
            index.world.ask("Sim.Mine", 10)
        await index.attempts(1)
        assert index.asked <= set(METHODS)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_fault_on_every_method(index: FaultyIndex, kind: str) -> None:
    """From the first moment on, then again after a restart, then with a world that goes on meanwhile."""
    for method in METHODS:
        note = f"{kind} on {method}"
        await index.forget()
        index.world.fault(kind, [method])
        await index.attempts(2)
        await index.assert_nothing_wrong(note)
        index.world.live("mine")
        index.restart()
        await index.attempts(2)
        await index.assert_nothing_wrong(note)
        index.world.fault(None)
        await index.recover(note)
        await index.assert_at_head(note)
        index.world.live("allocate", "onboard", "publish")
        index.world.fault(kind, [method])
        await index.attempts(3)
        await index.assert_nothing_wrong(note)
        index.world.fault(None)
        await index.recover(note)
        await index.assert_at_head(note)


@pytest.mark.parametrize("seed", range(3))
async def test_faults_at_random_on_everything(pool: asyncpg.Pool, tmp_path: Path, seed: int) -> None:
    world = World(seed)
    world.mine()
    index = FaultyIndex(pool, world, tmp_path, Time())
    for number in range(40):
        kinds = [kind for kind in KINDS if world.draw.random() < 0.3]
        for kind in kinds:
            world.fault(kind, share=0.2)
        note = f"seed {seed}, step {number} ({world.step()}), {kinds}"
        await index.attempts(2)
        await index.assert_nothing_wrong(note)
        world.fault(None)
        await index.recover(note)
        await index.assert_at_head(note)


async def test_a_stale_head_is_not_gone_back_to_at_once(index: FaultyIndex) -> None:
    index.world.live(*SOMETHING)
    await index.attempts(1)
    assert await index.is_at_head()
    index.world.fault("stale", ["ChainHead"])
    await index.attempts(3)
    assert await index.is_at_head()
    await index.time.sleep(LIGHTER_AFTER_S / 2)
    await index.attempts(1)
    assert await index.is_at_head()


class TwoNodes:
    """A node that may lie, asked first, and an honest one that is the witness; each of a chain of its own."""

    def __init__(self, pool: asyncpg.Pool, seed: int) -> None:
        self.liar, self.honest, self.time, self.pool = World(seed), World(seed), Time(), pool
        for world in (self.liar, self.honest):
            world.mine()
        transports = [
            InProcessTransport(self.liar.dispatcher, name="liar"),
            InProcessTransport(self.honest.dispatcher, name="honest"),
        ]
        chain = chain_over(*transports, time=self.time, retries=Retries(), expected=EXPECTED)
        self.follower = Follower(chain, pool, self.time.clock, witnesses=[("honest", chain.on("honest"))])

    async def attempt(self) -> None:
        try:
            await self.follower.begin()
            await self.follower.go_to(await self.follower.chain.head(), is_explicit=False)
        except (ChainError, FollowError):
            await self.time.sleep(PAUSES_S[1])

    async def final_epoch(self) -> int:
        async with self.pool.acquire() as connection:
            following = await load_following(connection)
        assert following is not None
        return following.final_epoch


@pytest.mark.usefixtures("soon_final")
async def test_what_another_node_disputes_is_not_final(pool: asyncpg.Pool) -> None:
    nodes = TwoNodes(pool, 31)
    for world in (nodes.liar, nodes.honest):
        world.ask("Sim.Mine", 80)
    await nodes.attempt()
    agreed = await nodes.final_epoch()
    assert agreed > 0
    assert nodes.follower.disputes == []

    nodes.liar.ask("Sim.Fork", 40)
    for _ in range(10):
        nodes.liar.ask("Sim.Mine", 20)
        nodes.honest.ask("Sim.Mine", 21)
        await nodes.attempt()
    assert [dispute.node for dispute in nodes.follower.disputes] == ["honest"]
    assert await nodes.final_epoch() <= 80 - 40
    assert nodes.honest.chain.canon.at(await nodes.final_epoch()) == nodes.liar.chain.canon.at(
        await nodes.final_epoch()
    )


async def test_a_node_of_another_network_is_passed_over(pool: asyncpg.Pool) -> None:
    nodes = TwoNodes(pool, 32)
    nodes.liar.fault("network")
    nodes.honest.ask("Sim.Mine", 3)
    await nodes.attempt()
    async with pool.acquire() as connection:
        found = await load_head(connection)
    assert found is not None
    assert found[0].key == tuple(cid.to_bytes() for cid in nodes.honest.chain.head.key)


async def test_a_silent_node_is_passed_over(pool: asyncpg.Pool) -> None:
    nodes = TwoNodes(pool, 33)
    nodes.liar.fault("hang")
    nodes.honest.allocate()
    await nodes.attempt()
    async with pool.acquire() as connection:
        found = await load_head(connection)
        assert found is not None
        assert found[0].height == nodes.honest.height
        chain = nodes.honest.chain
        await assert_true_of(connection, truth_of(chain.state_at(chain.head)), chain.head.height, "one is silent")
