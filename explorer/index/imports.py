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


async def newest_import(connection: asyncpg.Connection) -> int:
    """The number of the newest import, 0 before the first. They are numbered in the order of their commits."""
    return int(await connection.fetchval(_QUERIES["newest"]))


async def kinds_imported_since(connection: asyncpg.Connection, import_id: int) -> set[str]:
    """What the imports after that one held."""
    return {row["kind"] for row in await connection.fetch(_QUERIES["kinds_since"], import_id)}
