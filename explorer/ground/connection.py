"""One connection to PostgreSQL, and the border where asyncpg's errors become ours."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg

from explorer.errors import DatabaseError, DatabaseRefused, DatabaseUnavailable, QueryTimeout
from explorer.ground.setting_values import covered_url

CONNECT_TIMEOUT_S: Final = 10.0

_TRANSIENT: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # as when the database takes no connections for now
    asyncpg.InternalClientError,  # the connection was cut while asyncpg was between two states
)
_PERMANENT: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ClientConfigurationError,
)


@contextmanager
def database_errors(doing: str) -> Iterator[None]:
    """Turns what asyncpg and the network raise inside into our errors; `doing` begins the text: "reading deal 7".

    Lost and refused connections become DatabaseUnavailable, a statement's time limit QueryTimeout, a wrong password
    or database DatabaseRefused. Errors of the statement itself (a constraint, bad SQL) pass through.
    """
    try:
        yield
    except (asyncpg.QueryCanceledError, *_PERMANENT, *_TRANSIENT, asyncpg.InterfaceError) as error:
        if _is_cancelled():
            raise asyncio.CancelledError from error
        found = _ours(doing, error)
        if found is None:
            raise
        raise found from error


def _is_cancelled() -> bool:
    """Whether the task is to end. A connection that breaks while it is given back for that would hide it otherwise."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def _ours(doing: str, error: BaseException) -> DatabaseError | None:
    """Our error for one of asyncpg's or the network's; None where it is none of the connection."""
    if isinstance(error, asyncpg.QueryCanceledError):
        return QueryTimeout(f"{doing}: the database stopped the statement at its time limit: ask for less")
    if isinstance(error, _PERMANENT):
        return DatabaseRefused(f"{doing}: the database refused: {error}: check FILPLUS_DATABASE_URL")
    if isinstance(error, _TRANSIENT):
        return DatabaseUnavailable(f"{doing}: no database: {_text(error)}: is PostgreSQL running there?")
    if "closed" in str(error):
        return DatabaseUnavailable(f"{doing}: the connection to the database is closed: try again")
    return None


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


@asynccontextmanager
async def open_connection(dsn: str, **options: Any) -> AsyncIterator[asyncpg.Connection]:
    """Opens one connection outside of any pool and closes it; errors of connecting are ours, with the password covered.

    For work that must keep its connection: migrations, session locks, LISTEN. `options` go to asyncpg.connect.
    """
    with database_errors(f"connecting to {covered_url(dsn)}"):
        connection = await asyncpg.connect(dsn, **{"timeout": CONNECT_TIMEOUT_S, **options})
    try:
        yield connection
    finally:
        await connection.close()
