"""The supervised loop against every fault: nothing wrong is written, and within a minute it is at the head again."""

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from explorer.errors import FollowError
from explorer.follow import filling, follower, loop, states
from explorer.follow.loop import FollowLoop
from explorer.follow.pace import Pace
from explorer.follow.standing import Standing
from explorer.ground.connection import open_connection
from explorer.ground.database import open_pool
from explorer.ground.settings import load_settings
from explorer.index.tipsets import load_head
from node.cid import cid_from_bytes
from node.devnet.serving import serving
from node.devnet.thread import ChainThread
from node.lotus.limits import Limits, Retries
from node.sim.faults import KINDS
from tests.clusters import Server
from tests.integration.follow.faulty import METHODS, RECOVERED_WITHIN_S
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.soaking import soaked_seeds
from tests.integration.follow.truth import Truth, assert_true_of, truth_of
from tests.integration.follow.world import World

QUICK = Pace(
    every_s=0.05,
    quiet_s=0.05,
    patience_s=0.2,
    limits=Limits(timeout_s=0.2, slow_timeout_s=0.2, stream_first_byte_s=0.2, stream_idle_s=0.2),
    retries=Retries(first_pause_s=0.01, longest_pause_s=0.05, rest_s=0.02, longest_rest_s=0.1),
)
"""The loop's own pauses stay the product's."""
HASTE = 200
"""So many times faster than the loop means to pause it does."""
GROUPS = (
    ("ChainNotify",),
    ("ChainHead", "ChainGetTipSet", "ChainGetTipSetByHeight", "ChainGetFinalizedTipSet"),
    ("ChainGetGenesis", "StateNetworkName", "StateNetworkVersion"),
    ("GetActorEventsRaw", "ChainGetParentMessages", "ChainGetParentReceipts"),
    ("StateGetAllClaims", "StateGetAllAllocations", "StateMarketDeals", "StateMarketStorageDeal"),
)
ORDERS = ("allocate", "publish", "onboard", "activate", "fork", "mine_blocks", "skip")
HANGS_AFTER_S = 60.0


class Hurried:
    """asyncio for the loop: its pauses are short, and added up as they were meant."""

    def __init__(self) -> None:
        self.paused_s = 0.0

    async def sleep(self, seconds: float) -> None:
        self.paused_s += seconds
        await asyncio.sleep(seconds / HASTE)

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Hurried:
    """The loop's pauses; what waits for a node gives up soon, too."""
    made = Hurried()
    monkeypatch.setattr(loop, "asyncio", made)
    monkeypatch.setattr(follower, "POLL_S", 0.3)
    monkeypatch.setattr(follower, "LIGHTER_AFTER_S", 0.3)
    monkeypatch.setattr(filling, "AGAIN_AFTER_MOST_S", 0.3)
    monkeypatch.setattr(states, "LOOK_S", 0.02)
    monkeypatch.setattr(states, "LONGEST_PAUSE_S", 0.1)
    return made


