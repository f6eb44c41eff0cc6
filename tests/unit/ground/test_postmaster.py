"""Finding the server's process: nobody else's is ever taken for it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.ground import postmaster
from explorer.ground.postmaster import cluster_name, find_postmaster, is_postmaster, is_running, takes_connections

SLEEP = "import time; time.sleep(60)"


@contextmanager
def process_called(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with that command line, whatever it really is."""
    with subprocess.Popen([words[0], "-c", SLEEP, *words[1:]], executable=sys.executable) as process:
        while not postmaster._command_line(process.pid):  # it shows a moment after the start
            time.sleep(0.001)
        yield process
        process.kill()


def record(cluster: Path, pid: int, status: str = "ready") -> None:
    lines = [pid, cluster, 0, 5432, cluster, "", "0 0", f"{status}   "]
    (cluster / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n", encoding="utf-8")


def test_postmaster_of_the_directory_is_found(tmp_path: Path) -> None:
    with process_called("/opt/bin/postgres", "-D", str(tmp_path), "-c") as process:
        record(tmp_path, process.pid, "starting")
        found = find_postmaster(tmp_path)
    assert found is not None
    assert (found.pid, found.status, found.socket_dir) == (process.pid, "starting", tmp_path)


def test_nobody_elses_process_is_taken_for_it(tmp_path: Path) -> None:
    for words in [
        ("/bin/sleep", "-D", str(tmp_path), ""),
        ("/opt/bin/postgres", "-D", f"{tmp_path}2", ""),
        ("postgres: walwriter", str(tmp_path)),
    ]:
        with process_called(*words) as process:
            record(tmp_path, process.pid)
            assert find_postmaster(tmp_path) is None


def test_unfinished_or_broken_record_means_no_postmaster(tmp_path: Path) -> None:
    for text in ["", "\n", "abc\n", f"{os.getpid()}\n"]:
        (tmp_path / "postmaster.pid").write_text(text, encoding="utf-8")
        assert find_postmaster(tmp_path) is None


def test_only_a_strangers_number_is_passed_over(tmp_path: Path) -> None:
    """A postmaster that came up between two looks must not be: two servers would share the data."""
    with process_called("/opt/bin/postgres", "-D", str(tmp_path), "-c") as process:
        record(tmp_path, process.pid)
        assert postmaster._past_reused_pid(tmp_path) == {}
    assert postmaster._past_reused_pid(tmp_path) == {}
    record(tmp_path, os.getpid())
    assert postmaster._past_reused_pid(tmp_path) == {"PG_GRANDPARENT_PID": str(os.getpid())}


def test_server_is_named_after_its_data_directory() -> None:
    assert cluster_name(Path("/var/lib/filplus/postgres")) == "/var/lib/filplus"
    assert cluster_name(Path("/home/Zoë/my -D data/postgres")) == "/home/Zo_/my_-D_data"
    assert cluster_name(Path("/" + "x" * 100 + "/end/postgres")) == "x" * 59 + "/end"


def test_zombie_has_ended(tmp_path: Path) -> None:
    with process_called("/opt/bin/postgres", "-D", str(tmp_path), "") as process:
        assert is_running(process.pid)
        process.kill()
        for _ in range(500):
            if not is_running(process.pid):
                break
            time.sleep(0.01)
        assert not is_running(process.pid)
        assert not is_postmaster(process.pid, tmp_path)


def test_socket_that_nobody_listens_on_takes_no_connections(tmp_path: Path) -> None:
    assert not takes_connections(tmp_path)
