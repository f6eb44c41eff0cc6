"""While a node lies, what is written is what an honest replay of the same chain writes, to the byte."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from explorer.ground.database import open_pool
from explorer.index.tipsets import load_head, load_holes
from node.chain.protocol import Chain
from node.chain.tipset import TipSetKey
from node.cid import cid_from_bytes
from node.lotus.in_process import InProcessTransport
from node.sim.faults import KINDS
from tests.clusters import Server
from tests.integration.follow.faulty import METHODS, FaultyIndex
from tests.integration.follow.index import LivingIndex
from tests.integration.follow.world import World
from tests.unit.lotus.chains import Time, chain_over

pytestmark = pytest.mark.usefixtures("soon_final")

LIVES = (
    ("allocate", "onboard", "skip", "publish", "activate"),
    ("mine_blocks", "fork", "allocate_briefly", "terminate"),
    ("extend", "publish", "travel", "sweep_allocations", "sweep_claims"),
    ("fork_deep", "onboard", "settle_deals", "mine"),
)
"""What happens before the node begins to lie, method after method."""
TABLES = ("claims", "claim_terms", "allocations", "deals", "deal_events", "sector_terminations")


class HonestIndex(LivingIndex):
    """An index that follows a node of the same chain that nothing is wrong with."""

    def chain(self) -> Chain:
        return chain_over(InProcessTransport(self.world.honest), time=self.time)

    async def replay_to(self, key: tuple[bytes, ...]) -> None:
        """Replays the chain anew, from its first tipset to one that is, or was, on it."""
        await self.forget()
        await self.begin_at_genesis()
        tipset = await self.follower.chain.tipset(TipSetKey(tuple(cid_from_bytes(raw) for raw in key)))
        await self.follower.begin()
        await self.follower.go_to(tipset)


@pytest.fixture
async def fresh_pool(postgres: Server) -> AsyncIterator[asyncpg.Pool]:
    """A second index."""
    with postgres.cloned() as dsn:
        async with open_pool(dsn, application_name="fresh") as opened:
            yield opened


async def rows_of(pool: asyncpg.Pool) -> dict[str, list[str]]:
    """Every row that an answer is made of, as text."""
    query = "SELECT t::text FROM explorer.{} AS t ORDER BY 1"
    return {table: [row[0] for row in await pool.fetch(query.format(table))] for table in TABLES}


class Lied:
    """An index that is lied to, beside one that never is."""

    def __init__(self, index: FaultyIndex, fresh: HonestIndex) -> None:
        self.index, self.fresh, self.world = index, fresh, index.world
        self.before: tuple[object, object] = (None, None)
        self.replays = 0

    async def assert_rows(self, note: str) -> None:
        """The index, wherever it is, has the rows of a fresh replay to there; where its head was reverted meanwhile, so
        that no node tells its events any more, what that head's state has."""
        head, rows = await self._head(self.index), await rows_of(self.index.pool)
        if (head, rows) == self.before:
            return
        if self._is_on_chain(head):
            await self.assert_replayed(head, rows, note)
        else:
            assert head != self.before[0], f"{note}: rows have changed without a tipset"
            await self.index.assert_nothing_wrong(note)
        self.before = head, rows

    async def assert_replayed(self, head: tuple[bytes, ...], rows: dict[str, list[str]], note: str) -> None:
        """A fresh replay to the tipset writes these rows."""
        await self.fresh.replay_to(head)
        self.replays += 1
        assert await self._head(self.fresh) == head, note
        theirs = await rows_of(self.fresh.pool)
        for table in TABLES:
            assert rows[table] == theirs[table], f"{note}: {table}"

    async def _head(self, index: LivingIndex) -> tuple[bytes, ...]:
        """The key of the tipset that an index is at; nothing below it is missing."""
        async with index.pool.acquire() as connection:
            found, holes = await load_head(connection), await load_holes(connection)
        assert found is not None
        assert holes == [], "an honest node has every event"
        return found[0].key

    def _is_on_chain(self, key: tuple[bytes, ...]) -> bool:
        chain = self.world.chain
        return chain.canon.holds(chain.store.load(tuple(cid_from_bytes(raw) for raw in key)))


@pytest.mark.parametrize("kind", KINDS)
async def test_the_rows_are_those_of_an_honest_replay(
    pool: asyncpg.Pool, fresh_pool: asyncpg.Pool, tmp_path: Path, kind: str
) -> None:
    world = World(KINDS.index(kind))
    world.live("mine", "allocate", "publish")
    index = FaultyIndex(pool, world, tmp_path, Time())
    lied = Lied(index, HonestIndex(fresh_pool, world, tmp_path))
    await index.begin_at_genesis()
    await index.attempts(1)
    for number, method in enumerate(METHODS):
        world.live(*LIVES[number % len(LIVES)])
        note = f"seed {world.seed}, {kind} on {method}"
        world.fault(kind, [method])
        index.restart()
        await index.attempts(2)
        await lied.assert_rows(f"{note}, while it lies")
        world.fault(None)
        await index.recover(note)
        await lied.assert_rows(f"{note}, afterwards")
    assert lied.replays >= len(METHODS)
    rows = await rows_of(pool)
    assert all(rows[table] for table in ("claims", "allocations", "deals", "deal_events"))
