"""Actor events as nodes print them (GetActorEventsRaw, SubscribeActorEventsRaw), and back.

    {"entries": [{"Flags": 3, "Key": "$type", "Codec": 81, "Value": base64 of CBOR}, …],
     "emitter": "f06", "reverted": false, "height": 4622129,
     "tipsetKey": [{"/": "bafy2bz…"}, …], "msgCid": {"/": "bafy2bz…"}}

Height and tipset are those of the tipset that included the message, not of the one that executed it.
"""

import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from node import cbor
from node.address import PROTOCOL_ID, Address, parse_address
from node.cid import Cid, parse_cid
from node.errors import AddressError, CborError, CidError, EventError, ForeignEvent, UnknownEventType, excerpt
from node.event_schema import (
    FLAGS_KEY_AND_VALUE_INDEXED,
    FLAGS_KEY_INDEXED,
    PIECE_CID_KEY,
    PIECE_SIZE_KEY,
    SCHEMAS,
    Schema,
    ValueKind,
)
from node.event_types import Payload, SectorContentEvent, SectorPiece
from node.singletons import MARKET, VERIFIED_REGISTRY

_FIRST_USER_ACTOR_ID = 100
_CODEC_CBOR = 0x51
_TYPE_KEY = "$type"
_MAX_UINT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ActorEvent:
    """One event and where it stands on the chain."""

    payload: Payload
    emitter: Address
    height: int
    tipset_key: tuple[str, ...]
    """The CIDs of the tipset's blocks, in the tipset's order."""
    msg_cid: str
    reverted: bool


def parse_actor_event(document: object) -> ActorEvent:
    """The event of one item of a node's answer.

    ForeignEvent for an EVM log and for an actor that cannot emit such an event: pass it over.
    UnknownEventType for a `$type` of ours that FIP-0083 does not list. EventError for everything
    else that is wrong. Entries may come in any order but for the pairs of piece CID and size, and
    keys that are not known are passed over, since a newer version of the actors may add some.
    """
    if not isinstance(document, Mapping):
        raise EventError(f"{excerpt(document)} is no actor event; an object with entries and emitter is due")
    entries = _parse_entries(document.get("entries"))
    emitter = _parse_emitter(document.get("emitter"))
    schema = _schema_for(entries, emitter)
    return ActorEvent(
        payload=_parse_payload(schema, entries),
        emitter=emitter,
        height=_parse_height(document.get("height")),
        tipset_key=_parse_tipset_key(document.get("tipsetKey")),
        msg_cid=_parse_link(document.get("msgCid"), "msgCid"),
        reverted=_parse_flag(document.get("reverted")),
    )


def _parse_entries(entries: object) -> list[tuple[str, object]]:
    """The entries' keys and values, the values still in base64; ForeignEvent unless all of them are CBOR."""
    if not isinstance(entries, list):
        raise EventError(f"entries of an actor event: a list is due, not {excerpt(entries)}")
    return [_parse_entry(entry) for entry in entries]


def _parse_entry(entry: object) -> tuple[str, object]:
    if not isinstance(entry, Mapping):
        raise EventError(f"entry of an actor event: an object is due, not {excerpt(entry)}")
    key, codec = entry.get("Key"), entry.get("Codec")
    if not isinstance(key, str) or type(codec) is not int:
        raise EventError(
            f"entry of an actor event: Key {excerpt(key)} and Codec {excerpt(codec)} are no text and integer"
        )
    if codec != _CODEC_CBOR:
        raise ForeignEvent(f"codec {excerpt(codec)} of entry {excerpt(key)} is not CBOR (81): another actor's event")
    return key, entry.get("Value")


def _parse_emitter(text: object) -> Address:
    if not isinstance(text, str):
        raise EventError(f"emitter of an actor event: an address is due, not {excerpt(text)}")
    try:
        return parse_address(text)
    except AddressError as error:
        raise EventError(f"emitter of an actor event: {error}") from error


