"""Where following begins: the whole state at a final tipset, as one file each, and the events from there on.

State at a tipset is that before its own messages, so the events of its own height are the first that are missing.
"""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from explorer.ground.database import transaction_lock
from explorer.index import merge
from explorer.index.lock import IMPORT_LOCK
from explorer.index.records import TABLES, Table
from explorer.index.tipsets import unwound
from explorer.verdict.records import RecordKind
from node.chain.errors import NotSupported
from node.chain.protocol import Chain
from node.chain.results import RejectedRecord
from node.chain.tipset import TipSet

STATE_SOURCE = "the node's state"
_LEAP_EPOCHS = 900
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class StateRead:
    """What became of one kind of record of a state."""

    kind: RecordKind
    records: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    refused: str | None = None
    """Why the node gave none; None where it gave all."""

    @property
    def complete(self) -> bool:
        """Whether every record was taken."""
        return self.refused is None and not self.rejected


async def start_tipset(chain: Chain) -> tuple[TipSet, str]:
    """The tipset to begin with, which no reorg will undo, and who says so.

    That is what the node holds to be final; on a chain that begins with a leap, as a fork of a real network does, the
    first tipset after its genesis.
    """
    finality, head = await chain.finality(), await chain.head()
    start = finality.tipset
    if start.epoch == 0 and head.epoch > _LEAP_EPOCHS:
        start = head
        while (parent := await chain.tipset(start.parents)).epoch > 0:
            start = parent
    return start, finality.source


async def read_state(connection: asyncpg.Connection, chain: Chain, table: Table, tipset: TipSet) -> StateRead:
    """Reads one kind of record at a tipset into the index, in one transaction; what became of it.

    A kind that the node can't tell is left to what was imported. Any other ChainError changes nothing.
    """
    read = StateRead(table.kind)
    try:
        async with connection.transaction():
            await merge.create_stage(connection, table)
            await _fill(connection, table, _stream(chain, table.kind, tipset), read)
            await transaction_lock(connection, IMPORT_LOCK)
            async with unwound(connection):
                _ = [row async for row in merge.contradicted_rows(connection, table)]
                await merge.merge(connection, table, epoch=tipset.epoch, complete=read.complete)
                if read.complete:
                    await merge.cover(connection, table, epoch=tipset.epoch, source=STATE_SOURCE)
            await _note(connection, read, tipset.epoch)
    except NotSupported as error:
        read.refused = str(error)
    _log.info(
        "state_read",
        kind=table.kind,
        epoch=tipset.epoch,
        records=read.records,
        rejected=read.rejected.total(),
        refused=read.refused,
    )
    return read


def _stream(chain: Chain, kind: RecordKind, tipset: TipSet) -> AsyncGenerator[Any, None]:
    if kind == "claims":
        return chain.claims(at=tipset.key)
    return chain.allocations(at=tipset.key) if kind == "allocations" else chain.deals(at=tipset.key)


_BATCH = 5000


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
            if len(batch) == _BATCH:
                await merge.fill_stage(connection, table, batch)
                batch.clear()
    await merge.fill_stage(connection, table, batch)


async def _note(connection: asyncpg.Connection, read: StateRead, epoch: int) -> None:
    queries = merge.queries_of(TABLES["deals"])
    await connection.execute(
        queries["log_import"], read.kind, STATE_SOURCE, epoch, read.complete, read.records, read.rejected.total()
    )
