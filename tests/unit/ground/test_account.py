"""Who runs the server: oneself, or where we are root a lent user."""

import os
import pwd
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from explorer.errors import DataDirError
from explorer.ground import account
from explorer.ground.account import closed_folder_above, make_folder, server_account


def pretend(monkeypatch: pytest.MonkeyPatch, *, uid: int, known: Iterable[str]) -> None:
    """Makes this process look like that user's, on a machine with those users and without useradd."""
    entries = {name: SimpleNamespace(pw_name=name, pw_uid=500 + at, pw_gid=600) for at, name in enumerate(known)}
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(pwd, "getpwnam", entries.__getitem__)
    monkeypatch.setattr(account, "which", lambda _name, path: None)


def test_everybody_but_root_runs_it_as_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, uid=1234, known=["filplus"])
    assert (server_account().uid, server_account().lent) == (1234, False)
    assert closed_folder_above(Path("/")) is None


def test_root_lends_the_user_filplus(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, uid=0, known=["nobody", "filplus"])
    assert (server_account().name, server_account().lent) == ("filplus", True)


def test_another_user_stands_in_where_none_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, uid=0, known=["nobody", "postgres"])
    assert server_account().name == "postgres"


def test_root_without_any_user_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, uid=0, known=[])
    with pytest.raises(DataDirError, match="FILPLUS_DATABASE_URL"):
        server_account()


def test_folders_made_are_closed_to_others_and_those_there_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend(monkeypatch, uid=1234, known=[])
    tmp_path.chmod(0o755)
    make_folder(tmp_path / "a" / "b")
    assert [folder.stat().st_mode & 0o777 for folder in (tmp_path, tmp_path / "a", tmp_path / "a/b")] == [
        0o755,
        0o700,
        0o700,
    ]


def test_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataDirError, match="cannot be made"):
        make_folder(tmp_path / "file" / "data")