def _schema_for(entries: list[tuple[str, object]], emitter: Address) -> Schema:
    """How the event is written; ForeignEvent where its emitter emits no such event."""
    emitter_id = emitter.actor_id
    if emitter.protocol != PROTOCOL_ID or emitter_id is None or not entries:
        raise ForeignEvent(f"{emitter} is no actor of ours, or its event is empty")
    ours = emitter in {MARKET, VERIFIED_REGISTRY}
    if not ours and emitter_id < _FIRST_USER_ACTOR_ID:
        raise ForeignEvent(f"{emitter} is an actor whose events say nothing about Filecoin Plus")
    event_type = _event_type(entries, emitter)
    schema = SCHEMAS.get(event_type)
    if schema is None:
        raise UnknownEventType(f"$type {excerpt(event_type)} of {emitter} is not known; known are {', '.join(SCHEMAS)}")
    if schema.emitter != (emitter if ours else None):
        raise ForeignEvent(f"{emitter} does not emit {event_type}")
    return schema


def _event_type(entries: list[tuple[str, object]], emitter: Address) -> str:
    types = [value for key, value in entries if key == _TYPE_KEY]
    if len(types) != 1:
        raise EventError(f"an event of {emitter} has {len(types)} entries $type instead of one")
    event_type = _decode_value(_TYPE_KEY, types[0])
    if not isinstance(event_type, str):
        raise EventError(f"$type of an event of {emitter}: a text is due, not {excerpt(event_type)}")
    return event_type


def _parse_payload(schema: Schema, entries: Iterable[tuple[str, object]]) -> Payload:
    """The typed event; EventError where an entry is missing, doubled or of a wrong type."""
    by_key = {field.key: field for field in schema.fields}
    found: dict[str, object] = {}
    piece_entries: list[tuple[str, object]] = []
    for key, value in entries:
        field = by_key.get(key)
        if schema.has_pieces and key in {PIECE_CID_KEY, PIECE_SIZE_KEY}:
            piece_entries.append((key, value))
        elif field is not None and field.attribute in found:
            raise EventError(f"entry {key} comes twice in one event")
        elif field is not None:
            found[field.attribute] = _parse_value(field.key, field.kind, value)
    missing = [field.key for field in schema.fields if field.attribute not in found and not field.optional]
    if missing:
        raise EventError(f"an event lacks its entries {', '.join(missing)}")
    if schema.has_pieces:
        found["pieces"] = _parse_pieces(piece_entries)
    return schema.make(**found)


