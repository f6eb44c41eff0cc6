"""The members of a huge JSON-RPC result, one at a time, out of text that comes in pieces: memory stays flat.

    {"id":1,"jsonrpc":"2.0","result":{"3":{…},"4":{…}, …}}

Text is fed, members come out; nothing here waits for anything, so that every kind of reader can drive it.
"""

from collections.abc import Generator
from typing import NoReturn

from node.chain.errors import AnswerCut, GarbledAnswer
from node.json_walk import JsonWalk
from node.lotus.envelope import fault_of

RECORD_CHARS_MAX = 1 << 20

Member = tuple[str, object]
# What the walk gives: a member, or None where it needs more text.
_Walk = Generator[Member | None, None, None]


def _garbled(position: int, what: str) -> NoReturn:
    raise GarbledAnswer(f"at character {position} of the answer: {what}")


class ResultMembers:
    """Takes the text of an answer whose result is a map (or null), gives the map's members in order."""

    def __init__(self) -> None:
        self._text = JsonWalk(_garbled, value_chars_max=RECORD_CHARS_MAX)
        self._walk = self._answer()
        self._done = False

    def feed(self, text: str) -> list[Member]:
        """The members that this piece completes. RpcFault for an error answer, GarbledAnswer for what is none."""
        self._text.feed(text)
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
        if not self._text.rest_is_blank():
            self._text.fail("something follows the answer")
        return members

    def finish(self) -> None:
        """Raises AnswerCut where the text ended before the answer did."""
        if not self._done:
            raise AnswerCut(f"the answer ends after {self._text.fed} characters, inside of itself")

    def _answer(self) -> _Walk:
        """The envelope: its members in any order, among them the result."""
        text = self._text
        yield from text.take("{")
        found = False
        while True:
            name = yield from text.key()
            if name == "result" and found:
                text.fail("a second result")
            if name == "result":
                found = True
                yield from self._result()
            else:
                self._check_member(name, (yield from text.value()))
            if (yield from text.take(",}")) == "}":
                break
        if not found:
            text.fail("it has neither result nor error")

    def _check_member(self, name: str, value: object) -> None:
        if name == "error" and value is not None:
            raise fault_of(value)

    def _result(self) -> _Walk:
        text = self._text
        if (yield from text.peek()) != "{":
            if (yield from text.value()) is not None:
                text.fail("its result is no map")
            return
        yield from text.take("{")
        if (yield from text.peek()) == "}":
            yield from text.take("}")
            return
        while True:
            name = yield from text.key()
            yield name, (yield from text.value())
            if (yield from text.take(",}")) == "}":
                return
