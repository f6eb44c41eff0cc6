"""A simulated chain of this process's own: it begins with what the index holds, and lives as long as the process.

index at epoch E ─► genesis of the chain, which goes on at E ─► followed as any other
the next start   ─► the same again: what was seen stays in the index, the old chain's tipsets are forgotten
"""

import asyncio
from collections.abc import Iterator

import asyncpg

from explorer.ground.connection import database_errors
from explorer.ground.database import transaction_lock
from explorer.ground.queries import load_queries
from explorer.index.lock import IMPORT_LOCK
from explorer.index.spans import load_index_epoch
from explorer.index.tipsets import forget_chain
from node.market import NEVER, Deal
from node.registry import Allocation, Claim
from node.sim.genesis import Imported, import_records

_QUERIES = load_queries("explorer.follow.sql", "inside.sql")


async def own_genesis(pool: asyncpg.Pool) -> Imported | None:
    """The records in the state at the index's epoch, for a chain to begin with; None for an empty index."""
    with database_errors("reading what a simulated chain begins with"):
        async with pool.acquire() as connection:
            epoch = await load_index_epoch(connection)
            if epoch is None:
                return None
            claims = await connection.fetch(_QUERIES["claims"], epoch)
            allocations = await connection.fetch(_QUERIES["allocations"], epoch)
            deals = await connection.fetch(_QUERIES["deals"], epoch)
    return await asyncio.to_thread(
        lambda: import_records(
            epoch=epoch,
            claims=(Claim(**row) for row in claims),
            allocations=(Allocation(**row) for row in allocations),
            deals=_deals(deals),
        )
    )


async def forget_own_chain(pool: asyncpg.Pool) -> None:
    """Takes the last run's chain for final and forgets it: nothing of it can be asked for any more."""
    with database_errors("forgetting the chain of the last run"):
        async with pool.acquire() as connection, connection.transaction():
            await transaction_lock(connection, IMPORT_LOCK)
            await forget_chain(connection)


def _deals(rows: list[asyncpg.Record]) -> Iterator[Deal]:
    return (Deal(**row, last_updated_epoch=NEVER) for row in rows)
