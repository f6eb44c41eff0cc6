"""Requests with an Idempotency-Key: their effect comes once, and their answer as often as it is asked for.

    begin ─► UNDER_WAY  somebody works on it: try again later
          ├► OTHER      the key was used for another request
          ├► Answer     what was answered then
          └► Attempt    go on, then `answered`, or `failed` so that the next attempt runs

An attempt is leased for longer than an answer may take. Where its process died, the next attempt after that runs again,
which is safe since effects have keys of their own (a review its cluster and job, a webhook its URL).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from explorer.ground.queries import load_queries

KEPT: Final = timedelta(hours=24)
LEASE: Final = timedelta(seconds=60)

_QUERIES: Final = load_queries("explorer.access.sql", "idempotency.sql")


class Busy(Enum):
    """Why a request is not to be worked on."""

    UNDER_WAY = "under way"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that is being worked on, by this process alone."""

    caller: str
    key: str
    id: UUID


Begun = Attempt | Answer | Busy


async def begin(
    connection: asyncpg.Connection, caller: str, key: str, fingerprint: bytes, *, now: datetime | None = None
) -> Begun:
    """What to do with a request: see above. `fingerprint` is 32 bytes that only the same request has."""
    attempt = Attempt(caller, key, uuid4())
    begun = await connection.fetchval(_QUERIES["begin"], caller, key, fingerprint, attempt.id, KEPT, LEASE, now)
    if begun:
        return attempt
    row = await connection.fetchrow(_QUERIES["found"], caller, key)
    if row is None:
        return Busy.UNDER_WAY  # it failed just now
    if row["fingerprint"] != fingerprint:
        return Busy.OTHER
    if row["status"] is None:
        return Busy.UNDER_WAY
    return Answer(row["status"], json.loads(row["headers"]), row["body"])


async def answered(connection: asyncpg.Connection, attempt: Attempt, answer: Answer) -> None:
    """Keeps the answer of an attempt, unless another one has taken over."""
    facts = (answer.status, json.dumps(dict(answer.headers)), answer.body)
    await connection.execute(_QUERIES["answered"], attempt.caller, attempt.key, attempt.id, *facts)


async def failed(connection: asyncpg.Connection, attempt: Attempt) -> None:
    """Forgets an attempt, so that the same request can be sent again at once."""
    await connection.execute(_QUERIES["failed"], attempt.caller, attempt.key, attempt.id)


async def prune(connection: asyncpg.Connection, *, now: datetime | None = None) -> None:
    """Forgets what is older than KEPT."""
    await connection.execute(_QUERIES["prune"], KEPT, now)
