"""Pools, errors at the border, locks: on every PostgreSQL that is taken."""

import asyncio
import contextlib
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest

from explorer.errors import DatabaseError, DatabaseRefused, DatabaseUnavailable, QueryTimeout
from explorer.ground.connection import database_errors, open_connection
from explorer.ground.database import (
    database_lock,
    demand_usable,
    lock_key,
    open_database,
    open_pool,
    transaction_lock,
)
from explorer.ground.settings import Settings
from tests.clusters import Server
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.every_postgres


async def is_free(connection: asyncpg.Connection, name: str) -> bool:
    """Whether nobody else holds the lock of that name."""
    granted: bool = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock_key(name))
    return granted


async def test_pool_answers_under_its_name(dsn: str) -> None:
    async with open_pool(dsn, application_name="filplus tests") as pool:
        assert await pool.fetchval("SELECT current_setting('application_name')") == "filplus tests"
        assert await pool.fetchval("SELECT current_setting('synchronous_commit')") == "on"


async def test_statement_time_limit_becomes_our_error(dsn: str) -> None:
    async with open_pool(dsn, application_name="tests", statement_timeout_s=0.05) as pool:
        with pytest.raises(QueryTimeout, match=r"^sleeping: "), database_errors("sleeping"):
            await pool.execute("SELECT pg_sleep(5)")


async def test_missing_database_is_refused_for_good(postgres: Server) -> None:
    with pytest.raises(DatabaseRefused, match='"nowhere" does not exist'):
        async with open_pool(postgres.dsn_of("nowhere"), application_name="tests"):
            pytest.fail("opened a database that is not there")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ana:pw@127.0.0.1:1/x",
        "postgresql://ana:pw%40pw@127.0.0.1:1/x",
        "postgresql:///x?host=/nowhere&user=ana&password=pw",
        "postgresql:///x?host=/nowhere&user=ana&p%61ssword=pw",
    ],
)
async def test_silent_server_is_unavailable_for_now(dsn: str) -> None:
    with pytest.raises(DatabaseUnavailable) as raised:
        async with open_pool(dsn, application_name="tests"):
            pytest.fail("opened a pool over nothing")
    assert "pw" not in str(raised.value)


async def test_text_that_is_no_url_is_refused_unseen() -> None:
    with pytest.raises(DatabaseRefused) as raised:
        async with open_connection("host=127.0.0.1 password=s3cr3tpw"):
            pytest.fail("connected by a key=value text")
    assert "s3cr3tpw" not in str(raised.value)


async def test_cut_connection_is_unavailable_for_now(dsn: str, postgres: Server) -> None:
    async with open_connection(dsn) as connection, open_connection(postgres.dsn_of("postgres")) as other:
        await other.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        for _ in range(2):  # while the cut arrives, and afterwards
            with pytest.raises(DatabaseUnavailable), database_errors("reading"):
                await connection.fetchval("SELECT pg_sleep(1)")


async def test_a_database_that_takes_no_connections_is_unavailable_for_now(dsn: str, postgres: Server) -> None:
    """SQLSTATE 55000: as while an operator restores it."""
    async with open_connection(postgres.dsn_of("postgres")) as other:
        name = await _name_of(dsn)
        await other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            with pytest.raises(DatabaseUnavailable, match="not currently accepting connections"):
                await _name_of(dsn)
        finally:
            await other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


async def _name_of(dsn: str) -> str:
    async with open_connection(dsn) as connection:
        return str(await connection.fetchval("SELECT current_database()"))


async def test_error_of_the_statement_passes_through(dsn: str) -> None:
    async with open_connection(dsn) as connection:
        with pytest.raises(asyncpg.UndefinedTableError), database_errors("reading"):
            await connection.execute("SELECT * FROM nothing_here")


async def test_server_that_commits_before_the_disk_has_it_is_refused(dsn: str) -> None:
    async with open_connection(dsn) as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    with pytest.raises(DatabaseRefused, match="synchronous_commit is off"):
        async with open_pool(dsn, application_name="tests"):
            pytest.fail("took a server that loses commits")


async def test_server_that_is_too_old_is_refused() -> None:
    old = SimpleNamespace(get_server_version=lambda: SimpleNamespace(major=14))
    with pytest.raises(DatabaseRefused, match="PostgreSQL 14 is too old: use 15 or newer"):
        await demand_usable(old)


async def test_pool_gives_up_on_a_borrower_that_keeps_its_connection(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ground.database.CLOSE_TIMEOUT_S", 0.5)
    async with asyncio.timeout(PATIENCE_S), open_pool(dsn, application_name="tests") as pool:
        kept = await pool.acquire()
    with pytest.raises(asyncpg.InterfaceError):
        await kept.fetchval("SELECT 1")


async def test_session_lock_is_held_by_one(dsn: str) -> None:
    async with open_connection(dsn) as first, open_connection(dsn) as second:
        async with database_lock(first, "one"):
            assert not await is_free(second, "one")
            assert await is_free(second, "other")
        assert await is_free(second, "one")


async def test_session_lock_goes_with_its_connection(dsn: str) -> None:
    async with open_connection(dsn) as first, open_connection(dsn) as second, database_lock(first, "one"):
        first.terminate()
        async with asyncio.timeout(PATIENCE_S), database_lock(second, "one"):
            assert first.is_closed()


async def test_transaction_lock_ends_with_the_transaction(dsn: str) -> None:
    async with open_connection(dsn) as first, open_connection(dsn) as second:
        async with first.transaction():
            await transaction_lock(first, "one")
            assert not await is_free(second, "one")
        assert await is_free(second, "one")


def test_lock_key_never_changes() -> None:
    assert lock_key("migrate") == 3646179550598745809
    assert lock_key("follow") != lock_key("migrate")


async def test_named_database_is_used_as_it_is(dsn: str, tmp_path: Path) -> None:
    async with open_database(Settings(data_dir=tmp_path, database_url=dsn)) as database:
        assert database.dsn == dsn
        assert database.embedded is None
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240 - a look at an empty folder


async def test_without_a_url_the_database_is_embedded(data_dir: Path) -> None:
    async with open_database(Settings(data_dir=data_dir)) as database:
        async with open_pool(database.dsn, application_name="tests") as pool:
            assert await pool.fetchval("SELECT 1") == 1
        assert database.described() == f"embedded in {data_dir}"


def test_every_error_of_the_database_is_one() -> None:
    assert all(issubclass(kind, DatabaseError) for kind in (DatabaseRefused, DatabaseUnavailable, QueryTimeout))


async def test_a_connection_that_breaks_at_the_end_of_a_task_hides_no_cancellation() -> None:
    """Else a loop that outlives every failure of the database outlives its own end."""
    begun = asyncio.Event()

    async def work() -> None:
        while True:
            with contextlib.suppress(DatabaseUnavailable), database_errors("reading"):
                try:
                    begun.set()
                    await asyncio.sleep(60)
                finally:
                    raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=PATIENCE_S)
    assert done
    assert task.cancelled()
