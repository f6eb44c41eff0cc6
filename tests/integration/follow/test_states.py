"""The state is read beside the following: the seam is exact however long it takes, and no failure stops anything."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.follow.states import FIRST_PAUSE_S, LONGEST_PAUSE_S
from explorer.index.spans import load_coverage
from explorer.index.tipsets import load_following
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.lotus.in_process import InProcessTransport
from node.lotus.transport import Call, RpcFault
from node.sim.rpc.dispatch import Dispatcher
from tests.integration.follow.index import DUMPS, LivingIndex
from tests.integration.follow.world import FINAL_AFTER, World
from tests.patience import PATIENCE_S
from tests.unit.lotus.chains import chain_over

pytestmark = pytest.mark.usefixtures("soon_final")


BUSY = (
    *("publish", "activate", "allocate", "onboard") * 4,
    *("mine", "extend", "terminate", "sweep_allocations", "sweep_claims", "settle_deals", "fork"),
)
"""What happens to the records of a state, with little time between."""


_EPOCH_READ = "SELECT epoch FROM explorer.imports WHERE kind::text = $1"


@dataclass(slots=True)
class Gate:
    """What becomes of states that are asked for."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False
    kinds: tuple[str, ...] = RECORD_KINDS
    """Whose states are held back; others come at once."""


class GatedTransport(InProcessTransport):
    """A node that gives no state before it is let."""

    def __init__(self, dispatcher: Dispatcher, gate: Gate) -> None:
        super().__init__(dispatcher, name="gated")
        self._gate = gate

    async def stream(self, call: Call) -> AsyncGenerator[str, None]:
        async for text in super().stream(call):
            if call.method.removeprefix("Filecoin.") in {DUMPS[kind] for kind in self._gate.kinds}:
                self._gate.asked.set()
                await self._gate.open.wait()
            if self._gate.fails:
                raise RpcFault(1, "the state store is on fire")
            yield text


class GatedIndex(LivingIndex):
    """An index whose node gives no state before it is let."""

    gate: Gate

    def chain(self) -> Any:
        self.gate = Gate()
        return chain_over(GatedTransport(self.world.dispatcher, self.gate), time=self.time)

    async def uncovered(self) -> set[str]:
        """The kinds that nothing covers at the node's head."""
        async with self.pool.acquire() as connection:
            coverage = await load_coverage(connection)
        return {kind for kind in RECORD_KINDS if not coverage.covers(kind, self.world.height)}

    async def final_epoch(self) -> int:
        async with self.pool.acquire() as connection:
            following = await load_following(connection)
        assert following is not None
        return following.final_epoch


@asynccontextmanager
async def reading(index: GatedIndex) -> AsyncIterator[asyncio.Task[None]]:
    """The states that are missing, as they are read; the first of them has been asked for."""
    task = asyncio.create_task(index.follower.states.read_due())
    async with asyncio.timeout(PATIENCE_S):
        await index.gate.asked.wait()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def lived(pool: asyncpg.Pool, folder: Path, seed: int) -> GatedIndex:
    """An index of a chain that has lived for a while, and that nobody followed yet."""
    world = World(seed)
    for _ in range(80):
        world.step(BUSY)
    return GatedIndex(pool, world, folder)


@pytest.mark.parametrize("kind", RECORD_KINDS)
@pytest.mark.parametrize("seed", range(2))
async def test_the_seam_is_exact_however_much_happens_while_a_state_is_read(
    pool: asyncpg.Pool, tmp_path: Path, seed: int, kind: RecordKind
) -> None:
    """All that the chain did since its state at `begun` is followed, most of it final, before that state is there."""
    index = lived(pool, tmp_path, seed)
    for _ in range(4):
        begun = index.world.draw.randint(1, index.world.height - FINAL_AFTER - 20)
        note = f"seed {seed}, {kind} of {begun}"
        await index.forget()
        index.gate.kinds = (kind,)
        await index.begin_at(begun)
        async with reading(index) as task:
            await index.go()
            assert await index.final_epoch() > begun
            assert kind in await index.uncovered()
            index.gate.open.set()
            await task
        assert await pool.fetchval(_EPOCH_READ, kind) <= begun
        await index.assert_at_head(note)
        await index.assert_coverage(list(range(begun, min(begun + 40, index.world.height))), note)
    for number in range(6):
        what = index.world.step()
        await index.go()
        await index.assert_at_head(f"seed {seed}, step {number} after it ({what})")


async def test_what_is_being_read_is_shown(pool: asyncpg.Pool, tmp_path: Path) -> None:
    index = lived(pool, tmp_path, 5)
    await index.go()
    async with reading(index) as task:
        [shown] = index.follower.states.documents()
        assert (shown["kind"], shown["epoch"]) == (RECORD_KINDS[0], await index.final_epoch())
        assert (shown["records"], shown["error"]) == (0, None)
        assert shown["reading_since"] is not None
        index.gate.open.set()
        await task
    assert index.follower.states.documents() == []


async def test_a_read_that_fails_is_asked_again_ever_later_and_following_goes_on(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    index = lived(pool, tmp_path, 6)
    await index.go()
    index.gate.fails = True
    index.gate.open.set()
    pause_s = FIRST_PAUSE_S
    for number in range(1, 14):
        await index.follower.states.read_due()
        shown = index.follower.states.documents()
        assert {one["kind"] for one in shown} == set(RECORD_KINDS)
        assert {one["failures"] for one in shown} == {number}
        assert all("on fire" in one["error"] for one in shown)
        index.time.now_s += pause_s - 0.1
        await index.follower.states.read_due()
        assert {one["failures"] for one in index.follower.states.documents()} == {number}
        index.time.now_s += 0.1
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        index.world.live("mine", "allocate")
        await index.go()
    index.gate.fails = False
    await index.follower.states.read_due()
    assert index.follower.states.documents() == []
    await index.assert_at_head("read at last")


async def test_a_state_that_would_make_most_of_the_index_vanish_is_a_fault(pool: asyncpg.Pool, tmp_path: Path) -> None:
    """As of a server that answers null for what it could not compute."""
    index = lived(pool, tmp_path, 5)
    index.gate.open.set()
    await index.follow()
    await pool.execute("DELETE FROM explorer.coverage WHERE kind = 'claims'")
    await pool.execute(
        "INSERT INTO explorer.claims SELECT n, 1, 2, 128, 0, 1, 9, 0, 0, 0 FROM generate_series(100001, 102000) AS n"
    )
    index.restart()
    index.gate.open.set()
    await index.follower.states.read_due()
    [claims] = index.follower.states.documents()
    assert "the index holds 2,0" in claims["error"]
    assert "--force" in claims["error"]
    assert await pool.fetchval("SELECT count(*) FROM explorer.claims WHERE id > 100000 AND gone_epoch IS NULL") == 2000


async def test_a_read_that_is_cut_off_leaves_nothing_behind(pool: asyncpg.Pool, tmp_path: Path) -> None:
    index = lived(pool, tmp_path, 7)
    await index.go()
    async with reading(index):
        pass
    assert await index.uncovered() == set(RECORD_KINDS)
    assert await pool.fetchval("SELECT count(*) FROM explorer.imports") == 0
    index.restart()
    index.gate.open.set()
    await index.follower.states.read_due()
    await index.assert_at_head("read by the next one")
