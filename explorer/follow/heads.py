"""The heads to go to: the newest one that the node told, however many came while the last one was being gone to.

stream ─► 271 272 273 274 …          going to 271 takes a while; then comes 274, not 272
silence ─► the node is asked
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from node.chain.protocol import Chain
from node.chain.tipset import HeadChange, HeadChanges, TipSet


@dataclass(slots=True)
class _Told:
    """What the stream told since somebody looked."""

    last: HeadChange | None = None
    is_explicit: bool = True
    """Whether the node told of each step from the head before."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, changes: HeadChanges) -> None:
        self.last = changes.changes[-1]
        self.is_explicit = self.is_explicit and all(one.kind != "current" for one in changes.changes)
        self.woken.set()

    def take(self) -> tuple[HeadChange | None, bool]:
        taken = self.last, self.is_explicit
        self.last, self.is_explicit = None, True
        self.woken.clear()
        return taken


async def newest_heads(chain: Chain, *, poll_s: float) -> AsyncGenerator[tuple[TipSet, bool], None]:
    """The heads to go to, and whether the node told how its head got there; one at least every `poll_s`.

    Raises what ends the stream of head changes, and what asking for a head raises.
    """
    told = _Told()
    reading = asyncio.create_task(_read(chain, told))
    waking = asyncio.create_task(told.woken.wait())
    try:
        while True:
            done, _ = await asyncio.wait({reading, waking}, timeout=poll_s, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            last, is_explicit = told.take()
            if waking.done():
                waking = asyncio.create_task(told.woken.wait())
            if last is not None:
                yield await _head_after(chain, last), is_explicit
            elif not done:
                yield await chain.head(), False
    finally:
        for task in (reading, waking):
            task.cancel()
        await asyncio.gather(reading, waking, return_exceptions=True)


async def _read(chain: Chain, told: _Told) -> None:
    """Takes what the stream tells as it comes. The gaps in it need no word: a new connection begins with `current`."""
    async with aclosing(chain.head_changes()) as changes:
        async for item in changes:
            if isinstance(item, HeadChanges):
                told.add(item)


async def _head_after(chain: Chain, last: HeadChange) -> TipSet:
    """The head that a list of changes ends with."""
    return await chain.tipset(last.tipset.parents) if last.kind == "revert" else last.tipset
