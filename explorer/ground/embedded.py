"""The embedded database: a real PostgreSQL in the data directory, shared by every command that needs it at the moment.

    <data_dir>/postgres          the cluster: data, log/, and the socket where its path is short enough
    <data_dir>/postgres.users    every user holds a shared flock on it: the kernel counts them, kill -9 included
    <data_dir>/postgres.turn     an exclusive flock: whoever holds it may make, start or stop the server

    attach   turn ─► share `users` ─► make, start, or find it running ─► give the turn back
    detach   turn ─► try `users` alone: granted, we were the last: stop ─► give the turn back

A user that attaches while the last one stops waits for its turn, finds no server and starts one.
"""

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

import asyncpg
import structlog

from explorer.errors import DatabaseUnavailable, DataDirError, FilplusError
from explorer.ground.account import (
    Account,
    can_start_inside,
    closed_folder_above,
    demand_open_way,
    make_folder,
    server_account,
)
from explorer.ground.cluster import ROLE, has_cluster, make_cluster
from explorer.ground.connection import CONNECT_TIMEOUT_S, database_errors, open_connection
from explorer.ground.file_lock import open_lock, try_lock
from explorer.ground.postmaster import (
    PORT,
    Postmaster,
    find_postmaster,
    is_postmaster,
    is_running,
    last_words,
    launch_postmaster,
    request_stop,
)
from explorer.ground.programs import find_programs
from explorer.ground.socket_folder import choose_socket_dir, demand_private

__all__ = ["EmbeddedServer", "closed_folder_above", "embedded_server"]

DATABASE: Final = "filplus"

_START_TIMEOUT_S: Final = 600.0  # a crash recovery reads up to max_wal_size
_STOP_TIMEOUT_S: Final = 120.0  # a shutdown writes up to shared_buffers and a checkpoint
_ANSWER_TIMEOUT_S: Final = 5.0  # a killed server looks ready until the kernel has ended it
_POLL_S: Final = 0.02

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A server that runs at least as long as the context that gave it."""

    dsn: str
    data_dir: Path
    _attachment: "_Attachment"

    async def ensure_running(self) -> None:
        """Starts the server again should it have died under us, until it answers; cheap when it runs.

        For a supervised loop. DatabaseUnavailable: it does not start, or does not answer.
        """
        await _answering(self._attachment, self._attachment.revive)


@asynccontextmanager
async def embedded_server(data_dir: Path) -> AsyncIterator[EmbeddedServer]:
    """Attaches to the server of `data_dir`, making and starting it if need be; the last user to leave stops it.

    DataDirError: the directory, a folder above it or its cluster cannot be used. DatabaseUnavailable: no start.
    A server that dies or stops under the attaching user is started again.
    """
    attachment = _Attachment(data_dir)
    try:
        postmaster = await _answering(attachment, attachment.attach)
        yield EmbeddedServer(_dsn(postmaster.socket_dir, DATABASE), attachment.data_dir, attachment)
    finally:
        await _to_its_end(attachment.detach)


async def _answering(attachment: "_Attachment", work: Callable[[], Postmaster]) -> Postmaster:
    """Gets the server by `work` and proves that it answers.

    A server that was killed, or asked to stop by a user killed since, looks ready for a moment, and its socket takes
    connections that nobody will serve: so where the first one fails, the server is looked at, and started, again.
    """
    deadline = time.monotonic() + _ANSWER_TIMEOUT_S
    while True:
        attachment.resume()
        postmaster = await _to_its_end(work, attachment.abandon)
        try:
            await _ensure_database(postmaster.socket_dir)
        except DatabaseUnavailable:
            if time.monotonic() > deadline:
                raise
            _log.debug("database_does_not_answer", pid=postmaster.pid)
            await asyncio.sleep(_POLL_S)
            work = attachment.revive
        else:
            return postmaster


async def _to_its_end(work: Callable[[], _T], abandon: Callable[[], None] | None = None) -> _T:
    """Runs blocking work in a thread, to its end even when we are cancelled: half a start would leave a lock behind.

    `abandon` asks the work to come to its end soon.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if abandon is not None:
            abandon()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it as forgotten
        raise


class _Abandoned(FilplusError):
    """The start was given up because its caller was cancelled."""


