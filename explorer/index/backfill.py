"""How far the sector-terminated events from before the start of following were asked for.

A state doesn't tell of them: a claim of a terminated sector stays in it.
"""

from dataclasses import dataclass

import asyncpg

from explorer.ground.queries import load_queries
from explorer.index.answers import Document

_QUERIES = load_queries("explorer.index.sql", "backfill.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfilled:
    """The events from `reached_epoch` up to the start were asked for; `reason`: why the node gives no lower ones."""

    start_epoch: int
    reached_epoch: int
    is_done: bool = False
    reason: str | None = None

    def document(self) -> Document:
        """How far it has come, for `/status`."""
        return {"from_epoch": self.reached_epoch, "is_done": self.is_done, "reason": self.reason}


async def load_backfilled(connection: asyncpg.Connection, start_epoch: int) -> Backfilled:
    """How far it has come below a start; at first, nowhere."""
    row = await connection.fetchrow(_QUERIES["load"], start_epoch)
    return Backfilled(start_epoch=start_epoch, reached_epoch=start_epoch) if row is None else Backfilled(**row)


async def save_backfilled(connection: asyncpg.Connection, one: Backfilled) -> None:
    """Writes down how far it has come; what was told is in the index by then."""
    await connection.execute(_QUERIES["save"], one.start_epoch, one.reached_epoch, one.is_done, one.reason)


async def forget_backfilled(connection: asyncpg.Connection) -> None:
    """Forgets it, with the chain it was of."""
    await connection.execute(_QUERIES["forget"])
