"""Filecoin.Chain…: tipsets, blocks, messages, receipts, events' lists."""

from collections.abc import Sequence

from node.cid import Cid
from node.event_types import Payload
from node.message import SignedMessage, message_document, signed_message_cid, signed_message_document
from node.receipt import receipt_document
from node.sim.blocks import Block, Tipset, TipsetKey, link
from node.sim.chain import HeadChange
from node.sim.changes import changes_between
from node.sim.errors import UnknownTipset, failure
from node.sim.event_bytes import CODEC_CBOR, entries_of
from node.sim.rpc.documents import base64_text
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import CID, EPOCH, TIPSET_KEY
from node.sim.rules import CHAIN_FINALITY

_NOT_FOUND = "ipld: could not find {}"


def head(node: Node) -> object:
    """The head."""
    return node.chain.head.document(node.prefix)


def genesis(node: Node) -> object:
    """The first tipset."""
    return node.chain.canon.genesis.document(node.prefix)


def get_tipset(node: Node, key: TipsetKey) -> object:
    """The tipset of blocks, in any order, on the chain or not."""
    if not key:
        raise failure("NewTipSet called with zero length array of blocks")
    try:
        return node.chain.store.load(key).document(node.prefix)
    except UnknownTipset as error:
        raise failure(f"get block {error}: {_NOT_FOUND.format(error)}") from error


def tipset_at(node: Node, height: int, start: Tipset) -> Tipset:
    """The tipset at a height of the chain that ends with `start`, or before a null round; RpcFault beyond it."""
    if height < 0:
        raise failure(f"height {height} is negative")
    if height > start.height:
        text = "looking for tipset with height greater than start point"
        raise failure(f"{text}, req: {height}, head: {start.height}")
    if node.chain.canon.holds(start):
        return node.chain.canon.at(height)
    return next(tipset for tipset in node.chain.store.ancestors(start) if tipset.height <= height)


def tipset_by_height(node: Node, height: int, key: TipsetKey) -> object:
    """The tipset at a height, or before it where that is a null round."""
    return tipset_at(node, height, node.tipset(key)).document(node.prefix)


def tipset_after_height(node: Node, height: int, key: TipsetKey) -> object:
    """The tipset at a height, or after it where that is a null round."""
    start = node.tipset(key)
    before = tipset_at(node, height, start)
    if before.height == height:
        return before.document(node.prefix)
    above = start
    for tipset in node.chain.store.ancestors(start):
        if tipset.height < height:
            break
        above = tipset
    return above.document(node.prefix)


def finalized(node: Node) -> object:
    """The tipset that the expected consensus holds for final: 900 epochs below the head."""
    chain_head = node.chain.head
    return tipset_at(node, chain_head.height - CHAIN_FINALITY, chain_head).document(node.prefix)


def block_at(node: Node, cid: Cid | None) -> Block:
    """A block; RpcFault where it is not stored."""
    block = None if cid is None else node.chain.store.blocks.get(cid)
    if block is None:
        raise failure(_NOT_FOUND.format(cid))
    return block


def get_block(node: Node, cid: Cid | None) -> object:
    """A block's header."""
    return block_at(node, cid).document(node.prefix)


def block_messages(node: Node, cid: Cid | None) -> object:
    """A block's messages, those with BLS signatures without them."""
    block = block_at(node, cid)
    bls, others = block.bls_messages(), block.other_messages()
    return {
        "BlsMessages": [message_document(one.message, prefix=node.prefix) for one in bls],
        "SecpkMessages": [signed_message_document(one, prefix=node.prefix) for one in others],
        "Cids": [link(signed_message_cid(one)) for one in (*bls, *others)],
    }


def _message_list(node: Node, messages: Sequence[SignedMessage]) -> object:
    return [
        {"Cid": link(signed_message_cid(one)), "Message": message_document(one.message, prefix=node.prefix)}
        for one in messages
    ] or None


def messages_in_tipset(node: Node, key: TipsetKey) -> object:
    """A tipset's messages, each once, in the order of execution; null for none."""
    return _message_list(node, node.tipset(key).messages)


