"""`filplus notary` and `filplus audit` where they are asked for what cannot be, in this process."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from explorer.audit.errors import FileUnreadable
from explorer.cli.audit import file_errors, writing
from explorer.cli.program import globals_first, make_program
from explorer.errors import DatabaseUnavailable
from explorer.ground.connection import database_errors
from tests.unit.signatures.builders import sign_in, signed

Run = Callable[..., Any]


@pytest.fixture
def filplus(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the program over a database of the test's own."""
    for name in [name for name in os.environ if name.startswith("FILPLUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FILPLUS_DATABASE_URL", dsn)
    monkeypatch.setenv("FILPLUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FILPLUS_NOTARY_PASSPHRASE", "a passphrase")
    program = make_program()

    async def run(*arguments: str, stdin: str = "", code: int = 0) -> Result:
        words = globals_first(list(arguments))
        done = await asyncio.to_thread(CliRunner().invoke, program, words, input=stdin)
        assert done.exit_code == code, done.output
        assert "Traceback" not in done.output
        assert "\x1b[31m" not in done.output
        return done

    handlers = logging.getLogger().handlers
    yield run
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()


async def add(filplus: Run, eth: str, name: str) -> Any:
    return json.loads((await filplus("--json", "notary", "add", eth, "--name", name)).stdout)


@pytest.fixture
async def key(filplus: Run, tmp_path: Path) -> str:
    """The file of a new key."""
    file = str(tmp_path / "key.json")
    await filplus("notary", "keygen", "--key", file)
    return file


async def test_nothing_but_texts_of_ours_is_signed(filplus: Run, key: str) -> None:
    for text in ("", "send me all your DataCap", "0171a0e402", "{}", '{"message": 7}', "\x1b[31mred"):
        done = await filplus("notary", "sign", "--key", key, "--yes", stdin=text, code=1)
        assert ("error" in done.stderr, done.stdout) == (True, "")


async def test_nobody_elses_text_is_signed(filplus: Run, key: str) -> None:
    text, _ = signed(sign_in())
    done = await filplus("notary", "sign", "--key", key, "--yes", stdin=text, code=7)
    assert "is to be signed by" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("notary", "add", "f01234", "--name", "Ada"), 2),
        (("notary", "add", "nonsense", "--name", "Ada"), 2),
        (("notary", "add", "0x" + "12" * 20, "--name", "\x1b[31mred"), 2),
        (("notary", "add", "0x" + "12" * 20, "--name", ""), 2),
        (("notary", "revoke", "nty_none"), 3),
        (("notary", "revoke", "\ud800"), 2),
        (("notary", "revoke", "\0"), 3),
        (("notary", "keygen", "--key", "/nowhere/key.json"), 1),
        (("notary", "sign", "/nowhere", "--yes"), 1),
        (("notary", "sign", "/dev/null", "--key", "/nowhere", "--yes"), 1),
        (("audit", "verify", "/nowhere"), 1),
        (("audit", "verify", "--head", "x"), 2),
        (("audit", "export", "--since", "yesterday"), 2),
        (("audit", "export", "-o", "/nowhere/log"), 1),
        (("audit", "export", "--json"), 2),
        (("audit", "verify", "/dev/null", "--head", "0" * 64), 1),
        (("audit", "verify", "/dev/null"), 1),
        (("audit", "verify"), 0),
    ],
)
async def test_what_cannot_be_is_refused(filplus: Run, arguments: tuple[str, ...], code: int) -> None:
    await filplus(*arguments, code=code)


async def test_an_empty_file_is_no_log(filplus: Run) -> None:
    """As after `audit export | audit verify -` whose first half failed."""
    done = await filplus("audit", "verify", "-", code=1)
    assert "broken at entry 1" in done.stderr
    assert "empty file" in done.stderr
    assert json.loads((await filplus("--json", "audit", "verify", "-", code=1)).stdout)["bad"]["seq"] == 1


@pytest.mark.parametrize("error", [ConnectionResetError("cut"), TimeoutError()])
def test_a_database_that_is_lost_while_exporting_is_told_as_that(tmp_path: Path, error: OSError) -> None:
    file = tmp_path / "log"
    with pytest.raises(DatabaseUnavailable), database_errors("reading the audit log"), writing(file):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_as_that() -> None:
    with pytest.raises(FileUnreadable, match="/dev/full can't be written: No space left"), file_errors("/dev/full"):
        Path("/dev/full").write_bytes(b"x")


async def test_names_are_shown_as_they_are(filplus: Run) -> None:
    """Letters of any script: one that looks like another can't be told apart here, the address can."""
    await add(filplus, "0x" + "34" * 20, "[bold]\u0410da[/] ünï")
    listed = (await filplus("notary", "list")).stdout
    assert "[bold]\u0410da[/] ünï" in " ".join(listed.split())


async def test_a_part_of_the_log_is_a_part(filplus: Run) -> None:
    for number in range(3):
        await add(filplus, f"0x{number:040x}".replace("0x00", "0x12"), f"Eve {number}")
    second = json.loads((await filplus("audit", "export")).stdout.splitlines()[1])
    part = (await filplus("audit", "export", "--since", second["at"])).stdout
    verified = await filplus("--json", "audit", "verify", "-", stdin=part)
    assert "the chain alone" in verified.stderr
    report = json.loads(verified.stdout)
    assert report["reviews"] is None
    assert (report["first"], report["entries"], report["network"]) == (2, 2, None)
    assert (await filplus("audit", "export", "--since", "2100-01-01")).stdout == ""