class Looped:
    """A chain at a socket that the loop follows, and what it has written."""

    def __init__(self, pool: asyncpg.Pool, world: World, thread: ChainThread, hurried: Hurried) -> None:
        self.pool, self.world, self.thread, self.hurried = pool, world, thread, hurried

    async def fault(self, kind: str | None, methods: tuple[str, ...] = ()) -> None:
        await self.thread.run(lambda: self.world.fault(kind, methods))

    async def live(self, *names: str) -> None:
        for name in names:
            await self.thread.run(lambda name=name: self.world.step((name,)))  # type: ignore[misc]
            await asyncio.sleep(0.02)

    async def assert_right(self, note: str) -> None:
        """Whatever tipset it is at, the index says of it what its state has."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = await load_head(connection)
            if found is not None:
                truth = await self.thread.run(lambda: self._truth_at(found[0].key))
                await assert_true_of(connection, truth, found[0].height, note)

    def _truth_at(self, key: tuple[bytes, ...]) -> Truth:
        chain = self.world.chain
        return truth_of(chain.state_at(chain.store.load(tuple(cid_from_bytes(raw) for raw in key))))

    async def recover(self, note: str) -> None:
        """Returns once the index is at the head; AssertionError when the loop has paused for more than a minute."""
        self.hurried.paused_s = 0.0
        async with asyncio.timeout(HANGS_AFTER_S):
            while not await self._is_at_head():
                assert self.hurried.paused_s <= RECOVERED_WITHIN_S, f"{note}: not at the head a minute later"
                await asyncio.sleep(0.01)

    async def _is_at_head(self) -> bool:
        async with self.pool.acquire() as connection:
            found = await load_head(connection)
        return found is not None and found[0].key == tuple(cid.to_bytes() for cid in self.world.chain.head.key)


@asynccontextmanager
async def looped(pool: asyncpg.Pool, world: World, hurried: Hurried) -> AsyncIterator[Looped]:
    """The world's chain at a socket, followed by the service's own loop."""
    bound = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1"
    settings = load_settings({"FILPLUS_NETWORK": "simulated", "FILPLUS_CHAIN_URL": url})
    following = FollowLoop(settings, pool, Standing(CollectorRegistry()), QUICK)
    async with serving(world.dispatcher.node, bound) as thread:
        task = asyncio.create_task(following.run(lambda: None))
        try:
            yield Looped(pool, world, thread, hurried)
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_what_ends_the_loop_is_said_by_status(pool: asyncpg.Pool) -> None:
    settings = load_settings({"FILPLUS_NETWORK": "simulated", "FILPLUS_CHAIN_URL": "http://127.0.0.1:1/rpc/v1"})
    standing = Standing(CollectorRegistry())
    await pool.execute("ALTER TABLE explorer.following RENAME TO elsewhere")
    with pytest.raises(asyncpg.UndefinedTableError):
        await FollowLoop(settings, pool, standing, QUICK).run(lambda: None)
    error = standing.document(None, None)["error"]
    assert error == 'relation "explorer.following" does not exist'


@asynccontextmanager
async def closed(other: asyncpg.Connection, name: str) -> AsyncIterator[None]:
    """While it is open nobody is connected to that database, nor can be."""
    await other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    try:
        await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        yield
    finally:
        await other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def troubles(logs: Sequence[Mapping[str, object]]) -> list[str]:
    """What the loop said each time that it found the database unavailable."""
    return [str(entry["error"]) for entry in logs if entry["event"] == "database_unavailable"]


async def until_troubled(logs: Sequence[Mapping[str, object]], *, times: int) -> None:
    """Returns once the loop found the database unavailable so often."""
    began = time.monotonic()
    while len(troubles(logs)) < times:
        assert time.monotonic() - began < HANGS_AFTER_S, "the loop doesn't notice"
        await asyncio.sleep(0.01)


async def test_a_port_that_is_not_to_be_had_is_not_called_the_database(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "create_server", refuse)
    standing = Standing(CollectorRegistry())
    with pytest.raises(FollowError, match=r"Too many open files.*FILPLUS_CHAIN_URL"):
        await FollowLoop(load_settings({"FILPLUS_NETWORK": "simulated"}), pool, standing, QUICK).run(lambda: None)
    assert "can't listen at a free port" in str(standing.document(None, None)["error"])


async def test_a_database_that_goes_away_is_told_by_what_was_done_then(
    postgres: Server, dsn: str, hurried: Hurried
) -> None:
    world = World(69)
    async with (
        open_pool(dsn, application_name="followed") as pool,
        looped(pool, world, hurried) as following,
        open_connection(postgres.dsn_of("postgres")) as other,
    ):
        await following.recover("at first")
        with capture_logs() as logs:
            async with closed(other, await pool.fetchval("SELECT current_database()")):
                await until_troubled(logs, times=2)
        await following.live("mine")
        await following.recover("the database is back")
    first, second, *_ = troubles(logs)
    assert first.startswith(("following the chain: ", "the connection that holds the follower's lock"))
    assert second.startswith("taking the follower's lock: ")


@pytest.mark.usefixtures("soon_final")
@pytest.mark.parametrize("kind", KINDS)
async def test_the_loop_outlives_every_fault(pool: asyncpg.Pool, tmp_path: Path, hurried: Hurried, kind: str) -> None:
    """On everything, on the stream of heads, and on what following asks of heads, the node, events and states."""
    world = World(70 + KINDS.index(kind))
    await outlived(LivingIndex(pool, world, tmp_path), hurried, kind, ((), *GROUPS))


@pytest.mark.soak
@pytest.mark.usefixtures("soon_final")
@pytest.mark.parametrize("kind", KINDS)
async def test_the_loop_outlives_every_fault_on_every_method(
    postgres: Server, tmp_path: Path, hurried: Hurried, kind: str, say_seed: Callable[[int], None]
) -> None:
    """Each method by itself, from SEED on where one is given: one chain, as many as there is time for in MINUTES."""
    for seed in soaked_seeds(say_seed, minutes=0):
        with postgres.cloned() as dsn:
            async with open_pool(dsn, application_name="living") as pool:
                await outlived(LivingIndex(pool, World(seed), tmp_path), hurried, kind, [(one,) for one in METHODS])


async def outlived(index: LivingIndex, hurried: Hurried, kind: str, groups: Iterable[tuple[str, ...]]) -> None:
    """Has the node fail on one group of methods after the other, while its chain goes on."""
    world = index.world
    world.live("mine", "allocate")
    async with looped(index.pool, world, hurried) as following:
        await following.recover("at first")
        for methods in groups:
            note = f"seed {world.seed}, {kind} on {methods or 'everything'}"
            await following.fault(kind, methods)
            await following.live(*world.draw.choices(ORDERS, k=3))
            await following.assert_right(f"{note}, while it lasts")
            await following.fault(None)
            await following.live("mine")
            await following.recover(note)
            await following.assert_right(note)
    await index.assert_coverage([world.height, *range(0, world.height, 7)], f"{kind}, in the end")
