"""The embedded database's server process: found, launched, asked to stop.

Nothing here waits or locks: `explorer.ground.embedded` does, and holds the lock under which servers start and stop.
"""

import os
import re
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from explorer.errors import DatabaseUnavailable
from explorer.ground.account import STARTED_INSIDE, Account, name_from_inside

PORT: Final = 5432
"""Part of the socket's name only: no TCP port is opened."""

_CLUSTER_NAME_CHARACTERS_MAX: Final = 63
_START_LOG: Final = "log/start.log"
_LAUNCH: Final = 'log=$1; shift; "$@" </dev/null >"$log" 2>&1 & echo $!'

SERVER_SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Modest: right for a machine of 2 GiB, and enough for an import's COPY on one of 24 GiB. work_mem stays small
    # because parallel hashes live in /dev/shm, which containers give 64 MB by default.
    "shared_buffers": "256MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "dynamic_shared_memory_type": "posix",
    # One file a weekday, emptied when its day comes again: a week of logs at most.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] %a ",
}
"""Given on the server's command line, so that they hold whatever an older release wrote into the cluster."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server: as its postmaster.pid says, and as its process or socket confirms."""

    pid: int
    socket_dir: Path
    status: str
    """`starting`, `ready` or `stopping`."""


def find_postmaster(cluster: Path) -> Postmaster | None:
    """The postmaster of this cluster if it runs, else None, whatever a stale postmaster.pid says.

    It runs if its socket takes connections (also from another container), or if the recorded process is a
    postmaster of this very directory; a process that merely got the same number is none.
    """
    recorded = _recorded_postmaster(cluster)
    if recorded is None:
        return None
    alive = takes_connections(recorded.socket_dir) or is_postmaster(recorded.pid, cluster)
    return recorded if alive else None


def _recorded_postmaster(cluster: Path) -> Postmaster | None:
    """What postmaster.pid says: line 1 is the process number, 5 the socket's folder, 8 the status."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    socket_dir = cluster / lines[4] if len(lines) > 4 else cluster  # "." where the server was started inside
    return Postmaster(pid, socket_dir, lines[7].strip() if len(lines) > 7 else "starting")


def takes_connections(socket_dir: Path) -> bool:
    """Whether somebody listens on the server's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(socket_path(socket_dir)))
        except OSError:
            return False
        return True


def socket_path(socket_dir: Path) -> Path:
    """The server's socket in its folder."""
    return socket_dir / f".s.PGSQL.{PORT}"


def is_postmaster(pid: int, cluster: Path) -> bool:
    """Whether that process runs and is a postmaster of this directory (children of it change their command line)."""
    words = _command_line(pid)
    if Path(words.partition(" ")[0]).name != "postgres":
        return False
    return f" -D {cluster} " in words or (f" -D {STARTED_INSIDE} " in words and _working_directory(pid) == cluster)


def _working_directory(pid: int) -> Path | None:
    """Where a process works, which for a postmaster is its cluster; None where that can't be told."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def _command_line(pid: int) -> str:
    """The words of a process's command line joined by spaces; empty for one that is gone or a zombie."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() + " "  # noqa: S603


def launch_postmaster(cluster: Path, installation: Path, account: Account, *, socket_dir: Path) -> int:
    """Starts the server in a session of its own, where no terminal's Ctrl-C reaches it; returns its process number.

    It is not waited for: see `find_postmaster`.
    """
    options = [f"-c{name}={value}" for name, value in SERVER_SETTINGS.items()]
    sockets = "." if socket_dir == cluster else socket_dir
    command: list[str | Path] = ["/bin/sh", "-c", _LAUNCH, "sh", _start_log(cluster, account)]
    command += [installation / "bin" / "postgres", "-D", name_from_inside(cluster, account), *options]
    command += [f"-cunix_socket_directories={sockets}", f"-ccluster_name={cluster_name(cluster)}"]
    launched = account.run(command, cwd=cluster, environment=_past_reused_pid(cluster), new_session=True)
    if launched.returncode != 0:
        raise DatabaseUnavailable(f"PostgreSQL could not be started in {cluster}: {launched.stderr.strip()}")
    return int(launched.stdout)


def cluster_name(cluster: Path) -> str:
    """What `ps` shows a server by: the end of its data directory's path; what is no visible ASCII becomes `_`."""
    return re.sub(r"[^!-~]", "_", str(cluster.parent))[-_CLUSTER_NAME_CHARACTERS_MAX:]


def _past_reused_pid(cluster: Path) -> dict[str, str]:
    """Lets the server pass over a stale postmaster.pid whose process number some other process has got meanwhile.

    PostgreSQL takes any live process for its predecessor, but for its own ancestors: we name that process one. The
    file is left to PostgreSQL, which by it also makes sure that no child of the dead server is still at work.
    """
    recorded = _recorded_postmaster(cluster)
    if recorded is None or not is_running(recorded.pid) or is_postmaster(recorded.pid, cluster):
        return {}
    return {"PG_GRANDPARENT_PID": str(recorded.pid)}


def _start_log(cluster: Path, account: Account) -> str:
    """Where the server, seen from the cluster, writes until its logging collector runs; begun anew at each launch."""
    folder = cluster / "log"
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        account.own(folder)
    return _START_LOG


def is_running(pid: int) -> bool:
    """Whether the process that `launch_postmaster` returned has not ended; a zombie has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return not Path("/proc/self").exists()
    return state != "Z"


def request_stop(cluster: Path) -> Postmaster | None:
    """Asks the postmaster for a fast shutdown; returns it, or None where there is none of ours to ask."""
    postmaster = find_postmaster(cluster)
    if postmaster is None or not is_postmaster(postmaster.pid, cluster):
        return None
    try:
        os.kill(postmaster.pid, signal.SIGINT)
    except ProcessLookupError:
        return None
    return postmaster


def last_words(cluster: Path) -> str:
    """Why the server launched last has ended, as its logs say: for an error's text."""
    logs = cluster / "log"
    said = _tail(cluster / _START_LOG)
    if any("logging collector" in line for line in said):
        collected = max(logs.glob("postgres-*.log"), key=lambda path: path.stat().st_mtime, default=None)
        said = [line for line in _tail(collected) if "FATAL" in line or "PANIC" in line][-1:] if collected else []
    return " ".join(line.strip() for line in said)[-500:] or "it left no word"


def _tail(path: Path) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4000))
        return file.read().decode("utf-8", "replace").splitlines()
