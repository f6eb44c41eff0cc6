"""From many records to one verdict."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from explorer.verdict.coverage import Coverage, Milestones, kinds_needed, missing_kinds
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord, Evidence, RecordKind
from explorer.verdict.rules import (
    Counts,
    Holding,
    Moment,
    Standing,
    allocation_standing,
    claim_standing,
    deal_standing,
)

R = TypeVar("R")
VerdictName = Literal["active", "pending", "past", "none", "unknown"]

FILPLUS: dict[VerdictName, bool | None] = {
    "active": True,
    "pending": False,
    "past": False,
    "none": False,
    "unknown": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, apart from the records: when, of which kind of CID, on which network's terms.

    `answerable` is False for a CID that the chain cannot answer for (inline, sealed, empty). `labels_known` is False
    when deals have labels that the index could not read, so that a payload's deal may hide among them.
    """

    epoch: int | None
    milestones: Milestones
    payload: bool = False
    answerable: bool = True
    labels_known: bool = True


@dataclass(frozen=True, slots=True)
class Judged(Generic[R]):
    """A record and what it says."""

    record: R
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer: the verdict, each record with its standing (ordered by id), and what could be missing."""

    name: VerdictName
    claims: tuple[Judged[ClaimRecord], ...] = ()
    deals: tuple[Judged[DealRecord], ...] = ()
    allocations: tuple[Judged[AllocationRecord], ...] = ()
    gaps: tuple[str, ...] = ()
    missing: tuple[RecordKind, ...] = ()
    tally: Counter[Counts] = field(default_factory=Counter)

    @property
    def filplus(self) -> bool | None:
        """True, False, or None for "not known"."""
        return FILPLUS[self.name]

    @property
    def complete(self) -> bool:
        """Whether nothing that could change the verdict may be missing."""
        return not self.gaps


def decide(evidence: Evidence, coverage: Coverage, question: Question) -> Verdict:
    """The verdict over `evidence` at the question's epoch; see DESIGN, "The verdict"."""
    if question.epoch is None or not question.answerable:
        return Verdict(name="unknown", gaps=("the index is empty",) if question.epoch is None else ())
    moment = _moment(evidence.claims, coverage, question.milestones, question.epoch)
    claims = tuple(Judged(r, s) for r in evidence.claims if (s := claim_standing(r, moment)))
    deals = tuple(Judged(r, s) for r in evidence.deals if (s := deal_standing(r, moment)))
    allocations = tuple(Judged(r, s) for r in evidence.allocations if (s := allocation_standing(r, moment)))
    standings = [*_standings(claims), *_standings(deals), *_standings(allocations)]
    missing = missing_kinds(kinds_needed(moment.epoch, question.milestones), coverage, moment.epoch)
    gaps = (*_kind_gaps(missing, moment.epoch), *_payload_gaps(question, moment.epoch), *_record_gaps(standings))
    tally = Counter(standing.counts for standing in standings)
    return Verdict(
        name=_name(tally, complete=not gaps),
        claims=claims,
        deals=deals,
        allocations=allocations,
        gaps=gaps,
        missing=missing,
        tally=tally,
    )


def _moment(claims: Iterable[ClaimRecord], coverage: Coverage, milestones: Milestones, epoch: int) -> Moment:
    """What the rules must know of the asked epoch."""
    return Moment(
        epoch=epoch,
        nv22_epoch=milestones.nv22_epoch,
        retires_at_epoch=milestones.retires_at_epoch,
        claims_cover=coverage.covers("claims", epoch),
        claimed=frozenset(_holding(claim) for claim in claims if claim.term_start_epoch <= epoch),
    )


def _standings(judged: Iterable[Judged[R]]) -> list[Standing]:
    return [one.standing for one in judged]


def _holding(claim: ClaimRecord) -> Holding:
    return (claim.client_id, claim.provider_id, claim.piece)


def _name(tally: Counter[Counts], *, complete: bool) -> VerdictName:
    """The strongest evidence decides; without any, only a complete index may say "none"."""
    if tally[Counts.ACTIVE]:
        return "active"
    if tally[Counts.PENDING]:
        return "pending"
    if tally[Counts.PAST]:
        return "past"
    return "none" if complete else "unknown"


def _kind_gaps(missing: Iterable[RecordKind], epoch: int) -> list[str]:
    return [f"not all {kind} of epoch {epoch} are indexed" for kind in missing]


def _payload_gaps(question: Question, epoch: int) -> list[str]:
    """Why a payload's records could be missing although every kind is covered."""
    if not question.payload:
        return []
    if epoch >= question.milestones.nv22_epoch:
        nv22 = question.milestones.nv22_epoch
        return [
            f"since network version 22 (epoch {nv22}) data is onboarded without labels, so a payload CID may be unseen"
        ]
    if not question.labels_known:
        return ["some verified deals have labels that the source of the index left out"]
    return []


def _record_gaps(standings: Iterable[Standing]) -> list[str]:
    lost = sum(standing.status == "unknown" for standing in standings)
    if not lost:
        return []
    return [f"{lost:,} record{'s' if lost != 1 else ''} vanished between two complete files around this epoch"]
