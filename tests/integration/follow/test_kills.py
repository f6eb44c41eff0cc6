"""A follower that is killed at random moments while the chain goes on: what is written is whole, and it goes on."""

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from node.devnet.serving import serving
from node.devnet.thread import ChainThread
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.world import World

QUIET = (
    "mine",
    "mine_blocks",
    "skip",
    "fork",
    "allocate",
    "onboard",
    "extend",
    "terminate",
    "publish",
    "activate",
)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[tuple[str, ChainThread]]:
    """The world's node on a free port, and the thread that its orders must be given in."""
    bound = socket.create_server(("127.0.0.1", 0))
    async with serving(world.dispatcher.node, bound) as thread:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1", thread


async def killed_often(pool: asyncpg.Pool, dsn: str, tmp_path: Path, *, seed: int, kills: int) -> None:
    """Kills a follower `kills` times while the chain goes on, then lets one end its work and compares."""
    world, draw = World(seed), random.Random(seed)
    living = LivingIndex(pool, world, tmp_path)
    heads: set[int | None] = set()
    async with served(world) as (url, thread):
        await thread.run(world.mine)
        for number in range(kills):
            runner = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.integration.follow.runner", dsn, url, stdout=asyncio.subprocess.PIPE
            )
            assert runner.stdout is not None
            assert await runner.stdout.readline() == b"up\n"
            alive_s = draw.uniform(0.05, 1.0)
            try:
                async with asyncio.timeout(alive_s):
                    while True:
                        await thread.run(lambda: world.step(QUIET))
                        await asyncio.sleep(0.1)
            except TimeoutError:
                pass
            finally:
                runner.kill()
                await runner.wait()
            await _demand_whole(pool, f"seed {seed}, kill {number}")
            heads.add(await pool.fetchval("SELECT max(height) FROM explorer.tipsets"))
    assert len(heads) > kills // 5, "hardly any of the killed ones had come to write"
    living.restart()
    await living.follow()
    await living.assert_at_head(f"seed {seed}, after {kills} kills")
    await living.assert_coverage([draw.randint(0, world.height) for _ in range(5)], f"seed {seed}")


async def _demand_whole(pool: asyncpg.Pool, note: str) -> None:
    """No transaction of the killed one is left, and what it wrote is one followed chain."""
    async with pool.acquire() as connection:
        begun = await connection.fetchval("SELECT count(*) FROM explorer.following")
        tipsets = await connection.fetchval("SELECT count(*) FROM explorer.tipsets")
        dangling = await connection.fetchval(
            "SELECT count(*) FROM explorer.undo AS u WHERE NOT EXISTS (SELECT FROM explorer.tipsets AS t"
            " WHERE t.height = u.height)"
        )
    assert (tipsets > 0) == (begun == 1), note
    assert dangling == 0, note


async def test_a_follower_that_is_killed_loses_nothing(pool: asyncpg.Pool, dsn: str, tmp_path: Path) -> None:
    await killed_often(pool, dsn, tmp_path, seed=11, kills=25)


@pytest.mark.soak
async def test_a_follower_that_is_killed_a_thousand_times(pool: asyncpg.Pool, dsn: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    await killed_often(pool, dsn, tmp_path, seed=seed, kills=1000)
