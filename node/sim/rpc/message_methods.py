"""Filecoin.State…, Mpool…, Gas…: messages from their making to their receipts."""

from collections.abc import Mapping
from dataclasses import replace

from node.address import Address
from node.cid import Cid
from node.message import Message, SignedMessage, message_document, signed_message_document
from node.receipt import receipt_document
from node.sim.blocks import TipsetKey, link
from node.sim.errors import RpcFault, failure
from node.sim.mempool import lookup_text
from node.sim.rpc.calls import USUAL_PREMIUM, dry_run, estimate_gas, estimated, fee_cap
from node.sim.rpc.documents import invocation_document
from node.sim.rpc.go_json import decoded_return
from node.sim.rpc.methods import Node, Waiting, lotus
from node.sim.rpc.params import (
    ADDRESS,
    ANY,
    CID,
    DOCUMENT,
    EPOCH,
    FLAG,
    FLOAT,
    INT64,
    MESSAGE,
    SIGNED_MESSAGE,
    TIPSET_KEY,
    UINT64,
    read_address,
    read_amount,
    require_addresses,
)
from node.sim.rpc.search import Found, confirmed, load_message, search_message
from node.sim.rpc.state_methods import known_method
from node.sim.rpc.wallet_methods import signed_by_wallet

PANIC = (
    "fatal error calling '{0}': panic in rpc method '{0}': "
    "runtime error: invalid memory address or nil pointer dereference"
)


def state_call(node: Node, message: Message | None, key: TipsetKey) -> object:
    """What a message would do on what is read at a tipset."""
    executed = dry_run(node, require_addresses(message), node.tipset(key))
    return invocation_document(executed, node.state(key), dry=True, prefix=node.prefix)


def state_replay(node: Node, key: TipsetKey, cid: Cid | None) -> object:
    """What a message of the chain did."""
    found = _search(node, key, cid, limit=-1, allow_replaced=True)
    if found is None:
        raise failure(f"searching for msg {cid}: msg not found")
    inclusion = node.chain.store.parent(found.tipset)
    executed = next(one for one in node.chain.execution_of(inclusion).executed if one.cid == found.cid)
    return invocation_document(executed, node.chain.state_at(inclusion), dry=False, prefix=node.prefix)


def _search(node: Node, key: TipsetKey, cid: Cid | None, *, limit: int, allow_replaced: bool) -> Found | None:
    message = load_message(node.chain, cid)
    if cid is None:
        return None
    start = node.tipset(key)
    return search_message(node.chain, cid, message, start=start, limit=limit, allow_replaced=allow_replaced)


def _lookup_document(node: Node, found: Found, *, with_return: bool) -> dict[str, object]:
    returned = _decoded(node, found) if with_return else None
    return {
        "Message": link(found.cid),
        "Receipt": receipt_document(found.receipt),
        "ReturnDec": returned,
        "TipSet": [link(cid) for cid in found.tipset.key],
        "Height": found.tipset.height,
    }


def _decoded(node: Node, found: Found) -> object:
    actor = node.chain.state_at(found.tipset).actor(found.message.to)
    method = known_method(actor, found.message.method)
    return decoded_return(method, found.receipt.return_value, node.prefix)


def search(node: Node, key: TipsetKey, cid: Cid | None, limit: int, allow_replaced: bool) -> object:
    """Where a message was executed; null where it was not."""
    found = _search(node, key, cid, limit=limit, allow_replaced=allow_replaced)
    return None if found is None else _lookup_document(node, found, with_return=False)


def wait(node: Node, cid: Cid | None, confidence: int, limit: int, allow_replaced: bool) -> object:
    """As `search`, but waits until the message is executed and the chain has grown by `confidence` since."""
    found = _search(node, (), cid, limit=limit, allow_replaced=allow_replaced)
    if found is None or not confirmed(node.chain, found, confidence):
        return Waiting(lambda: wait(node, cid, confidence, limit, allow_replaced))
    return _lookup_document(node, found, with_return=True)


