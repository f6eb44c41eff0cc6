"""What the index knows of one claim, deal or allocation: the chain's own fields, and from when to when they were seen.

All epochs are heights; "event epochs" are already the first epoch whose parent state shows the effect (height + 1).

    first_seen_epoch          seen_epoch             gone_epoch
          |----- in the state -----|------ not known ----|------ not in the state
"""

from dataclasses import dataclass
from typing import Literal

RecordKind = Literal["claims", "deals", "allocations"]
RECORD_KINDS: tuple[RecordKind, ...] = ("claims", "deals", "allocations")

NEVER = -1
"""How the chain writes "has not happened" in SectorStartEpoch and SlashEpoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every kind of record has. Ids are actor ids, sizes padded bytes.

    `piece` is the 32-byte commitment, or None where the chain holds another CID there, whose bytes are in `data_cid`.
    """

    id: int
    client_id: int
    provider_id: int
    piece: bytes | None
    size_bytes: int
    seen_epoch: int
    gone_epoch: int | None = None
    data_cid: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRecord(Record):
    """A claim: DataCap was spent on this piece (verifreg `Claim`)."""

    term_min_epochs: int
    term_max_epochs: int
    term_start_epoch: int
    sector: int
    removed_epoch: int | None = None
    sector_terminated_epoch: int | None = None

    @property
    def expires_epoch(self) -> int:
        """The first epoch at which the claim has run out."""
        return self.term_start_epoch + self.term_max_epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRecord(Record):
    """A deal of the storage market actor (market `DealProposal` and `DealState`)."""

    label: bytes
    label_known: bool
    verified: bool
    start_epoch: int
    end_epoch: int
    sector_start_epoch: int
    slash_epoch: int
    first_seen_epoch: int
    terminated_epoch: int | None = None

    @property
    def activated(self) -> bool:
        """Whether its sector was ever proved."""
        return self.sector_start_epoch != NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRecord(Record):
    """DataCap set aside for a piece at a provider, not yet claimed (verifreg `Allocation`)."""

    term_min_epochs: int
    term_max_epochs: int
    expiration_epoch: int
    first_seen_epoch: int
    claimed_epoch: int | None = None
    removed_epoch: int | None = None


@dataclass(frozen=True, slots=True)
class PieceSource:
    """A piece (commitment) that holds a payload, who says so, and the codec that a map gave the payload's CID."""

    piece: bytes
    source: str
    codec: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Every record that bears on one CID, each kind ordered by id."""

    claims: tuple[ClaimRecord, ...] = ()
    deals: tuple[DealRecord, ...] = ()
    allocations: tuple[AllocationRecord, ...] = ()
