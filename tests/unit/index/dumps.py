"""Dumps as nodes print them, made of small numbers."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from node.address import Address, actor_address, parse_address
from node.cid import CODEC_DAG_PB, HASH_SHA2_256, Cid
from node.event_types import Payload, SectorEvent
from node.events import ActorEvent, event_document
from node.piece import piece_v1

Json = dict[str, Any]
GIB = 2**30
_BLOCK = "bafy2bzaced4v32oeij3l7ru547vuzgkgeh6uwyjsi7f22uwi7acahe4babr4m"


def commitment(number: int) -> bytes:
    """A commitment of one's own for each number."""
    return hashlib.sha256(f"piece {number}".encode()).digest()


def piece_cid(number: int) -> Cid:
    return piece_v1(commitment(number))


def piece_text(number: int) -> str:
    return piece_cid(number).to_text()


def payload_cid(number: int, codec: int = CODEC_DAG_PB) -> Cid:
    """A payload CID of version 1 for each number."""
    return Cid(1, codec, HASH_SHA2_256, hashlib.sha256(f"payload {number}".encode()).digest())


def claim_entry(piece: int = 1, **changes: Any) -> Json:
    """A value of StateGetAllClaims."""
    entry = {
        "Provider": 1000,
        "Client": 100,
        "Data": {"/": piece_text(piece)},
        "Size": 32 * GIB,
        "TermMin": 518400,
        "TermMax": 1555200,
        "TermStart": 5,
        "Sector": 7,
    }
    return entry | changes


def allocation_entry(piece: int = 1, **changes: Any) -> Json:
    """A value of StateGetAllAllocations."""
    entry = {
        "Client": 100,
        "Provider": 1000,
        "Data": {"/": piece_text(piece)},
        "Size": 32 * GIB,
        "TermMin": 518400,
        "TermMax": 1555200,
        "Expiration": 172900,
    }
    return entry | changes


def deal_entry(piece: int = 1, *, state: Mapping[str, Any] | None = None, **changes: Any) -> Json:
    """A value of StateMarketDeals; `changes` are the proposal's."""
    proposal = {
        "PieceCID": {"/": piece_text(piece)},
        "PieceSize": 32 * GIB,
        "VerifiedDeal": True,
        "Client": "f0100",
        "Provider": "f01000",
        "Label": payload_cid(piece).to_text(),
        "StartEpoch": 10,
        "EndEpoch": 1000,
        "StoragePricePerEpoch": "0",
        "ProviderCollateral": "11361143711469027",
        "ClientCollateral": "0",
    }
    never = {"SectorNumber": 0, "SectorStartEpoch": -1, "LastUpdatedEpoch": -1, "SlashEpoch": -1}
    return {"Proposal": proposal | changes, "State": never | dict(state or {})}


def as_map(entries: Mapping[int, Json]) -> str:
    """The dump as a plain map by id."""
    return json.dumps({str(number): entry for number, entry in entries.items()})


def as_lines(entries: Mapping[int, Json], id_field: str) -> str:
    """The dump as one record a line, the id inside."""
    return "".join(json.dumps({id_field: number, **entry}) + "\n" for number, entry in entries.items())


def as_answer(result: object) -> str:
    """The dump as a node's JSON-RPC answer."""
    return json.dumps({"jsonrpc": "2.0", "result": result, "id": 1})


def event_entry(payload: Payload, height: int, **changes: Any) -> Json:
    """An item of GetActorEventsRaw's answer."""
    event = ActorEvent(payload, _emitter_of(payload), height, (_BLOCK,), _BLOCK, reverted=False)
    return {**event_document(event), **changes}


def _emitter_of(payload: Payload) -> Address:
    if isinstance(payload, SectorEvent):
        return actor_address(1000)
    return parse_address("f05" if payload.event_type.startswith("deal-") else "f06")


def chunked(text: str, size: int) -> Iterator[str]:
    """The text in chunks of `size` characters."""
    return (text[at : at + size] for at in range(0, len(text), size))
