"""What the actors of Filecoin Plus tell in their events: one class for each `$type` (FIP-0083, actors v13 to v18).

Ids are actor ids (the digits of f0…), sizes are padded piece sizes, terms are lengths in epochs.
The order of the fields is the order in which the actors emit them.
"""

from dataclasses import dataclass
from typing import ClassVar

from node.cid import Cid


@dataclass(frozen=True, slots=True)
class VerifierBalance:
    """What is left of a notary's allowance. Not always a change of it."""

    event_type: ClassVar[str] = "verifier-balance"
    verifier_id: int
    balance_bytes: int
    client_id: int | None = None
    """Who was given DataCap, where AddVerifiedClient caused the event."""


@dataclass(frozen=True, slots=True)
class AllocationEvent:
    """What every event about an allocation tells."""

    event_type: ClassVar[str]
    allocation_id: int
    client_id: int
    provider_id: int
    piece_cid: Cid
    size_bytes: int
    term_min_epochs: int
    term_max_epochs: int
    expiration_epoch: int


class AllocationCreated(AllocationEvent):
    """A client set DataCap aside for a piece at a provider."""

    __slots__ = ()
    event_type: ClassVar[str] = "allocation"


class AllocationRemoved(AllocationEvent):
    """An expired allocation was removed, its DataCap given back."""

    __slots__ = ()
    event_type: ClassVar[str] = "allocation-removed"


@dataclass(frozen=True, slots=True)
class ClaimEvent:
    """What every event about a claim tells. A claim has the id of its allocation."""

    event_type: ClassVar[str]
    claim_id: int
    client_id: int
    provider_id: int
    piece_cid: Cid
    size_bytes: int
    term_min_epochs: int
    term_max_epochs: int
    term_start_epoch: int
    sector: int


class ClaimCreated(ClaimEvent):
    """A provider claimed an allocation: the DataCap is spent on the piece."""

    __slots__ = ()
    event_type: ClassVar[str] = "claim"


class ClaimUpdated(ClaimEvent):
    """A claim's term was extended; the fields are those after it."""

    __slots__ = ()
    event_type: ClassVar[str] = "claim-updated"


class ClaimRemoved(ClaimEvent):
    """A claim was removed after its term."""

    __slots__ = ()
    event_type: ClassVar[str] = "claim-removed"


@dataclass(frozen=True, slots=True)
class DealEvent:
    """What every event about a market deal tells; piece and label are only in the market's state."""

    event_type: ClassVar[str]
    deal_id: int
    client_id: int
    provider_id: int


class DealPublished(DealEvent):
    """A proposal was taken into the market's state."""

    __slots__ = ()
    event_type: ClassVar[str] = "deal-published"


class DealActivated(DealEvent):
    """A deal's sector was proven."""

    __slots__ = ()
    event_type: ClassVar[str] = "deal-activated"


class DealTerminated(DealEvent):
    """A deal ended before its time."""

    __slots__ = ()
    event_type: ClassVar[str] = "deal-terminated"


class DealCompleted(DealEvent):
    """A deal ended at its time and was settled."""

    __slots__ = ()
    event_type: ClassVar[str] = "deal-completed"


@dataclass(frozen=True, slots=True)
class SectorPiece:
    """One piece in a sector."""

    piece_cid: Cid
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SectorEvent:
    """What every event about a sector tells; the provider is the emitter."""

    event_type: ClassVar[str]
    sector: int


class SectorPrecommitted(SectorEvent):
    """A provider announced a sector."""

    __slots__ = ()
    event_type: ClassVar[str] = "sector-precommitted"


class SectorTerminated(SectorEvent):
    """A provider gave up a sector, or lost it."""

    __slots__ = ()
    event_type: ClassVar[str] = "sector-terminated"


@dataclass(frozen=True, slots=True)
class SectorContentEvent(SectorEvent):
    """What the events tell that say what is in a sector."""

    unsealed_cid: Cid | None
    """None for a sector without data."""
    pieces: tuple[SectorPiece, ...]


class SectorActivated(SectorContentEvent):
    """A sector was proven."""

    __slots__ = ()
    event_type: ClassVar[str] = "sector-activated"


class SectorUpdated(SectorContentEvent):
    """Data was put into an empty sector."""

    __slots__ = ()
    event_type: ClassVar[str] = "sector-updated"


Payload = VerifierBalance | AllocationEvent | ClaimEvent | DealEvent | SectorEvent
