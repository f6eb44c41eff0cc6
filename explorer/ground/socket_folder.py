"""The folder of the embedded database's socket. It must be closed to others: whoever reaches the socket is trusted."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

from explorer.errors import DataDirError
from explorer.ground.account import Account, demand_open_way
from explorer.ground.postmaster import socket_path

_SOCKET_PATH_BYTES_MAX: Final = 107
_UNSPEAKABLE: Final = frozenset(',"')
"""Characters that separate or quote folders in the server's settings and in a connection's address."""


def choose_socket_dir(cluster: Path, account: Account) -> Path:
    """Where the socket goes: into the cluster, or where that path is too long into a private temporary folder."""
    if len(os.fsencode(socket_path(cluster))) <= _SOCKET_PATH_BYTES_MAX and not _UNSPEAKABLE & set(str(cluster)):
        return cluster
    name = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()).resolve() / f"filplus-{account.uid}-{name}"
    demand_open_way(folder.parent, account)
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        _demand_owned(folder, account)
    return folder


def _demand_owned(folder: Path, account: Account) -> None:
    """Raises if somebody else made the folder first: anybody can, in a folder for temporary files."""
    status = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or status.st_uid not in {account.uid, os.geteuid()}:
        raise DataDirError(f"{folder}, for the database's socket, is not ours: remove it, or shorten FILPLUS_DATA_DIR")
    account.own(folder)


def demand_private(folder: Path) -> None:
    """Raises if others can enter the socket's folder: whoever reaches the socket is trusted."""
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise DataDirError(f"{folder}, of the database's socket: {error.strerror}: stop the server, retry") from error
    if mode & 0o077:
        raise DataDirError(f"{folder} is open to other users (mode {mode & 0o7777:o}): chmod 700 it")
