"""Whose records changed since somebody looked, and the counts that are made ahead. All in the caller's transaction."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from explorer.ground.queries import load_queries
from explorer.parties.counting import Counted
from explorer.parties.naming import Role
from explorer.parties.terms import Terms

_QUERIES = load_queries("explorer.parties.sql", "marks.sql")


@dataclass(frozen=True, slots=True)
class Kept:
    """A count that was made ahead, at an epoch."""

    document: dict[str, Any]
    epoch: int


async def load_summary(connection: asyncpg.Connection, role: Role, party_id: int) -> Kept | None:
    """The count that was made ahead; None where there is none."""
    row = await connection.fetchrow(_QUERIES["summary"], role, party_id)
    return None if row is None else Kept(json.loads(row["summary"]), row["epoch"])


async def save_summary(
    connection: asyncpg.Connection, role: Role, party_id: int, counted: Counted, *, terms: Terms, now: datetime
) -> None:
    """Keeps a count."""
    lasting, summary = json.dumps(terms.lasting()), json.dumps(counted.document)
    await connection.execute(
        _QUERIES["save_summary"], role, party_id, terms.epoch, counted.holds_until_epoch, lasting, summary, now
    )


async def drop_summary(connection: asyncpg.Connection, role: Role, party_id: int) -> None:
    """Forgets a count: the party is small, or was."""
    await connection.execute(_QUERIES["drop_summary"], role, party_id)


async def load_changed(connection: asyncpg.Connection, limit: int) -> list[tuple[Role, int]]:
    """Parties whose records changed, the longest waiting first."""
    return [(row["role"], row["party_id"]) for row in await connection.fetch(_QUERIES["changed"], limit)]


async def load_outdated(
    connection: asyncpg.Connection, terms: Terms, *, made_before: datetime, limit: int
) -> list[tuple[Role, int]]:
    """Parties whose count time has made wrong, or old, the oldest first."""
    lasting = json.dumps(terms.lasting())
    rows = await connection.fetch(_QUERIES["outdated"], terms.epoch, lasting, made_before, limit)
    return [(row["role"], row["party_id"]) for row in rows]


async def mark_seen(connection: asyncpg.Connection, role: Role, party_id: int) -> None:
    """Says that a party's changes were looked at, as far as this snapshot sees them."""
    await connection.execute(_QUERIES["mark_seen"], role, party_id)


async def forget_seen(connection: asyncpg.Connection) -> None:
    """Forgets the changes that were looked at, but for the newest."""
    await connection.execute(_QUERIES["forget_seen"])


async def load_revision(connection: asyncpg.Connection) -> int:
    """A number that grows with every change of a record."""
    return int(await connection.fetchval(_QUERIES["revision"]))