class _Attachment:
    """One use of the server of a data directory. Its methods block; one thread at a time."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self._cluster = self.data_dir / "postgres"
        self._users_fd: int | None = None
        self._abandoned = threading.Event()

    def attach(self) -> Postmaster:
        """Registers a use and returns the running server."""
        make_folder(self.data_dir)
        with self._turn() as turn_fd:
            self._users_fd = open_lock(self.data_dir / "postgres.users")
            fcntl.flock(self._users_fd, fcntl.LOCK_SH)
            try:
                return self._running_server(turn_fd)
            except BaseException:
                self._leave()
                raise

    def revive(self) -> Postmaster:
        """Returns the running server of an attachment; starts it if it died."""
        with self._turn() as turn_fd:
            return self._running_server(turn_fd)

    def detach(self) -> None:
        """Ends the use; stops the server if nobody else uses it. Does nothing when not attached."""
        if self._users_fd is None:
            return
        self.resume()
        with self._turn():
            self._leave()

    def abandon(self) -> None:
        """Makes a start that waits in another thread give up."""
        self._abandoned.set()

    def resume(self) -> None:
        """Lets the next call wait again, after one that was abandoned."""
        self._abandoned.clear()

    @contextmanager
    def _turn(self) -> Iterator[int]:
        turn_fd = open_lock(self.data_dir / "postgres.turn")
        try:
            deadline = time.monotonic() + _START_TIMEOUT_S
            while not try_lock(turn_fd):
                self._pause(deadline, "another process makes, starts or stops the database")
            yield turn_fd
        finally:
            os.close(turn_fd)

    def _pause(self, deadline: float, waiting_for: str) -> None:
        if self._abandoned.wait(_POLL_S):
            raise _Abandoned("the start of the database was interrupted")
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(
                f"{self._cluster}: {waiting_for}, for {_START_TIMEOUT_S:.0f} s: see its log folder"
            )

    def _running_server(self, turn_fd: int) -> Postmaster:
        account = server_account(self._cluster)
        exists = has_cluster(self._cluster)
        postmaster = find_postmaster(self._cluster) if exists else None
        if postmaster is None or postmaster.status != "ready":
            postmaster = self._start(account, turn_fd, exists=exists)
        demand_private(postmaster.socket_dir)
        return postmaster

    def _start(self, account: Account, turn_fd: int, *, exists: bool) -> Postmaster:
        began = time.monotonic()
        if not can_start_inside(account):
            demand_open_way(self.data_dir, account)
        try:
            programs = find_programs(self.data_dir, account)
            if not exists:
                _log.info("database_made", cluster=str(self._cluster), user=account.name)
                make_cluster(self._cluster, programs, account, lock_fd=turn_fd)
            socket_dir = choose_socket_dir(self._cluster, account)
            postmaster = self._launched(
                lambda: launch_postmaster(self._cluster, programs, account, socket_dir=socket_dir)
            )
        except OSError as error:
            raise DataDirError(
                f"{self._cluster} cannot be used: {error}: free or name another FILPLUS_DATA_DIR"
            ) from error
        _log.info("database_started", pid=postmaster.pid, seconds=round(time.monotonic() - began, 2))
        return postmaster

    def _launched(self, launch: Callable[[], int]) -> Postmaster:
        """Waits until the server is ready, launching it where none runs (a stopping one is waited for first)."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        pid: int | None = None
        while True:
            postmaster = find_postmaster(self._cluster)
            if postmaster is not None and postmaster.status == "ready":
                return postmaster
            if postmaster is None and (pid is None or not is_running(pid)):
                if pid is not None:
                    self._demand_transient_failure()
                pid = launch()
            self._pause(deadline, "PostgreSQL recovers or does not get ready")

    def _demand_transient_failure(self) -> None:
        """Raises unless the launched server ended because processes of its killed predecessor still do."""
        words = last_words(self._cluster)
        if "shared memory" not in words and "lock file" not in words:
            raise DatabaseUnavailable(f"PostgreSQL does not start in {self._cluster}: {words}: see its log folder")
        self._abandoned.wait(0.2)

    def _leave(self) -> None:
        users_fd, self._users_fd = self._users_fd, None
        if users_fd is None:
            return
        try:
            if try_lock(users_fd):
                self._stop()
        finally:
            os.close(users_fd)

    def _stop(self) -> None:
        postmaster = request_stop(self._cluster)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while postmaster is not None and is_postmaster(postmaster.pid, self._cluster):
            if time.monotonic() > deadline:
                _log.warning("database_stops_slowly", pid=postmaster.pid, seconds=_STOP_TIMEOUT_S)
                return
            time.sleep(_POLL_S)


def _dsn(socket_dir: Path, database: str) -> str:
    return f"postgresql://{ROLE}@/{database}?host={quote(str(socket_dir), safe='')}&port={PORT}"


async def _ensure_database(socket_dir: Path) -> None:
    """Makes the database where it is missing; also proves that the server answers."""
    with database_errors("opening the embedded database"):
        try:
            connection = await asyncpg.connect(_dsn(socket_dir, DATABASE), timeout=CONNECT_TIMEOUT_S)
        except asyncpg.InvalidCatalogNameError:
            await _make_database(socket_dir)
        else:
            await connection.close()


async def _make_database(socket_dir: Path) -> None:
    async with open_connection(_dsn(socket_dir, "postgres")) as connection:
        try:
            await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            _log.debug("database_made_by_another_process")
