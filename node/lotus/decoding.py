"""What a node answered, as our types. GarbledAnswer, or another FilecoinError of a parser, for everything else.

Nothing is trusted: types, ranges, and that a tipset's blocks belong together. Null means "nothing" where Lotus prints
it so, and is garbled elsewhere.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from node.address import Address, parse_address
from node.chain.errors import GarbledAnswer
from node.chain.results import (
    Actor,
    ChainMessage,
    ExecutedMessage,
    InvocationResult,
    MessageLookup,
    NetworkIdentity,
    NodeVersion,
    RejectedRecord,
)
from node.chain.tipset import HeadChange, HeadChangeKind, TipSet, TipSetKey
from node.cid import Cid
from node.errors import ForeignEvent, RecordError, UnknownEventType, excerpt
from node.events import ActorEvent, parse_actor_event
from node.message import Message, SignedMessage, parse_link, parse_message, parse_signed_message
from node.receipt import parse_receipt
from node.tokens import parse_amount

T = TypeVar("T")
_INT64_MAX = 2**63 - 1
_UINT64_MAX = 2**64 - 1
_TEXT_CHARS_MAX = 1 << 16
_SURROGATE = re.compile("[\ud800-\udfff]")
_HEAD_CHANGE_KINDS: dict[object, HeadChangeKind] = {"current": "current", "apply": "apply", "revert": "revert"}


def an_object(document: object, name: str) -> Mapping[str, object]:
    """A JSON object."""
    if not isinstance(document, Mapping):
        raise GarbledAnswer(f"{name}: an object is due, not {excerpt(document)}")
    return document


def a_list(document: object, name: str, *, null_is_empty: bool = False) -> Sequence[object]:
    """A JSON array; Lotus prints an empty one as null in many places."""
    if document is None and null_is_empty:
        return ()
    if not isinstance(document, list):
        raise GarbledAnswer(f"{name}: a list is due, not {excerpt(document)}")
    return document


def integer(value: object, name: str = "the answer", *, greatest: int = _INT64_MAX) -> int:
    """An integer from 0 to `greatest`."""
    if type(value) is not int or not 0 <= value <= greatest:
        raise GarbledAnswer(f"{name}: an integer from 0 to {greatest} is due, not {excerpt(value)}")
    return value


def nonce(value: object) -> int:
    """A nonce."""
    return integer(value, "a nonce", greatest=_UINT64_MAX)


def network_version(value: object) -> int:
    """A network version; there will not be ten thousand of them."""
    return integer(value, "a network version", greatest=9999)


def text(value: object, name: str = "the answer") -> str:
    """A text of sane length, without halves of characters."""
    if not isinstance(value, str) or len(value) > _TEXT_CHARS_MAX or _SURROGATE.search(value):
        raise GarbledAnswer(f"{name}: a text is due, not {excerpt(value)}")
    return value


def address(value: object, name: str = "the answer") -> Address:
    """An address."""
    return parse_address(text(value, name))


def actor_id(value: object) -> int:
    """The id of an f0 address."""
    found = address(value).actor_id
    if found is None:
        raise GarbledAnswer(f"an f0 address is due, not {excerpt(value)}")
    return found


def actor_ids(document: object) -> tuple[int, ...]:
    """The ids of a list of f0 addresses."""
    return tuple(actor_id(each) for each in a_list(document, "miners", null_is_empty=True))


def cid(document: object) -> Cid:
    """The CID of a link."""
    return parse_link(document, "the answer")


def datacap_or_none(value: object) -> int | None:
    """Bytes of DataCap, or None for null: neither a notary nor a client. "0" is one with nothing left."""
    if value is None:
        return None
    amount = parse_amount(value)
    if amount < 0:
        raise GarbledAnswer(f"DataCap of {excerpt(amount)} bytes is negative")
    return amount


def tipset_key(document: object, name: str = "a tipset's key") -> TipSetKey:
    """A tipset's key."""
    return TipSetKey(tuple(parse_link(each, name) for each in a_list(document, name, null_is_empty=True)))


