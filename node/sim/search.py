"""Finding a message on the chain, as StateSearchMsg and StateWaitMsg do.

    inclusion tipset ← execution tipset      the answer names the execution tipset: its receipts are there

First the start itself, then the index of the head's chain, then the chain back from the start.
"""

from dataclasses import dataclass, replace

from node.cid import Cid
from node.message import Message
from node.receipt import Receipt
from node.sim.blocks import Tipset
from node.sim.chain import SimulatedChain
from node.sim.errors import failure
from node.sim.execution import Executed

NO_LIMIT = -1


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was executed, perhaps in place of the one that was looked for."""

    cid: Cid
    message: Message
    receipt: Receipt
    tipset: Tipset
    """The tipset after the one that holds the message."""


def load_message(chain: SimulatedChain, cid: Cid | None) -> Message:
    """The message of a CID; RpcFault where the node has none."""
    head = "%!w(*errors.errorString=&{failed to load message})"
    if cid is None:
        raise failure(f"{head}: error decoding identity cid b: multihash too short. must be >= 2 bytes")
    signed = chain.store.messages.get(cid)
    if signed is None:
        raise failure(f"{head}: ipld: could not find {cid}")
    return signed.message


def search_message(
    chain: SimulatedChain, cid: Cid, message: Message, *, start: Tipset, limit: int, allow_replaced: bool
) -> Found | None:
    """Where a message was executed; None where it was not, as far as was looked.

    RpcFault where another one used its nonce and `allow_replaced` wants to hear of it.
    """
    found = _executed_below(chain, cid, message, start, allow_replaced=allow_replaced)
    if found is not None:
        return found
    indexed = indexed_message(chain, cid)
    if indexed is not None and (limit == NO_LIMIT or indexed.tipset.height > chain.head.height - limit):
        return indexed
    return _search_back(chain, cid, message, start=start, limit=limit, allow_replaced=allow_replaced)


def indexed_message(chain: SimulatedChain, cid: Cid) -> Found | None:
    """Where the index says that a message of the head's chain was executed, however long ago."""
    for key in reversed(chain.store.inclusions.get(cid, [])):
        tipset = chain.store.load(key)
        child = chain.canon.child(tipset) if chain.canon.holds(tipset) else None
        if child is not None:
            for one in chain.execution_of(tipset).executed:
                if one.cid == cid:
                    return Found(cid, one.message, one.receipt, child)
    return None


def _search_back(
    chain: SimulatedChain, cid: Cid, message: Message, *, start: Tipset, limit: int, allow_replaced: bool
) -> Found | None:
    """Walks back from the start; where nothing was ever included with that sender and nonce, there is no need to."""
    sender_id = chain.state_at(start).actor_id(message.sender)
    rivals = chain.store.same_nonce.get((sender_id or 0, message.nonce), [])
    if cid not in rivals and not (rivals and allow_replaced):
        return None
    for tipset in chain.store.ancestors(start):
        if limit != NO_LIMIT and start.height - tipset.height >= limit:
            return None
        found = _executed_below(chain, cid, message, tipset, allow_replaced=allow_replaced)
        if found is not None:
            return found
    return None


def _executed_below(
    chain: SimulatedChain, cid: Cid, message: Message, tipset: Tipset, *, allow_replaced: bool
) -> Found | None:
    """The message, if a tipset's parents hold it, or another one of its nonce."""
    if tipset.height == 0:
        return None
    parent = chain.store.parent(tipset)
    if not parent.messages:
        return None
    for one in chain.execution_of(parent).executed:
        if one.cid == cid:
            return Found(cid, one.message, one.receipt, tipset)
        if one.message.sender == message.sender and one.message.nonce == message.nonce:
            return _replacement(one, cid, message, tipset, allow_replaced=allow_replaced)
    return None


def _replacement(one: Executed, cid: Cid, message: Message, tipset: Tipset, *, allow_replaced: bool) -> Found | None:
    if not allow_replaced:
        return None
    if _without_gas(one.message) == _without_gas(message):
        return Found(one.cid, one.message, one.receipt, tipset)
    raise failure(
        "message was replaced: found message with equal nonce as the one we are looking for that is NOT a valid "
        f"replacement message (F:{cid} n {message.nonce}, TS: {one.cid} n{message.nonce}): "
        "message was replaced"
    )


def _without_gas(message: Message) -> Message:
    return replace(message, gas_limit=0, gas_fee_cap_attofil=0, gas_premium_attofil=0)


def confirmed(chain: SimulatedChain, found: Found, confidence: int) -> bool:
    """Whether the head is that many epochs above the execution."""
    return chain.head.height >= found.tipset.height + confidence
