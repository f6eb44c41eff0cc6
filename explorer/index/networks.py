"""A database holds one network; its first use writes it down."""

import asyncpg

from explorer.errors import NetworkMismatch
from explorer.ground.queries import load_queries

_QUERIES = load_queries("explorer.index.sql", "networks.sql")


async def claim_network(connection: asyncpg.Connection, name: str) -> None:
    """Writes down that the database holds network `name`, at its first use; NetworkMismatch if it holds another one."""
    await connection.execute(_QUERIES["write_network"], name)
    await demand_network(connection, name)


async def demand_network(connection: asyncpg.Connection, name: str) -> None:
    """NetworkMismatch if the database holds another network than `name`; an unused one holds none."""
    held = await connection.fetchval(_QUERIES["network"])
    if held not in (name, None):
        raise NetworkMismatch(
            f"the database holds an index of {held}, not of {name}: set FILPLUS_NETWORK={held} (or --network {held}), "
            "or use another database or FILPLUS_DATA_DIR"
        )
