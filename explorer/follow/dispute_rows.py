"""The disputes that stand, in the database: a restart forgets none."""

from datetime import datetime

import asyncpg

from explorer.follow.witnesses import Dispute
from explorer.ground.queries import load_queries
from explorer.index.followed import Link

_QUERIES = load_queries("explorer.follow.sql", "disputes.sql")


async def load_disputes(connection: asyncpg.Connection) -> list[tuple[Dispute, datetime]]:
    """The disputes that stood when they were last looked at, and since when, the oldest first."""
    rows = await connection.fetch(_QUERIES["load"])
    return [(Dispute(row["node"], Link(row["height"], tuple(row["key"])), row["detail"]), row["since"]) for row in rows]


async def save_dispute(connection: asyncpg.Connection, dispute: Dispute, since: datetime) -> None:
    """Writes down how a node disputes now; `since` only where it is a new one."""
    link = dispute.link
    await connection.execute(_QUERIES["save"], dispute.node, link.height, list(link.key), dispute.detail, since)


async def forget_dispute(connection: asyncpg.Connection, node: str) -> None:
    """Forgets a node's dispute, which is over."""
    await connection.execute(_QUERIES["forget"], node)
