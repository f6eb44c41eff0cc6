"""The members of a huge JSON-RPC result, one at a time, out of text that comes in pieces: memory stays flat.

    {"id":1,"jsonrpc":"2.0","result":{"3":{…},"4":{…}, …}}

Text is fed, members come out; nothing here waits for anything, so that every kind of reader can drive it.
"""

import json
from collections.abc import Generator
from typing import NoReturn

from node.chain.errors import AnswerCut, GarbledAnswer
from node.errors import excerpt
from node.lotus.envelope import fault_of

RECORD_CHARS_MAX = 1 << 20
_FORGET_CHARS = 1 << 16
_WHITESPACE = " \t\n\r"

Member = tuple[str, object]
# What the walk gives: a member, or None where it needs more text.
_Walk = Generator[Member | None, None, None]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class ResultMembers:
    """Takes the text of an answer whose result is a map (or null), gives the map's members in order."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._dropped = 0
        self._scan = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
        self._walk = self._answer()
        self._done = False

    def feed(self, text: str) -> list[Member]:
        """The members that this piece completes. RpcFault for an error answer, GarbledAnswer for what is none."""
        self._text = self._text[self._at :] + text if self._at > _FORGET_CHARS else self._text + text
        if self._at > _FORGET_CHARS:
            self._dropped, self._at = self._dropped + self._at, 0
        members: list[Member] = []
        while not self._done:
            try:
                member = next(self._walk)
            except StopIteration:
                self._done = True
                break
            if member is None:
                return members
            members.append(member)
        if self._text[self._at :].strip(_WHITESPACE):
            self._fail("something follows the answer")
        return members

    def finish(self) -> None:
        """Raises AnswerCut where the text ended before the answer did."""
        if not self._done:
            raise AnswerCut(f"the answer ends after {self._dropped + len(self._text)} characters, inside of itself")

    def _answer(self) -> _Walk:
        """The envelope: its members in any order, among them the result."""
        yield from self._take("{")
        found = False
        while True:
            name = yield from self._key()
            if name == "result":
                found = True
                yield from self._result()
            else:
                self._check_member(name, (yield from self._value()))
            if (yield from self._take(",}")) == "}":
                break
        if not found:
            self._fail("it has neither result nor error")

    def _check_member(self, name: str, value: object) -> None:
        if name == "error" and value is not None:
            raise fault_of(value)

    def _result(self) -> _Walk:
        if (yield from self._peek()) != "{":
            if (yield from self._value()) is not None:
                self._fail("its result is no map")
            return
        yield from self._take("{")
        if (yield from self._peek()) == "}":
            yield from self._take("}")
            return
        while True:
            name = yield from self._key()
            yield name, (yield from self._value())
            if (yield from self._take(",}")) == "}":
                return

    def _peek(self) -> Generator[None, None, str]:
        """The next character that is no white space."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _WHITESPACE:
                    return self._text[self._at]
                self._at += 1
            yield None

    def _take(self, wanted: str) -> Generator[None, None, str]:
        char = yield from self._peek()
        if char not in wanted:
            self._fail(f"{char!r} where {' or '.join(wanted)} should be")
        self._at += 1
        return char

    def _key(self) -> Generator[None, None, str]:
        if (yield from self._peek()) != '"':
            self._fail("a member without a name")
        name = yield from self._value()
        yield from self._take(":")
        return str(name)

    def _value(self) -> Generator[None, None, object]:
        yield from self._peek()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except (ValueError, RecursionError) as error:
                self._refuse_hopeless(error)
                yield None
                continue
            if end == len(self._text):  # a number may go on in the next piece; every value is followed by something
                yield None
                continue
            self._at = end
            result: object = value
            return result

    def _refuse_hopeless(self, error: Exception) -> None:
        if isinstance(error, RecursionError) or len(self._text) - self._at > RECORD_CHARS_MAX:
            self._fail(f"no JSON record of a sane size, {excerpt(self._text[self._at : self._at + 100])}")

    def _fail(self, what: str) -> NoReturn:
        raise GarbledAnswer(f"at character {self._dropped + self._at} of the answer: {what}")
