"""A notary's key file at the terminal: where it is, the passphrase that opens it, and what is asked before it signs."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.terminal import Terminal, shown
from explorer.errors import FilplusError
from explorer.signatures.errors import KeyFileError, WrongPassphrase
from explorer.signatures.keyfile import open_key, read_key_file
from explorer.signatures.plain import meaning
from explorer.signatures.texts import facts_of
from node.signing import SecretKey

VARIABLE = "FILPLUS_NOTARY_PASSPHRASE"
DEFAULT_KEY_FILE = Path("notary-key.json")

KeyFile = Annotated[Path, typer.Option("--key", metavar="FILE", help="The key file that keygen wrote.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help=f"Where its passphrase is (else {VARIABLE}, else it is asked for)."),
]


def open_key_file(path: Path, passphrase_file: Path | None) -> SecretKey:
    """The key in a file; KeyFileError, with the reason where the file or its passphrase can't be read."""
    try:
        text = read_key_file(path)
    except OSError as error:
        raise KeyFileError(f"the key file {path} can't be read: {error.strerror}; `filplus notary keygen`") from error
    return open_key(text, passphrase_of(passphrase_file))


def passphrase_of(file: Path | None, *, is_new: bool = False) -> str:
    """The passphrase: of the file, of the environment, or as it is typed; a new one is typed twice."""
    if file is not None:
        return _read_first_line(file)
    given = os.environ.get(VARIABLE)
    if given is not None:
        return given
    typed = _asked("New passphrase: " if is_new else "Passphrase: ")
    if is_new and _asked("Once more: ") != typed:
        raise WrongPassphrase("the two passphrases differ; nothing was written")
    return typed


def _asked(prompt: str) -> str:
    try:
        with Path("/dev/tty").open("r+b", buffering=0):
            return getpass.getpass(prompt)
    except (OSError, EOFError) as error:
        raise KeyFileError(
            f"there is no terminal to ask for the passphrase on: give --passphrase-file or {VARIABLE}"
        ) from error


def _read_first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="surrogateescape") as opened:
            return opened.readline(4096).rstrip("\r\n")
    except OSError as error:
        raise KeyFileError(f"the passphrase file {file} can't be read: {error.strerror}") from error


def show_text(terminal: Terminal, text: str) -> None:
    """Shows a person what is to be signed, line by line, then what it means."""
    terminal.side.print("\n".join(f"  │ {shown(line)}" for line in text.split("\n")))
    terminal.side.print(f"[bold]{shown(meaning(facts_of(text)))}[/]")


def confirmed(question: str) -> bool:
    """Whether the person at the terminal answers yes. FilplusError where there is no terminal."""
    try:
        with Path("/dev/tty").open("rb+", buffering=0) as terminal:
            terminal.write(f"{question} [y/N] ".encode())
            return terminal.readline(64).decode("utf-8", "replace").strip().lower() in {"y", "yes"}
    except OSError as error:
        raise FilplusError("there is no terminal to confirm on: read the text, then give --yes") from error
