"""What actor events change of claims and allocations. Pure: a life and an event in, the life after it out.

An event of height h shows in the state of the next tipset, so it speaks for epoch h + 1 on. Events may come in any
order and beside files of any epoch: per row the newest epoch wins, an older event only teaches more of the past.
"""

from dataclasses import dataclass, fields, replace
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

    `terms`: each TermMax that an extended claim was seen with and the first epoch at which it was, the present one too;
    empty where there has been only one.
    """

    object: Object
    first_seen_epoch: int
    seen_epoch: int
    gone_epoch: int | None = None
    removed_epoch: int | None = None
    terms: tuple[tuple[int, int], ...] = ()

    def standing_epoch(self, covered_through: int | None) -> int:
        """The newest epoch that vouches for the present content: an open row was in every complete file since."""
        if self.gone_epoch is not None or self.removed_epoch is not None or covered_through is None:
            return self.seen_epoch
        return max(self.seen_epoch, covered_through)


def claim_after(life: Life[Claim] | None, event: ClaimEvent, height: int, coverage: Coverage) -> Life[Claim]:
    """The claim's life after one of its events."""
    claim = _claim_of(event)
    removed = isinstance(event, ClaimRemoved)
    epoch = height if removed else height + 1
    seen = _seen(life and _with_term(life, claim, epoch), claim, epoch, coverage, "claims")
    return _removed(seen, height, coverage.last("claims")) if removed else seen


def allocation_after(
    life: Life[Allocation] | None, event: AllocationEvent, height: int, coverage: Coverage
) -> Life[Allocation]:
    """The allocation's life after one of its events. That it was claimed is told by its claim."""
    removed = isinstance(event, AllocationRemoved)
    epoch = height if removed else height + 1
    seen = _seen(life, _allocation_of(event), epoch, coverage, "allocations")
    return _removed(seen, height, coverage.last("allocations")) if removed else seen


def _seen(life: Life[Object] | None, thing: Object, epoch: int, coverage: Coverage, kind: RecordKind) -> Life[Object]:
    """What merge.sql makes of a partial file at `epoch` with this one record."""
    after = coverage.after(kind, epoch)
    if life is None:
        return Life(thing, epoch, epoch, gone_epoch=after)
    first_seen_epoch, seen_epoch = min(life.first_seen_epoch, epoch), max(life.seen_epoch, epoch)
    if epoch < life.standing_epoch(coverage.last(kind)):
        return replace(life, first_seen_epoch=first_seen_epoch, seen_epoch=seen_epoch)
    removed_epoch = _later(life.removed_epoch, epoch)
    return replace(
        life,
        object=thing,
        first_seen_epoch=first_seen_epoch,
        seen_epoch=seen_epoch,
        gone_epoch=_later(life.gone_epoch, epoch) or (None if removed_epoch else after),
        removed_epoch=removed_epoch,
    )


def _later(end_epoch: int | None, epoch: int) -> int | None:
    """The end, if it is after `epoch`; a record that is seen at its end or later has not ended there."""
    return end_epoch if end_epoch is not None and end_epoch > epoch else None


def _removed(life: Life[Object], height: int, covered_through: int | None) -> Life[Object]:
    """Removed by the tipset at `height`, unless a later source still has it."""
    if life.standing_epoch(covered_through) > height:
        return life
    return replace(life, gone_epoch=None, removed_epoch=height + 1)


def _with_term(life: Life[Claim], claim: Claim, epoch: int) -> Life[Claim]:
    """Notes that the claim had this TermMax at `epoch`; until it differs, every source had the present one."""
    present = life.object.term_max_epochs
    if not life.terms and claim.term_max_epochs == present:
        return life
    terms = dict(life.terms) or {present: life.first_seen_epoch}
    terms[claim.term_max_epochs] = min(epoch, terms.get(claim.term_max_epochs, epoch))
    return replace(life, terms=tuple(sorted(terms.items())))


def _claim_of(event: ClaimEvent) -> Claim:
    return _told(Claim, event.claim_id, event)


def _allocation_of(event: AllocationEvent) -> Allocation:
    return _told(Allocation, event.allocation_id, event)


def _told(make: type[Object], record_id: int, event: ClaimEvent | AllocationEvent) -> Object:
    """The record that an event tells whole; their fields have the same names, but for the id and the piece."""
    piece, data_cid = _data_of(event.piece_cid)
    names = {field.name for field in fields(make)} - {"id", "piece", "data_cid"}
    return make(id=record_id, piece=piece, data_cid=data_cid, **{name: getattr(event, name) for name in names})


def _data_of(cid: Cid) -> tuple[bytes | None, bytes | None]:
    """The piece, or the binary CID of something that is none."""
    piece = commitment_of(cid)
    return (piece, None) if piece else (None, cid.to_bytes())
