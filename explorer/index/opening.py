"""The index's database, opened and brought to the schema that this program knows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from explorer.errors import MigrationError
from explorer.ground.connection import open_connection
from explorer.ground.database import Database, open_database, open_pool
from explorer.ground.migrate import migrate, pending
from explorer.ground.settings import Settings

SERVICE = "explorer"


@dataclass(frozen=True, slots=True)
class OpenIndex:
    """An open index."""

    database: Database
    pool: asyncpg.Pool


@asynccontextmanager
async def open_index(
    settings: Settings,
    *,
    application_name: str,
    may_migrate: bool,
    max_size: int = 2,
    statement_timeout_s: float | None = None,
) -> AsyncIterator[OpenIndex]:
    """Opens the index of the settings.

    The schema is brought to head where this program may do so: the embedded database is ours alone; on a server of the
    operator's own only those commands do that change the index, others raise MigrationError.
    """
    async with open_database(settings) as database:
        async with open_connection(database.dsn) as connection:
            if may_migrate or database.embedded is not None:
                await migrate(connection, SERVICE)
            elif waiting := await pending(connection, SERVICE):
                raise MigrationError(f"the schema is behind by {len(waiting)}: run `filplus migrate`")
        async with open_pool(
            database.dsn,
            application_name=application_name,
            max_size=max_size,
            statement_timeout_s=statement_timeout_s,
        ) as pool:
            yield OpenIndex(database, pool)
