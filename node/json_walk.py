"""A walk over JSON text that comes in pieces: containers are walked step by step, what stands in them is parsed whole.

Memory stays flat for any size, since only the outermost container is walked, and nothing here waits for anything:
text is fed, and a step that needs more of it gives None. So the same walk is driven by whoever reads a file, and by
whoever awaits a socket. Values are parsed by the standard library's scanner, as fast as it is.

    feed '{"3":{…},"4":{'   take "{" ─► key "3" ─► value {…} ─► take "," ─► key "4" ─► value: None, more text is needed
    feed '…}}'                                                                         value {…} ─► take "}"
"""

import json
from collections.abc import Callable, Generator
from typing import NoReturn, TypeVar

T = TypeVar("T")
Step = Generator[None, None, T]
"""Gives None as often as it needs more text, and in the end its result."""

_WHITESPACE = " \t\n\r"
_BLANK_OR_NONE = frozenset({"", *_WHITESPACE})
_DROPPED_AT_ONCE_CHARS = 1 << 16


def refuse_constant(name: str) -> NoReturn:
    """Raises ValueError: for the constants that Python's parser takes and JSON has not."""
    raise ValueError(f"{name} is not JSON")


class JsonWalk:
    """A cursor; every step leaves it behind what it took.

    `complain` raises what is to be raised, of a position and what is wrong there. A value may have `value_chars_max`
    characters, and is not looked for in more text than that.
    """

    def __init__(self, complain: Callable[[int, str], NoReturn], *, value_chars_max: int) -> None:
        self._complain = complain
        self._value_chars_max = value_chars_max
        self._text = ""
        self._at = 0
        self._held_from: int | None = None
        self._dropped = 0
        self._ended = False
        self._scan = json.JSONDecoder(parse_constant=refuse_constant).raw_decode

    @property
    def position(self) -> int:
        """How many characters lie behind the cursor."""
        return self._dropped + self._at

    @property
    def fed(self) -> int:
        """How many characters were fed."""
        return self._dropped + len(self._text)

    @property
    def held(self) -> int:
        """How many characters are held."""
        return len(self._text)

    def feed(self, text: str) -> None:
        """Adds text; what lies behind the cursor is let go, but for what `hold` asked to keep."""
        done = self._at if self._held_from is None else self._held_from
        if done > _DROPPED_AT_ONCE_CHARS:
            self._text = self._text[done:]
            self._dropped += done
            self._at -= done
            self._held_from = None if self._held_from is None else 0
        self._text += text
        if self._held_from is not None and len(self._text) - self._held_from > self._value_chars_max:
            self.fail("no JSON record of a sane size")

    def end(self) -> None:
        """Says that no more text comes: who needs more now complains."""
        self._ended = True

    def hold(self) -> None:
        """Keeps the text from the cursor on, for `go_back`."""
        self._held_from = self._at

    def let_go(self) -> None:
        """Keeps nothing any more: nobody will go back."""
        self._held_from = None

    def go_back(self) -> None:
        """Puts the cursor back to where it was at `hold`."""
        if self._held_from is not None:
            self._at, self._held_from = self._held_from, None

    def rest_is_blank(self) -> bool:
        """Whether only white space was fed beyond the cursor."""
        return not self._text[self._at :].strip(_WHITESPACE)

    def peek(self) -> Step[str]:
        """The next character that is no white space; "" at the end of the text."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _WHITESPACE:
                    return self._text[self._at]
                self._at += 1
            if self._ended:
                return ""
            yield None

    def take(self, wanted: str) -> Step[str]:
        """The next character, which must be one of `wanted`."""
        char = self._text[self._at : self._at + 1]
        if not char or char not in wanted:  # mostly it stands there, and nothing has to be waited for
            char = yield from self.peek()
        if not char or char not in wanted:
            self.fail(f"{char!r} where {' or '.join(wanted)} should be" if char else "it ends too early")
        self._at += 1
        return char

    def key(self) -> Step[str]:
        """A member's name, and the colon behind it."""
        if self._text[self._at : self._at + 1] != '"' and (yield from self.peek()) != '"':
            self.fail("a member without a name")
        name = yield from self.value()
        yield from self.take(":")
        return str(name)

    def value(self) -> Step[object]:
        """The JSON value that begins at the cursor."""
        if self._text[self._at : self._at + 1] in _BLANK_OR_NONE:
            yield from self.peek()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except (ValueError, RecursionError) as error:
                self._refuse_hopeless(error)
                yield None
                continue
            if end == len(self._text) and not self._ended:  # a number may go on in the next piece
                yield None
                continue
            self._at = end
            found: object = value
            return found

    def fail(self, what: str) -> NoReturn:
        """Complains of what is wrong at the cursor."""
        self._complain(self.position, what)

    def _refuse_hopeless(self, error: Exception) -> None:
        """Returns where more text may make a value of it."""
        if isinstance(error, RecursionError) or len(self._text) - self._at > self._value_chars_max:
            self.fail(f"no JSON record of a sane size ({_what(error)})")
        if self._ended:
            self.fail(f"it is cut off or damaged ({_what(error)})")


def _what(error: Exception) -> str:
    """The scanner's complaint without its position, which counts from somewhere inside the text."""
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
