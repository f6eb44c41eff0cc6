"""A chain that lives at random: after every step the index, a fresh one and the chain itself must say the same."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.ground.database import open_pool
from node.sim.rpc import v2_methods
from tests.clusters import Server
from tests.integration.follow.index import CIDS, LivingIndex, assert_same
from tests.integration.follow.world import World

FINAL_AFTER = 60
"""Epochs, instead of 900: so that a chain of some hundred has final ones."""


@pytest.fixture
def soon_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that says of younger tipsets that they are final, as one with fast finality does."""
    monkeypatch.setattr(v2_methods, "CHAIN_FINALITY", FINAL_AFTER)
    monkeypatch.setattr(v2_methods, "SAFE_DEPTH", FINAL_AFTER // 2)


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
        """Answers at epochs above a fork may change."""
        canon = self.world.chain.canon
        left = [height for height, key in before.items() if canon.at(height).key != key or canon.at(height).height != height]
        first = min(left, default=None)
        if first is not None:
            self.answers = {asked: one for asked, one in self.answers.items() if asked[1] < first}

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
            assert now == self.answers[cid, epoch], f"{self.note}: the answer about {cid} at {epoch} changed"

    async def compare_with_fresh(self) -> None:
        await self.fresh.forget()
        self.fresh.restart()
        await self.fresh.follow()
        await self.fresh.assert_at_head(self.note + ", fresh")
        async with self.fresh.pool.acquire() as connection:
            start = await connection.fetchval("SELECT start_epoch FROM explorer.following")
        epochs = sorted({self.world.height, *(self.draw.randint(start, self.world.height) for _ in range(4))})
        await assert_same(self.living, self.fresh, epochs, self.note)


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