def list_messages(node: Node, match: Mapping[str, object], key: TipsetKey, to_height: int) -> object:
    """The CIDs of executed and included messages to or from an address, the latest first, down to a height."""
    state = node.state(key)
    wanted = {
        name: node.actor_id(read_address(match[name]), state) for name in ("To", "From") if match.get(name) is not None
    }
    if not wanted:
        raise failure("must specify at least To or From in message filter")
    found: list[object] = []
    for tipset in node.chain.store.ancestors(node.tipset(key)):
        if tipset.height < to_height:
            break
        for one in reversed(node.chain.execution_of(tipset).executed if tipset.messages else ()):
            parties = {"To": state.actor_id(one.message.to), "From": state.actor_id(one.message.sender)}
            if all(parties[name] == actor_id for name, actor_id in wanted.items()):
                found.append(link(one.cid))
    return found


def push(node: Node, signed: SignedMessage | None) -> object:
    """Takes a signed message; its CID."""
    if signed is None:
        raise RpcFault(0, PANIC.format("Filecoin.MpoolPush"), http_status=500)
    return link(node.chain.push(signed))


def push_message(node: Node, message: Message | None, spec: object) -> object:
    """Sets a message's gas and nonce, signs it with the node's key, and takes it."""
    wanted = require_addresses(message)
    try:
        ready = _estimate(node, wanted, spec, ())
    except RpcFault as fault:
        raise failure(f"GasEstimateMessageGas error: {fault.message}") from fault
    nonce = next_nonce(node, wanted.sender)
    signed = signed_by_wallet(node, wanted.sender, replace(ready, nonce=nonce))
    node.chain.push(signed)
    return signed_message_document(signed, prefix=node.prefix)


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


def _estimate(node: Node, message: Message, spec: object, key: TipsetKey) -> Message:
    max_fee = read_amount(spec.get("MaxFee")) if isinstance(spec, Mapping) else 0
    return estimated(node, message, node.tipset(key), max_fee=max_fee)


def estimate_message(node: Node, message: Message | None, spec: object, key: TipsetKey) -> object:
    """The message with gas limit, fee cap and premium."""
    return message_document(_estimate(node, require_addresses(message), spec, key), prefix=node.prefix)


def estimate_limit(node: Node, message: Message | None, key: TipsetKey) -> object:
    """The gas that a message would use."""
    return estimate_gas(node, require_addresses(message), node.tipset(key))


def estimate_fee_cap(node: Node, message: Message | None, blocks: int, key: TipsetKey) -> object:
    """The fee cap that suffices for some blocks to come."""
    del blocks, key
    return str(fee_cap(node, 0 if message is None else message.gas_premium_attofil))


def estimate_premium(node: Node, blocks: int, sender: Address, limit: int, key: TipsetKey) -> object:
    """The premium that others pay."""
    del node, blocks, sender, limit, key
    return str(USUAL_PREMIUM)


METHODS = (
    lotus("StateCall", state_call, MESSAGE, TIPSET_KEY),
    lotus("StateReplay", state_replay, TIPSET_KEY, CID),
    lotus("StateSearchMsg", search, TIPSET_KEY, CID, EPOCH, FLAG),
    lotus("StateWaitMsg", wait, CID, UINT64, EPOCH, FLAG),
    lotus("StateListMessages", list_messages, DOCUMENT, TIPSET_KEY, EPOCH),
    lotus("MpoolPush", push, SIGNED_MESSAGE, permission="write"),
    lotus("MpoolPushMessage", push_message, MESSAGE, ANY, permission="sign"),
    lotus("MpoolGetNonce", next_nonce, ADDRESS),
    lotus("MpoolPending", pending, TIPSET_KEY),
    lotus("MpoolSelect", select, TIPSET_KEY, FLOAT),
    lotus("MpoolGetConfig", mempool_config),
    lotus("GasEstimateMessageGas", estimate_message, MESSAGE, ANY, TIPSET_KEY),
    lotus("GasEstimateGasLimit", estimate_limit, MESSAGE, TIPSET_KEY),
    lotus("GasEstimateFeeCap", estimate_fee_cap, MESSAGE, INT64, TIPSET_KEY),
    lotus("GasEstimateGasPremium", estimate_premium, UINT64, ADDRESS, INT64, TIPSET_KEY),
)
