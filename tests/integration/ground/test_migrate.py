"""Migrations: in order, once, each whole or not at all, and never a file other than the one applied."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from explorer.errors import DatabaseUnavailable, MigrationError
from explorer.ground.connection import open_connection
from explorer.ground.migrate import migrate, pending, read_migrations
from tests.clusters import services
from tests.patience import until

pytestmark = pytest.mark.every_postgres

FIRST = "CREATE SCHEMA s; CREATE TABLE s.a (id int);"
SLEEPERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
SECOND = "CREATE TABLE s.b (id int); INSERT INTO s.b VALUES (1);"


@pytest.fixture
async def connection(empty_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    async with open_connection(empty_dsn) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "0001_first.sql", FIRST)
    write(tmp_path, "0002_second.sql", SECOND)
    return tmp_path


def write(folder: Path, name: str, sql: str) -> None:
    (folder / "demo").mkdir(exist_ok=True)
    (folder / "demo" / name).write_text(sql, encoding="utf-8")


def remove(folder: Path, name: str) -> None:
    (folder / "demo" / name).unlink()


async def test_applied_in_order_and_once(connection: asyncpg.Connection, folder: Path) -> None:
    assert [m.number for m in await pending(connection, "demo", folder=folder)] == [1, 2]
    applied = await migrate(connection, "demo", folder=folder)
    assert [(a.number, a.name) for a in applied] == [(1, "first"), (2, "second")]
    assert await migrate(connection, "demo", folder=folder) == []
    assert await pending(connection, "demo", folder=folder) == []
    assert await connection.fetchval("SELECT count(*) FROM s.b") == 1
    rows = await connection.fetch("SELECT service, number, name, length(checksum) FROM public.schema_migrations")
    assert [tuple(row) for row in rows] == [("demo", 1, "first", 64), ("demo", 2, "second", 64)]


async def test_new_file_is_applied_alone(connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(connection, "demo", folder=folder)
    write(folder, "0003_third.sql", "CREATE TABLE s.c (id int)")
    assert [a.name for a in await migrate(connection, "demo", folder=folder)] == ["third"]


async def test_asking_what_is_pending_writes_nothing(connection: asyncpg.Connection, folder: Path) -> None:
    await pending(connection, "demo", folder=folder)
    assert await connection.fetchval("SELECT to_regclass('public.schema_migrations')") is None


async def test_edited_file_is_refused_by_name(connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(connection, "demo", folder=folder)
    write(folder, "0001_first.sql", FIRST + "-- a thought")
    with pytest.raises(MigrationError, match=r"demo/0001_first\.sql was edited after it had been applied"):
        await migrate(connection, "demo", folder=folder)


async def test_line_endings_of_a_checkout_are_no_edit(connection: asyncpg.Connection, folder: Path) -> None:
    write(folder, "0001_first.sql", "CREATE SCHEMA s;\nCREATE TABLE s.a (id int);\n")
    await migrate(connection, "demo", folder=folder)
    (folder / "demo" / "0001_first.sql").write_bytes(b"CREATE SCHEMA s;\r\nCREATE TABLE s.a (id int);\r\n")
    assert await migrate(connection, "demo", folder=folder) == []


async def test_database_newer_than_the_program_is_refused(connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(connection, "demo", folder=folder)
    remove(folder, "0002_second.sql")
    with pytest.raises(MigrationError, match=r"database is newer than this program: it bears demo/0002_second\.sql"):
        await migrate(connection, "demo", folder=folder)


async def test_hole_in_what_was_applied_is_refused(connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(connection, "demo", folder=folder)
    await connection.execute("DELETE FROM public.schema_migrations WHERE number = 1")
    with pytest.raises(MigrationError, match=r"lacks demo/0001_first\.sql but bears later ones"):
        await migrate(connection, "demo", folder=folder)


@pytest.mark.parametrize(
    ("name", "sql", "said"),
    [
        ("0004_gap.sql", "SELECT 1", "the next number is 0003"),
        ("0002_twice.sql", "SELECT 1", "numbers twice"),
        ("3_short.sql", "SELECT 1", "is no migration's name"),
        ("0003_commits.sql", "SELECT 1; COMMIT; SELECT 2", "controls transactions"),
    ],
)
async def test_bad_file_is_refused_before_anything_is_applied(
    connection: asyncpg.Connection, folder: Path, name: str, sql: str, said: str
) -> None:
    write(folder, name, sql)
    with pytest.raises(MigrationError, match=said):
        await migrate(connection, "demo", folder=folder)
    assert await connection.fetchval("SELECT to_regnamespace('s')") is None


async def test_function_bodies_may_begin(connection: asyncpg.Connection, folder: Path) -> None:
    write(
        folder,
        "0003_function.sql",
        "CREATE FUNCTION s.f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n RETURN 1; -- commit\nEND;\n$$;\n"
        "CREATE FUNCTION s.g() RETURNS int BEGIN ATOMIC SELECT 2; END;",
    )
    await migrate(connection, "demo", folder=folder)
    assert await connection.fetchval("SELECT s.f() + s.g()") == 3


async def test_failed_file_leaves_nothing_and_the_next_run_goes_on(
    connection: asyncpg.Connection, folder: Path
) -> None:
    write(folder, "0002_second.sql", "CREATE TABLE s.b (id int); SELECT 1/0;")
    with pytest.raises(MigrationError, match=r"demo/0002_second\.sql failed, nothing of it was kept: division by zero"):
        await migrate(connection, "demo", folder=folder)
    assert await connection.fetchval("SELECT to_regclass('s.b')") is None
    write(folder, "0002_second.sql", SECOND)
    assert [a.number for a in await migrate(connection, "demo", folder=folder)] == [2]


async def test_two_starters_take_turns(empty_dsn: str, folder: Path) -> None:
    async def start() -> int:
        async with open_connection(empty_dsn) as connection:
            return len(await migrate(connection, "demo", folder=folder))

    assert sorted(await asyncio.gather(*(start() for _ in range(4)))) == [0, 0, 0, 2]


async def test_killed_half_way_goes_on_where_it_was(empty_dsn: str, folder: Path) -> None:
    write(folder, "0002_second.sql", "CREATE TABLE s.b (id int); SELECT pg_sleep(60);")
    async with open_connection(empty_dsn) as killed, open_connection(empty_dsn) as other:
        running = asyncio.create_task(migrate(killed, "demo", folder=folder))
        await until(lambda: other.fetchval(SLEEPERS))
        await other.execute("SELECT pg_terminate_backend($1)", killed.get_server_pid())
        with pytest.raises(DatabaseUnavailable):
            await running
        write(folder, "0002_second.sql", SECOND)
        assert [a.number for a in await migrate(other, "demo", folder=folder)] == [2]
        assert await other.fetchval("SELECT count(*) FROM s.b") == 1


async def test_services_do_not_mix(connection: asyncpg.Connection, folder: Path) -> None:
    shutil.copytree(folder / "demo", folder / "other")
    (folder / "other" / "0001_first.sql").write_text("CREATE SCHEMA t", encoding="utf-8")
    (folder / "other" / "0002_second.sql").write_text("CREATE TABLE t.b ()", encoding="utf-8")
    await migrate(connection, "demo", folder=folder)
    assert len(await migrate(connection, "other", folder=folder)) == 2


async def test_unknown_service_has_nothing_to_apply(connection: asyncpg.Connection) -> None:
    assert await migrate(connection, "unknown") == []


async def test_the_products_own_migrations_apply(dsn: str) -> None:
    async with open_connection(dsn) as connection:
        for service in services():
            assert read_migrations(service)
            assert await pending(connection, service) == []
