"""Writing the audit log: one entry for each thing that was done, in the transaction in which it was done."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

import asyncpg

from explorer.audit.chain import Entry, Head, canonical, genesis, hash_of
from explorer.audit.errors import EntryRefused, NoNetwork
from explorer.ground.database import transaction_lock
from explorer.ground.queries import load_queries

LOCK: Final = "audit"

_QUERIES: Final = load_queries("explorer.audit.sql", "log.sql")


class Doer(Protocol):
    """Who did it: an `explorer.access.actors.Actor`, of which this layer knows nothing else."""

    @property
    def kind(self) -> str:
        """What it is: cluster, notary, operator or system."""

    @property
    def id(self) -> str:
        """The cluster's id, or the notary's address."""

    @property
    def name(self) -> str:
        """What people call it."""


async def record(
    connection: asyncpg.Connection,
    actor: Doer,
    action: str,
    subject: str,
    facts: Mapping[str, Any],
    *,
    now: datetime | None = None,
) -> None:
    """Adds an entry to the log.

    Call it inside the transaction of the fact, last but before `outbox.enqueue`: writers wait for one another from here
    on until they commit. `facts` holds texts, whole numbers, true, false, null, lists and objects; `message` and
    `signature` in it, or in an object within it, are verified with the log. EntryRefused, NoNetwork.
    """
    if not connection.is_in_transaction():
        raise EntryRefused(f"{action} is to be recorded in the transaction in which it is done, and there is none")
    text = canonical(facts)
    await transaction_lock(connection, LOCK)
    head = await load_head(connection)
    at = await connection.fetchval(_QUERIES["now"], now)
    who = (str(actor.kind), actor.id, actor.name)
    entry = Entry(head.seq + 1, at, *who, action, subject, text, head.hash)
    await _add(connection, replace(entry, hash=hash_of(entry)))


async def load_head(connection: asyncpg.Connection) -> Head:
    """Where the log ends; NoNetwork where it hasn't begun and no network was written down."""
    row = await connection.fetchrow(_QUERIES["head"])
    if row["seq"] is not None:
        return Head(row["seq"], row["hash"])
    if row["network"] is None:
        raise NoNetwork(
            "the database is no network's yet, and the log names it: run `filplus serve` or an import first"
        )
    return Head(0, genesis(row["network"]))


async def load_network(connection: asyncpg.Connection) -> str | None:
    """The network that the database holds, which the log's first entry names; None where it holds none yet."""
    found: str | None = await connection.fetchval(_QUERIES["network"])
    return found


async def _add(connection: asyncpg.Connection, entry: Entry) -> None:
    texts = (entry.actor_kind, entry.actor_id, entry.actor_name, entry.action, entry.subject, entry.facts)
    bad = next((text for text in texts if "\0" in text or (not text.isascii() and _is_unstorable(text))), None)
    if bad is not None:
        raise EntryRefused(f"{bad!r} in the entry {entry.action} holds a character that the database can't keep")
    await connection.execute(_QUERIES["add"], entry.seq, entry.at, *texts, entry.previous, entry.hash)


def _is_unstorable(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
