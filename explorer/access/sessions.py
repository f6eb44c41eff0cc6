"""Sessions of notaries that are signed in to the pages. Of the cookie's token only its SHA-256 is kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from explorer.access.actors import Actor
from explorer.access.endings import tell_ended
from explorer.access.notaries import Notary, notary_of
from explorer.ground.queries import load_queries

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
_TOKEN_BYTES: Final = 32
_MOST_CHARS: Final = 64
_SEEN_EVERY: Final = timedelta(minutes=1)

_QUERIES: Final = load_queries("explorer.access.sql", "notaries.sql")


async def begin_session(connection: asyncpg.Connection, notary: Notary, *, now: datetime | None = None) -> str:
    """Begins a session of a notary who has signed, and returns its token, 256 random bits as text.

    Call it in the transaction in which the notary was found, so that being revoked comes before or after it.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    await connection.execute(_QUERIES["forget_sessions"], now, IDLE, LONGEST)
    await connection.execute(_QUERIES["begin_session"], _hash_of(token), notary.id, now)
    return token


async def find_session(
    connection: asyncpg.Connection, token: str, *, is_attended: bool = True, now: datetime | None = None
) -> Actor | None:
    """The notary whose session the token is, which thereby is seen; None: unknown, ended, idle too long, revoked.

    Where nobody attends, as when an open page asks by itself, the session isn't seen and goes on becoming idle.
    """
    if len(token) > _MOST_CHARS:
        return None
    hashed = _hash_of(token)
    row = await connection.fetchrow(_QUERIES["find_session"], hashed, now, IDLE, LONGEST, _SEEN_EVERY)
    if row is None:
        return None
    if row["is_stale"] and is_attended:
        await connection.execute(_QUERIES["see_session"], hashed, now)
    return notary_of(row).actor()


async def end_session(connection: asyncpg.Connection, token: str) -> Notary | None:
    """Ends the session of a token; returns whose it was, None where there was none."""
    row = await connection.fetchrow(_QUERIES["end_session"], _hash_of(token[: _MOST_CHARS + 1]))
    if row is None:
        return None
    await tell_ended(connection)
    return notary_of(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that holds. Unused, it ends at `ends_at`; `is_this` is the one that asks."""

    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    is_this: bool


async def list_sessions(
    connection: asyncpg.Connection, address: str, token: str, *, now: datetime | None = None
) -> list[Session]:
    """The sessions of a notary, the newest first; `token` is that of the one who asks."""
    this = _hash_of(token[: _MOST_CHARS + 1])
    rows = await connection.fetch(_QUERIES["sessions_of"], address, now, IDLE, LONGEST)
    return [
        Session(
            began_at=row["began_at"], seen_at=row["seen_at"], ends_at=row["ends_at"], is_this=row["token_hash"] == this
        )
        for row in rows
    ]


async def end_sessions(connection: asyncpg.Connection, notary: Notary) -> int:
    """Ends every session of a notary; returns how many there were, those included that had ended by time."""
    status: str = await connection.execute(_QUERIES["end_sessions_of"], notary.id)
    await tell_ended(connection)
    return int(status.rpartition(" ")[2])


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
