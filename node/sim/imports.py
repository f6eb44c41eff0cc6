"""Tables of imported records: what a chain starts from that is a fork of a real network.

A row is the record's integers, and the bytes that have no fixed size behind them:

    claim, allocation   integers | piece commitment, or the whole CID
    deal                integers | flags, lengths | label | amounts | piece commitment or the whole CID
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
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
_DEAL = struct.Struct("<9qBH3B")
_COMMITMENT_BYTES = 32
_VERIFIED, _LABEL_KNOWN = 1, 2
_DEAL_PROVIDER_AT = 8
_MAX_SECTOR = 2**63 - 1
_MAX_AMOUNT = 2 * 10**27
"""All attoFIL that there are."""
_DECIMAL = re.compile(r"[0-9]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DealTerms:
    """What StateMarketDeals tells of a deal that nothing but a chain needs: what it costs, and where it is."""

    sector: int = 0
    price_per_epoch_attofil: int = 0
    provider_collateral_attofil: int = 0
    client_collateral_attofil: int = 0


@dataclass(frozen=True, slots=True)
class TermedDeal:
    """A deal with its terms."""

    deal: Deal
    terms: DealTerms

    @property
    def client_id(self) -> int:
        """The client's id."""
        return self.deal.client_id

    @property
    def provider_id(self) -> int:
        """The provider's id."""
        return self.deal.provider_id


R = TypeVar("R", bound=Deal | TermedDeal | Claim | Allocation)


def parse_terms(document: Mapping[str, object]) -> DealTerms:
    """The terms in the value of StateMarketDeals' map. What is left out, or is no number of the chain's, is 0."""
    proposal, state = document.get("Proposal"), document.get("State")
    proposed = proposal if isinstance(proposal, Mapping) else {}
    stated = state if isinstance(state, Mapping) else {}
    return DealTerms(
        sector=_number(stated.get("SectorNumber"), _MAX_SECTOR),
        price_per_epoch_attofil=_number(proposed.get("StoragePricePerEpoch"), _MAX_AMOUNT),
        provider_collateral_attofil=_number(proposed.get("ProviderCollateral"), _MAX_AMOUNT),
        client_collateral_attofil=_number(proposed.get("ClientCollateral"), _MAX_AMOUNT),
    )


def _number(value: object, greatest: int) -> int:
    text = str(value) if type(value) is int or isinstance(value, str) else ""
    number = int(text) if _DECIMAL.fullmatch(text) else 0
    return number if number <= greatest else 0


def claim_table(claims: Iterable[Claim]) -> PackedTable[StoredClaim]:
    """The table of claims of an import, owned by their providers."""
    return PackedTable(map(_claim_row, claims), unpack=_read_claim, owner_at=0)


def allocation_table(allocations: Iterable[Allocation]) -> PackedTable[StoredAllocation]:
    """The table of allocations of an import, owned by their clients."""
    return PackedTable(map(_allocation_row, allocations), unpack=_read_allocation, owner_at=0)


def deal_table(deals: Iterable[Deal | TermedDeal]) -> PackedTable[StoredDeal]:
    """The table of deals of an import, owned by their providers. What an import does not know is 0."""
    return PackedTable(map(_deal_row, deals), unpack=_read_deal, owner_at=_DEAL_PROVIDER_AT)


@dataclass(slots=True)
class Parties:
    """Who is named by the records that went through."""

    clients: set[int] = field(default_factory=set)
    providers: set[int] = field(default_factory=set)
    allocated_bytes: int = 0
    locked_attofil: dict[int, int] = field(default_factory=dict)
    """What the deals lock of whose escrow."""

    def watch(self, records: Iterable[R]) -> Iterator[R]:
        """The same records, noted."""
        for record in records:
            self.clients.add(record.client_id)
            self.providers.add(record.provider_id)
            if isinstance(record, Allocation):
                self.allocated_bytes += record.size_bytes
            if isinstance(record, TermedDeal):
                self._lock(record.deal, record.terms)
            yield record

    def _lock(self, deal: Deal, terms: DealTerms) -> None:
        fee = terms.price_per_epoch_attofil * max(deal.end_epoch - deal.start_epoch, 0)
        for actor_id, amount in (
            (deal.client_id, fee + terms.client_collateral_attofil),
            (deal.provider_id, terms.provider_collateral_attofil),
        ):
            if amount:
                self.locked_attofil[actor_id] = self.locked_attofil.get(actor_id, 0) + amount


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


def _amount_bytes(amount: int) -> bytes:
    return amount.to_bytes((amount.bit_length() + 7) // 8, "big")


def _deal_row(record: Deal | TermedDeal) -> tuple[int, bytes]:
    deal, terms = (record.deal, record.terms) if isinstance(record, TermedDeal) else (record, DealTerms())
    flags = (_VERIFIED if deal.verified else 0) | (_LABEL_KNOWN if deal.label_known else 0)
    amounts = tuple(
        _amount_bytes(one)
        for one in (
            terms.price_per_epoch_attofil,
            terms.provider_collateral_attofil,
            terms.client_collateral_attofil,
        )
    )
    numbers = _DEAL.pack(
        deal.client_id,
        deal.provider_id,
        deal.size_bytes,
        deal.start_epoch,
        deal.end_epoch,
        deal.sector_start_epoch,
        deal.last_updated_epoch,
        deal.slash_epoch,
        terms.sector,
        flags,
        len(deal.label),
        *map(len, amounts),
    )
    return deal.id, numbers + deal.label + b"".join(amounts) + _data_bytes(deal.piece, deal.data_cid)


def _read_amounts(row: bytes, at: int, lengths: Iterable[int]) -> Iterator[int]:
    for length in lengths:
        yield int.from_bytes(row[at : at + length], "big")
        at += length


def _read_deal(row: bytes) -> StoredDeal:
    client_id, provider_id, size_bytes, start, end, *rest = _DEAL.unpack_from(row)
    sector_start, updated, slashed, sector, flags, label_bytes, *lengths = rest
    label_end = _DEAL.size + label_bytes
    price, for_provider, for_client = _read_amounts(row, label_end, lengths)
    proposal = DealProposal(
        piece_cid=_data_cid(row[label_end + sum(lengths) :]),
        size_bytes=size_bytes,
        verified=bool(flags & _VERIFIED),
        client=actor_address(client_id),
        provider=actor_address(provider_id),
        label=_label(row[_DEAL.size : label_end]),
        start_epoch=start,
        end_epoch=end,
        price_per_epoch_attofil=price,
        provider_collateral_attofil=for_provider,
        client_collateral_attofil=for_client,
    )
    return StoredDeal(proposal, bool(flags & _LABEL_KNOWN), sector, sector_start, updated, slashed)


def _label(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
