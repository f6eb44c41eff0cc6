"""What a node doesn't tell is a hole: found, shown, and filled when it is told later."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.ground.database import open_pool
from explorer.index.spans import load_coverage
from explorer.index.tipsets import load_holes
from explorer.verdict.records import RECORD_KINDS
from tests.clusters import Server
from tests.integration.follow.index import LivingIndex, assert_same
from tests.integration.follow.nodes import ForgetfulTransport, Forgetting
from tests.integration.follow.world import World
from tests.unit.lotus.chains import chain_over

pytestmark = pytest.mark.usefixtures("soon_final")


class ForgetfulIndex(LivingIndex):
    """An index whose node forgets."""

    def __init__(self, *arguments: Any) -> None:
        self.forgetting = Forgetting()
        super().__init__(*arguments)

    def chain(self) -> Any:
        return chain_over(ForgetfulTransport(self.world.dispatcher, self.forgetting), time=self.time)

    async def holes(self) -> list[Any]:
        async with self.pool.acquire() as connection:
            return await load_holes(connection)

    async def covered(self, epoch: int) -> list[str]:
        async with self.pool.acquire() as connection:
            coverage = await load_coverage(connection)
        return [kind for kind in RECORD_KINDS if coverage.covers(kind, epoch)]


@pytest.fixture
def world() -> World:
    made = World(11)
    made.live("mine")
    return made


@pytest.fixture
def index(pool: asyncpg.Pool, world: World, tmp_path: Path) -> ForgetfulIndex:
    return ForgetfulIndex(pool, world, tmp_path)


async def test_a_null_round_is_no_hole(index: ForgetfulIndex, world: World) -> None:
    await index.follow()
    for _ in range(5):
        world.live("skip")
        world.live("allocate")
        await index.follow()
    assert await index.holes() == []
    await index.assert_at_head("null rounds")


@pytest.mark.parametrize("final", [False, True])
async def test_what_is_missing_is_shown_and_filled_when_it_is_told(
    index: ForgetfulIndex, world: World, final: bool
) -> None:
    await index.follow()
    first = world.height
    world.live("allocate")
    world.live("publish")
    await index.follow()
    lost = world.height
    index.forgetting.heights = lambda height: height >= lost
    for name in ("allocate", "onboard", "publish", "activate", "onboard", "terminate"):
        world.live(name)
        await index.follow()
    index.forgetting.heights = lambda height: lost <= height < world.height
    world.live("mine")
    told = world.height
    for name in ("allocate", "onboard", "publish", *["skip"] * (30 if final else 1)):
        world.live(name)
        index.forgetting.heights = lambda height: lost <= height < told
        await index.follow()

    holes = await index.holes()
    assert {hole.kind for hole in holes} == set(RECORD_KINDS)
    assert all(lost <= hole.from_height <= hole.through_height < told for hole in holes)
    assert await index.covered(lost) == await index.covered(first) == list(RECORD_KINDS)
    assert await index.covered(max(hole.through_height for hole in holes)) == []
    status = (await index.service.status())["index"]
    assert {hole["kind"] for hole in status["holes"]} == set(RECORD_KINDS)
    await index.assert_coverage(list(range(world.height)), "with holes")

    index.forgetting = Forgetting()
    index.restart()
    for _ in range(5):
        await index.follow()
    assert await index.holes() == []
    await index.assert_coverage(list(range(world.height + 1)), "filled")
    await index.assert_at_head("filled")


async def test_filled_index_is_that_of_a_node_that_told_all(
    pool: asyncpg.Pool, postgres: Server, tmp_path: Path
) -> None:
    """At random: some heights are told late, some after they are final; the outcome is that of a fresh replay."""
    world = World(12)
    world.live("mine")
    index = ForgetfulIndex(pool, world, tmp_path)
    await index.follow()
    for _ in range(60):
        world.step()
        index.forgetting.heights = lambda height: height % 7 < 2
        await index.follow()
        await index.assert_coverage([world.height, world.height // 2], f"seed {world.seed}")
    assert await index.holes()
    index.forgetting = Forgetting()
    index.restart()
    for _ in range(100):
        await index.follow()
    assert await index.holes() == []
    await index.assert_at_head("filled")
    with postgres.cloned() as dsn:
        async with open_pool(dsn, application_name="fresh") as other:
            fresh = LivingIndex(other, world, tmp_path)
            await fresh.begin_at_genesis()
            await fresh.follow()
            await assert_same(index, fresh, [world.draw.randint(0, world.height) for _ in range(10)], "filled")


async def test_a_fork_takes_the_holes_of_what_it_replaces_with_it(index: ForgetfulIndex, world: World) -> None:
    await index.follow()
    world.live("mine")
    await index.follow()
    base = world.height
    index.forgetting.heights = lambda height: height >= base
    world.live("skip")
    world.live("allocate")
    await index.follow()
    assert await index.holes()
    index.forgetting = Forgetting()
    index.restart()
    world.ask("Sim.Fork", len(world.chain.canon.between(base + 1, world.height)))
    await index.follow()
    assert await index.holes() == []
    await index.assert_at_head("after the fork")


async def test_a_node_without_events_is_named_with_its_setting(index: ForgetfulIndex, world: World) -> None:
    index.forgetting.disabled = True
    await index.follow()
    world.live("allocate")
    world.live("onboard")
    await index.follow()
    holes = await index.holes()
    assert {hole.kind for hole in holes} == set(RECORD_KINDS)
    assert all("Events.EnableActorEventsAPI" in hole.reason for hole in holes)
    await index.assert_coverage(list(range(world.height + 1)), "without events")
    index.forgetting.disabled = False
    index.restart()
    for _ in range(3):
        await index.follow()
    assert await index.holes() == []
    await index.assert_at_head("events are on now")
