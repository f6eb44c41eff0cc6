"""Long texts of strangers, made fit to be read: logs of terminals, JSON documents. Pure."""

import json
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from explorer.web.formats import visible

LOG_LINES: Final = 200
SHOWN_CHARS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as safe markup, and how many of its characters are left out."""

    text: Markup
    hidden_chars: int


def shown_log(text: str) -> Shown:
    """The end of a log. What would move a terminal's cursor or colour it is shown by its number, never obeyed."""
    plain = text.replace("\r\n", "\n")
    lines = plain.rstrip("\n").split("\n")[-LOG_LINES:]
    kept = "\n".join(lines)[-SHOWN_CHARS:]
    return Shown(visible_lines(kept), max(0, len(plain.rstrip("\n")) - len(kept)))


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON text and what it says; `is_read` is false, and `value` None, where it can't be read here."""

    text: str
    value: Any
    is_read: bool = True


def read_json_text(text: str) -> JsonText:
    """The text with its value: read once for all that a page says of it, since it may have a megabyte."""
    try:
        return JsonText(text, json.loads(text))
    except (ValueError, RecursionError):
        return JsonText(text, None, is_read=False)


def shown_document(document: JsonText) -> Shown:
    """A JSON text with an entry a line, its beginning where it is long."""
    try:
        indented = json.dumps(document.value, indent=2, ensure_ascii=False) if document.is_read else document.text
    except RecursionError:
        indented = document.text
    kept = indented[:SHOWN_CHARS]
    return Shown(visible_lines(kept), len(indented) - len(kept))


def visible_lines(text: str) -> Markup:
    """As `visible`, with the line breaks kept."""
    return Markup("\n").join(visible(line) for line in text.split("\n"))