def parent_messages(node: Node, cid: Cid | None) -> object:
    """The messages of a block's parents, whose receipts it links to."""
    block = block_at(node, cid)
    return _message_list(node, node.tipset(block.parents).messages) if block.height else []


def parent_receipts(node: Node, cid: Cid | None) -> object:
    """The receipts of a block's parents' messages, in the order of those."""
    block = block_at(node, cid)
    if not block.height:
        return []
    execution = node.chain.execution_of(node.tipset(block.parents))
    return [receipt_document(one.receipt) for one in execution.executed] or None


def get_message(node: Node, cid: Cid | None) -> object:
    """A message that was on the chain or in the mempool, without its signature."""
    signed = None if cid is None else node.chain.store.messages.get(cid)
    if signed is not None:
        return message_document(signed.message, prefix=node.prefix)
    if cid in node.chain.store.blocks:
        raise failure("cbor input had wrong number of fields")
    raise failure(_NOT_FOUND.format(cid))


def read_object(node: Node, cid: Cid | None) -> object:
    """The bytes of a block or message."""
    raw = None if cid is None else node.chain.store.read_object(cid)
    if raw is None:
        raise failure(f"blockstore get: {_NOT_FOUND.format(cid)}")
    return base64_text(raw)


def has_object(node: Node, cid: Cid | None) -> object:
    """Whether a block or message is stored."""
    return cid is not None and node.chain.store.read_object(cid) is not None


def event_entries(payload: Payload) -> list[dict[str, object]]:
    """An event's entries as a node prints them."""
    return [
        {"Flags": flags, "Key": key, "Codec": CODEC_CBOR, "Value": base64_text(value)}
        for flags, key, value in entries_of(payload)
    ]


def get_events(node: Node, root: Cid | None) -> object:
    """The events of a receipt's root; a node that answers about no events keeps none."""
    key = None if root is None or not node.events_enabled else node.chain.store.events.get(root)
    if key is None:
        raise failure(f"load events amt: {_NOT_FOUND.format(root)}")
    execution = node.chain.execution_of(node.chain.store.load(key))
    executed = next(one for one in execution.executed if one.receipt.events_root == root)
    return [{"Emitter": event.emitter_id, "Entries": event_entries(event.payload)} for event in executed.events]


def change_documents(node: Node, changes: Sequence[HeadChange]) -> list[dict[str, object]]:
    """Changes of the head as ChainNotify and ChainGetPath print them."""
    return [{"Type": change.kind, "Val": change.tipset.document(node.prefix)} for change in changes]


def get_path(node: Node, start: TipsetKey, end: TipsetKey) -> object:
    """The changes from one tipset to another."""
    return change_documents(node, changes_between(node.chain.store, node.tipset(start), node.tipset(end))) or None


def set_head(node: Node, key: TipsetKey) -> None:
    """Makes a stored tipset the head."""
    node.chain.set_head(node.tipset(key))


METHODS = (
    lotus("ChainHead", head),
    lotus("ChainGetGenesis", genesis),
    lotus("ChainGetTipSet", get_tipset, TIPSET_KEY),
    lotus("ChainGetTipSetByHeight", tipset_by_height, EPOCH, TIPSET_KEY),
    lotus("ChainGetTipSetAfterHeight", tipset_after_height, EPOCH, TIPSET_KEY),
    lotus("ChainGetFinalizedTipSet", finalized),
    lotus("ChainGetBlock", get_block, CID),
    lotus("ChainGetBlockMessages", block_messages, CID),
    lotus("ChainGetMessagesInTipset", messages_in_tipset, TIPSET_KEY),
    lotus("ChainGetParentMessages", parent_messages, CID),
    lotus("ChainGetParentReceipts", parent_receipts, CID),
    lotus("ChainGetMessage", get_message, CID),
    lotus("ChainReadObj", read_object, CID),
    lotus("ChainHasObj", has_object, CID),
    lotus("ChainGetEvents", get_events, CID),
    lotus("ChainGetPath", get_path, TIPSET_KEY, TIPSET_KEY),
    lotus("ChainSetHead", set_head, TIPSET_KEY, permission="admin"),
)
