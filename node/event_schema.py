"""How each actor event is written: who emits it, and its entries in the order in which the actors emit them.

Sources: FIP-0083; builtin-actors actors/verifreg/src/emit.rs, actors/market/src/emit.rs, actors/miner/src/emit.rs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from node.address import Address
from node.event_types import (
    AllocationCreated,
    AllocationRemoved,
    ClaimCreated,
    ClaimRemoved,
    ClaimUpdated,
    DealActivated,
    DealCompleted,
    DealPublished,
    DealTerminated,
    Payload,
    SectorActivated,
    SectorPrecommitted,
    SectorTerminated,
    SectorUpdated,
    VerifierBalance,
)
from node.singletons import MARKET, VERIFIED_REGISTRY

FLAGS_KEY_INDEXED = 1
FLAGS_KEY_AND_VALUE_INDEXED = 3
PIECE_CID_KEY = "piece-cid"
PIECE_SIZE_KEY = "piece-size"

ValueKind = Literal["uint", "bigint", "cid", "cid_or_null"]


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of an event: its key on the wire and its attribute in our class."""

    key: str
    attribute: str
    kind: ValueKind = "uint"
    flags: int = FLAGS_KEY_AND_VALUE_INDEXED
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """How one `$type` is written: who may emit it (None: a miner), its class, its entries in order."""

    emitter: Address | None
    make: Callable[..., Payload]
    fields: tuple[Field, ...]
    has_pieces: bool = False


def _plain_field(key: str, attribute: str) -> Field:
    """An entry of which only the key is indexed."""
    return Field(key, attribute, flags=FLAGS_KEY_INDEXED)


_PARTIES = (Field("client", "client_id"), Field("provider", "provider_id"))
_SIZE_AND_TERMS = (
    Field(PIECE_CID_KEY, "piece_cid", "cid"),
    _plain_field(PIECE_SIZE_KEY, "size_bytes"),
    _plain_field("term-min", "term_min_epochs"),
    _plain_field("term-max", "term_max_epochs"),
)
_BALANCE = (
    Field("verifier", "verifier_id"),
    Field("balance", "balance_bytes", "bigint", FLAGS_KEY_INDEXED),
    Field("client", "client_id", optional=True),
)
_ALLOCATION = (
    Field("id", "allocation_id"),
    *_PARTIES,
    *_SIZE_AND_TERMS,
    _plain_field("expiration", "expiration_epoch"),
)
_CLAIM = (
    Field("id", "claim_id"),
    *_PARTIES,
    *_SIZE_AND_TERMS,
    _plain_field("term-start", "term_start_epoch"),
    Field("sector", "sector"),
)
_DEAL = (Field("id", "deal_id"), *_PARTIES)
_SECTOR = (Field("sector", "sector"),)
_SECTOR_CONTENT = (*_SECTOR, Field("unsealed-cid", "unsealed_cid", "cid_or_null"))

SCHEMAS: dict[str, Schema] = {
    VerifierBalance.event_type: Schema(VERIFIED_REGISTRY, VerifierBalance, _BALANCE),
    AllocationCreated.event_type: Schema(VERIFIED_REGISTRY, AllocationCreated, _ALLOCATION),
    AllocationRemoved.event_type: Schema(VERIFIED_REGISTRY, AllocationRemoved, _ALLOCATION),
    ClaimCreated.event_type: Schema(VERIFIED_REGISTRY, ClaimCreated, _CLAIM),
    ClaimUpdated.event_type: Schema(VERIFIED_REGISTRY, ClaimUpdated, _CLAIM),
    ClaimRemoved.event_type: Schema(VERIFIED_REGISTRY, ClaimRemoved, _CLAIM),
    DealPublished.event_type: Schema(MARKET, DealPublished, _DEAL),
    DealActivated.event_type: Schema(MARKET, DealActivated, _DEAL),
    DealTerminated.event_type: Schema(MARKET, DealTerminated, _DEAL),
    DealCompleted.event_type: Schema(MARKET, DealCompleted, _DEAL),
    SectorPrecommitted.event_type: Schema(None, SectorPrecommitted, _SECTOR),
    SectorActivated.event_type: Schema(None, SectorActivated, _SECTOR_CONTENT, has_pieces=True),
    SectorUpdated.event_type: Schema(None, SectorUpdated, _SECTOR_CONTENT, has_pieces=True),
    SectorTerminated.event_type: Schema(None, SectorTerminated, _SECTOR),
}
EVENT_TYPES: tuple[str, ...] = tuple(SCHEMAS)
"""Every `$type` that is understood."""
