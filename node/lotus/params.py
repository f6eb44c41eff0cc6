"""What is asked, as the JSON values that a node takes."""

import binascii

from node import cbor
from node.chain.event_filter import EventFilter
from node.chain.tipset import TipSetKey
from node.cid import Cid
from node.event_schema import EVENT_TYPES
from node.message import Message, SignedMessage, message_document
from node.signature import signature_document

_CODEC_CBOR = 0x51


def link(cid: Cid | str) -> dict[str, str]:
    """A link to a CID."""
    return {"/": str(cid)}


def tipset_key(key: TipSetKey | None) -> list[dict[str, str]] | None:
    """A tipset's key; None is the head."""
    return None if key is None else [link(cid) for cid in key.cids]


def message(asked: Message, *, prefix: str) -> dict[str, object]:
    """A message, without its CID, which a node works out itself."""
    document = message_document(asked, prefix=prefix)
    del document["CID"]
    return document


def signed_message(signed: SignedMessage, *, prefix: str) -> dict[str, object]:
    """A signed message, without its CIDs."""
    return {"Message": message(signed.message, prefix=prefix), "Signature": signature_document(signed.signature)}


def event_filter(events: EventFilter, *, prefix: str) -> dict[str, object]:
    """The filter of GetActorEventsRaw and SubscribeActorEventsRaw.

    Exactly this case of names: Lotus takes any, Forest passes over what it doesn't know, and then everything matches.
    The types are always named, so that no newer ones come that we cannot read.
    """
    document: dict[str, object] = {}
    if events.from_epoch is not None:
        document["fromHeight"] = events.from_epoch
    if events.to_epoch is not None:
        document["toHeight"] = events.to_epoch
    if events.tipset is not None:
        document["tipsetKey"] = [link(cid) for cid in events.tipset]
    if events.emitters:
        document["addresses"] = [address.to_text(prefix) for address in events.emitters]
    document["fields"] = _fields(events)
    return document


def _fields(events: EventFilter) -> dict[str, object]:
    wanted: dict[str, tuple[object, ...]] = {
        "$type": events.event_types or EVENT_TYPES,
        "client": events.client_ids,
        "provider": events.provider_ids,
    }
    return {key: [_field_value(value) for value in values] for key, values in wanted.items() if values}


def _field_value(value: object) -> dict[str, object]:
    return {"codec": _CODEC_CBOR, "value": binascii.b2a_base64(cbor.encode(value), newline=False).decode("ascii")}
