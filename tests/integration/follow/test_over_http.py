"""Following over sockets, by the stream of head changes, from a node that fails now and then."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from explorer.errors import FollowError
from explorer.follow import filling, follower, states
from explorer.follow.follower import Follower
from explorer.index.spans import load_coverage
from explorer.index.tipsets import load_head, load_holes
from explorer.verdict.records import RECORD_KINDS
from node.chain.errors import ChainError
from node.devnet.serving import serving
from node.lotus.limits import Limits, Retries
from node.lotus.opening import open_lotus_chain
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.world import World
from tests.patience import PATIENCE_S

QUICK = Limits(timeout_s=0.3, slow_timeout_s=0.3, stream_first_byte_s=0.3, stream_idle_s=0.3)
SOON = Retries(first_pause_s=0.02, longest_pause_s=0.1, rest_s=0.05, longest_rest_s=0.2)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "POLL_S", 0.5)
    monkeypatch.setattr(filling, "AGAIN_AFTER_MOST_S", 0.3)
    monkeypatch.setattr(states, "LOOK_S", 0.02)
    monkeypatch.setattr(states, "LONGEST_PAUSE_S", 0.1)


@asynccontextmanager
async def followed(pool: asyncpg.Pool, world: World) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    """The world's chain at a socket, followed as long as the context lasts; gives what has things happen to it."""
    bound = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1"
    async with (
        serving(world.dispatcher.node, bound) as thread,
        open_lotus_chain([url], limits=QUICK, retries=SOON) as chain,
    ):
        one = Follower(chain, pool, time.monotonic)
        tasks = [asyncio.create_task(_follow(one)), asyncio.create_task(one.states.run())]
        try:
            yield lambda name: thread.run(lambda: world.step((name,) if name else None))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(one: Follower) -> None:
    while True:
        try:
            await one.follow(lambda: None)
        except (ChainError, FollowError):
            await asyncio.sleep(0.02)


async def at_head(pool: asyncpg.Pool, world: World) -> None:
    """Returns once the index is at the node's head, has filled its holes, and read its state."""
    due = tuple(cid.to_bytes() for cid in world.chain.head.key)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with pool.acquire() as connection:
                found, holes = await load_head(connection), await load_holes(connection)
                coverage = await load_coverage(connection)
            whole = found is not None and all(coverage.covers(kind, found[0].height) for kind in RECORD_KINDS)
            if found is not None and found[0].key == due and whole and not holes:
                return
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("soon_final")
async def test_the_stream_is_followed_through_growth_forks_and_reverts(pool: asyncpg.Pool, tmp_path: Path) -> None:
    world = World(41)
    world.live("mine")
    index = LivingIndex(pool, world, tmp_path)
    async with followed(pool, world) as step:
        for number in range(30):
            what = await step("")
            await at_head(pool, world)
            await index.assert_at_head(f"seed {world.seed}, step {number} ({what})")
        for name in ("remember", "allocate", "mine", "go_back"):
            await step(name)
            await at_head(pool, world)
        await index.assert_at_head("went back")


@pytest.mark.parametrize("kind", ["garbage", "429", "hang", "cut", "stale"])
async def test_a_node_that_fails_now_and_then_is_followed(pool: asyncpg.Pool, tmp_path: Path, kind: str) -> None:
    """A third of all requests and frames."""
    world = World(42)
    world.live("mine", "allocate")
    index = LivingIndex(pool, world, tmp_path)
    async with followed(pool, world) as step:
        for round_number in range(3):
            world.fault(kind, share=0.33)
            for name in ("allocate", "onboard", "fork", "publish", "mine"):
                await step(name)
                await asyncio.sleep(0.05)
            world.fault(None)
            await step("mine")
            await at_head(pool, world)
            await index.assert_at_head(f"{kind}, round {round_number}")
