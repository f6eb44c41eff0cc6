"""PostgreSQL as the services use it: which one, a pool over it, locks by name."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from explorer.errors import DatabaseRefused
from explorer.ground.connection import CONNECT_TIMEOUT_S, database_errors
from explorer.ground.embedded import EmbeddedServer, embedded_server
from explorer.ground.setting_values import covered_url
from explorer.ground.settings import Settings

OLDEST_SERVER: Final = 15
CLOSE_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Database:
    """The database that the settings name. `embedded` is None for a server of the operator's own."""

    dsn: str
    embedded: EmbeddedServer | None

    def __repr__(self) -> str:
        return f"Database({self.described()})"

    def described(self) -> str:
        """Where it is, fit for logs and pages: a folder, or the URL with its password covered."""
        return f"embedded in {self.embedded.data_dir}" if self.embedded else covered_url(self.dsn)


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Gives the database of the settings: the URL's, else the embedded one, which runs while the context lasts.

    Connects to nothing where a URL is set, and runs no migration. Close every pool before leaving.
    """
    if settings.database_url is not None:
        yield Database(settings.database_url, embedded=None)
        return
    async with embedded_server(settings.data_dir) as server:
        yield Database(server.dsn, embedded=server)


@asynccontextmanager
async def open_pool(
    dsn: str,
    *,
    application_name: str,
    min_size: int = 1,
    max_size: int = 10,
    statement_timeout_s: float | None = None,
) -> AsyncIterator[asyncpg.Pool]:
    """Opens a pool over a server that is new enough and commits durably, and closes it.

    `statement_timeout_s` limits each statement (None: as the server has it); set it where strangers cause queries.
    DatabaseUnavailable, DatabaseRefused: see `explorer.ground.connection.database_errors`.
    """
    limits = {} if statement_timeout_s is None else {"statement_timeout": str(round(statement_timeout_s * 1000))}
    with database_errors(f"connecting to {covered_url(dsn)}"):
        pool = await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            timeout=CONNECT_TIMEOUT_S,
            server_settings={"application_name": application_name, **limits},
        )
    try:
        async with pool.acquire() as connection:
            await demand_usable(connection)
        yield pool
    finally:
        await _close(pool)


async def _close(pool: asyncpg.Pool) -> None:
    """Closes the pool; where its connections do not come back within the time, cuts them."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def demand_usable(connection: asyncpg.Connection) -> None:
    """Raises DatabaseRefused for a server older than 15, or one that acknowledges a commit before it is on disk."""
    major = connection.get_server_version().major
    if major < OLDEST_SERVER:
        raise DatabaseRefused(f"PostgreSQL {major} is too old: use {OLDEST_SERVER} or newer, or the embedded one")
    commit = await connection.fetchval("SHOW synchronous_commit")
    if commit == "off":
        raise DatabaseRefused(
            "synchronous_commit is off: a crash would lose what was acknowledged:"
            " ALTER ROLE … SET synchronous_commit = on"
        )


def lock_key(name: str) -> int:
    """The advisory lock's number for a name: 64 bits, signed, the same in every process and release."""
    return int.from_bytes(hashlib.sha256(f"filplus:{name}".encode()).digest()[:8], "big", signed=True)


@asynccontextmanager
async def database_lock(connection: asyncpg.Connection, name: str) -> AsyncIterator[None]:
    """Holds the session's advisory lock of that name; waits for it. The connection must stay the same inside."""
    key = lock_key(name)
    await connection.execute("SELECT pg_advisory_lock($1)", key)
    try:
        yield
    finally:
        await _release(connection, key)


async def _release(connection: asyncpg.Connection, key: int) -> None:
    """Gives a session's lock back; a connection that is gone has given it back already."""
    if not connection.is_closed():
        await connection.execute("SELECT pg_advisory_unlock($1)", key)


async def transaction_lock(connection: asyncpg.Connection, name: str) -> None:
    """Takes the advisory lock of that name until the running transaction ends; waits for it."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", lock_key(name))
