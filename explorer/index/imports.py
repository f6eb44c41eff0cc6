"""The log of what was read into the index: files, and the states of nodes."""

import asyncpg

from explorer.ground.queries import load_queries
from explorer.index.records import DumpKind

_QUERIES = load_queries("explorer.index.sql", "imports.sql")


async def log_import(
    connection: asyncpg.Connection,
    kind: DumpKind,
    *,
    source: str,
    epoch: int | None,
    complete: bool,
    records: int,
    rejected: int,
) -> None:
    """Writes down one import, in the transaction of what it changed; those who watch the feed are told."""
    await connection.execute(_QUERIES["log_import"], kind, source, epoch, complete, records, rejected)
