"""Structured field values for HTTP (RFC 9651), as far as signatures and digests need them.

Read strictly, written canonically. A dictionary's members are byte sequences, or inner lists of strings with
parameters. Anything else is refused.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from explorer.signatures.errors import MalformedField

Bare = str | int | bool | bytes

_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*", re.ASCII)
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}(?![0-9.])", re.ASCII)
_STRING: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BYTES: Final = re.compile(r":([A-Za-z0-9+/]*={0,2}):", re.ASCII)
_BOOLEAN: Final = re.compile(r"\?([01])")
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")
_SPACES: Final = re.compile(r" *")
_LONGEST: Final = 8_192


@dataclass(frozen=True, slots=True)
class Item:
    """One string of an inner list, with its parameters."""

    value: str
    parameters: tuple[tuple[str, Bare], ...] = ()


@dataclass(frozen=True, slots=True)
class InnerList:
    """Strings in parentheses, with parameters of the whole."""

    items: tuple[Item, ...]
    parameters: tuple[tuple[str, Bare], ...] = ()


def parse_dictionary(text: str) -> dict[str, InnerList | bytes]:
    """The members of a dictionary by key. MalformedField, also where a key comes twice, which the RFC lets pass."""
    if len(text) > _LONGEST:
        raise MalformedField(f"a field has at most {_LONGEST} characters, not {len(text)}")
    scanner = _Scanner(text.strip(" "))
    found: dict[str, InnerList | bytes] = {}
    while True:
        key = scanner.take(_KEY, "a key")
        if key in found:
            raise MalformedField(f"the key {key} comes twice")
        scanner.expect("=")
        found[key] = scanner.inner_list() if scanner.at("(") else scanner.bytes_()
        if scanner.is_done():
            return found
        scanner.take(_COMMA, "a comma")


def serialize(inner: InnerList) -> str:
    """The inner list in its one canonical spelling."""
    items = " ".join(serialize_item(item) for item in inner.items)
    return f"({items}){_parameters(inner.parameters)}"


def serialize_item(item: Item) -> str:
    """A string and its parameters in their one canonical spelling."""
    return f"{_bare(item.value)}{_parameters(item.parameters)}"


def _parameters(parameters: tuple[tuple[str, Bare], ...]) -> str:
    return "".join(f";{key}" if value is True else f";{key}={_bare(value)}" for key, value in parameters)


def _bare(value: Bare) -> str:
    match value:
        case bool():
            return f"?{int(value)}"
        case bytes():
            return f":{base64.b64encode(value).decode()}:"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)


class _Scanner:
    """Reads a text from its beginning."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def is_done(self) -> bool:
        return self._place == len(self._text)

    def at(self, character: str) -> bool:
        return self._text.startswith(character, self._place)

    def expect(self, character: str) -> None:
        if not self.at(character):
            raise self._wrong(repr(character))
        self._place += 1

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._place)
        if found is not None:
            self._place = found.end()
        return found

    def take(self, pattern: re.Pattern[str], what: str) -> str:
        found = self.match(pattern)
        if found is None:
            raise self._wrong(what)
        return found[0]

    def inner_list(self) -> InnerList:
        self.expect("(")
        items: list[Item] = []
        while True:
            gap = self.take(_SPACES, "a space")
            if self.at(")"):
                break
            if items and not gap:
                raise self._wrong("a space")
            items.append(Item(self._string(), self._parameters()))
        self.expect(")")
        return InnerList(tuple(items), self._parameters())

    def bytes_(self) -> bytes:
        found = self.match(_BYTES)
        if found is None:
            raise self._wrong("bytes between colons")
        try:
            return base64.b64decode(found[1], validate=True)
        except binascii.Error as error:
            raise self._wrong("base64") from error

    def _string(self) -> str:
        found = self.match(_STRING)
        if found is None:
            raise self._wrong("a text in quotes")
        return re.sub(r"\\(.)", r"\1", found[1])

    def _parameters(self) -> tuple[tuple[str, Bare], ...]:
        found: dict[str, Bare] = {}
        while self.at(";"):
            self.expect(";")
            self.take(_SPACES, "a space")
            key = self.take(_KEY, "a parameter")
            if key in found:
                raise MalformedField(f"the parameter {key} comes twice")
            found[key] = self._value() if self.at("=") else True
        return tuple(found.items())

    def _value(self) -> Bare:
        self.expect("=")
        if self.at('"'):
            return self._string()
        if self.at(":"):
            return self.bytes_()
        if boolean := self.match(_BOOLEAN):
            return boolean[1] == "1"
        return int(self.take(_INTEGER, "a whole number, a text, bytes or ?0 and ?1"))

    def _wrong(self, due: str) -> MalformedField:
        return MalformedField(f"{due} is due at character {self._place + 1}")
