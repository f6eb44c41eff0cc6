"""A chain that lives at random: after every step the index, a fresh one and the chain itself must say the same."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.ground.database import open_pool
from tests.clusters import Server
from tests.integration.follow.index import CIDS, LivingIndex, assert_same, differences
from tests.integration.follow.world import World


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


@pytest.mark.usefixtures("soon_final")
@pytest.mark.parametrize("seed", range(4))
async def test_chain_living_and_fresh_index_agree(
    pool: asyncpg.Pool, postgres: Server, tmp_path: Path, seed: int
) -> None:
    world = World(seed)
    with postgres.cloned() as dsn:
        async with open_pool(dsn, application_name="fresh") as other:
            run = Run(LivingIndex(pool, world, tmp_path), LivingIndex(other, world, tmp_path))
            await live(run, 125, compare_every=25)
