"""Builders: chains over any transport, with clocks and randomness of the test's own."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from node.lotus.client import LotusChain
from node.lotus.expected import Expected
from node.lotus.limits import Retries
from node.lotus.opening import lotus_chain
from node.lotus.transport import Call, Frame, RpcFault, Transport
from tests.recordings_player import RecordingsPlayer

_TURNS = 50
"""Of the event loop, in which whoever has something to do gets to it before more time passes."""
RECORDED_AT = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)


@dataclass(slots=True)
class Time:
    """A clock that moves only when somebody sleeps."""

    now_s: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self.now_s += seconds


def chain_over(
    *transports: Transport,
    time: Time | None = None,
    retries: Retries | None = None,
    expected: Expected | None = None,
    stale_after_s: float | None = None,
    stalled_after_s: float | None = None,
) -> LotusChain:
    """A chain that never really waits."""
    time = time or Time()
    return lotus_chain(
        transports,
        expected=expected,
        retries=retries or Retries(rounds=1),
        stale_after_s=stale_after_s,
        stalled_after_s=stalled_after_s,
        clock=time.clock,
        wall_clock=lambda: RECORDED_AT,
        sleep=time.sleep,
        draw=lambda: 0.0,
    )


def playing(folder: str, *, gateway: bool = False) -> LotusChain:
    """A chain over a folder of recordings."""
    return chain_over(RecordingsPlayer(folder, gateway=gateway))


Answer = Callable[[Call], object]


@dataclass(slots=True)
class Scripted:
    """A transport that answers what the test says: a value, or an exception to raise."""

    answer: Answer
    name: str = "scripted"
    asked: list[Call] = field(default_factory=list)
    frames: list[list[Any]] = field(default_factory=list)
    """What each connection of a subscription brings; an exception ends it."""
    subscriptions: list[tuple[Call, ...]] = field(default_factory=list)

    async def call(self, call: Call) -> object:
        self.asked.append(call)
        result = self.answer(call)
        if isinstance(result, BaseException):
            raise result
        return result

    async def batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        return tuple([await self._result_or_fault(call) for call in calls])

    async def _result_or_fault(self, call: Call) -> object:
        try:
            return await self.call(call)
        except RpcFault as fault:
            return fault

    async def stream(self, call: Call) -> AsyncGenerator[str, None]:
        for piece in await self.call(call):  # type: ignore[attr-defined]
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def subscribe(self, calls: Sequence[Call]) -> AsyncGenerator[Frame, None]:
        self.subscriptions.append(tuple(calls))
        for item in self.frames.pop(0):
            if isinstance(item, BaseException):
                raise item
            yield item

    async def close(self) -> None:
        pass


def always(value: object) -> Answer:
    """The same answer to everything."""
    return lambda _: value


async def taken(stream: AsyncGenerator[Any, None], count: int) -> list[Any]:
    """The first items of a stream, which is then closed."""
    items = []
    async for item in stream:
        items.append(item)
        if len(items) == count:
            break
    await stream.aclose()
    return items


async def whole(stream: AsyncGenerator[Any, None]) -> list[Any]:
    """All items of a stream that ends."""
    return [item async for item in stream]


Asking = Callable[[LotusChain], Awaitable[Any]]
