"""Large parties are counted ahead: when records change, when time passes, by one process, killed or not."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.ground.database import lock_key
from explorer.index.service import IndexService
from explorer.parties.refreshing import KEPT_FOR, LOCK, Refresher
from explorer.parties.service import PartyService
from tests.integration.index.importing import MAINNET, Importer
from tests.unit.index.dumps import claim_entry

HEAD = 4_000_000
NOW = datetime(2026, 11, 23, tzinfo=UTC)
COUNTS = "SELECT count(*) FROM explorer.party_summaries"


def claims(number: int, **changes: Any) -> dict[int, dict[str, Any]]:
    """Claims of client f0100 at providers f01000 and f01001, each of a piece of its own."""
    fields = {"Client": 100, "TermStart": HEAD - 1000, "TermMin": 10, "TermMax": 5000, **changes}
    return {n: claim_entry(n, **{"Provider": 1000 + n % 2, "Sector": n, **fields}) for n in range(1, number + 1)}


class Counted:
    """An index whose parties of more than five records are large, and what is known of client f0100."""

    def __init__(self, pool: asyncpg.Pool, folder: Path) -> None:
        self.pool, self.imports = pool, Importer(pool, folder, MAINNET)
        self.index: IndexService = self.imports.service()
        self.now = NOW
        self.refresher = Refresher(pool=pool, index=self.index, large_records=5, rest=0, now=lambda: self.now)

    async def summary(self) -> Any:
        found = await PartyService(index=self.index, large_records=5).party("client", "f0100", limit=10)
        return found["summary"]

    async def active(self) -> tuple[int, int]:
        """How many claims count as active, and as of which epoch."""
        summary = await self.summary()
        return summary["claims"]["active_records"], summary["as_of"]["epoch"]


@pytest.fixture
def counted(pool: asyncpg.Pool, tmp_path: Path) -> Counted:
    return Counted(pool, tmp_path)


async def test_a_large_party_is_not_counted_while_somebody_waits(counted: Counted) -> None:
    await counted.imports(claims(6), at_epoch=HEAD)
    assert await counted.summary() is None
    assert await counted.refresher.refresh() == 3
    assert await counted.active() == (6, HEAD)
    assert (await counted.summary())["counted"] == "ahead"
    assert await counted.pool.fetchval(COUNTS) == 1, "the providers are small"


@pytest.mark.parametrize("number", [5, 6])
async def test_amounts_of_round_sizes_are_whole_digits(counted: Counted, number: int) -> None:
    """The database's own numbers would be written as 5E+18."""
    await counted.imports(claims(number), at_epoch=HEAD)
    await counted.pool.execute("UPDATE explorer.claims SET size_bytes = 1000000000000000000")
    await counted.refresher.refresh()
    summary = (await counted.summary())["claims"]
    one, all_of_them = "1" + 18 * "0", f"{number}" + 18 * "0"
    amounts = [summary["bytes"], summary["active_bytes"], *(row["bytes"] for row in summary["statuses"])]
    amounts += [row["bytes"] for row in (*summary["months"], *summary["copies"])]
    assert set(amounts) == {all_of_them}
    assert {row["active_bytes"] for row in summary["shares"]["items"]} <= {f"{n}{one[1:]}" for n in (2, 3)}


async def test_a_small_party_is_counted_at_once_and_nothing_is_kept(counted: Counted) -> None:
    await counted.imports(claims(5), at_epoch=HEAD)
    summary = await counted.summary()
    assert (summary["counted"], summary["claims"]["records"]) == ("now", 5)
    await counted.refresher.refresh()
    assert await counted.pool.fetchval(COUNTS) == 0


async def test_a_party_that_grew_small_again_is_forgotten(counted: Counted) -> None:
    await counted.imports(claims(6), at_epoch=HEAD)
    await counted.refresher.refresh()
    await counted.pool.execute("DELETE FROM explorer.claims WHERE id > 3")
    await counted.refresher.refresh()
    assert await counted.pool.fetchval(COUNTS) == 0
    assert (await counted.summary())["claims"]["records"] == 3


async def test_what_did_not_change_is_not_counted_again(counted: Counted) -> None:
    await counted.imports(claims(6), at_epoch=HEAD)
    await counted.refresher.refresh()
    assert await counted.refresher.refresh() == 0
    await counted.imports(claims(6), at_epoch=HEAD + 1, partial=True)
    await counted.refresher.refresh()
    assert await counted.refresher.refresh() == 0


