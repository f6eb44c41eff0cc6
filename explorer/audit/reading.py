"""The audit log read: as a whole in its order, by pages, and out of an exported file."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final

import asyncpg

from explorer.audit.actions import ACTIONS
from explorer.audit.chain import MAX_FACTS_CHARS, Entry, entry_of
from explorer.audit.errors import ActionUnknown, BrokenLog
from explorer.ground.cursors import Cursors
from explorer.ground.queries import load_queries
from node.address import parse_address
from node.errors import AddressError

MAX_LINE_BYTES: Final = 8 * MAX_FACTS_CHARS
_AT_A_TIME: Final = 500
_LOWEST: Final = -(2**63)

_CURSORS: Final = Cursors("audit ")
_QUERIES: Final = load_queries("explorer.audit.sql", "log.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries a page is to hold; None: any. `since` is the time of the earliest.

    `actor` is a notary's address in any spelling, a cluster's id, or the whole name of either.
    """

    action: str | None = None
    actor: str | None = None
    subject: str | None = None
    since: datetime | None = None
    newest_first: bool = True
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, and the cursor of the page that follows; None on the last."""

    entries: tuple[Entry, ...]
    next_cursor: str | None


async def read_entries(connection: asyncpg.Connection, *, from_seq: int = _LOWEST) -> AsyncIterator[Entry]:
    """Every entry from that number on, in their order. Needs a transaction, whose view of the log it gives."""
    async for row in connection.cursor(_QUERIES["all_from"], from_seq, prefetch=_AT_A_TIME):
        yield Entry(*row)


async def first_since(connection: asyncpg.Connection, since: datetime) -> int | None:
    """The number of the first entry that isn't older; None where all are."""
    found: int | None = await connection.fetchval(_QUERIES["first_since"], since)
    return found


async def load_page(connection: asyncpg.Connection, wanted: Wanted) -> Page:
    """One page of the log. MalformedCursor for a cursor that was not made here, ActionUnknown."""
    last_seq = None if wanted.cursor is None else _CURSORS.number(wanted.cursor)
    await _demand_action(connection, wanted.action)
    actors = None if wanted.actor is None else await _actors(connection, wanted.actor)
    query = _QUERIES["newest" if wanted.newest_first else "oldest"]
    rows = await connection.fetch(
        query, wanted.action, actors, wanted.subject, wanted.since, last_seq, wanted.limit + 1
    )
    entries = tuple(Entry(*row) for row in rows[: wanted.limit])
    return Page(entries, _CURSORS.at(entries[-1].seq) if len(rows) > wanted.limit else None)


async def _demand_action(connection: asyncpg.Connection, action: str | None) -> None:
    """Returns where entries of the action can be, be it only that an earlier release wrote them."""
    if action is None or action in ACTIONS or await connection.fetchval(_QUERIES["holds_action"], action):
        return
    raise ActionUnknown(action, ACTIONS)


async def _actors(connection: asyncpg.Connection, text: str) -> list[str]:
    """The ids that a text may mean: itself, as an address in its canonical spelling, and whoever has that name."""
    try:
        named = str(parse_address(text))
    except AddressError:
        named = text
    return [named, *(row["id"] for row in await connection.fetch(_QUERIES["actors_named"], text))]


def read_lines(file: IO[bytes]) -> Iterator[Entry]:
    """The entries of an exported log, line by line; BrokenLog where a line isn't exactly that of an entry."""
    seq = 0
    while line := file.readline(MAX_LINE_BYTES):
        entry = _entry_of_line(line, seq + 1)
        seq = entry.seq
        yield entry


def _entry_of_line(line: bytes, due: int) -> Entry:
    try:
        document: Any = json.loads(line)
        entry = entry_of(document)
        same = entry.line().encode("ascii") + b"\n" == line
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrokenLog(due, "the line where it is due is no entry of a log: it was altered or cut off") from error
    if not same:
        raise BrokenLog(due, "the line where it is due isn't spelled as an entry is: it was altered or cut off")
    return entry
