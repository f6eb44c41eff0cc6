"""PostgreSQL servers for tests: temporary, in memory where there is room, never flushed to disk, gone afterwards."""

import asyncio
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from explorer.ground.account import Account, server_account
from explorer.ground.migrate import migrate
from explorer.ground.programs import find_programs

GIVEN_URL = os.environ.get("FILPLUS_TEST_DATABASE_URL")
KINDS = ("given",) if GIVEN_URL else ("postgres18", "postgres15")
"""What a test marked `every_postgres` runs on; other tests run on the first."""

DEBIAN_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
CHECKOUT = Path(__file__).parents[1]

_PREFIX = "filplus-tests-"
_MEMORY = Path("/dev/shm")
_MEMORY_NEEDED_BYTES = 1 << 30
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "96MB",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
}

T = TypeVar("T")


@dataclass
class Server:
    """A running server; `dsn` holds a place for the database's name. Its template is made at the first clone."""

    dsn: str
    template: str | None = field(default=None)

    def dsn_of(self, database: str) -> str:
        return self.dsn.format(database=database)

    @contextmanager
    def cloned(self) -> Iterator[str]:
        """Gives the DSN of a database of one's own with every migration applied, and drops it afterwards."""
        if self.template is None:
            self.template = run_apart(self._make_template())
        with self.database(template=self.template) as dsn:
            yield dsn

    @contextmanager
    def database(self, *, template: str = "template1") -> Iterator[str]:
        """Gives the DSN of a new database, and drops it afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        try:
            yield self.dsn_of(name)
        finally:
            self._administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    def drop_template(self) -> None:
        if self.template is not None:
            self._administer(f'DROP DATABASE "{self.template}" WITH (FORCE)')

    async def _make_template(self) -> str:
        name = f"template_{secrets.token_hex(6)}"
        await _execute(self.dsn_of("postgres"), f'CREATE DATABASE "{name}"')
        connection = await asyncpg.connect(self.dsn_of(name))
        try:
            for service in services():
                await migrate(connection, service)
        finally:
            await connection.close()
        return name

    def _administer(self, statement: str) -> None:
        run_apart(_execute(self.dsn_of("postgres"), statement))


def services() -> list[str]:
    """The services that have migrations, in the order in which these are applied."""
    return sorted(path.parent.name for path in (CHECKOUT / "migrations").glob("*/0001_*.sql"))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in a thread of its own, so that it is all the same what loop the test runs or will run."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


@contextmanager
def server(kind: str) -> Iterator[Server]:
    """Runs a server of one of KINDS."""
    if GIVEN_URL:
        given = Server(_with_database_place(GIVEN_URL))
        try:
            yield given
        finally:
            given.drop_template()
        return
    with open_folder() as folder:
        account = server_account()
        programs = DEBIAN_PROGRAMS if kind == "postgres15" else find_programs(folder, account) / "bin"
        if not (programs / "initdb").exists():
            raise FileNotFoundError(f"{programs} is missing: run python -m tests.components as root")
        with _running(programs, account, folder / "cluster") as cluster:
            yield Server(f"postgresql://postgres@/{{database}}?host={cluster}&port=5432")


@contextmanager
def _running(programs: Path, account: Account, cluster: Path) -> Iterator[Path]:
    cluster.mkdir(mode=0o700)
    account.own(cluster)
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        cluster,
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-sync",
    ]
    _demand_success(account, [*initdb, "--locale=C.UTF-8"], cluster)
    options = " ".join(f"-c {name}='{value}'" for name, value in _SETTINGS.items())
    options += f" -c unix_socket_directories={cluster}"
    control: list[str | Path] = [programs / "pg_ctl", "-D", cluster, "-l", cluster / "log", "-w"]
    _demand_success(account, [*control, "-o", options, "start"], cluster)
    try:
        yield cluster
    finally:
        account.run([*control, "-m", "immediate", "stop"], cwd=cluster)


def _demand_success(account: Account, command: list[str | Path], folder: Path) -> None:
    done = account.run(command, cwd=folder)
    log = folder / "log"
    assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")


@contextmanager
def open_folder() -> Iterator[Path]:
    """Gives a temporary folder with a short path, which the server's user can enter; removed afterwards.

    Folders of test runs that were killed are removed first, the servers in them with them.
    """
    parent = _parent()
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    folder.chmod(0o711)
    lock_fd = os.open(folder / "born", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock_fd, fcntl.LOCK_EX)
    (folder / "born").rename(folder / "alive")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock_fd)


def _parent() -> Path:
    """Memory where it has room and may hold programs, else the folder for temporary files."""
    try:
        status = os.statvfs(_MEMORY)
    except OSError:
        return Path(tempfile.gettempdir())
    roomy = status.f_bavail * status.f_frsize >= _MEMORY_NEEDED_BYTES and not status.f_flag & os.ST_NOEXEC
    return _MEMORY if roomy and os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            lock_fd = os.open(folder / "alive", os.O_RDWR)
        except OSError:
            continue  # somebody else's, or one just being made
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)  # a postmaster whose postmaster.pid has gone ends by itself
        finally:
            os.close(lock_fd)


def _with_database_place(url: str) -> str:
    return urlsplit(url.replace("{", "{{").replace("}", "}}"))._replace(path="/{database}").geturl()
