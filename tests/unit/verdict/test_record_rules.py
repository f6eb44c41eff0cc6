"""DESIGN's table of what each record says, row by row, one epoch before, at and after each boundary."""

from typing import Any

import pytest

from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord
from explorer.verdict.rules import (
    ALLOCATION_RULES,
    CLAIM_RULES,
    DEAL_RULES,
    PROPOSAL_RULES,
    Counts,
    Rule,
    allocation_standing,
    claim_standing,
    deal_standing,
)
from tests.unit.verdict.builders import NV22, PIECE, R, allocation, claim, deal, moment, proposal

Says = tuple[str, str] | None
ACTIVE, PUBLISHED, PENDING = ("active", "active"), ("published", "pending"), ("pending", "pending")
LAPSED, UNKNOWN = ("lapsed", "nothing"), ("unknown", "nothing")


def claim_says(record: ClaimRecord, epoch: int) -> Says:
    said = claim_standing(record, moment(epoch))
    return (said.status, said.counts.value) if said else None


def deal_says(record: DealRecord, epoch: int, **known: Any) -> Says:
    said = deal_standing(record, moment(epoch, **known))
    return (said.status, said.counts.value) if said else None


def allocation_says(record: AllocationRecord, epoch: int, **known: Any) -> Says:
    said = allocation_standing(record, moment(epoch, **known))
    return (said.status, said.counts.value) if said else None


@pytest.mark.parametrize(
    ("record", "boundary", "before", "after"),
    [
        pytest.param(claim(), 30, None, ACTIVE, id="says nothing before TermStart, active from it"),
        pytest.param(claim(), 70, ACTIVE, ("expired", "past"), id="expired from TermStart + TermMax"),
        pytest.param(claim(removed_epoch=60), 60, ACTIVE, ("removed", "past"), id="removed"),
        pytest.param(
            claim(sector_terminated_epoch=60), 60, ACTIVE, ("sector_terminated", "past"), id="sector terminated"
        ),
        pytest.param(claim(gone_epoch=60), 36, ACTIVE, UNKNOWN, id="not known after its last sight"),
        pytest.param(claim(gone_epoch=60), 60, UNKNOWN, ("gone", "past"), id="gone from the newer file on"),
        pytest.param(
            claim(gone_epoch=80), 70, UNKNOWN, ("expired", "past"), id="its own end is known where its sight is not"
        ),
        pytest.param(
            claim(seen_epoch=90), 70, ACTIVE, ("expired", "past"), id="still in the state after its term: expired"
        ),
        pytest.param(claim(term_max_epochs=2**63 - 1), 2**62, ACTIVE, ACTIVE, id="absurd terms are kept"),
        pytest.param(claim(term_max_epochs=0), 30, None, ("expired", "past"), id="a term of no epochs"),
    ],
)
def test_claim(record: ClaimRecord, boundary: int, before: Says, after: Says) -> None:
    said = [claim_says(record, epoch) for epoch in (boundary - 1, boundary, boundary + 1)]
    assert said == [before, after, after]


