"""Several nodes as one: who is asked, and who next.

Reads go to the first node that is not at rest, in the order of the settings; when it is ill, to the next, and back to
it once it has rested and proven itself again. What a node cannot do or does not hold is looked for at the others too.
What makes no sense, or an actor refuses, is not: another node would say the same.

    round 1: a ─ill─► b ─ill─► c        pause        round 2: a ─► …

Writes go to every node at once, each asked once: the same bytes do no harm, and one of them may lose them.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeVar

from node.chain.errors import (
    BadEndpoint,
    ChainError,
    GarbledAnswer,
    MessageRefused,
    NotFound,
    NotSupported,
    PermanentError,
    RateLimited,
    RequestFailed,
    TransientError,
    Unauthorized,
    WrongNetwork,
)
from node.chain.results import NetworkIdentity
from node.lotus.expected import Gate
from node.lotus.health import Node
from node.lotus.hearing import Ailment
from node.lotus.limits import Retries, retry_after_s
from node.lotus.transport import Call

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

# Errors of one node: another one may do better.
_ELSEWHERE = (
    TransientError,
    GarbledAnswer,
    WrongNetwork,
    NotSupported,
    Unauthorized,
    NotFound,
    RequestFailed,
    BadEndpoint,
)


@dataclass(slots=True)
class NodePool:
    """The nodes in the order in which they are preferred."""

    nodes: tuple[Node, ...]
    gate: Gate | None
    """None: nodes are not asked for their network."""
    retries: Retries
    sleep: Sleep
    random: Callable[[], float]
    answered: set[str] = field(default_factory=set)
    """The names of the nodes that gave something."""
    head_stream: Ailment = field(init=False)
    """What is wrong with the stream of head changes, whichever node it comes from."""

    def __post_init__(self) -> None:
        self.head_stream = Ailment(self.nodes[0].clock)

    def only(self, name: str) -> "NodePool":
        """The pool of that one node, which goes on sharing what is known of it; KeyError where there is none."""
        found = tuple(node for node in self.nodes if node.name == name)
        if not found:
            raise KeyError(name)
        return replace(self, nodes=found)

    def apart(self) -> "NodePool":
        """The same nodes, noting anew who of them gives something."""
        return replace(self, answered=set())

    async def read(self, call: Call, decode: Callable[[object], T]) -> T:
        """What `decode` makes of the result."""

        async def ask(node: Node) -> T:
            result = await node.call(call)
            return node.decoded(call.title, lambda: decode(result))

        return await self.run(ask)

    async def read_batch(self, calls: Sequence[Call], decode: Callable[[tuple[object, ...]], T]) -> T:
        """What `decode` makes of the results of several calls, all of one node."""

        async def ask(node: Node) -> T:
            results = await node.batch(calls)
            return node.decoded(calls[0].method, lambda: decode(results))

        return await self.run(ask)

    async def run(self, ask: Callable[[Node], Awaitable[T]]) -> T:
        """What a node gives, asked in rounds until one does; the most telling of the errors where none does."""
        last: ChainError | None = None
        for attempt in range(self.retries.rounds):
            if last is not None:
                await self.pause(attempt, last)
            try:
                return await self._round(ask)
            except TransientError as error:
                last = error
        raise last or ValueError("Retries.rounds must be 1 at least")

    async def pause(self, attempt: int, error: ChainError) -> None:
        """Waits before the attempt; raises the error where a node asked for more than is bearable inside of a call."""
        if (retry_after_s(error) or 0.0) > self.retries.longest_pause_s:
            raise error
        await self.sleep(self.retries.pause_s(attempt, random=self.random, error=error))

    async def _round(self, ask: Callable[[Node], Awaitable[T]]) -> T:
        errors: list[ChainError] = []
        for node in self.candidates():
            try:
                return await self.attempt(node, ask)
            except _ELSEWHERE as error:
                errors.append(error)
        raise most_telling(errors)

    def candidates(self) -> list[Node]:
        """The nodes to ask, in order; those at rest only where all are. RateLimited where all ask to be left alone."""
        nodes = [node for node in self.nodes if not node.at_rest]
        nodes = nodes or [node for node in self.nodes if not node.asked_rest_s]
        if not nodes:
            wait_s = min(node.asked_rest_s for node in self.nodes)
            raise RateLimited("every node asked to be left alone for now", retry_after_s=wait_s)
        return nodes

    async def attempt(self, node: Node, ask: Callable[[Node], Awaitable[T]]) -> T:
        """What one node gives, which must prove its network first; its health follows from how it goes."""
        try:
            await self.prove(node)
            result = await ask(node)
        except ChainError as error:
            node.failed(error)
            raise
        node.worked()
        self.answered.add(node.name)
        return result

    async def prove(self, node: Node, *, again: bool = False) -> None:
        """Returns where the node is of the right network, and raises WrongNetwork where it is not.

        With `again` it is asked even if it was found to be before.
        """
        if self.gate is not None:
            await node.prove(self.gate, again=again)

    def admit(self, node: Node, identity: NetworkIdentity) -> None:
        """Returns where that is an identity of the right network, and raises WrongNetwork where it is not."""
        if (gate := self.gate) is not None:
            node.decoded("identity", lambda: gate.admit(identity))

    async def write(self, call: Call, decode: Callable[[object], T], *, harmless: type[ChainError], done: T) -> T:
        """Asks every node, each once. What one of them gave, `done` where one says that it is `harmless`.

        Otherwise the refusal that tells most.
        """

        async def ask(node: Node) -> T:
            result = await node.call(call)
            return node.decoded(call.method, lambda: decode(result))

        async def outcome(node: Node) -> T | ChainError:
            try:
                return await self.attempt(node, ask)
            except ChainError as error:
                return done if isinstance(error, harmless) else error

        outcomes = await asyncio.gather(*(outcome(node) for node in self.nodes))
        for each in outcomes:
            if not isinstance(each, ChainError):
                return each
        raise most_telling([each for each in outcomes if isinstance(each, ChainError)])

    async def stream(self, members: Callable[[Node], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """What one node's huge answer holds. It is begun as a read is; once begun, nothing is asked anew."""

        async def begin(node: Node) -> tuple[Node, AsyncGenerator[T, None], list[T]]:
            source = members(node)
            try:
                return node, source, [await anext(source)]
            except StopAsyncIteration:
                return node, source, []

        node, source, first = await self.run(begin)
        async with aclosing(source):
            for member in first:
                yield member
            first.clear()
            try:
                async for member in source:
                    yield member
            except ChainError as error:
                node.failed(error)
                raise


def most_telling(errors: Sequence[ChainError]) -> ChainError:
    """Of the errors of several nodes the one to raise: a refusal of what was asked, else one that may pass, else what
    is missing, else the first."""
    for kind in (MessageRefused, TransientError, GarbledAnswer, PermanentError):
        for error in errors:
            if isinstance(error, kind):
                return error
    return errors[0]
