"""Installs what the tests need beside Python, where this is Debian and we are root; elsewhere it says what is missing.

Run as `python -m tests.components`. What cannot be installed makes the tests that need it fail, by name.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_CLUSTER_SETTINGS = Path("/etc/postgresql-common/createcluster.d")
_ENVIRONMENT = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Component:
    """Something that tests run: how to see that it is there, and Debian's package for it."""

    name: str
    package: str
    is_there: Callable[[], bool]
    before: Callable[[], None] = lambda: None


def _forbid_cluster() -> None:
    """Keeps Debian from making and starting a server of its own: only the programs are wanted."""
    _install("postgresql-common")
    _CLUSTER_SETTINGS.mkdir(parents=True, exist_ok=True)
    (_CLUSTER_SETTINGS / "filplus-tests.conf").write_text("create_main_cluster = false\n", encoding="ascii")


COMPONENTS = (
    Component(
        "PostgreSQL 15", "postgresql-15", lambda: Path("/usr/lib/postgresql/15/bin/initdb").exists(), _forbid_cluster
    ),
    Component("Chromium", "chromium", lambda: shutil.which("chromium") is not None),
)


def main() -> int:
    """Provides every component; a line each. Always 0: the tests themselves tell what is missing."""
    for component in COMPONENTS:
        print(f"{component.name}: {_provided(component)}", flush=True)
    return 0


def _provided(component: Component) -> str:
    if component.is_there():
        return "there"
    obstacle = _obstacle()
    if obstacle:
        return f"missing, and {obstacle}: install {component.package}, or tests that need it fail"
    try:
        component.before()
        _install(component.package)
    except (subprocess.SubprocessError, OSError) as error:
        return f"missing, and could not be installed: {_reason(error)}"
    return "installed" if component.is_there() else f"missing, though {component.package} was installed"


def _obstacle() -> str | None:
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        return "this is not Debian"
    return None if os.geteuid() == 0 else "we are not root"


def _install(package: str) -> None:
    """Installs a Debian package, reading the package lists anew where they don't know it."""
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    try:
        _run(command)
    except subprocess.CalledProcessError:
        _run(["apt-get", "update", "--quiet"])
        _run(command)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=900, env=_ENVIRONMENT)


def _reason(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    lines = said.strip().splitlines() if isinstance(said, str) else []
    return lines[-1] if lines else str(error)


if __name__ == "__main__":
    sys.exit(main())