async def test_time_alone_makes_a_count_be_made_again(counted: Counted) -> None:
    """All end with epoch HEAD + 4000; until then nothing has to be counted."""
    await counted.imports(claims(6), at_epoch=HEAD, partial=True)
    await counted.refresher.refresh()
    await counted.imports({99: claim_entry(99, Client=7, Provider=7, TermStart=1)}, at_epoch=HEAD + 3999, partial=True)
    await counted.refresher.refresh()
    assert await counted.active() == (6, HEAD)
    await counted.imports({98: claim_entry(98, Client=7, Provider=7, TermStart=1)}, at_epoch=HEAD + 4000, partial=True)
    await counted.refresher.refresh()
    assert await counted.active() == (0, HEAD + 4000)


async def test_a_day_makes_a_count_old(counted: Counted) -> None:
    await counted.imports(claims(6), at_epoch=HEAD)
    await counted.refresher.refresh()
    counted.now += KEPT_FOR + timedelta(seconds=1)
    assert await counted.refresher.refresh() == 1
    assert await counted.refresher.refresh() == 0


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO explorer.sector_terminations VALUES (1000, 2, 3999500)",
        "INSERT INTO explorer.claim_terms VALUES (1, 5000, 3999000), (1, 1, 3999900)",
        "UPDATE explorer.claims SET removed_epoch = 3999999 WHERE id = 1",
    ],
)
async def test_whatever_changes_a_status_is_noticed(counted: Counted, change: str) -> None:
    await counted.imports(claims(6), at_epoch=HEAD)
    await counted.refresher.refresh()
    await counted.pool.execute(change)
    await counted.refresher.refresh()
    assert (await counted.active())[0] == 5


async def test_a_change_while_counting_is_counted_next(counted: Counted) -> None:
    """The change is committed after the count's snapshot was taken: its note must outlive that count."""
    await counted.imports(claims(6), at_epoch=HEAD)
    real, changes = counted.refresher.now, iter(["UPDATE explorer.claims SET removed_epoch = 3999999 WHERE id = 1"])

    class Meanwhile(Refresher):
        async def _look_at(self, connection: asyncpg.Connection, role: Any, party_id: int) -> None:
            async with connection.transaction(isolation="repeatable_read"):
                await connection.fetchval("SELECT count(*) FROM explorer.claims")
                for change in changes:
                    await counted.pool.execute(change)
                await super()._look_at(connection, role, party_id)

    refresher = Meanwhile(pool=counted.pool, index=counted.index, large_records=5, rest=0, now=real)
    await refresher.refresh()
    assert (await counted.active())[0] == 5


async def test_one_that_takes_too_long_does_not_keep_the_others_waiting(counted: Counted) -> None:
    """Whoever reads claims waits for a lock, longer than a statement may: all are passed over, each once."""
    await counted.imports(claims(6), at_epoch=HEAD)
    hasty = Refresher(pool=counted.pool, index=counted.index, large_records=5, rest=0, statement_timeout_s=0.2)
    async with counted.pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE explorer.claims")
        assert await hasty.refresh() == 3
    assert await counted.summary() is None
    await counted.pool.execute("UPDATE explorer.claims SET sector = sector + 100")
    await counted.refresher.refresh()
    assert await counted.active() == (6, HEAD)


async def test_one_process_counts(counted: Counted) -> None:
    await counted.imports(claims(6), at_epoch=HEAD)
    async with counted.pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock($1)", lock_key(LOCK))
        assert await counted.refresher.refresh() == 0
    assert await counted.refresher.refresh() == 3


async def test_killed_at_any_moment_it_goes_on_the_next_time(counted: Counted) -> None:
    await counted.imports(claims(6), at_epoch=HEAD)
    for beats in range(3):
        task = asyncio.create_task(counted.refresher.refresh(_cancel_after(beats)))
        await asyncio.gather(task, return_exceptions=True)
    await counted.refresher.refresh()
    assert await counted.active() == (6, HEAD)
    assert await counted.refresher.refresh() == 0


def _cancel_after(beats: int) -> Callable[[], None]:
    """A beat that cancels whoever calls it after so many times."""
    left = [beats]

    def beat() -> None:
        left[0] -= 1
        if left[0] < 0:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    return beat