@pytest.mark.parametrize(
    ("record", "boundary", "before", "after"),
    [
        pytest.param(deal(first_seen_epoch=35), 30, None, ACTIVE, id="active from SectorStartEpoch, seen or not"),
        pytest.param(deal(), 30, PUBLISHED, ACTIVE, id="published before SectorStartEpoch"),
        pytest.param(deal(), 25, None, PUBLISHED, id="says nothing before it was seen"),
        pytest.param(deal(), 40, ACTIVE, ACTIVE, id="active also before StartEpoch"),
        pytest.param(deal(), 80, ACTIVE, ("expired", "past"), id="expired from EndEpoch"),
        pytest.param(deal(slash_epoch=50), 50, ACTIVE, ("slashed", "past"), id="slashed from SlashEpoch"),
        pytest.param(deal(terminated_epoch=50), 50, ACTIVE, ("terminated", "past"), id="terminated by its event"),
        pytest.param(deal(gone_epoch=60), 36, ACTIVE, UNKNOWN, id="not known after its last sight"),
        pytest.param(deal(gone_epoch=60), 60, UNKNOWN, ("gone", "past"), id="gone from the newer file on"),
        pytest.param(deal(gone_epoch=90), 80, UNKNOWN, ("expired", "past"), id="its own end is known"),
        pytest.param(deal(end_epoch=36_744_320), 40_000, ACTIVE, ACTIVE, id="an end in 2055 is kept"),
        pytest.param(deal(sector_start_epoch=0, first_seen_epoch=0), 1, ACTIVE, ACTIVE, id="a sector start of 0"),
        pytest.param(proposal(), 40, PUBLISHED, LAPSED, id="lapsed from StartEpoch"),
        pytest.param(proposal(gone_epoch=39), 36, PUBLISHED, UNKNOWN, id="a proposal's fate is not known"),
        pytest.param(proposal(gone_epoch=39), 39, UNKNOWN, ("gone", "past"), id="a proposal that is gone"),
        pytest.param(proposal(seen_epoch=45, gone_epoch=60), 40, PUBLISHED, LAPSED, id="missed its start"),
        pytest.param(proposal(seen_epoch=45, gone_epoch=60), 60, LAPSED, LAPSED, id="missed its start, then swept"),
        pytest.param(
            proposal(terminated_epoch=50), 50, LAPSED, ("terminated", "past"), id="only an active deal is terminated"
        ),
        pytest.param(
            deal(verified=False), 30, ("unverified", "nothing"), ("unverified", "nothing"), id="unverified, active"
        ),
        pytest.param(
            deal(verified=False, gone_epoch=50, slash_epoch=40),
            50,
            ("unverified", "nothing"),
            ("unverified", "nothing"),
            id="unverified, whatever becomes of it",
        ),
    ],
)
def test_deal(record: DealRecord, boundary: int, before: Says, after: Says) -> None:
    said = [deal_says(record, epoch) for epoch in (boundary - 1, boundary, boundary + 1)]
    assert said == [before, after, after]


@pytest.mark.parametrize(
    ("record", "boundary", "before", "after"),
    [
        pytest.param(allocation(), 30, None, PENDING, id="says nothing before it was seen"),
        pytest.param(allocation(), 50, PENDING, ("expired", "nothing"), id="expired from Expiration"),
        pytest.param(allocation(claimed_epoch=45), 45, PENDING, ("claimed", "nothing"), id="claimed from TermStart"),
        pytest.param(allocation(removed_epoch=45), 45, PENDING, ("removed", "nothing"), id="removed by its event"),
        pytest.param(allocation(gone_epoch=45), 36, PENDING, UNKNOWN, id="not known after its last sight"),
        pytest.param(allocation(gone_epoch=45), 45, UNKNOWN, ("removed", "nothing"), id="vanished without a claim"),
        pytest.param(
            allocation(gone_epoch=48, claimed_epoch=45), 45, PENDING, ("claimed", "nothing"), id="vanished with a claim"
        ),
        pytest.param(allocation(gone_epoch=60), 50, UNKNOWN, ("expired", "nothing"), id="its own end is known"),
        pytest.param(
            allocation(seen_epoch=60, claimed_epoch=55), 55, ("expired", "nothing"), ("claimed", "nothing"), id="both"
        ),
    ],
)
def test_allocation(record: AllocationRecord, boundary: int, before: Says, after: Says) -> None:
    said = [allocation_says(record, epoch) for epoch in (boundary - 1, boundary, boundary + 1)]
    assert said == [before, after, after]


@pytest.mark.parametrize(
    ("record", "before", "after"),
    [
        pytest.param(proposal(start_epoch=R + 50), PUBLISHED, ("published", "nothing"), id="published"),
        pytest.param(deal(end_epoch=R + 50), ACTIVE, ACTIVE, id="a deal activated before R stays active"),
        pytest.param(
            deal(sector_start_epoch=R, start_epoch=R + 5, end_epoch=R + 50),
            PUBLISHED,
            ("unclaimed", "nothing"),
            id="activated at R",
        ),
        pytest.param(
            deal(sector_start_epoch=R, first_seen_epoch=R + 9, end_epoch=R + 50),
            None,
            ("unclaimed", "nothing"),
            id="activated at R, seen later",
        ),
    ],
)
def test_deal_when_the_programme_ends(record: DealRecord, before: Says, after: Says) -> None:
    said = [deal_says(record, epoch, retires_at_epoch=R) for epoch in (R - 1, R, R + 1)]
    assert said == [before, after, after]


