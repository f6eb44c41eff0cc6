"""What actor events change of claims and allocations. Pure: a life and an event in, the life after it out.

An event of height h shows in the state of the next tipset, so it speaks for epoch h + 1 on. Events may come in any
order and beside files of any epoch: per row the newest epoch wins, an older event only teaches more of the past.
"""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from explorer.verdict.coverage import Coverage
from explorer.verdict.records import RecordKind
from node.cid import Cid, commitment_of
from node.event_types import (
    AllocationEvent,
    AllocationRemoved,
    ClaimEvent,
    ClaimRemoved,
)
from node.registry import Allocation, Claim

Object = TypeVar("Object", Claim, Allocation)


@dataclass(frozen=True, slots=True)
class Life(Generic[Object]):
    """A claim or allocation and when it was seen; the fields are the columns of its table.

    `former_terms`: terms that events of this batch replaced, as (until_epoch, term_max_epochs).
    """

    object: Object
    first_seen_epoch: int
    seen_epoch: int
    gone_epoch: int | None = None
    removed_epoch: int | None = None
    former_terms: tuple[tuple[int, int], ...] = ()

    def standing_epoch(self, covered_through: int | None) -> int:
        """The newest epoch that vouches for the present content: an open row was in every complete file since."""
        if self.gone_epoch is not None or self.removed_epoch is not None or covered_through is None:
            return self.seen_epoch
        return max(self.seen_epoch, covered_through)


def claim_after(life: Life[Claim] | None, event: ClaimEvent, height: int, coverage: Coverage) -> Life[Claim]:
    """The claim's life after one of its events."""
    claim = _claim_of(event)
    if isinstance(event, ClaimRemoved):
        return _removed(life, claim, height, coverage.last("claims"))
    if life is None:
        return _born(claim, height + 1, coverage, "claims")
    if height + 1 >= life.standing_epoch(coverage.last("claims")):
        return _with_newer_terms(life, claim, height + 1)
    return _with_older_terms(life, claim, height + 1)


def allocation_after(
    life: Life[Allocation] | None, event: AllocationEvent, height: int, coverage: Coverage
) -> Life[Allocation]:
    """The allocation's life after one of its events. That it was claimed is told by its claim."""
    allocation = _allocation_of(event)
    if isinstance(event, AllocationRemoved):
        return _removed(life, allocation, height, coverage.last("allocations"))
    if life is None:
        return _born(allocation, height + 1, coverage, "allocations")
    return replace(life, first_seen_epoch=min(life.first_seen_epoch, height + 1))


def _born(thing: Object, epoch: int, coverage: Coverage, kind: RecordKind) -> Life[Object]:
    """A row that no source had: the complete files after it lack it."""
    return Life(thing, epoch, epoch, gone_epoch=coverage.after(kind, epoch))


def _removed(life: Life[Object] | None, thing: Object, height: int, covered_through: int | None) -> Life[Object]:
    """Removed by the tipset at `height`, unless a later source still has it."""
    if life is None:
        return Life(thing, height, height, removed_epoch=height + 1)
    if life.standing_epoch(covered_through) > height:
        return life
    return replace(life, seen_epoch=max(life.seen_epoch, height), gone_epoch=None, removed_epoch=height + 1)


def _with_newer_terms(life: Life[Claim], claim: Claim, epoch: int) -> Life[Claim]:
    if claim == life.object:
        return replace(life, first_seen_epoch=min(life.first_seen_epoch, epoch))
    former = (epoch, life.object.term_max_epochs)
    gone_epoch = life.gone_epoch if life.gone_epoch is not None and life.gone_epoch > epoch else None
    terms = (*life.former_terms, former)
    return replace(life, object=claim, seen_epoch=epoch, gone_epoch=gone_epoch, former_terms=terms)


def _with_older_terms(life: Life[Claim], claim: Claim, epoch: int) -> Life[Claim]:
    life = replace(life, first_seen_epoch=min(life.first_seen_epoch, epoch))
    if claim.term_max_epochs == life.object.term_max_epochs or epoch >= life.seen_epoch:
        return life
    return replace(life, former_terms=(*life.former_terms, (life.seen_epoch, claim.term_max_epochs)))


def _claim_of(event: ClaimEvent) -> Claim:
    piece, data_cid = _data_of(event.piece_cid)
    return Claim(
        id=event.claim_id,
        client_id=event.client_id,
        provider_id=event.provider_id,
        piece=piece,
        data_cid=data_cid,
        size_bytes=event.size_bytes,
        term_min_epochs=event.term_min_epochs,
        term_max_epochs=event.term_max_epochs,
        term_start_epoch=event.term_start_epoch,
        sector=event.sector,
    )


def _allocation_of(event: AllocationEvent) -> Allocation:
    piece, data_cid = _data_of(event.piece_cid)
    return Allocation(
        id=event.allocation_id,
        client_id=event.client_id,
        provider_id=event.provider_id,
        piece=piece,
        data_cid=data_cid,
        size_bytes=event.size_bytes,
        term_min_epochs=event.term_min_epochs,
        term_max_epochs=event.term_max_epochs,
        expiration_epoch=event.expiration_epoch,
    )


def _data_of(cid: Cid) -> tuple[bytes | None, bytes | None]:
    """The piece, or the binary CID of something that is none."""
    piece = commitment_of(cid)
    return (piece, None) if piece else (None, cid.to_bytes())
