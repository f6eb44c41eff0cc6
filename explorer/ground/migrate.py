"""The runner of migrations: numbered plain SQL, forward only, a transaction and a recorded checksum each."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import asyncpg
import structlog

from explorer.errors import MigrationError
from explorer.ground.connection import database_errors
from explorer.ground.database import database_lock
from explorer.ground.queries import bare_code

_FILE_NAME: Final = re.compile(r"(?P<number>[0-9]{4})_(?P<name>[a-z0-9_]+)\.sql")
_TRANSACTION_CONTROL: Final = re.compile(r"\b(begin(?!\s+atomic)|start\s+transaction|commit|rollback)\b", re.IGNORECASE)
_CREATE_TABLE: Final = """
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    service text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (service, number)
);
COMMENT ON TABLE public.schema_migrations IS 'Migrations applied; checksum is the sha256 of the file, in hex.';
"""
_APPLIED: Final = """
SELECT number, name, checksum, applied_at FROM public.schema_migrations WHERE service = $1 ORDER BY number
"""
_RECORD: Final = """
INSERT INTO public.schema_migrations (service, number, name, checksum) VALUES ($1, $2, $3, $4) RETURNING applied_at
"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `sql` as it is run, `checksum` the sha256 of it in hex."""

    service: str
    number: int
    name: str
    sql: str
    checksum: str

    @property
    def file(self) -> str:
        """The file's place below the folder of migrations."""
        return f"{self.service}/{self.number:04}_{self.name}.sql"


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that the database bears."""

    number: int
    name: str
    checksum: str
    applied_at: datetime


async def migrate(connection: asyncpg.Connection, service: str, *, folder: Traversable | None = None) -> list[Applied]:
    """Brings the service's schema to head; returns what was applied now, in order: nothing when it was there already.

    Several starters at once take turns. Killed at any point, it goes on at the next call. `folder` holds a folder per
    service (default: the package `migrations`). MigrationError names the file and what is wrong with it.
    """
    with database_errors(f"migrating {service}"):
        async with database_lock(connection, "migrate"):
            await _make_table(connection)
            return [
                await _apply(connection, migration) for migration in await pending(connection, service, folder=folder)
            ]


async def _make_table(connection: asyncpg.Connection) -> None:
    try:
        await connection.execute(_CREATE_TABLE)
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(f"no table can be made: {error}: let this role own the database") from error


async def pending(
    connection: asyncpg.Connection, service: str, *, folder: Traversable | None = None
) -> list[Migration]:
    """The migrations that the database lacks, in order; writes nothing.

    MigrationError when what was applied and the files contradict each other.
    """
    known = read_migrations(service, folder=folder)
    exists = await connection.fetchval("SELECT to_regclass('public.schema_migrations') IS NOT NULL")
    rows = await connection.fetch(_APPLIED, service) if exists else []
    applied = [Applied(**dict(row)) for row in rows]
    _demand_consistent(service, known, applied)
    return known[len(applied) :]


def read_migrations(service: str, *, folder: Traversable | None = None) -> list[Migration]:
    """The service's files in the order of their numbers, which must be 1, 2, 3 and so on."""
    place = (folder or files("migrations")).joinpath(service)
    if not place.is_dir():
        return []
    names = sorted(entry.name for entry in place.iterdir() if entry.name.endswith(".sql"))
    migrations = [_read(service, name, place.joinpath(name).read_text(encoding="utf-8")) for name in names]
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            kind = "twice" if migration.number < expected else "too far"
            raise MigrationError(f"{migration.file} numbers {kind}: the next number is {expected:04}: rename it")
    return migrations


def _read(service: str, name: str, text: str) -> Migration:
    match = _FILE_NAME.fullmatch(name)
    if match is None:
        raise MigrationError(f"{service}/{name} is no migration's name: write NNNN_what_it_does.sql")
    if _TRANSACTION_CONTROL.search(bare_code(text)):
        raise MigrationError(f"{service}/{name} controls transactions: leave that to the runner, a file is one")
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(service, int(match["number"]), match["name"], text, checksum)


def _demand_consistent(service: str, known: Sequence[Migration], applied: Sequence[Applied]) -> None:
    if len(applied) > len(known):
        newest = applied[-1]
        raise MigrationError(
            f"the database is newer than this program: it bears {service}/{newest.number:04}_{newest.name}.sql,"
            f" this program knows {len(known)} migrations: run the newer program"
        )
    for migration, bears in zip(known, applied, strict=False):
        if bears.number != migration.number:
            raise MigrationError(f"the database lacks {migration.file} but bears later ones: restore a backup")
        if bears.checksum != migration.checksum:
            raise MigrationError(
                f"{migration.file} was edited after it had been applied at {bears.applied_at:%Y-%m-%d %H:%M:%S}Z:"
                " undo the edit, and write a new migration instead"
            )


async def _apply(connection: asyncpg.Connection, migration: Migration) -> Applied:
    """Runs the file and records it, both or neither."""
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            applied_at: datetime = await connection.fetchval(
                _RECORD, migration.service, migration.number, migration.name, migration.checksum
            )
    except (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError):
        raise  # not the file's fault
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.file} failed, nothing of it was kept: {_described(error)}") from error
    _log.info("migration_applied", file=migration.file)
    return Applied(migration.number, migration.name, migration.checksum, applied_at)


def _described(error: asyncpg.PostgresError) -> str:
    position = getattr(error, "position", None)
    return f"{error} (at character {position})" if position else str(error)
