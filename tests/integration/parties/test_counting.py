"""What is counted of parties is what the answers about their pieces say, whatever happened to the index before."""

from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.ground.database import open_pool
from explorer.parties.refreshing import Refresher
from tests.clusters import Server
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.world import World
from tests.integration.index.histories import Source, Story
from tests.integration.index.importing import Importer, empty
from tests.integration.index.test_order import NETWORK, take, told_histories
from tests.integration.parties.brute_force import assert_counted


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=told_histories(), retires=st.sampled_from([None, 18]))
async def test_any_order_of_sources_is_counted_right(
    pool: asyncpg.Pool, tmp_path: Path, told: tuple[list[Story], list[Source]], retires: int | None
) -> None:
    history, sources = told
    await empty(pool)
    imports = Importer(pool, tmp_path, NETWORK)
    service = imports.service(retires_at_epoch=retires)
    refresher = Refresher(pool=pool, index=service, large_records=0, rest=0)
    for source in sources:
        await take(imports, history, source)
        await assert_counted(pool, service, "now")
        await refresher.refresh()
        await assert_counted(pool, service, "ahead", is_ahead=True, others_too=False)


@pytest.mark.usefixtures("soon_final")
@pytest.mark.parametrize("seed", range(3))
async def test_following_with_forks_and_imports_beside_is_counted_right(
    postgres: Server, tmp_path: Path, seed: int
) -> None:
    """After every step, counted now and counted ahead; the loop is told by the changes alone what to count again."""
    with postgres.cloned() as dsn:
        async with open_pool(dsn, application_name="parties") as pool:
            living = LivingIndex(pool, World(seed), tmp_path)
            refresher = Refresher(pool=pool, index=living.service, large_records=0, rest=0)
            living.world.mine()
            await living.follow()
            parties = 0
            for number in range(50):
                what = await _step(living)
                await living.follow()
                note = f"seed {seed}, step {number} ({what})"
                await refresher.refresh()
                if number % 3 == 0:
                    await assert_counted(pool, living.service, note)
                    parties = await assert_counted(
                        pool, living.service, f"{note}, ahead", is_ahead=True, others_too=False
                    )
            assert parties, "the world has no party at all"


async def _step(living: LivingIndex) -> str:
    """One thing that happens on the chain, and now and then an import beside the follower."""
    draw, what = living.world.draw, living.world.step()
    if draw.random() < 0.3:
        kind, epoch = draw.choice(("claims", "allocations", "deals")), draw.randint(0, living.world.height)
        await living.import_dump(kind, epoch, partial=draw.random() < 0.5)
        what += f", import of {kind} at {epoch}"
    return what
