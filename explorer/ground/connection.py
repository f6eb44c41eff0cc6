"""One connection to PostgreSQL, and the border where asyncpg's errors become ours."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg

from explorer.errors import DatabaseRefused, DatabaseUnavailable, QueryTimeout
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
    except asyncpg.QueryCanceledError as error:
        raise QueryTimeout(f"{doing}: the database stopped the statement at its time limit: ask for less") from error
    except _PERMANENT as error:
        raise DatabaseRefused(f"{doing}: the database refused: {error}: check FILPLUS_DATABASE_URL") from error
    except _TRANSIENT as error:
        raise DatabaseUnavailable(f"{doing}: no database: {_text(error)}: is PostgreSQL running there?") from error
    except asyncpg.InterfaceError as error:
        if "closed" not in str(error):
            raise
        raise DatabaseUnavailable(f"{doing}: the connection to the database is closed: try again") from error


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
