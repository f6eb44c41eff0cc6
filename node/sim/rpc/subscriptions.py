"""Channels: what a node goes on telling. They need a transport that can send on: a websocket.

apply   ChainNotify of the new tipset, then the events of its parents' messages; newHeads of its parents, now executed
revert  ChainNotify, then the same events again as reverted

The values of eth_subscribe come as Ethereum's clients know them, by the text that it answers; all others by a number
that the connection gives them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from node.message import SignedMessage, signed_message_document
from node.sim.chain import HeadChange
from node.sim.errors import METHOD_NOT_FOUND, RpcFault, failure
from node.sim.rpc.chain_methods import change_documents
from node.sim.rpc.eth_blocks import block_document
from node.sim.rpc.eth_filters import check_logs_filter
from node.sim.rpc.eth_methods import check_eth_enabled
from node.sim.rpc.event_methods import FILTER, EventFilter, check_enabled, heights_of, matching, past_events
from node.sim.rpc.methods import Node
from node.sim.rpc.params import ANY, TEXT, Param

Emit = Callable[[object], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """An open channel: what it begins with, and how to close it. Later values go to the `emit` it was opened with."""

    first: tuple[object, ...]
    close: Callable[[], None]
    eth_id: str | None = None
    """Of eth_subscribe: what it answers, and by what each `eth_subscription` names it."""


def notify(node: Node, emit: Emit) -> Subscription:
    """The head now, then every change of it: one value a change, a list of reverts and applies."""
    close = node.chain.listen(lambda changes: emit(change_documents(node, changes)))
    return Subscription((change_documents(node, [HeadChange("current", node.chain.head)]),), close)


def subscribe_events(node: Node, emit: Emit, wanted: EventFilter) -> Subscription:
    """The past events of a filter that names a first height, then those that come, and those that are reverted."""
    check_enabled(node)
    heights_of(wanted, node.chain.head.height)
    first = past_events(node, wanted) if wanted.from_height is not None else []

    def hear(changes: Sequence[HeadChange]) -> None:
        for change in changes:
            if change.tipset.height > 0 and not _is_past(wanted, change):
                inclusion = node.chain.store.parent(change.tipset)
                for event in matching(node, inclusion, wanted, reverted=change.kind == "revert"):
                    emit(event)

    return Subscription(tuple(first), node.chain.listen(hear))


def _is_past(wanted: EventFilter, change: HeadChange) -> bool:
    """Whether a change is beyond the last height that a filter wants."""
    return wanted.to_height is not None and change.tipset.height > wanted.to_height + 1


def subscribe_mempool(node: Node, emit: Emit) -> Subscription:
    """Every message that comes to the mempool (type 0) or leaves it (type 1)."""

    def hear(kind: int, signed: SignedMessage) -> None:
        emit({"Type": kind, "Message": signed_message_document(signed, prefix=node.prefix)})

    return Subscription((), node.chain.listen_to_mempool(hear))


def subscribe_ethereum(node: Node, emit: Emit, kind: str, options: object = None) -> Subscription:
    """newHeads: the block of each tipset once a child executed it. logs: nothing, there are no contracts."""
    check_eth_enabled(node)
    if kind not in {"newHeads", "logs", "newPendingTransactions"}:
        raise failure(f"unsupported event type: {kind}")
    if kind == "logs" and options is not None:
        check_logs_filter(options)

    def hear(changes: Sequence[HeadChange]) -> None:
        for change in changes:
            if kind == "newHeads" and change.kind == "apply" and change.tipset.height > 0:
                emit(block_document(node, node.chain.store.parent(change.tipset), full=True))

    return Subscription((), node.chain.listen(hear), _subscription_id(node))


def _subscription_id(node: Node) -> str:
    """Sixteen bytes that no other subscription of the node has, in a word of 32."""
    node.subscriptions += 1
    source = f"{node.chain.options.seed}/{node.subscriptions}".encode()
    return "0x" + blake2b(source, digest_size=16, person=b"eth-subscription").hexdigest().ljust(64, "0")


@dataclass(frozen=True, slots=True)
class ChannelMethod:
    """A method that opens a channel, and its parameters, the last of which may be left out."""

    opened: Callable[..., Subscription]
    params: tuple[Param[Any], ...] = ()
    optional: int = 0


CHANNELS: dict[str, ChannelMethod] = {
    "Filecoin.ChainNotify": ChannelMethod(notify),
    "Filecoin.SubscribeActorEventsRaw": ChannelMethod(subscribe_events, (FILTER,)),
    "Filecoin.MpoolSub": ChannelMethod(subscribe_mempool),
    "eth_subscribe": ChannelMethod(subscribe_ethereum, (TEXT, ANY), optional=1),
}
CHANNELS["Filecoin.EthSubscribe"] = CHANNELS["eth_subscribe"]


def no_channel(name: str) -> RpcFault:
    """The answer to a subscription over a transport that cannot send on."""
    return RpcFault(
        METHOD_NOT_FOUND, f"method '{name}' not supported in this mode (no out channel support)", http_status=500
    )
