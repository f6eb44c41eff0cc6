"""The system user that PostgreSQL's server runs as, and what that user may reach.

PostgreSQL refuses to run as root, so root lends it an unprivileged user. The mode of a folder that we did not make is
never changed. Where a folder above the data is closed to that user, the server is started inside of it: root enters the
cluster, becomes that user there, and names the place by its own working directory, which no folder above can close.
"""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Final

from explorer.errors import DataDirError

ACCOUNT_NAME: Final = "filplus"
_STAND_INS: Final = ("postgres", "nobody")
_REMEDY: Final = "name another place in FILPLUS_DATA_DIR, or a PostgreSQL of your own in FILPLUS_DATABASE_URL"
STARTED_INSIDE: Final = Path("/proc/self/cwd")
_ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who a server process runs as. `lent` is true where we are root and become somebody else for it."""

    name: str
    uid: int
    gid: int
    lent: bool

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        new_session: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command as this user to its end, with a bare environment and no terminal; check its status."""
        try:
            return subprocess.run(  # noqa: S603 - fixed programs, arguments passed as a list
                command,
                cwd=cwd,
                env={**_ENVIRONMENT, **(environment or {})},
                pass_fds=pass_fds,
                start_new_session=new_session,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                user=self.uid if self.lent else None,
                group=self.gid if self.lent else None,
                extra_groups=[] if self.lent else None,
                umask=0o077,
            )
        except OSError as error:
            raise DataDirError(f"cannot run {command[0]} as user {self.name}: {error}: {_REMEDY}") from error

    def own(self, path: Path) -> None:
        """Gives `path`, which we have just made, to this user."""
        if self.lent:
            os.chown(path, self.uid, self.gid)


def own_account() -> Account:
    """The user that this process runs as, without lending anything."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name, uid, os.getegid(), lent=False)


def server_account(cluster: Path | None = None) -> Account:
    """The user that runs the server: ourselves, and where we are root the cluster's owner, else the user `filplus`.

    That user is made when missing; where it can't be made, `postgres` or `nobody` stands in.
    """
    if os.geteuid() != 0:
        return own_account()
    if cluster is not None and cluster.is_dir():
        return _owner(cluster)
    entry = _entry(ACCOUNT_NAME) or _made_account() or next(filter(None, map(_entry, _STAND_INS)), None)
    if entry is None:
        raise DataDirError(f"PostgreSQL does not run as root, and a user {ACCOUNT_NAME} cannot be made: {_REMEDY}")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, lent=True)


def _owner(cluster: Path) -> Account:
    status = cluster.stat()
    if status.st_uid == 0:
        raise DataDirError(f"{cluster} belongs to root, as which PostgreSQL does not run: chown -R it to a user")
    try:
        name = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        name = str(status.st_uid)
    return Account(name, status.st_uid, status.st_gid, lent=True)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _made_account() -> pwd.struct_passwd | None:
    """Makes the system user; None where there is no useradd or it refuses (another command may have been first)."""
    program = which("useradd", path=_ENVIRONMENT["PATH"])
    if program is None:
        return None
    options = (
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
    )
    own_account().run([program, *options, ACCOUNT_NAME], cwd=Path("/"))
    return _entry(ACCOUNT_NAME)


def closed_folder_above(path: Path, account: Account | None = None) -> Path | None:
    """The topmost existing folder down to `path` itself that the server's user cannot traverse, or None.

    Always None for somebody who is not root: the server then runs as oneself. Nothing is made or changed, but for
    the user `filplus` where it is missing. `account`: another user than the one that a new cluster would get.
    """
    account = account or server_account()
    if not account.lent:
        return None
    absolute = path.absolute()
    return first_unmet(account, "-x", [folder for folder in (*reversed(absolute.parents), absolute) if folder.exists()])


def name_from_inside(folder: Path, account: Account) -> Path:
    """How a process of that user names the folder it is started in, so that folders above may be closed to it."""
    return STARTED_INSIDE if can_start_inside(account) else folder


def can_start_inside(account: Account) -> bool:
    """Whether root lends the user on a system that knows a process's working directory by a name (Linux)."""
    return account.lent and STARTED_INSIDE.exists()


def demand_open_way(path: Path, account: Account) -> None:
    """Raises DataDirError naming the folder above `path`, or `path`, that the server's user cannot traverse."""
    closed = closed_folder_above(path, account)
    if closed is not None:
        raise DataDirError(f"folder {closed} is closed to user {account.name}, as which PostgreSQL runs: {_REMEDY}")


def first_unmet(account: Account, test: str, paths: Sequence[Path]) -> Path | None:
    """The first of `paths` for which `test` (as in test(1): -x, -r) fails for that user, asked of the kernel."""
    script = f'for path; do test {test} "$path" || {{ printf %s "$path"; exit; }}; done'
    unmet = account.run(["/bin/sh", "-c", script, "sh", *paths], cwd=Path("/")).stdout
    return Path(unmet) if unmet else None


def make_folder(path: Path) -> None:
    """Makes `path` and what is missing above it: private, or traversable by others where root lends a user.

    Folders that exist keep their mode, whatever it is.
    """
    for folder in (*reversed(path.parents), path):
        try:
            folder.mkdir()
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        except FileExistsError:
            continue
        except OSError as error:
            if not folder.is_dir():
                raise DataDirError(f"folder {folder} cannot be made: {error.strerror}: {_REMEDY}") from error
