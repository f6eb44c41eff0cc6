"""A subscription that outlives its connections.

    connect ─► frames … ─► it breaks ─► StreamGap ─► pause ─► connect, perhaps to another node ─► frames …

It breaks when the connection does, when a node stands still (`watching`), and when changes of the head don't follow
from one another (`trail`). A node that cannot do it at all is not asked again; where no node can, that is raised.
Everything else is tried for ever, each failure told as a StreamGap, so that who follows knows that it is alive.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

import structlog

from node.chain.errors import (
    AnswerTooLarge,
    BadEndpoint,
    ChainError,
    GarbledAnswer,
    NotSupported,
    TransientError,
    Unauthorized,
    WrongNetwork,
)
from node.chain.tipset import HeadChanges, StreamGap, TipSet
from node.lotus.health import Node
from node.lotus.limits import retry_after_s
from node.lotus.pool import NodePool, most_telling
from node.lotus.trail import Trail
from node.lotus.transport import Call, Frame, RpcFault
from node.lotus.watching import LookOut, Watch, watched

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_OF_THIS_NODE = (NotSupported, Unauthorized, BadEndpoint, WrongNetwork)
# Also a frame that is too large to hold: what it told is read again after the gap.
_PASSING = (TransientError, GarbledAnswer, AnswerTooLarge)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Generic[T]):
    """What is followed: the calls of the first connection, those of later ones, and what becomes of their frames."""

    first: Sequence[Call]
    again: Sequence[Call]
    decode: Callable[[Node, Frame], T | None]
    """None: the frame is passed over."""
    watch: Watch | None = None
    tells_heads: bool = True
    """Whether head changes are among it."""


@dataclass(slots=True)
class _Given(Generic[T]):
    """What connections leave behind: nodes that cannot do it, and where the head was."""

    subscription: Subscription[T]
    up: dict[str, ChainError] = field(default_factory=dict)
    head: TipSet | None = None
    attempt: int = 0
    """Connections since one brought something."""
    begun: bool = False

    def brought(self) -> None:
        """A connection brought something."""
        self.attempt, self.begun = 0, True
        self.up.clear()

    @property
    def calls(self) -> Sequence[Call]:
        return self.subscription.again if self.begun else self.subscription.first


async def followed(pool: NodePool, subscription: Subscription[T]) -> AsyncGenerator[T | StreamGap, None]:
    """What the frames of the subscription stand for; for ever."""
    given = _Given(subscription)
    while True:
        node = _next_node(pool, given)
        given.attempt += 1
        try:
            async with aclosing(_connection(pool, node, given)) as values:
                async for value in values:
                    yield value
        except _OF_THIS_NODE as error:
            node.failed(error)
            given.up[node.name] = error
            _note_failure(pool, node, subscription, error)
            continue
        except _PASSING as error:
            node.failed(error)
            _note_failure(pool, node, subscription, error)
            reason: ChainError = error
        _log.warning("stream_broken", node=node.name, error=type(reason).__name__, reason=str(reason))
        yield StreamGap(node.name, str(reason), given.head)
        await pool.sleep(_pause_s(pool, max(given.attempt, 1), reason))


async def _connection(pool: NodePool, node: Node, given: _Given[T]) -> AsyncGenerator[T, None]:
    """What one connection brings; always ends by an error."""
    await pool.prove(node)
    trail, calls = Trail(), given.calls
    look_out = LookOut(pool, node, given.subscription.watch) if given.subscription.watch else None
    opened = False
    async with aclosing(_frames(node, calls, look_out)) as frames:
        async for frame in frames:
            value = node.decoded(
                calls[frame.index].method, partial(_taken, node, frame, given.subscription, trail, look_out)
            )
            node.worked()
            if isinstance(value, HeadChanges):
                _note_head(pool, node, value, trail.head)
            if value is None:
                continue
            if not opened:
                _log.info("stream_opened", node=node.name)
            opened, given.head = True, trail.head or given.head
            given.brought()
            yield value


def _taken(node: Node, frame: Frame, subscription: Subscription[T], trail: Trail, look_out: LookOut | None) -> T | None:
    """What a frame stands for, once it is seen to follow from those before it."""
    value = subscription.decode(node, frame)
    if isinstance(value, HeadChanges):
        trail.take(value.changes)
        if look_out is not None:
            look_out.seen(trail.head)
    return value


def _note_head(pool: NodePool, node: Node, changes: HeadChanges, head: TipSet | None) -> None:
    """Notes that the head was heard. Below everything that was told it has no tipset, but it was told."""
    pool.head_stream.ends()
    if head is not None:
        node.hearing.told(head, is_explicit=changes.changes[-1].kind != "current")


def _note_failure(pool: NodePool, node: Node, subscription: Subscription[T], error: ChainError) -> None:
    """Notes that the head is not heard, where it is listened for."""
    if subscription.tells_heads:
        pool.head_stream.begins(str(error))
        node.hearing.failed(error)


async def _frames(node: Node, calls: Sequence[Call], look_out: LookOut | None) -> AsyncGenerator[Frame, None]:
    """The node's frames; every error of it bears the node's name."""
    source = node.transport.subscribe(calls)
    try:
        async with aclosing(source if look_out is None else watched(source, look_out)) as frames:
            async for frame in frames:
                yield frame
    except RpcFault as fault:
        raise node.error_of(fault, calls[fault.index].method) from fault
    except ChainError as error:
        error.node = node.name
        raise


def _pause_s(pool: NodePool, attempt: int, error: ChainError) -> float:
    """How long to wait: as before a read, but a node that asks for more gets it, up to the longest rest."""
    asked_s = min(retry_after_s(error) or 0.0, pool.retries.longest_rest_s)
    return max(asked_s, pool.retries.pause_s(attempt, random=pool.random))


def _next_node(pool: NodePool, given: _Given[T]) -> Node:
    """The node to connect to: the first that is not at rest, or each in turn where all are."""
    able = [node for node in pool.nodes if node.name not in given.up]
    if not able:
        raise most_telling(list(given.up.values()))
    awake = [node for node in able if not node.at_rest]
    return awake[0] if awake else able[given.attempt % len(able)]
