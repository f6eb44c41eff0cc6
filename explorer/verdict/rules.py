"""What one record says at one epoch: DESIGN's table of the verdict, row by row; the first rule that holds wins.

N is the asked epoch, R the first epoch at network version 29 (None: not known).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord

Record = TypeVar("Record")
Holding = tuple[int, int, bytes | None]
"""Client, provider and piece: what a deal and its claim have in common."""


class Counts(Enum):
    """What a record with a status is worth to the verdict."""

    ACTIVE = "active"
    PENDING = "pending"
    PAST = "past"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The asked epoch and what the rules must know of it."""

    epoch: int
    nv22_epoch: int
    retires_at_epoch: int | None = None
    claims_cover: bool = False
    claimed: frozenset[Holding] = field(default_factory=frozenset)

    @property
    def retired(self) -> bool:
        """Whether N is at or after R."""
        return self.retires_at_epoch is not None and self.epoch >= self.retires_at_epoch

    def reached(self, epoch: int | None) -> bool:
        """Whether something that happened at `epoch` (None: never) has happened by N."""
        return epoch is not None and self.epoch >= epoch


@dataclass(frozen=True, slots=True)
class Rule(Generic[Record]):
    """One row: the status, what it counts as, and when it holds, in words and as a test."""

    status: str
    counts: Counts
    when: str
    holds: Callable[[Record, Moment], bool]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a record says at N."""

    status: str
    counts: Counts


def _lost(record: ClaimRecord | DealRecord | AllocationRecord, moment: Moment) -> bool:
    """Whether N lies after the last sight of a record that a later complete file lacks."""
    return record.gone_epoch is not None and moment.epoch > record.seen_epoch


def _left(allocation: AllocationRecord, moment: Moment) -> bool:
    """Whether the allocation is lost at N; one that was claimed is not: it left the state when its claim started."""
    return allocation.claimed_epoch is None and _lost(allocation, moment)


def _on(deal: DealRecord, moment: Moment) -> bool:
    """Whether the deal was activated by N."""
    return deal.activated and moment.reached(deal.sector_start_epoch)


def _missed_start(deal: DealRecord, moment: Moment) -> bool:
    """Whether the deal is known to have missed its start: seen without a sector when the start was over.

    Such a deal is swept from the state, so its absence from a newer file says nothing more.
    """
    return not deal.activated and deal.seen_epoch >= deal.start_epoch and moment.reached(deal.start_epoch)


def _activated_retired(deal: DealRecord, moment: Moment) -> bool:
    """Whether the deal was activated when the programme was over, so that no DataCap was spent on it."""
    return moment.retires_at_epoch is not None and deal.sector_start_epoch >= moment.retires_at_epoch


def _unclaimed(deal: DealRecord, moment: Moment) -> bool:
    """Whether the deal needs a claim and has none: from nv22 on activation doesn't spend DataCap by itself."""
    if deal.sector_start_epoch < moment.nv22_epoch or not moment.claims_cover:
        return False
    return (deal.client_id, deal.provider_id, deal.piece) not in moment.claimed


CLAIM_RULES: tuple[Rule[ClaimRecord], ...] = (
    Rule("removed", Counts.PAST, "a claim-removed event", lambda c, n: n.reached(c.removed_epoch)),
    Rule(
        "sector_terminated", Counts.PAST, "a sector-terminated event", lambda c, n: n.reached(c.sector_terminated_epoch)
    ),
    Rule("expired", Counts.PAST, "N ≥ TermStart + TermMax", lambda c, n: n.reached(c.expires_epoch)),
    Rule("gone", Counts.PAST, "not in a newer complete file", lambda c, n: n.reached(c.gone_epoch)),
    Rule("unknown", Counts.NOTHING, "between the last file with it and the first without", _lost),
    Rule("active", Counts.ACTIVE, "TermStart ≤ N < TermStart + TermMax", lambda c, n: True),
)