def tipset(document: object) -> TipSet:
    """A tipset; its blocks must be of one epoch and stand on the same tipset."""
    outer = an_object(document, "a tipset")
    key = tipset_key(outer.get("Cids"))
    epoch = integer(outer.get("Height"), "Height")
    blocks = [an_object(block, "a block") for block in a_list(outer.get("Blocks"), "Blocks")]
    if not key.cids or len(key.cids) != len(blocks):
        raise GarbledAnswer(f"a tipset of {len(key.cids)} CIDs and {len(blocks)} blocks")
    first = blocks[0]
    if any(block.get("Height") != epoch or block.get("Parents") != first.get("Parents") for block in blocks):
        raise GarbledAnswer(f"the blocks of the tipset at {epoch} don't belong together")
    parents = tipset_key(first.get("Parents"), "Parents")
    if not parents.cids and epoch > 0:
        raise GarbledAnswer(f"the tipset at {epoch} stands on nothing")
    return TipSet(
        key=key,
        epoch=epoch,
        parents=parents,
        timestamp=min(integer(block.get("Timestamp"), "Timestamp") for block in blocks),
        parent_weight=_amount(first, "ParentWeight"),
        parent_state_root=parse_link(first.get("ParentStateRoot"), "ParentStateRoot"),
        parent_base_fee_attofil=_amount(first, "ParentBaseFee"),
        miner_ids=tuple(actor_id(block.get("Miner")) for block in blocks),
    )


def _amount(document: Mapping[str, object], name: str) -> int:
    amount = parse_amount(document.get(name))
    if amount < 0:
        raise GarbledAnswer(f"{name} of {excerpt(amount)} is negative")
    return amount


def identity(name: object, genesis: object) -> NetworkIdentity:
    """Network name and genesis tipset."""
    first = tipset(genesis)
    if first.epoch != 0 or len(first.key.cids) != 1:
        raise GarbledAnswer(f"a genesis of {len(first.key.cids)} blocks at epoch {first.epoch}")
    return NetworkIdentity(text(name, "the network's name"), first.key.cids[0], first.timestamp)


def node_version(document: object) -> NodeVersion:
    """The answer of Version; older nodes don't say their agent."""
    outer = an_object(document, "a version")
    agent = outer.get("Agent")
    return NodeVersion(
        text(outer.get("Version"), "Version"),
        None if agent is None else text(agent, "Agent"),
        integer(outer.get("BlockDelay"), "BlockDelay"),
    )


def head_changes(document: object) -> tuple[HeadChange, ...]:
    """The value of a ChainNotify frame: reverts first, then applies, or one `current`."""
    changes = tuple(_head_change(each) for each in a_list(document, "head changes"))
    kinds = [change.kind for change in changes]
    if not changes or kinds != sorted(kinds, key=("current", "revert", "apply").index) or kinds.count("current") > 1:
        raise GarbledAnswer(f"head changes in the order {kinds[:10]}")
    return changes


def path(document: object) -> tuple[HeadChange, ...]:
    """The answer of ChainGetPath; none between a tipset and itself."""
    return tuple(_head_change(each) for each in a_list(document, "a path", null_is_empty=True))


def _head_change(document: object) -> HeadChange:
    outer = an_object(document, "a head change")
    kind = outer.get("Type")
    if not isinstance(kind, str) or kind not in _HEAD_CHANGE_KINDS:
        raise GarbledAnswer(f"a head change of type {excerpt(kind)}")
    return HeadChange(_HEAD_CHANGE_KINDS[kind], tipset(outer.get("Val")))


def actor_event(document: object) -> ActorEvent | None:
    """An event; None for one of a contract or of a type that we don't know, to be passed over."""
    try:
        return parse_actor_event(document)
    except (ForeignEvent, UnknownEventType):
        return None


def messages(document: object) -> tuple[ChainMessage, ...]:
    """The answer of ChainGetMessagesInTipset and ChainGetParentMessages."""
    return tuple(_chain_message(each) for each in a_list(document, "messages", null_is_empty=True))


def _chain_message(document: object) -> ChainMessage:
    outer = an_object(document, "a message")
    return ChainMessage(parse_link(outer.get("Cid"), "Cid"), parse_message(outer.get("Message")))


