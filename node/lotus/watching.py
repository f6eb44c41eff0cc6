"""A follower's look-out for a node that stands still: connected, answering pings, and telling nothing.

no head change for a while ─► is any node's head beyond it, the node's own too? ─► NodeNotSynced, and on to the next
the head is too old itself ───────────────────────────────────────────────────► NodeNotSynced
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

from node.chain.errors import ChainError, NodeNotSynced
from node.chain.tipset import TipSet
from node.lotus import decoding
from node.lotus.health import Node
from node.lotus.pool import NodePool
from node.lotus.transport import Call

T = TypeVar("T")

_HEAD = Call("Filecoin.ChainHead")


def check_age(head: TipSet, *, stale_after_s: float | None, now: datetime) -> TipSet:
    """The head; NodeNotSynced where it is older than that."""
    age_s = now.timestamp() - head.timestamp
    if stale_after_s is not None and age_s > stale_after_s:
        raise NodeNotSynced(f"the head, epoch {head.epoch}, is {age_s:.0f} s old", head_epoch=head.epoch)
    return head


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """When a node stands still. None: that is no reason."""

    stalled_after_s: float | None
    """Without a head change, while another head is beyond."""
    stale_after_s: float | None
    """The greatest age of a head."""
    wall_clock: Callable[[], datetime]

    @property
    def period_s(self) -> float | None:
        """How often is looked; None: never."""
        bounds = [bound for bound in (self.stalled_after_s, self.stale_after_s) if bound is not None]
        return min(bounds) / 2 if bounds else None


class LookOut:
    """The watch over one connection to one node."""

    def __init__(self, pool: NodePool, node: Node, watch: Watch) -> None:
        self._pool = pool
        self._node = node
        self._watch = watch
        self._head: TipSet | None = None
        self._since = node.clock()

    def seen(self, head: TipSet | None) -> None:
        """Notes that the head has moved; NodeNotSynced where it came too late."""
        self._head, self._since = head, self._node.clock()
        self._check_age()

    async def until_still(self) -> None:
        """Returns at once where nothing is watched for; else raises NodeNotSynced when the node stands still."""
        period_s = self._watch.period_s
        while period_s is not None:
            await self._pool.sleep(period_s)
            self._check_age()
            stalled_after_s = self._watch.stalled_after_s
            if stalled_after_s is not None and self._node.clock() - self._since >= stalled_after_s:
                await self._compare()

    def _check_age(self) -> None:
        if self._head is not None:
            check_age(self._head, stale_after_s=self._watch.stale_after_s, now=self._watch.wall_clock())

    async def _compare(self) -> None:
        """Asks for heads, the node's own first: a subscription can be dead while the node lives."""
        silence_s = self._node.clock() - self._since
        others = [node for node in self._pool.nodes if node is not self._node and not node.at_rest]
        for other in (self._node, *others):
            beyond = await self._head_of(other)
            if beyond is not None and self._is_behind(beyond):
                self._fail(f"no head change for {silence_s:.0f} s, while {other.name} is at epoch {beyond.epoch}")

    def _is_behind(self, other: TipSet) -> bool:
        ours = self._head
        return ours is None or (other.parent_weight > ours.parent_weight and other.epoch > ours.epoch)

    async def _head_of(self, other: Node) -> TipSet | None:
        """That node's head; None where it cannot say."""

        async def ask(node: Node) -> TipSet:
            document = await node.call(_HEAD)
            return node.decoded(_HEAD.method, lambda: decoding.tipset(document))

        try:
            return await self._pool.attempt(other, ask)
        except ChainError:
            return None

    def _fail(self, text: str) -> NoReturn:
        raise NodeNotSynced(text, head_epoch=0 if self._head is None else self._head.epoch)


async def watched(values: AsyncGenerator[T, None], look_out: LookOut) -> AsyncGenerator[T, None]:
    """The values; raises what the look-out does. Ends when they end."""
    alarm = asyncio.create_task(look_out.until_still())
    try:
        async with aclosing(values):
            while True:
                try:
                    value = await _next(values, alarm)
                except StopAsyncIteration:
                    return
                yield value
    finally:
        await _stopped(alarm)


async def _next(values: AsyncGenerator[T, None], alarm: "asyncio.Task[None]") -> T:
    """The next value, or what the alarm raises, if that comes first."""
    step = asyncio.ensure_future(anext(values))
    try:
        waiting = {step} if alarm.done() and alarm.exception() is None else {step, alarm}
        while not step.done():
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if alarm in done and step not in done:
                alarm.result()
                waiting = {step}
        return step.result()
    finally:
        await _stopped(step)


async def _stopped(task: "asyncio.Future[T]") -> None:
    """Returns when the task is done, by itself or cancelled."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