def test_a_deal_activated_when_the_programme_was_over_never_counts() -> None:
    ended = deal(sector_start_epoch=R + 1, first_seen_epoch=R, end_epoch=R + 10, slash_epoch=R + 5, gone_epoch=R + 20)
    said = {deal_says(ended, epoch, retires_at_epoch=R) for epoch in range(R + 1, R + 30)}
    assert said == {("unclaimed", "nothing")}


@pytest.mark.parametrize("gone_epoch", [None, R + 5], ids=["still returned by the node", "cleared by the upgrade"])
def test_allocation_when_the_programme_ends(gone_epoch: int | None) -> None:
    record = allocation(expiration_epoch=R + 50, seen_epoch=R - 1, gone_epoch=gone_epoch)
    said = [allocation_says(record, epoch, retires_at_epoch=R) for epoch in (R - 1, R, R + 1)]
    assert said == [PENDING, ("pending", "nothing"), ("pending", "nothing")]


@pytest.mark.parametrize(
    ("sector_start_epoch", "claims_cover", "claimed", "expected"),
    [
        pytest.param(NV22 - 1, True, [], ACTIVE, id="activated before nv22: needs no claim"),
        pytest.param(NV22, False, [], ACTIVE, id="claims don't cover N: the deal's word is taken"),
        pytest.param(NV22, True, [], ("unclaimed", "nothing"), id="activated at nv22 without a claim"),
        pytest.param(NV22, True, [(100, 1000, PIECE)], ACTIVE, id="with its claim"),
        pytest.param(NV22, True, [(101, 1000, PIECE)], ("unclaimed", "nothing"), id="another client's claim"),
        pytest.param(NV22, True, [(100, 1001, PIECE)], ("unclaimed", "nothing"), id="another provider's claim"),
        pytest.param(NV22, True, [(100, 1000, b"q" * 32)], ("unclaimed", "nothing"), id="another piece's claim"),
    ],
)
def test_a_deal_needs_its_claim_from_nv22_on(
    sector_start_epoch: int, claims_cover: bool, claimed: list[tuple[int, int, bytes]], expected: Says
) -> None:
    record = deal(sector_start_epoch=sector_start_epoch)
    assert deal_says(record, 70, claims_cover=claims_cover, claimed=frozenset(claimed)) == expected


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (deal(sector_start_epoch=NV22, end_epoch=69), "expired"),
        (deal(sector_start_epoch=NV22, slash_epoch=69), "slashed"),
        (deal(sector_start_epoch=NV22, terminated_epoch=69), "terminated"),
        (deal(sector_start_epoch=NV22, gone_epoch=69), "gone"),
    ],
)
def test_an_ended_deal_is_past_whether_or_not_a_claim_is_found(record: DealRecord, status: str) -> None:
    """Claims are removed after their term."""
    assert deal_says(record, 70, claims_cover=True) == (status, "past")


def test_every_table_ends_with_a_rule_that_always_holds() -> None:
    assert CLAIM_RULES[-1].holds(claim(), moment(0))
    assert all(rules[-1].holds(deal(), moment(0)) for rules in (DEAL_RULES, PROPOSAL_RULES))
    assert ALLOCATION_RULES[-1].holds(allocation(), moment(0))


def test_only_pending_things_are_worth_pending() -> None:
    rules: list[Rule[Any]] = [*CLAIM_RULES, *DEAL_RULES, *PROPOSAL_RULES, *ALLOCATION_RULES]
    assert {rule.status for rule in rules if rule.counts is Counts.PENDING} == {"published", "pending"}
    assert {rule.status for rule in rules if rule.counts is Counts.ACTIVE} == {"active"}
