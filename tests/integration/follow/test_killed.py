"""A follower that is killed at any moment, while the chain goes on: what it left is right, and the next one goes on."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from explorer.ground.database import open_pool
from explorer.index.spans import load_coverage
from explorer.index.tipsets import load_head
from explorer.verdict.records import RECORD_KINDS
from node.cid import cid_from_bytes
from node.devnet.serving import serving
from tests.clusters import CHECKOUT, Server
from tests.integration.follow.followers import APPLICATION
from tests.integration.follow.index import LivingIndex, assert_same
from tests.integration.follow.soaking import soaked_seeds
from tests.integration.follow.truth import assert_true_of, truth_of
from tests.integration.follow.world import World
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.usefixtures("soon_final")

STANDS_STILL_S = 60
"""A follower that has far to go on a busy machine takes longer than this, and writes all the while."""


class Zygote:
    """Starts followers, and kills them."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._last: int | None = None

    def start(self) -> int:
        """Starts one; its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._last = int(self._process.stdout.readline())
        return self._last

    def abandon(self) -> None:
        """Kills the last one, which may still run, where a test failed: it would go on for ever."""
        if self._last is not None:
            with suppress(ProcessLookupError):
                os.kill(self._last, signal.SIGKILL)


@contextmanager
def zygote(dsn: str, url: str, log: Path) -> Iterator[Zygote]:
    command = [sys.executable, "-m", "tests.integration.follow.followers", dsn, url]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=CHECKOUT
        )
        started = Zygote(process)
        try:
            yield started
        except BaseException:
            started.abandon()
            raise
        finally:
            process.communicate(timeout=PATIENCE_S)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[tuple[Callable[[], Awaitable[object]], str]]:
    """The world's chain at a socket; a function that has something happen to it, and its address."""
    bound = socket.create_server(("127.0.0.1", 0))
    async with serving(world.dispatcher.node, bound) as thread:
        yield lambda: thread.run(world.step), f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1"


async def killed(pool: asyncpg.Pool, dsn: str, other: asyncpg.Pool, folder: Path, *, kills: int, seed: int) -> None:
    """Kills so many followers of one chain; afterwards the index is that of a fresh replay."""
    world, chance = World(seed), random.Random(seed)
    world.live("mine")
    index, log = LivingIndex(pool, world, folder), folder / "log"
    heads: set[object] = set()
    async with served(world) as (step, url):
        with zygote(dsn, url, log) as started:
            for number in range(kills):
                process = started.start()
                if chance.random() < 0.8:
                    await moved(pool, step)
                until = asyncio.get_running_loop().time() + chance.random() * 0.15
                while asyncio.get_running_loop().time() < until:
                    await step()
                    await asyncio.sleep(chance.random() * 0.03)
                os.kill(process, signal.SIGKILL)
                await backends_ended(pool)
                heads.add(await assert_right(pool, world, f"seed {seed}, kill {number}: see {log}"))
            process = started.start()
            await at_head(pool, world, f"seed {seed}: see {log}")
            os.kill(process, signal.SIGKILL)
            await backends_ended(pool)
    assert len(heads) > kills // 3, "most were killed before they had followed anything"
    await index.assert_at_head(f"seed {seed}")
    fresh = LivingIndex(other, world, folder)
    await fresh.begin_at_genesis()
    await fresh.follow()
    epochs = [world.height, *(world.draw.randint(0, world.height) for _ in range(6))]
    await assert_same(index, fresh, epochs, f"seed {seed}")


async def moved(pool: asyncpg.Pool, step: Callable[[], Awaitable[object]]) -> None:
    """Returns once a follower has written something, of a chain that goes on."""
    query = "SELECT height, key FROM explorer.tipsets ORDER BY height DESC LIMIT 1"
    before = await pool.fetchrow(query)
    async with asyncio.timeout(STANDS_STILL_S):
        while await pool.fetchrow(query) == before:
            await step()
            await asyncio.sleep(0.02)


async def assert_right(pool: asyncpg.Pool, world: World, note: str) -> object:
    """Whatever tipset it was left at, the index says of it what its state has; which one it was."""
    async with pool.acquire() as connection:
        found = await load_head(connection)
        if found is not None:
            tipset = world.chain.store.load(tuple(cid_from_bytes(raw) for raw in found[0].key))
            await assert_true_of(connection, truth_of(world.chain.state_at(tipset)), tipset.height, note)
        return found


async def at_head(pool: asyncpg.Pool, world: World, note: str) -> None:
    """Returns once the index is at the chain's head, and has read its state."""
    due = tuple(cid.to_bytes() for cid in world.chain.head.key)
    loop, before = asyncio.get_running_loop(), None
    async with asyncio.timeout(STANDS_STILL_S) as limit:
        while True:
            async with pool.acquire() as connection:
                found = await load_head(connection)
                coverage = await load_coverage(connection)
            whole = found is not None and all(coverage.covers(kind, found[0].height) for kind in RECORD_KINDS)
            if found is not None and found[0].key == due and whole:
                return
            if found != before:
                before = found
                limit.reschedule(loop.time() + STANDS_STILL_S)
            await asyncio.sleep(0.05)
    raise AssertionError(note)


async def backends_ended(pool: asyncpg.Pool) -> None:
    """Returns once the server has noticed that the follower has died."""
    query = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()"
    await until(lambda: pool.fetchval(query, APPLICATION))


async def test_killed_at_random_moments_it_goes_on(
    pool: asyncpg.Pool, dsn: str, postgres: Server, tmp_path: Path, say_seed: Callable[[int], None]
) -> None:
    seed = random.randrange(10**6)
    say_seed(seed)
    with postgres.cloned() as cloned:
        async with open_pool(cloned, application_name="fresh") as other:
            await killed(pool, dsn, other, tmp_path, kills=25, seed=seed)


@pytest.mark.soak
async def test_killed_a_thousand_times(postgres: Server, tmp_path: Path, say_seed: Callable[[int], None]) -> None:
    """1,000 kills over twenty chains, from SEED on where one is given; fewer where MINUTES are."""
    for seed in soaked_seeds(say_seed, most=20):
        with postgres.cloned() as cloned, postgres.cloned() as again:
            async with (
                open_pool(cloned, application_name="living") as living,
                open_pool(again, application_name="fresh") as fresh,
            ):
                await killed(living, cloned, fresh, tmp_path, kills=50, seed=seed)