def executed_messages(included: object, receipts: object) -> tuple[ExecutedMessage, ...]:
    """The answers of ChainGetParentMessages and ChainGetParentReceipts, which go together one by one."""
    found = messages(included)
    results = [parse_receipt(each) for each in a_list(receipts, "receipts", null_is_empty=True)]
    if len(found) != len(results):
        raise GarbledAnswer(f"{len(found)} messages with {len(results)} receipts")
    return tuple(ExecutedMessage(each.cid, each.message, receipt) for each, receipt in zip(found, results, strict=True))


def message_lookup(document: object) -> MessageLookup | None:
    """The answer of StateSearchMsg; None for null."""
    if document is None:
        return None
    outer = an_object(document, "a lookup")
    return MessageLookup(
        message_cid=parse_link(outer.get("Message"), "Message"),
        receipt=parse_receipt(outer.get("Receipt")),
        tipset=_some_key(outer.get("TipSet"), "TipSet"),
        epoch=integer(outer.get("Height"), "Height"),
    )


def _some_key(document: object, name: str) -> TipSetKey:
    key = tipset_key(document, name)
    if not key.cids:
        raise GarbledAnswer(f"{name}: a tipset's key without CIDs")
    return key


def invocation(document: object) -> InvocationResult:
    """The answer of StateCall."""
    outer = an_object(document, "an invocation")
    words = outer.get("Error")
    return InvocationResult(
        receipt=parse_receipt(outer.get("MsgRct")), error="" if words is None else text(words, "Error")
    )


def signed_messages(document: object) -> tuple[SignedMessage, ...]:
    """The answer of MpoolPending. A stale CID inside of one is the sender's, not the node's."""
    pending = a_list(document, "pending messages", null_is_empty=True)
    return tuple(parse_signed_message(each, check_cid=False) for each in pending)


def priced_message(document: object, asked: Message, *, max_fee_attofil: int | None = None) -> Message:
    """The answer of GasEstimateMessageGas, which must be the message that was asked about, but for its gas."""
    found = parse_message(document)
    same = ("version", "to", "sender", "nonce", "value_attofil", "method", "params")
    changed = [name for name in same if getattr(found, name) != getattr(asked, name)]
    if changed:
        raise GarbledAnswer(f"an estimate for another message: {', '.join(changed)} differ")
    if found.gas_limit <= 0 or found.gas_fee_cap_attofil < 0 or found.gas_premium_attofil < 0:
        raise GarbledAnswer(f"an estimate of {found.gas_limit} gas at {found.gas_fee_cap_attofil} attoFIL")
    fee = found.gas_limit * found.gas_fee_cap_attofil
    if max_fee_attofil and fee > max_fee_attofil:
        raise GarbledAnswer(f"an estimate of {fee} attoFIL, more than the {max_fee_attofil} that were set")
    return found


def actor(document: object) -> Actor:
    """The answer of StateGetActor."""
    outer = an_object(document, "an actor")
    delegated = outer.get("DelegatedAddress")
    return Actor(
        code_cid=parse_link(outer.get("Code"), "Code"),
        nonce=nonce(outer.get("Nonce")),
        balance_attofil=_amount(outer, "Balance"),
        delegated_address=None if delegated is None else address(delegated, "DelegatedAddress"),
    )


Parse = Callable[[object, Mapping[str, object]], T]


def record(key: str, document: object, parse: Parse[T]) -> T | RejectedRecord:
    """A member of a map of the state; a RejectedRecord where it cannot be taken."""
    try:
        return parse(key, an_object(document, f"record {excerpt(key)}"))
    except RecordError as error:
        return RejectedRecord(key, error.reason, error.detail)


def records(document: object, parse: Parse[T]) -> tuple[T | RejectedRecord, ...]:
    """The members of a whole map; an empty one is `{}`, or null."""
    members = {} if document is None else an_object(document, "a map of records")
    return tuple(record(key, value, parse) for key, value in members.items())


def record_or_none(record_id: int, document: object, parse: Parse[T]) -> T | None:
    """One record, by its id; None for null."""
    return None if document is None else parse(record_id, an_object(document, f"record {record_id}"))
