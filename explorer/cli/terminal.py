"""What a command is told globally, and how it speaks: text for people, one JSON document for programs."""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from explorer.ground.letters import by_number
from explorer.ground.settings import Settings, load_settings

_WORDS: Final = re.compile(r"( *)([^ ]+)")


@dataclass(frozen=True, slots=True)
class Terminal:
    """The global options, and where to print.

    With `as_json` one JSON document goes to standard output and everything for people to standard error.
    """

    as_json: bool = False
    quiet: bool = False
    debug: bool = False
    url: str | None = None
    config_file: Path | None = None

    @property
    def people(self) -> Console:
        """Where text for people goes."""
        return Console(stderr=self.as_json, quiet=self.quiet, highlight=False, soft_wrap=True, emoji=False)

    def tell(self, text: str, *, indent: str = "", style: str | None = None) -> None:
        """Prints text from elsewhere for people; in a narrow terminal in several lines, with every id whole."""
        console = self.people
        line_of_all = inert(text)
        for line in in_lines(line_of_all, console.width, indent=indent) if console.is_terminal else [line_of_all]:
            console.print(escape(line), style=style)

    @property
    def side(self) -> Console:
        """Where progress and remarks go."""
        return Console(stderr=True, quiet=self.quiet, highlight=False, soft_wrap=True, emoji=False)

    def document(self, document: object) -> None:
        """Prints the JSON document of this run, if one was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2 if sys.stdout.isatty() else None) + "\n")
            sys.stdout.flush()

    def settings(self, options: Mapping[str, str | None] | None = None) -> Settings:
        """The settings of the environment, the file and this command's options, which win."""
        return load_settings(os.environ, config_file=self.config_file, options=options)


def in_lines(text: str, width: int, *, indent: str = "") -> list[str]:
    """The text in lines of that width, broken at spaces alone: an id, however long, stays whole. `indent` begins all
    lines but the first."""
    lines = [""]
    for gap, word in _WORDS.findall(text):
        joined = lines[-1] + gap + word
        if cell_len(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(indent + word)
    return lines


def shown(text: str) -> str:
    """Text from elsewhere, fit for a terminal: control and direction characters visible, markup and escapes inert."""
    return escape(inert(text))


def inert(text: str) -> str:
    """The same text, what nobody sees shown by number as U+202E, any space as the usual one; markup is still markup."""
    return by_number("".join(" " if unicodedata.category(char) == "Zs" else char for char in text))


def plain(text: str) -> str:
    """Text of the command line as UTF-8 can hold it: what was no text in the shell's encoding shows as `?`."""
    return text.encode("utf-8", "replace").decode()


def terminal_of(context: typer.Context) -> Terminal:
    """The terminal that the program's callback made."""
    found: Any = context.find_root().obj
    return found if isinstance(found, Terminal) else Terminal()
