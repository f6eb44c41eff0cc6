"""The embedded database's cluster on disk: made in one step, and refused when it is not of our version."""

import os
import secrets
import shutil
from pathlib import Path
from typing import Final

from explorer.errors import DataDirError
from explorer.ground.account import Account, name_from_inside
from explorer.ground.programs import MAJOR_VERSION

ROLE: Final = "postgres"


def make_cluster(cluster: Path, installation: Path, account: Account, *, lock_fd: int) -> None:
    """Makes a cluster at `cluster` in one step, by a rename; leftovers of attempts that were killed are removed.

    initdb inherits `lock_fd`: should we be killed, the lock stays held until initdb, orphaned, has ended.
    """
    for leftover in cluster.parent.glob(f"{cluster.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    unfinished = cluster.with_name(f"{cluster.name}.new-{secrets.token_hex(4)}")
    unfinished.mkdir(mode=0o700)
    account.own(unfinished)
    command: list[str | Path] = [
        installation / "bin" / "initdb",
        f"--pgdata={name_from_inside(unfinished, account)}",
        f"--username={ROLE}",
        "--auth=trust",  # only over the socket, which lies in a folder closed to others
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--set=dynamic_shared_memory_type=mmap",  # in the folder: gone with it, should initdb be killed
    ]
    done = account.run(command, cwd=unfinished, pass_fds=[lock_fd])
    if done.returncode != 0:
        raise DataDirError(f"initdb could not make a database in {unfinished}: {done.stderr.strip()[-1000:]}")
    _rename_durably(unfinished, cluster)


def _rename_durably(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        raise DataDirError(f"{target} is in the way of the database: move it elsewhere ({error.strerror})") from error
    folder_fd = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def has_cluster(cluster: Path) -> bool:
    """Whether a cluster of our version is there. DataDirError for one of another version, or for something else."""
    try:
        found = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        _demand_free(cluster)
        return False
    except OSError as error:
        raise DataDirError(f"{cluster} cannot be read: {error.strerror}: run as its owner, or as root") from error
    if found != MAJOR_VERSION:
        raise DataDirError(
            f"{cluster} was made by PostgreSQL {found}, this program brings {MAJOR_VERSION}:"
            f" dump it with {found} and restore the dump, or name another FILPLUS_DATA_DIR"
        )
    return True


def _demand_free(cluster: Path) -> None:
    """Raises where something that is no cluster stands in the cluster's place."""
    if cluster.exists() and not (cluster.is_dir() and not any(cluster.iterdir())):
        raise DataDirError(f"{cluster} is in the way of the database: move it elsewhere")
