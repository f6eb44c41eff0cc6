"""The whole state of a kind of record at a final tipset, read into the index while following goes on beside it.

final T  ├── an hour of reading, outside of any transaction ──┤ lock ─ merge as of T ─ what was told since wins ─ COMMIT
followed └─ T+1 ─ T+2 ─ …  ─ T+120 ───────────────────────────┘
"""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from explorer.errors import HeadMoved, StateTooSmall
from explorer.follow.forks import key_of
from explorer.ground.database import transaction_lock
from explorer.index import merge
from explorer.index.deal_rows import live_deals_since
from explorer.index.followed import Link
from explorer.index.imports import log_import
from explorer.index.lock import IMPORT_LOCK
from explorer.index.records import DEALS, TABLES, Table
from explorer.index.spans import load_coverage
from explorer.index.tipsets import load_tipset_at, unwound
from explorer.verdict.records import RecordKind
from node.chain.errors import NotSupported
from node.chain.protocol import Chain
from node.chain.results import RejectedRecord
from node.chain.tipset import TipSet

STATE_SOURCE = "the node's state"
LEAST_SHARE_PERCENT = 10
"""A state with a smaller share of what the index holds is a node's fault. Less than is asked of a file, which a person
can force: between an import and the start of following months may lie."""
SHARED_FROM_RECORDS = 1_000
"""An index that holds fewer may well lose them all."""
_BATCH_ROWS = 5000
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class StateRead:
    """What became of one kind of record of a state, as far as it is read."""

    kind: RecordKind
    epoch: int
    records: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    refused: str | None = None
    """Why the node gave none; None where it gave all."""

    @property
    def complete(self) -> bool:
        """Whether every record was taken."""
        return self.refused is None and not self.rejected


async def read_state(connection: asyncpg.Connection, chain: Chain, tipset: TipSet, read: StateRead) -> None:
    """Reads one kind of record at a final tipset into the index, and counts it in `read`.

    A kind that the node can't tell is left to what was imported. Any other ChainError changes nothing; HeadMoved where
    the tipset is no longer followed, StateTooSmall where most of the index would vanish. The connection is kept for as
    long as it takes, without a transaction.
    """
    table = TABLES[read.kind]
    try:
        async with merge.kept_stage(connection, table):
            await _fill(connection, table, _stream(chain, read.kind, tipset), read)
            async with connection.transaction():
                await transaction_lock(connection, IMPORT_LOCK)
                await _demand_followed(connection, tipset)
                await _demand_share(connection, table, read)
                await _merge(connection, table, read)
                await log_import(
                    connection,
                    read.kind,
                    source=STATE_SOURCE,
                    epoch=read.epoch,
                    complete=read.complete,
                    records=read.records,
                    rejected=read.rejected.total(),
                )
    except NotSupported as error:
        read.refused = str(error)
    _log.info(
        "state_read",
        kind=read.kind,
        epoch=read.epoch,
        records=read.records,
        rejected=read.rejected.total(),
        refused=read.refused,
    )


async def _merge(connection: asyncpg.Connection, table: Table, read: StateRead) -> None:
    """Takes the staged records in as of their epoch; what was followed since then is newer, and stays.

    Rows of claims and allocations say themselves how new they are. What was told of a deal may stand beside its row.
    """
    async with unwound(connection):
        _ = [row async for row in merge.contradicted_rows(connection, table)]
        await merge.merge(connection, table, epoch=read.epoch, complete=read.complete)
        if read.complete:
            await merge.cover(connection, table, epoch=read.epoch, source=STATE_SOURCE)
        if table is DEALS:
            await live_deals_since(connection, read.epoch, await load_coverage(connection))


async def _demand_followed(connection: asyncpg.Connection, tipset: TipSet) -> None:
    if await load_tipset_at(connection, tipset.epoch) != Link(tipset.epoch, key_of(tipset.key)):
        raise HeadMoved(f"the tipset at {tipset.epoch}, whose state was read, is not followed any more")


async def _demand_share(connection: asyncpg.Connection, table: Table, read: StateRead) -> None:
    """StateTooSmall for a state that can't be all: some servers answer null for what they could not compute."""
    told, held = read.records + read.rejected.total(), await merge.count_held(connection, table, epoch=read.epoch)
    if held >= SHARED_FROM_RECORDS and told * 100 < held * LEAST_SHARE_PERCENT:
        raise StateTooSmall(
            f"the node's state at epoch {read.epoch} has {told:,} {read.kind}, the index holds {held:,}: less than "
            f"{LEAST_SHARE_PERCENT} %. If the rest has really vanished, import that state with --force"
        )


def _stream(chain: Chain, kind: RecordKind, tipset: TipSet) -> AsyncGenerator[Any, None]:
    if kind == "claims":
        return chain.claims(at=tipset.key)
    return chain.allocations(at=tipset.key) if kind == "allocations" else chain.deals(at=tipset.key)


async def _fill(
    connection: asyncpg.Connection, table: Table, stream: AsyncGenerator[Any, None], read: StateRead
) -> None:
    """Copies the records into the stage as they come."""
    batch: list[tuple[object, ...]] = []
    async with aclosing(stream) as records:
        async for record in records:
            if isinstance(record, RejectedRecord):
                read.rejected[record.reason] += 1
                continue
            row = table.row_of(record)
            read.records += 1
            batch.append((read.records, row.id, *row.columns))
            if len(batch) == _BATCH_ROWS:
                await merge.fill_stage(connection, table, batch)
                batch.clear()
    await merge.fill_stage(connection, table, batch)
