"""Which epochs the index covers, out of the database."""

import asyncpg

from explorer.ground.queries import load_queries
from explorer.verdict.coverage import Coverage, Span

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


def _coverage(rows: list[asyncpg.Record]) -> Coverage:
    return Coverage(tuple(Span(**row) for row in rows))
