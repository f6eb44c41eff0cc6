"""The one thread in which a chain is asked and mined, so that the event loop never waits for it.

Large answers are rendered in another one: what they tell of never changes, and the chain goes on meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import structlog

from node.sim.chain import HeadChange
from node.sim.rpc.methods import Node

T = TypeVar("T")

_RENDERERS = 2

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the chain's life: how many changes of its head it has seen."""

    changes: int


class ChainThread:
    """Runs functions one after the other where the chain lives. To be made, used and closed in one event loop."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="chain")
        self._renderers = ThreadPoolExecutor(_RENDERERS, thread_name_prefix="renderer")
        self._now = Moment(0)
        self._changed = asyncio.Event()
        self._stop_listening = node.chain.listen(self._hear)

    async def run(self, function: Callable[[], T]) -> T:
        """What the function returns, or raises, in the chain's thread."""
        return await self._loop.run_in_executor(self._executor, function)

    def run_soon(self, function: Callable[[], object]) -> None:
        """Has a function called in the chain's thread after what runs there now; what it raises is logged."""
        with suppress(RuntimeError):  # It is closed.
            self._executor.submit(_logged, function)

    async def render(self, function: Callable[[], T]) -> T:
        """What a function returns that only reads what never changes, in a thread of its own."""
        return await self._loop.run_in_executor(self._renderers, function)

    async def rendered(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces, each rendered when the one before it is taken."""
        while (piece := await self.render(lambda: next(pieces, None))) is not None:
            yield piece

    async def attempt(self, function: Callable[[], T]) -> tuple[T, Moment]:
        """What the function returns, and the moment at which it was called."""

        def both() -> tuple[T, Moment]:
            moment = self._now
            return function(), moment

        return await self.run(both)

    async def changed_since(self, moment: Moment) -> None:
        """Waits until the head has changed since a moment."""
        while self._now == moment:
            await self._changed.wait()

    def tell(self, function: Callable[[], object]) -> None:
        """Has a function called in the event loop, in the order of the telling. For the chain's thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    async def close(self) -> None:
        """Ends the thread once what it has begun is done."""
        await self.run(self._stop_listening)
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._renderers.shutdown(wait=False, cancel_futures=True)

    def _hear(self, changes: Sequence[HeadChange]) -> None:
        self._now = Moment(self._now.changes + len(changes))
        self.tell(self._wake)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _logged(function: Callable[[], object]) -> None:
    try:
        function()
    except Exception as error:  # noqa: BLE001
        _log.error("chain_thread_failed", error=repr(error), exc_info=error)
