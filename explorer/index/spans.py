"""Which epochs the index covers, out of the database."""

import asyncpg

from explorer.ground.database import transaction_lock
from explorer.ground.queries import load_queries
from explorer.index.lock import IMPORT_LOCK
from explorer.verdict.coverage import Coverage, Span

KEPT_EPOCHS = 30 * 2880
"""For thirty days every state that was read whole stays covered, one an hour where the node tells no events."""
THINNED_EPOCHS = 2880
"""Of older ones the first of each day stays."""

_QUERIES = load_queries("explorer.index.sql", "spans.sql")


async def load_coverage(connection: asyncpg.Connection) -> Coverage:
    """Every span of the index."""
    return _coverage(await connection.fetch(_QUERIES["coverage"]))


async def load_coverage_at(connection: asyncpg.Connection, epoch: int) -> Coverage:
    """The spans that hold `epoch`: enough for a verdict there."""
    return _coverage(await connection.fetch(_QUERIES["coverage_at"], epoch))


async def load_index_epoch(connection: asyncpg.Connection) -> int | None:
    """The followed head, else the largest epoch that was imported; None for an empty index."""
    epoch: int | None = await connection.fetchval(_QUERIES["index_epoch"])
    return epoch


async def thin_coverage(connection: asyncpg.Connection, source: str) -> None:
    """Leaves of the single epochs that a source covered long ago the first of each day; at the others "none" is not
    known any more.

    The newest stay, and those that following began to cover from.
    """
    async with connection.transaction():
        await transaction_lock(connection, IMPORT_LOCK)
        await connection.execute(_QUERIES["thin"], source, KEPT_EPOCHS, THINNED_EPOCHS)


def _coverage(rows: list[asyncpg.Record]) -> Coverage:
    return Coverage(tuple(Span(**row) for row in rows))
