"""A subscription that outlives its connections.

    connect ─► frames … ─► it breaks ─► StreamGap ─► pause ─► connect, perhaps to another node ─► frames …

A node that cannot do it at all is not asked again; where no node can, that is raised. Everything else is tried for
ever, each failure told as a StreamGap, so that who follows knows that it is alive.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeVar

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
from node.chain.tipset import StreamGap
from node.lotus.health import Node
from node.lotus.limits import retry_after_s
from node.lotus.pool import NodePool, most_telling
from node.lotus.transport import Call, Frame, RpcFault

T = TypeVar("T")

_OF_THIS_NODE = (NotSupported, Unauthorized, BadEndpoint, WrongNetwork)
# Also a frame that is too large to hold: what it told is read again after the gap.
_PASSING = (TransientError, GarbledAnswer, AnswerTooLarge)


async def followed(
    pool: NodePool, first: Sequence[Call], again: Sequence[Call], decode: Callable[[Node, Frame], T | None]
) -> AsyncGenerator[T | StreamGap, None]:
    """What `decode` makes of the frames that the calls bring, None left out; `again` is what later connections ask."""
    given_up: dict[str, ChainError] = {}
    attempt, calls = 0, first
    while True:
        node = _next_node(pool, given_up, attempt)
        attempt += 1
        try:
            async with aclosing(_connection(pool, node, calls, decode)) as values:
                async for value in values:
                    attempt, calls = 0, again
                    given_up.clear()
                    yield value
        except _OF_THIS_NODE as error:
            node.failed(error)
            given_up[node.name] = error
            continue
        except _PASSING as error:
            node.failed(error)
            reason: ChainError = error
        yield StreamGap(node.name, str(reason))
        await pool.sleep(_pause_s(pool, max(attempt, 1), reason))


async def _connection(
    pool: NodePool, node: Node, calls: Sequence[Call], decode: Callable[[Node, Frame], T | None]
) -> AsyncGenerator[T, None]:
    """What one connection brings; always ends by an error."""
    await pool.prove(node)
    async with aclosing(_frames(node, calls)) as frames:
        async for frame in frames:
            node.worked()
            value = node.decoded(calls[frame.index].method, partial(decode, node, frame))
            if value is not None:
                yield value


async def _frames(node: Node, calls: Sequence[Call]) -> AsyncGenerator[Frame, None]:
    """The node's frames; every error of it bears the node's name."""
    try:
        async with aclosing(node.transport.subscribe(calls)) as frames:
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


def _next_node(pool: NodePool, given_up: dict[str, ChainError], attempt: int) -> Node:
    """The node to connect to: the first that is not at rest, or each in turn where all are."""
    able = [node for node in pool.nodes if node.name not in given_up]
    if not able:
        raise most_telling(list(given_up.values()))
    awake = [node for node in able if not node.at_rest]
    return awake[0] if awake else able[attempt % len(able)]
