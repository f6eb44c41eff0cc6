"""JSON records out of a dump's text, one at a time, so that memory stays flat for any size.

The shapes that nodes and their tools write (facts of the market's and the registry's dumps):

    {"3": {…}, "4": {…}}                          a map by id
    {"jsonrpc": "2.0", "result": {…}, "id": 1}    the same in a JSON-RPC envelope; `null` is an empty result
    {"DealID": 3, …}⏎{"DealID": 4, …}             newline-delimited
    [{…}, {…}]                                    a list, as GetActorEventsRaw answers

Several documents may follow one another. Only the outermost container is walked, by `node.json_walk`.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import NoReturn

from explorer.errors import CorruptFile
from node.json_walk import JsonWalk, Step

RECORD_CHARS_MAX = 16 << 20
_ENVELOPE = frozenset({"jsonrpc", "id", "result", "error"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it stands in the file: its map key, if it has one, and its value, which may be anything."""

    key: str | None
    value: object


# What the walk gives: a record, or None where it needs more text.
_Walk = Generator[Entry | None, None, None]


def entries(chunks: Iterator[str], name: str) -> Iterator[Entry]:
    """Every record of the dump, in order; CorruptFile where it is cut off, damaged or no JSON at all."""

    def complain(position: int, what: str) -> NoReturn:
        raise CorruptFile(name, f"at character {position}: {what}")

    text = JsonWalk(complain, value_chars_max=RECORD_CHARS_MAX)
    for entry in _documents(text, name):
        if entry is not None:
            yield entry
        elif (chunk := next(chunks, None)) is not None:
            text.feed(chunk)
        else:
            text.end()


def _documents(text: JsonWalk, name: str) -> _Walk:
    """The records of all documents, one after another."""
    if not (yield from text.peek()):
        raise CorruptFile(name, "it is empty")
    while (yield from text.peek()):
        yield from _document(text)


def _document(text: JsonWalk) -> _Walk:
    """The records of one JSON document: a map, a list, an envelope around one, or a single record."""
    opening = yield from text.peek()
    if opening == "[":
        yield from _list(text)
    elif opening == "{":
        yield from _object(text)
    elif (yield from text.value()) is not None:
        text.fail("neither an object nor a list of records")


def _list(text: JsonWalk) -> _Walk:
    yield from text.take("[")
    if (yield from text.peek()) == "]":
        yield from text.take("]")
        return
    while True:
        yield Entry(None, (yield from text.value()))
        if (yield from text.take(",]")) == "]":
            return


def _object(text: JsonWalk) -> _Walk:
    """A map by id, an envelope, or one record: its first member's name tells."""
    text.hold()
    yield from text.take("{")
    if (yield from text.peek()) == "}":
        yield from text.take("}")
        text.let_go()
        return
    name = yield from text.key()
    if name.isdecimal():
        text.let_go()
        yield from _map(text, name)
    elif name in _ENVELOPE and (yield from _find_result(text, name)):
        text.let_go()
        yield from _document(text)
        yield from _close_envelope(text)
    else:
        text.go_back()
        yield Entry(None, (yield from text.value()))


def _map(text: JsonWalk, name: str) -> _Walk:
    while True:
        yield Entry(name, (yield from text.value()))
        if (yield from text.take(",}")) == "}":
            return
        name = yield from text.key()


def _find_result(text: JsonWalk, name: str) -> Step[bool]:
    """Whether this is a JSON-RPC envelope; the cursor then stands before the result's value."""
    while name in _ENVELOPE:
        if name == "result":
            return True
        value = yield from text.value()
        if name == "error" and value is not None:
            text.fail(f"the node answered an error instead of records: {str(value)[:200]}")
        if (yield from text.take(",}")) == "}":
            return False
        name = yield from text.key()
    return False


def _close_envelope(text: JsonWalk) -> Step[None]:
    """The members behind the result."""
    while (yield from text.take(",}")) == ",":
        name = yield from text.key()
        value = yield from text.value()
        if name == "error" and value is not None:
            text.fail(f"the node answered an error beside the records: {str(value)[:200]}")
