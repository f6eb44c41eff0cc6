"""A chain that lives at random: after every step the index, a fresh one and the chain itself must say the same."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer.ground.database import open_pool
from tests.clusters import Server
from tests.integration.follow.index import CIDS, LivingIndex, assert_same, differences
from tests.integration.follow.soaking import soaked_seeds
from tests.integration.follow.world import GROWING, World


class Run:
    """A run of one seed."""

    def __init__(self, living: LivingIndex, fresh: LivingIndex) -> None:
        self.living, self.fresh, self.world = living, fresh, living.world
        self.draw = self.world.draw
        self.answers: dict[tuple[str, int], dict[str, Any]] = {}
        self.note = ""

    async def step(self, number: int) -> None:
        base = self.world.chain.canon
        before = {tipset.height: tipset.key for tipset in base.between(0, self.world.height)}
        what = self.world.step()
        if self.draw.random() < 0.1:
            what += ", then " + self.world.step()
        self.note = f"seed {self.world.seed}, step {number} ({what})"
        self._forget_forked(before)
        if self.draw.random() < 0.15:
            await self._beside()
        if self.draw.random() < 0.1:
            self.living.restart()
        await self.living.follow()
        await self.living.assert_at_head(self.note)
        if number % 5 == 0:
            await self._remember_answers()
        if number % 10 == 9:
            await self._check_answers()
            await self.living.assert_coverage(self._epochs(3), self.note)

    def _forget_forked(self, before: dict[int, Any]) -> None:
        """Answers may change from the tipset on that a fork stands on: its children tell what it did."""
        canon = self.world.chain.canon
        stays = {
            height for height, key in before.items() if height <= self.world.height and canon.at(height).key == key
        }
        if len(stays) < len(before):
            base = max(stays)
            self.answers = {asked: one for asked, one in self.answers.items() if asked[1] < base}

    async def _beside(self) -> None:
        """An import of what the node has, at any of its epochs, before or after the follower's next step."""
        kind = self.draw.choice(("claims", "allocations", "deals"))
        epoch = self.draw.choice((self.world.height, self.draw.randint(0, self.world.height)))
        partial = self.draw.random() < 0.5
        self.note += f", import of {'some' if partial else 'all'} {kind} at {epoch}"
        await self.living.import_dump(kind, epoch, partial=partial)

    def _epochs(self, count: int) -> list[int]:
        return [self.draw.randint(0, self.world.height) for _ in range(count)]

    async def _remember_answers(self) -> None:
        """Those below the head are told by the chain for good, as far as it doesn't fork."""
        if self.world.height:
            epoch = self.draw.randint(max(self.world.height - 100, 0), self.world.height - 1)
            for cid in self.draw.sample(CIDS, 3):
                self.answers.setdefault((cid, epoch), await self.living.document(cid, epoch))

    async def _check_answers(self) -> None:
        for cid, epoch in self.draw.sample(sorted(self.answers), min(len(self.answers), 15)):
            now = await self.living.document(cid, epoch)
            odd = differences(self.answers[cid, epoch], now)
            assert not odd, f"{self.note}: the answer about {cid} at {epoch} changed: {'; '.join(odd)}"

    async def compare_with_fresh(self) -> None:
        """One that replays the chain from its first tipset, and one that begins with a state."""
        await self.fresh.forget()
        await self.fresh.begin_at_genesis()
        await self.fresh.follow()
        await self.fresh.assert_at_head(self.note + ", replayed")
        epochs = sorted({self.world.height, *self._epochs(4)})
        await assert_same(self.living, self.fresh, epochs, self.note)
        await self.fresh.forget()
        await self.fresh.follow()
        await self.fresh.assert_at_head(self.note + ", from a state")
        await self.fresh.assert_coverage(self._epochs(6), self.note + ", from a state")


async def live(run: Run, steps: int, *, compare_every: int) -> None:
    """The steps of a run, with the end of FIL+ near its own."""
    run.world.mine()
    await run.living.follow()
    for number in range(steps):
        if number == steps * 4 // 5:
            run.world.upgrade()
        await run.step(number)
        if number % compare_every == compare_every - 1:
            await run.compare_with_fresh()


async def lived(postgres: Server, folder: Path, world: World, steps: int, *, compare_every: int) -> None:
    """Lives a world to its end, over databases of its own."""
    with postgres.cloned() as one, postgres.cloned() as another:
        async with (
            open_pool(one, application_name="living") as pool,
            open_pool(another, application_name="fresh") as other,
        ):
            run = Run(LivingIndex(pool, world, folder), LivingIndex(other, world, folder))
            await live(run, steps, compare_every=compare_every)


@pytest.mark.usefixtures("soon_final")
@pytest.mark.parametrize("seed", range(4))
async def test_chain_living_and_fresh_index_agree(postgres: Server, tmp_path: Path, seed: int) -> None:
    """500 steps in all, by four seeds."""
    await lived(postgres, tmp_path, World(seed), 125, compare_every=25)


@pytest.mark.usefixtures("soon_final")
@pytest.mark.every_postgres
async def test_they_agree_with_any_seed(postgres: Server, tmp_path: Path, say_seed: Callable[[int], None]) -> None:
    """Another world in every run: its seed is printed."""
    seed = random.randrange(10**6)
    say_seed(seed)
    await lived(postgres, tmp_path, World(seed), 25, compare_every=25)


async def test_a_reorg_of_some_hundred_tipsets_is_one_step(postgres: Server, tmp_path: Path) -> None:
    """With finality after 900 epochs, as nodes without fast finality have it."""
    await deeply_forked(postgres, tmp_path, seed=5, depth=250)


async def deeply_forked(postgres: Server, folder: Path, *, seed: int, depth: int) -> None:
    """Lives on for so many tipsets, and has all of them replaced."""
    world = World(seed)
    world.final_after = 900
    world.live("mine")
    with postgres.cloned() as one, postgres.cloned() as another:
        async with (
            open_pool(one, application_name="living") as pool,
            open_pool(another, application_name="fresh") as other,
        ):
            run = Run(LivingIndex(pool, world, folder), LivingIndex(other, world, folder))
            await run.living.follow()
            before = len(world.chain.canon)
            while len(world.chain.canon) < before + depth:
                world.live(*world.draw.choices(GROWING, k=20))
                await run.living.follow()
            await run.living.assert_at_head(f"seed {seed}, before the fork")
            world.ask("Sim.Fork", depth)
            await run.living.follow()
            run.note = f"seed {seed}, after a fork of {depth}"
            await run.living.assert_at_head(run.note)
            await run.compare_with_fresh()


@pytest.mark.soak
@pytest.mark.usefixtures("soon_final")
async def test_they_agree_for_ten_thousand_steps(
    postgres: Server, tmp_path: Path, say_seed: Callable[[int], None]
) -> None:
    """10,000 steps by twenty seeds, from SEED on where one is given; fewer where MINUTES are."""
    for seed in soaked_seeds(say_seed, most=20):
        await lived(postgres, tmp_path, World(seed), 500, compare_every=50)


@pytest.mark.soak
async def test_forks_as_deep_as_finality(postgres: Server, tmp_path: Path, say_seed: Callable[[int], None]) -> None:
    """For MINUTES (5), from SEED on where one is given: reorgs of 890 tipsets, where 900 are final."""
    for seed in soaked_seeds(say_seed, minutes=5):
        await deeply_forked(postgres, tmp_path, seed=seed, depth=890)