def _parse_pieces(entries: list[tuple[str, object]]) -> tuple[SectorPiece, ...]:
    """The pieces of a sector: piece-cid and piece-size in turn."""
    if [key for key, _ in entries] != [PIECE_CID_KEY, PIECE_SIZE_KEY] * (len(entries) // 2):
        raise EventError("piece-cid and piece-size of a sector's event do not come in pairs")
    return tuple(
        SectorPiece(
            piece_cid=_parse_cid_value(PIECE_CID_KEY, piece_cid),
            size_bytes=_parse_uint(PIECE_SIZE_KEY, size),
        )
        for (_, piece_cid), (_, size) in zip(entries[::2], entries[1::2], strict=True)
    )


def _parse_value(key: str, kind: ValueKind, value: object) -> object:
    if kind == "uint":
        return _parse_uint(key, value)
    if kind == "bigint":
        return _parse_bigint(key, value)
    if kind == "cid_or_null" and _decode_value(key, value) is None:
        return None
    return _parse_cid_value(key, value)


def _parse_uint(key: str, value: object) -> int:
    number = _decode_value(key, value)
    if type(number) is not int or not 0 <= number <= _MAX_UINT:
        raise EventError(f"entry {key}: an integer from 0 to 2^63-1 is due, not {excerpt(number)}")
    return number


def _parse_bigint(key: str, value: object) -> int:
    raw = _decode_value(key, value)
    if not isinstance(raw, bytes):
        raise EventError(f"entry {key}: the bytes of a big integer are due, not {excerpt(raw)}")
    try:
        amount = cbor.bigint_from_bytes(raw)
    except CborError as error:
        raise EventError(f"entry {key}: {error}") from error
    if amount < 0:
        raise EventError(f"entry {key}: {excerpt(amount)} is negative")
    return amount


def _parse_cid_value(key: str, value: object) -> Cid:
    cid = _decode_value(key, value)
    if not isinstance(cid, Cid):
        raise EventError(f"entry {key}: a CID is due, not {excerpt(cid)}")
    return cid


def _decode_value(key: str, value: object) -> object:
    """The CBOR value of an entry's base64."""
    if not isinstance(value, str):
        raise EventError(f"entry {excerpt(key)}: a value in base64 is due, not {excerpt(value)}")
    try:
        return cbor.decode(binascii.a2b_base64(value, strict_mode=True))
    except ValueError as error:
        raise EventError(f"entry {excerpt(key)}: value {excerpt(value)} is no CBOR in base64: {error}") from error


def _parse_height(height: object) -> int:
    if type(height) is not int or not 0 <= height <= _MAX_UINT:
        raise EventError(f"height of an actor event: an epoch is due, not {excerpt(height)}")
    return height


def _parse_flag(reverted: object) -> bool:
    if not isinstance(reverted, bool):
        raise EventError(f"reverted of an actor event: true or false is due, not {excerpt(reverted)}")
    return reverted


def _parse_tipset_key(links: object) -> tuple[str, ...]:
    if not isinstance(links, list) or not links:
        raise EventError(f"tipsetKey of an actor event: a list of block CIDs is due, not {excerpt(links)}")
    return tuple(_parse_link(link, "tipsetKey") for link in links)


def _parse_link(link: object, name: str) -> str:
    """The canonical text of a link `{"/": "bafy2bz…"}`."""
    text = link.get("/") if isinstance(link, Mapping) else None
    if not isinstance(text, str):
        raise EventError(f'{name} of an actor event: a link {{"/": "bafy2bz…"}} is due, not {excerpt(link)}')
    try:
        return _canonical_text(text)
    except CidError as error:
        raise EventError(f"{name} of an actor event: {error}") from error


# The events of a tipset name the same blocks, and those of a message the same message.
@lru_cache(maxsize=1024)
def _canonical_text(text: str) -> str:
    return parse_cid(text).to_text()


def event_document(event: ActorEvent, *, prefix: str = "f") -> dict[str, object]:
    """The event as a node of the network with that address prefix prints it, keys in a node's order."""
    return {
        "entries": _entries_of(event.payload),
        "emitter": event.emitter.to_text(prefix),
        "reverted": event.reverted,
        "height": event.height,
        "tipsetKey": [{"/": cid} for cid in event.tipset_key],
        "msgCid": {"/": event.msg_cid},
    }


def _entries_of(payload: Payload) -> list[dict[str, object]]:
    entries = [_entry(_TYPE_KEY, payload.event_type)]
    for field in SCHEMAS[payload.event_type].fields:
        value = getattr(payload, field.attribute)
        if value is None and field.optional:
            continue
        written = cbor.bigint_to_bytes(value) if field.kind == "bigint" else value
        entries.append(_entry(field.key, written, field.flags))
    if isinstance(payload, SectorContentEvent):
        for piece in payload.pieces:
            entries.append(_entry(PIECE_CID_KEY, piece.piece_cid))
            entries.append(_entry(PIECE_SIZE_KEY, piece.size_bytes, FLAGS_KEY_INDEXED))
    return entries


def _entry(key: str, value: object, flags: int = FLAGS_KEY_AND_VALUE_INDEXED) -> dict[str, object]:
    encoded = binascii.b2a_base64(cbor.encode(value), newline=False).decode("ascii")
    return {"Flags": flags, "Key": key, "Codec": _CODEC_CBOR, "Value": encoded}
