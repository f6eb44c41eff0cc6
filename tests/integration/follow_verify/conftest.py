"""A lived simulated chain and an index that followed all of it."""

import asyncpg
import pytest

from tests.integration.follow_verify.world import World


@pytest.fixture
def world() -> World:
    """A chain with some of everything, not yet final."""
    made = World()
    made.order("Mine", 3)
    return made


@pytest.fixture
async def followed(world: World, pool: asyncpg.Pool) -> int:
    """The newest final epoch of an index (in `pool`) that followed the chain from its genesis."""
    follower = await world.follower(pool)
    world.live()
    await world.follow(follower)
    world.settle()
    await world.follow(follower)
    epoch: int = await pool.fetchval("SELECT final_epoch FROM explorer.following")
    return epoch
