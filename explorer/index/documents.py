"""JSON records out of a dump's text, one at a time, so that memory stays flat for any size.

The shapes that nodes and their tools write (facts of the market's and the registry's dumps):

    {"3": {…}, "4": {…}}                          a map by id
    {"jsonrpc": "2.0", "result": {…}, "id": 1}    the same in a JSON-RPC envelope; `null` is an empty result
    {"DealID": 3, …}⏎{"DealID": 4, …}             newline-delimited
    [{…}, {…}]                                    a list, as GetActorEventsRaw answers

Several documents may follow one another. Values are parsed by the standard library's scanner; only the outermost
container is walked here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from explorer.errors import CorruptFile

RECORD_CHARS_MAX = 16 << 20
_ENVELOPE = frozenset({"jsonrpc", "id", "result", "error"})
_WHITESPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it stands in the file: its map key, if it has one, and its value, which may be anything."""

    key: str | None
    value: object


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class JsonText:
    """A cursor over text that comes in chunks; every method leaves it behind what it took."""

    def __init__(self, chunks: Iterator[str], name: str) -> None:
        self._chunks = chunks
        self._name = name
        self._text = ""
        self._at = 0
        self._dropped = 0
        self._scan = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode

    @property
    def position(self) -> int:
        """How many characters lie behind the cursor."""
        return self._dropped + self._at

    def peek(self) -> str:
        """The next character that is no white space; "" at the end of the file."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _WHITESPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._refill():
                return ""

    def take(self, wanted: str) -> str:
        """The next character, which must be one of `wanted`."""
        char = self.peek()
        if not char or char not in wanted:
            self.fail(f"{char!r} where {' or '.join(wanted)} should be" if char else "it ends too early")
        self._at += 1
        return char

    def value(self) -> object:
        """The JSON value that begins at the cursor."""
        self.peek()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except (ValueError, RecursionError) as error:
                self._read_on(error)
                continue
            if end == len(self._text) and self._refill():  # a number may go on in the next chunk
                continue
            self._at = end
            return value

    def key(self) -> str:
        """A member's name, and the colon behind it."""
        if self.peek() != '"':
            self.fail("a member without a name")
        name = self.value()
        self.take(":")
        return str(name)

    def back_to(self, position: int) -> None:
        """Puts the cursor back to a position of the record that is being read."""
        self._at = position - self._dropped

    def forget(self) -> None:
        """Drops the text behind the cursor: the record is done."""
        if self._at > RECORD_CHARS_MAX // 16:
            self._dropped += self._at
            self._text = self._text[self._at :]
            self._at = 0

    def fail(self, what: str) -> NoReturn:
        """Raises CorruptFile with the position."""
        raise CorruptFile(self._name, f"at character {self.position}: {what}")

    def _read_on(self, error: Exception) -> None:
        """More text for a value that doesn't parse yet; CorruptFile if there is none or it is out of bounds."""
        if isinstance(error, RecursionError) or len(self._text) - self._at > RECORD_CHARS_MAX:
            self.fail(f"no JSON record of a sane size ({_what(error)})")
        if not self._refill():
            self.fail(f"it is cut off or damaged ({_what(error)})")

    def _refill(self) -> bool:
        for chunk in self._chunks:
            if chunk:
                self._text += chunk
                return True
        return False


def _what(error: Exception) -> str:
    """The scanner's complaint without its position, which counts from somewhere inside the file."""
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def entries(chunks: Iterator[str], name: str) -> Iterator[Entry]:
    """Every record of the dump, in order; CorruptFile where it is cut off, damaged or no JSON at all."""
    text = JsonText(chunks, name)
    if not text.peek():
        raise CorruptFile(name, "it is empty")
    while text.peek():
        yield from _document(text)
        text.forget()


def _document(text: JsonText) -> Iterator[Entry]:
    """The records of one JSON document: a map, a list, an envelope around one, or a single record."""
    opening = text.peek()
    if opening == "[":
        yield from _list(text)
    elif opening == "{":
        yield from _object(text)
    elif text.value() is not None:
        text.fail("neither an object nor a list of records")


def _list(text: JsonText) -> Iterator[Entry]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield Entry(None, text.value())
        text.forget()
        if text.take(",]") == "]":
            return


def _object(text: JsonText) -> Iterator[Entry]:
    """A map by id, an envelope, or one record: its first member's name tells."""
    start = text.position
    text.take("{")
    if text.peek() == "}":
        text.take("}")
        return
    name = text.key()
    if name.isdecimal():
        yield from _map(text, name)
    elif name in _ENVELOPE and _find_result(text, name):
        yield from _document(text)
        _close_envelope(text)
    else:
        text.back_to(start)
        yield Entry(None, text.value())


def _map(text: JsonText, name: str) -> Iterator[Entry]:
    while True:
        yield Entry(name, text.value())
        text.forget()
        if text.take(",}") == "}":
            return
        name = text.key()


def _find_result(text: JsonText, name: str) -> bool:
    """Whether this is a JSON-RPC envelope; the cursor then stands before the result's value."""
    while name in _ENVELOPE:
        if name == "result":
            return True
        value = text.value()
        if name == "error" and value is not None:
            text.fail(f"the node answered an error instead of records: {str(value)[:200]}")
        if text.take(",}") == "}":
            return False
        name = text.key()
    return False


def _close_envelope(text: JsonText) -> None:
    """The members behind the result."""
    while text.take(",}") == ",":
        name, value = text.key(), text.value()
        if name == "error" and value is not None:
            text.fail(f"the node answered an error beside the records: {str(value)[:200]}")
