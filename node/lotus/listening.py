"""Asks nodes for their heads beside everything else, with little patience, so that one that hangs is soon known.

Nodes can be replaced at their addresses: each is asked for its network again whenever it failed, and now and then.

What comes of it is in each node's `hearing`. Whether a node rests is not decided here: a node that works hard at a
large answer may well be slow to tell its head.
"""

import asyncio
from collections.abc import Sequence

from node.chain.errors import ChainError, NodeTimeout, WrongNetwork
from node.chain.tipset import TipSet
from node.lotus import decoding
from node.lotus.health import Node
from node.lotus.pool import NodePool
from node.lotus.transport import Call
from node.lotus.watching import Watch, check_age

HEAD = Call("Filecoin.ChainHead")
LAGGING_EPOCHS = 10
"""So far behind another node's a head is that of a node that isn't synced."""
IDENTITY_S = 30.0
"""How long it is believed that the node at an address is still the one that proved its network."""


async def listen_to(
    pool: NodePool, watch: Watch, *, timeout_s: float, quiet_s: float, identity_s: float = IDENTITY_S
) -> None:
    """Asks each node for its head that has told none for `quiet_s`, and waits at most `timeout_s` for each.

    A node that failed, or proved its network longer than `identity_s` ago, must prove it first.
    """
    known = [(node, _is_doubted(pool, node, identity_s)) for node in _known(pool)]
    due = [(node, is_doubted) for node, is_doubted in known if _is_due(node, quiet_s, is_doubted=is_doubted)]
    await asyncio.gather(*(_listen(pool, node, watch, timeout_s, again=is_doubted) for node, is_doubted in due))
    _compare_heads(pool.nodes)


async def head_of(node: Node, watch: Watch) -> TipSet:
    """The head that the node tells, which is noted; NodeNotSynced where it is too old."""
    document = await node.call(HEAD)
    head = node.decoded(HEAD.title, lambda: decoding.tipset(document))
    node.decoded(HEAD.title, lambda: check_age(head, stale_after_s=watch.stale_after_s, now=watch.wall_clock()))
    node.hearing.told(head)
    return head


def _compare_heads(nodes: Sequence[Node]) -> None:
    """Notes which nodes are far behind the newest head; one that is not heard has another ailment."""
    heads = {node.name: head.epoch for node in nodes if (head := _heard_head(node)) is not None}
    newest = max(heads.values(), default=0)
    for node in nodes:
        behind = newest - heads.get(node.name, newest)
        if behind > LAGGING_EPOCHS:
            node.lag.begins(f"{node.name}: its head at epoch {heads[node.name]} is {behind} epochs behind another's")
        else:
            node.lag.ends()


def _heard_head(node: Node) -> TipSet | None:
    return node.hearing.head if node.hearing.ailment.error is None else None


def _known(pool: NodePool) -> tuple[Node, ...]:
    """The nodes to listen to: the preferred one alone until it is known which chain it is all about."""
    return pool.nodes if pool.gate is None or pool.gate.is_settled else pool.nodes[:1]


def _is_doubted(pool: NodePool, node: Node, identity_s: float) -> bool:
    """Whether another node may answer at its address by now."""
    if pool.gate is None:
        return False
    return node.hearing.ailment.error is not None or node.clock() - node.proven_at >= identity_s


def _is_due(node: Node, quiet_s: float, *, is_doubted: bool) -> bool:
    """Whether the node is to be asked: not one that tells its head by itself, nor one that wants to be left alone."""
    if node.asked_rest_s or node.is_refused:
        return False
    heard_ago_s = node.hearing.heard_ago_s
    return is_doubted or node.hearing.ailment.error is not None or heard_ago_s is None or heard_ago_s >= quiet_s


async def _listen(pool: NodePool, node: Node, watch: Watch, timeout_s: float, *, again: bool) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await pool.prove(node, again=again)
            await head_of(node, watch)
    except TimeoutError:
        node.hearing.failed(node.named(NodeTimeout(f"no answer within {timeout_s:g} s")))
    except WrongNetwork as error:
        node.failed(error)
    except ChainError as error:
        node.hearing.failed(error)
