"""The program's arguments."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from explorer.cli.program import make_program

NO_TEXT = os.fsdecode(b"\xff")


@pytest.mark.parametrize(
    "arguments", [["cluster", "revoke", NO_TEXT], ["cid", f"baga{NO_TEXT}"], [f"--url={NO_TEXT}", "version"]]
)
def test_what_is_no_text_is_refused(arguments: list[str]) -> None:
    done = CliRunner().invoke(make_program(), arguments)
    assert (done.exit_code, "neither UTF-8 nor a file" in done.output) == (2, True)


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    done = CliRunner().invoke(make_program(), ["cid", os.fsdecode("é\u202e".encode() + b"\xff")])
    assert r"'éU+202E\xff' is neither" in done.output


@pytest.mark.parametrize("option", ["--config={}", "--config {}"])
def test_a_file_may_be_called_so(option: str, tmp_path: Path) -> None:
    file = tmp_path / NO_TEXT
    file.write_text("")
    done = CliRunner().invoke(make_program(), [*option.format(file).split(" "), "version"])
    assert done.exit_code == 0
