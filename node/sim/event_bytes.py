"""Events as the chain stores them: what the events' root is made of, and the entries that filters look at."""

from functools import lru_cache

from node import cbor
from node.cid import Cid
from node.event_schema import FLAGS_KEY_AND_VALUE_INDEXED, FLAGS_KEY_INDEXED, PIECE_CID_KEY, PIECE_SIZE_KEY, SCHEMAS
from node.event_types import Payload, SectorContentEvent
from node.sim.traces import Emitted

CODEC_CBOR = 0x51
TYPE_KEY = "$type"


@lru_cache(maxsize=65536)
def entries_of(payload: Payload) -> tuple[tuple[int, str, bytes], ...]:
    """Flags, key and CBOR value of each entry, in the order in which the actor writes them."""
    entries = [_entry(TYPE_KEY, payload.event_type)]
    for field in SCHEMAS[payload.event_type].fields:
        value = getattr(payload, field.attribute)
        if value is None and field.optional:
            continue
        entries.append(_entry(field.key, cbor.bigint_to_bytes(value) if field.kind == "bigint" else value, field.flags))
    if isinstance(payload, SectorContentEvent):
        for piece in payload.pieces:
            entries.append(_entry(PIECE_CID_KEY, piece.piece_cid))
            entries.append(_entry(PIECE_SIZE_KEY, piece.size_bytes, FLAGS_KEY_INDEXED))
    return tuple(entries)


def _entry(
    key: str, value: str | int | bytes | Cid | None, flags: int = FLAGS_KEY_AND_VALUE_INDEXED
) -> tuple[int, str, bytes]:
    return flags, key, cbor.encode(value)


def stamped_event(event: Emitted) -> list[object]:
    """An event as the list of a message's events has it."""
    entries = [[flags, key, CODEC_CBOR, value] for flags, key, value in entries_of(event.payload)]
    return [event.emitter_id, entries]
