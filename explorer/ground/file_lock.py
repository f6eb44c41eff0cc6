"""Locks on files that the kernel gives back when their holder ends, however it ends."""

import fcntl
import os
from pathlib import Path

from explorer.errors import DataDirError


def open_lock(path: Path) -> int:
    """Opens a lock file, making it if need be; where root makes it, it belongs to the data directory's owner."""
    try:
        lock_fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(lock_fd, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise DataDirError(f"{path} cannot be opened: {error.strerror}: name another FILPLUS_DATA_DIR") from error
    return lock_fd


def try_lock(lock_fd: int) -> bool:
    """Whether the exclusive lock was granted; does not wait. A shared lock held before is lost where it was not."""
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
