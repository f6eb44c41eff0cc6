"""Records and questions with small, round epochs. Nv17 is at 20, nv22 at 60, and R, where it is known, at 90."""

from dataclasses import replace
from typing import Any

from explorer.verdict.coverage import Coverage, Milestones, Span
from explorer.verdict.decide import Question, Verdict, decide
from explorer.verdict.records import RECORD_KINDS, AllocationRecord, ClaimRecord, DealRecord, Evidence, RecordKind
from explorer.verdict.rules import Moment

NV17, NV22, R = 20, 60, 90
PIECE = b"p" * 32
MILESTONES = Milestones(nv17_epoch=NV17, nv22_epoch=NV22)
RETIRING = Milestones(nv17_epoch=NV17, nv22_epoch=NV22, retires_at_epoch=R)

_CLAIM = ClaimRecord(
    id=1,
    client_id=100,
    provider_id=1000,
    piece=PIECE,
    size_bytes=2**35,
    term_min_epochs=10,
    term_max_epochs=40,
    term_start_epoch=30,
    sector=0,
    seen_epoch=35,
)
_DEAL = DealRecord(
    id=2,
    client_id=100,
    provider_id=1000,
    piece=PIECE,
    size_bytes=2**35,
    label=b"",
    label_known=True,
    verified=True,
    start_epoch=40,
    end_epoch=80,
    sector_start_epoch=30,
    slash_epoch=-1,
    first_seen_epoch=25,
    seen_epoch=35,
)
_ALLOCATION = AllocationRecord(
    id=3,
    client_id=100,
    provider_id=1000,
    piece=PIECE,
    size_bytes=2**35,
    term_min_epochs=10,
    term_max_epochs=40,
    expiration_epoch=50,
    first_seen_epoch=30,
    seen_epoch=35,
)


def claim(**changes: Any) -> ClaimRecord:
    """A claim with the term 30 to 70, last seen at 35."""
    return replace(_CLAIM, **changes)


def deal(**changes: Any) -> DealRecord:
    """A verified deal from 40 to 80, first seen at 25, activated at 30, last seen at 35."""
    return replace(_DEAL, **changes)


def proposal(**changes: Any) -> DealRecord:
    """The same deal, never activated."""
    return replace(_DEAL, **{"sector_start_epoch": -1, **changes})


def allocation(**changes: Any) -> AllocationRecord:
    """An allocation that expires at 50, first seen at 30, last seen at 35."""
    return replace(_ALLOCATION, **changes)


def moment(epoch: int, **changes: Any) -> Moment:
    """The asked epoch, on a network whose end is not known, claims not covered."""
    return replace(Moment(epoch=epoch, nv22_epoch=NV22), **changes)


def covering(*kinds: RecordKind, through: int = 1000) -> Coverage:
    """Coverage of the kinds (none named: all) from epoch 0 on."""
    return Coverage(
        tuple(
            Span(kind=kind, from_epoch=0, through_epoch=through, source=f"all {kind}") for kind in kinds or RECORD_KINDS
        )
    )


def ask(
    *records: ClaimRecord | DealRecord | AllocationRecord,
    at: int | None,
    coverage: Coverage | None = None,
    milestones: Milestones = MILESTONES,
    **question: Any,
) -> Verdict:
    """The verdict over some records; everything is covered unless `coverage` says less."""
    evidence = Evidence(
        claims=tuple(one for one in records if isinstance(one, ClaimRecord)),
        deals=tuple(one for one in records if isinstance(one, DealRecord)),
        allocations=tuple(one for one in records if isinstance(one, AllocationRecord)),
    )
    asked = Question(epoch=at, milestones=milestones, **question)
    return decide(evidence, covering() if coverage is None else coverage, asked)
