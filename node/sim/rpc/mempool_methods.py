"""Filecoin.Mpool…: messages on their way into a block.

Source: lotus node/impl/full/mpool.go.
"""

from collections.abc import Sequence
from dataclasses import replace

from node.address import Address
from node.message import Message, SignedMessage, signed_message_document
from node.sim.blocks import TipsetKey, link
from node.sim.errors import RpcFault, failure
from node.sim.mempool import lookup_text
from node.sim.rpc.message_methods import with_gas
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.panics import panic_fault
from node.sim.rpc.params import (
    ADDRESS,
    ANY,
    FLAG,
    FLOAT,
    MESSAGE,
    SIGNED_MESSAGE,
    TIPSET_KEY,
    BadParam,
    Param,
    read_message,
    read_signed_message,
    require_addresses,
)
from node.sim.rpc.wallet_methods import key_address, signed_by_wallet

_NIL_POINTER = "runtime error: invalid memory address or nil pointer dereference"


def _listed(value: object, go_type: str) -> list[object]:
    if value is not None and not isinstance(value, list):
        raise BadParam(f"json: cannot unmarshal {type(value).__name__} into Go value of type {go_type}")
    return value or []


SIGNED_MESSAGES = Param(
    "[]*types.SignedMessage",
    lambda value: [read_signed_message(one) for one in _listed(value, "[]*types.SignedMessage")],
)
MESSAGES = Param("[]*types.Message", lambda value: [read_message(one) for one in _listed(value, "[]*types.Message")])


def push(node: Node, signed: SignedMessage | None) -> object:
    """Takes a signed message; its CID."""
    if signed is None:
        raise panic_fault("Filecoin.MpoolPush", _NIL_POINTER)
    return link(node.chain.push(signed))


def push_all(node: Node, signed: Sequence[SignedMessage | None]) -> object:
    """Takes signed messages one by one; their CIDs. Those before the first that is refused are in."""
    return [push(node, one) for one in signed]


def push_message(node: Node, message: Message | None, spec: object) -> object:
    """Sets a message's gas and nonce, signs it with the node's key, and takes it."""
    wanted = require_addresses(message)
    if wanted.nonce != 0:
        raise failure(f"MpoolPushMessage expects message nonce to be 0, was {wanted.nonce}")
    try:
        ready = with_gas(node, wanted, spec, ())
    except RpcFault as fault:
        raise failure(f"GasEstimateMessageGas error: {fault.message}") from fault
    sender = key_address(node, wanted.sender)
    _check_funds(node, sender, wanted.value_attofil)
    signed = signed_by_wallet(node, sender, replace(ready, sender=sender, nonce=next_nonce(node, sender)))
    try:
        node.chain.push(signed)
    except RpcFault as fault:
        raise failure(f"mpool push: failed to push message: {fault.message}") from fault
    return signed_message_document(signed, prefix=node.prefix)


def _check_funds(node: Node, sender: Address, value: int) -> None:
    actor = node.state(()).actor(sender)
    balance = 0 if actor is None else actor.balance_attofil
    if balance < value:
        raise failure(f"mpool push: not enough funds: {balance} < {value}")


def push_all_messages(node: Node, messages: Sequence[Message | None], spec: object) -> object:
    """As `push_message`, for one message after the other."""
    return [push_message(node, one, spec) for one in messages]


def next_nonce(node: Node, address: Address) -> int:
    """The nonce of an address's next message."""
    state = node.chain.state_after(node.chain.head)
    sender_id = state.actor_id(address)
    if sender_id is None or sender_id not in state.actors:
        raise failure(lookup_text(node.text(address)))
    return node.chain.mempool.next_nonce(sender_id, state.actors[sender_id].nonce)


def pending(node: Node, key: TipsetKey) -> object:
    """The messages that wait for a block."""
    del key
    return [signed_message_document(one, prefix=node.prefix) for one in node.chain.mempool.messages()]


def select(node: Node, key: TipsetKey, quality: object) -> object:
    """The messages that the next block would have."""
    del key, quality
    head = node.chain.head
    chosen = node.chain.mempool.select(node.chain.state_after(head), head.base_fee)
    return [signed_message_document(one, prefix=node.prefix) for one in chosen]


def mempool_config(node: Node) -> object:
    """The mempool's settings: those of every node."""
    del node
    return {
        "PriorityAddrs": None,
        "SizeLimitHigh": 30000,
        "SizeLimitLow": 20000,
        "ReplaceByFeeRatio": 1.25,
        "PruneCooldown": 60000000000,
        "GasLimitOverestimation": 1.25,
    }


def clear(node: Node, local: bool) -> None:
    """Forgets the messages that wait. All of them are local: without `local` they stay."""
    if local:
        node.chain.clear_mempool()


METHODS = (
    lotus("MpoolPush", push, SIGNED_MESSAGE, permission="write"),
    lotus("MpoolPushUntrusted", push, SIGNED_MESSAGE, permission="write"),
    lotus("MpoolBatchPush", push_all, SIGNED_MESSAGES, permission="write"),
    lotus("MpoolBatchPushUntrusted", push_all, SIGNED_MESSAGES, permission="write"),
    lotus("MpoolPushMessage", push_message, MESSAGE, ANY, permission="sign"),
    lotus("MpoolBatchPushMessage", push_all_messages, MESSAGES, ANY, permission="sign"),
    lotus("MpoolGetNonce", next_nonce, ADDRESS),
    lotus("MpoolPending", pending, TIPSET_KEY),
    lotus("MpoolSelect", select, TIPSET_KEY, FLOAT),
    lotus("MpoolGetConfig", mempool_config),
    lotus("MpoolClear", clear, FLAG, permission="write"),
)