PROPOSAL_RULES: tuple[Rule[DealRecord], ...] = (
    Rule("unverified", Counts.NOTHING, "not VerifiedDeal", lambda d, n: not d.verified),
    Rule("terminated", Counts.PAST, "a deal-terminated event", lambda d, n: n.reached(d.terminated_epoch)),
    Rule("lapsed", Counts.NOTHING, "seen without a sector at or after StartEpoch", _missed_start),
    Rule("gone", Counts.PAST, "not in a newer complete file", lambda d, n: n.reached(d.gone_epoch)),
    Rule("unknown", Counts.NOTHING, "between the last file with it and the first without", _lost),
    Rule("lapsed", Counts.NOTHING, "SectorStartEpoch -1, N ≥ StartEpoch", lambda d, n: n.reached(d.start_epoch)),
    Rule("published", Counts.NOTHING, "from R on", lambda d, n: n.retired),
    Rule("published", Counts.PENDING, "SectorStartEpoch -1, N < StartEpoch", lambda d, n: True),
)
"""For a deal that is not known to be activated by N. Only an activated one can be terminated."""

DEAL_RULES: tuple[Rule[DealRecord], ...] = (
    Rule("unverified", Counts.NOTHING, "not VerifiedDeal", lambda d, n: not d.verified),
    Rule("unclaimed", Counts.NOTHING, "activated at or after R", _activated_retired),
    Rule("terminated", Counts.PAST, "a deal-terminated event", lambda d, n: n.reached(d.terminated_epoch)),
    Rule("slashed", Counts.PAST, "N ≥ SlashEpoch > -1", lambda d, n: d.slash_epoch >= 0 and n.reached(d.slash_epoch)),
    Rule("expired", Counts.PAST, "N ≥ EndEpoch", lambda d, n: n.reached(d.end_epoch)),
    Rule("gone", Counts.PAST, "not in a newer complete file", lambda d, n: n.reached(d.gone_epoch)),
    Rule("unknown", Counts.NOTHING, "between the last file with it and the first without", _lost),
    Rule("unclaimed", Counts.NOTHING, "activated from nv22 on, claims cover N, none fits", _unclaimed),
    Rule("active", Counts.ACTIVE, "0 ≤ SectorStartEpoch ≤ N < EndEpoch", lambda d, n: True),
)
"""For a deal that is activated by N."""

ALLOCATION_RULES: tuple[Rule[AllocationRecord], ...] = (
    Rule("claimed", Counts.NOTHING, "its id is a claim", lambda a, n: n.reached(a.claimed_epoch)),
    Rule("removed", Counts.NOTHING, "an allocation-removed event", lambda a, n: n.reached(a.removed_epoch)),
    Rule("removed", Counts.NOTHING, "not in a newer complete file", lambda a, n: n.reached(a.gone_epoch)),
    Rule("expired", Counts.NOTHING, "N ≥ Expiration", lambda a, n: n.reached(a.expiration_epoch)),
    Rule("pending", Counts.NOTHING, "from R on, even if the node still returns it", lambda a, n: n.retired),
    Rule("unknown", Counts.NOTHING, "between the last file with it and the first without; no claim tells", _left),
    Rule("pending", Counts.PENDING, "N < Expiration", lambda a, n: True),
)


def claim_standing(claim: ClaimRecord, moment: Moment) -> Standing | None:
    """What a claim says at N; None before TermStart, when it says nothing."""
    if moment.epoch < claim.term_start_epoch:
        return None
    return _first(CLAIM_RULES, claim, moment)


def deal_standing(deal: DealRecord, moment: Moment) -> Standing | None:
    """What a deal says at N; None while it was neither seen nor activated."""
    if moment.epoch < deal.first_seen_epoch and not _on(deal, moment):
        return None
    return _first(DEAL_RULES if _on(deal, moment) else PROPOSAL_RULES, deal, moment)


def allocation_standing(allocation: AllocationRecord, moment: Moment) -> Standing | None:
    """What an allocation says at N; None before it was first seen, since it bears no first date of its own."""
    if moment.epoch < allocation.first_seen_epoch:
        return None
    return _first(ALLOCATION_RULES, allocation, moment)


def _first(rules: tuple[Rule[Record], ...], record: Record, moment: Moment) -> Standing:
    """The standing of the first rule that holds; every table ends with one that always does."""
    rule = next(rule for rule in rules if rule.holds(record, moment))
    return Standing(rule.status, rule.counts)
