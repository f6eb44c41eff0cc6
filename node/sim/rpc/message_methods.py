"""Filecoin.State…, Gas…: what messages would do, and what became of them."""

from collections.abc import Mapping

from node.address import Address
from node.cid import Cid
from node.message import Message, message_document
from node.receipt import receipt_document
from node.sim.blocks import TipsetKey, link
from node.sim.errors import failure
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
    INT64,
    MESSAGE,
    TIPSET_KEY,
    UINT64,
    read_address,
    read_amount,
    require_addresses,
)
from node.sim.rpc.state_methods import known_method
from node.sim.search import Found, confirmed, indexed_message, load_message, search_message


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
    """As `search`, but waits until the message is executed and the chain has grown by `confidence` since.

    The limit is of the walk back alone: what the index knows is answered however long ago it was.
    """
    found = _search(node, (), cid, limit=limit, allow_replaced=allow_replaced)
    if found is None and cid is not None:
        found = indexed_message(node.chain, cid)
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
        for one in node.chain.execution_of(tipset).executed if tipset.messages else ():
            parties = {"To": state.actor_id(one.message.to), "From": state.actor_id(one.message.sender)}
            if all(parties[name] == actor_id for name, actor_id in wanted.items()):
                found.append(link(one.cid))
    return found


def with_gas(node: Node, message: Message, spec: object, key: TipsetKey) -> Message:
    """The message with the gas fields that the node recommends, within the spec's MaxFee."""
    max_fee = read_amount(spec.get("MaxFee")) if isinstance(spec, Mapping) else 0
    return estimated(node, message, node.tipset(key), max_fee=max_fee)


def estimate_message(node: Node, message: Message | None, spec: object, key: TipsetKey) -> object:
    """The message with gas limit, fee cap and premium."""
    return message_document(with_gas(node, require_addresses(message), spec, key), prefix=node.prefix)


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
    lotus("GasEstimateMessageGas", estimate_message, MESSAGE, ANY, TIPSET_KEY),
    lotus("GasEstimateGasLimit", estimate_limit, MESSAGE, TIPSET_KEY),
    lotus("GasEstimateFeeCap", estimate_fee_cap, MESSAGE, INT64, TIPSET_KEY),
    lotus("GasEstimateGasPremium", estimate_premium, UINT64, ADDRESS, INT64, TIPSET_KEY),
)
