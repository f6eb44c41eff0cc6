"""Tables of imported records: what a chain starts from that is a fork of a real network.

A row is the record's integers, and the bytes that have no fixed size behind them:

    claim, allocation   integers | piece commitment, or the whole CID
    deal                integers | flags | label | piece commitment or the whole CID
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from node.actors.market import DealProposal
from node.actors.verifreg import StoredClaim
from node.address import actor_address
from node.cid import CODEC_COMMITMENT_UNSEALED, HASH_PIECE_V1, Cid, cid_from_bytes
from node.market import Deal
from node.registry import Allocation, Claim
from node.sim.state import StoredAllocation, StoredDeal
from node.sim.tables import PackedTable

_CLAIM = struct.Struct("<7q")
_ALLOCATION = struct.Struct("<6q")
_DEAL = struct.Struct("<8qBH")
_COMMITMENT_BYTES = 32
_VERIFIED, _LABEL_KNOWN = 1, 2
_DEAL_PROVIDER_AT = 8

R = TypeVar("R", Deal, Claim, Allocation)


def claim_table(claims: Iterable[Claim]) -> PackedTable[StoredClaim]:
    """The table of claims of an import, owned by their providers."""
    return PackedTable(map(_claim_row, claims), unpack=_read_claim, owner_at=0)


def allocation_table(allocations: Iterable[Allocation]) -> PackedTable[StoredAllocation]:
    """The table of allocations of an import, owned by their clients."""
    return PackedTable(map(_allocation_row, allocations), unpack=_read_allocation, owner_at=0)


def deal_table(deals: Iterable[Deal]) -> PackedTable[StoredDeal]:
    """The table of deals of an import, owned by their providers. What an import does not know is 0."""
    return PackedTable(map(_deal_row, deals), unpack=_read_deal, owner_at=_DEAL_PROVIDER_AT)


@dataclass(slots=True)
class Parties:
    """Who is named by the records that went through."""

    clients: set[int] = field(default_factory=set)
    providers: set[int] = field(default_factory=set)
    allocated_bytes: int = 0

    def watch(self, records: Iterable[R]) -> Iterator[R]:
        """The same records, noted."""
        for record in records:
            self.clients.add(record.client_id)
            self.providers.add(record.provider_id)
            if isinstance(record, Allocation):
                self.allocated_bytes += record.size_bytes
            yield record


def _data_bytes(piece: bytes | None, data_cid: bytes | None) -> bytes:
    return piece or data_cid or b""


def _data_cid(raw: bytes) -> Cid:
    if len(raw) == _COMMITMENT_BYTES:
        return Cid(1, CODEC_COMMITMENT_UNSEALED, HASH_PIECE_V1, raw)
    return cid_from_bytes(raw)


def _claim_row(claim: Claim) -> tuple[int, bytes]:
    numbers = _CLAIM.pack(
        claim.provider_id,
        claim.client_id,
        claim.size_bytes,
        claim.term_min_epochs,
        claim.term_max_epochs,
        claim.term_start_epoch,
        claim.sector,
    )
    return claim.id, numbers + _data_bytes(claim.piece, claim.data_cid)


def _read_claim(row: bytes) -> StoredClaim:
    provider_id, client_id, size_bytes, term_min, term_max, start, sector = _CLAIM.unpack_from(row)
    data = _data_cid(row[_CLAIM.size :])
    return StoredClaim(provider_id, client_id, data, size_bytes, term_min, term_max, start, sector)


def _allocation_row(allocation: Allocation) -> tuple[int, bytes]:
    numbers = _ALLOCATION.pack(
        allocation.client_id,
        allocation.provider_id,
        allocation.size_bytes,
        allocation.term_min_epochs,
        allocation.term_max_epochs,
        allocation.expiration_epoch,
    )
    return allocation.id, numbers + _data_bytes(allocation.piece, allocation.data_cid)


def _read_allocation(row: bytes) -> StoredAllocation:
    client_id, provider_id, size_bytes, term_min, term_max, expiration = _ALLOCATION.unpack_from(row)
    data = _data_cid(row[_ALLOCATION.size :])
    return StoredAllocation(client_id, provider_id, data, size_bytes, term_min, term_max, expiration)


def _deal_row(deal: Deal) -> tuple[int, bytes]:
    flags = (_VERIFIED if deal.verified else 0) | (_LABEL_KNOWN if deal.label_known else 0)
    numbers = _DEAL.pack(
        deal.client_id,
        deal.provider_id,
        deal.size_bytes,
        deal.start_epoch,
        deal.end_epoch,
        deal.sector_start_epoch,
        deal.last_updated_epoch,
        deal.slash_epoch,
        flags,
        len(deal.label),
    )
    return deal.id, numbers + deal.label + _data_bytes(deal.piece, deal.data_cid)


def _read_deal(row: bytes) -> StoredDeal:
    client_id, provider_id, size_bytes, start, end, sector_start, updated, slashed, flags, length = _DEAL.unpack_from(
        row
    )
    label = row[_DEAL.size : _DEAL.size + length]
    proposal = DealProposal(
        piece_cid=_data_cid(row[_DEAL.size + length :]),
        size_bytes=size_bytes,
        verified=bool(flags & _VERIFIED),
        client=actor_address(client_id),
        provider=actor_address(provider_id),
        label=_label(label),
        start_epoch=start,
        end_epoch=end,
        price_per_epoch_attofil=0,
        provider_collateral_attofil=0,
        client_collateral_attofil=0,
    )
    return StoredDeal(proposal, bool(flags & _LABEL_KNOWN), 0, sector_start, updated, slashed)


def _label(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
