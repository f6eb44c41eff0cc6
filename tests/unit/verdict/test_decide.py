"""From many records to one verdict: which evidence wins, and where the index has to say that it doesn't know."""

import pytest

from explorer.verdict.coverage import Coverage, Span
from explorer.verdict.decide import FILPLUS
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord
from tests.unit.verdict.builders import (
    MILESTONES,
    NV17,
    NV22,
    RETIRING,
    R,
    allocation,
    ask,
    claim,
    covering,
    deal,
    proposal,
)

ACTIVE_CLAIM = claim()
PAST_CLAIM = claim(id=5, term_max_epochs=1)
PROPOSAL = proposal(start_epoch=70)
UNVERIFIED = deal(id=6, verified=False)


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        pytest.param([], "none", id="nothing"),
        pytest.param([UNVERIFIED], "none", id="only what counts as nothing"),
        pytest.param([PAST_CLAIM], "past", id="past"),
        pytest.param([PAST_CLAIM, UNVERIFIED], "past", id="past beside nothing"),
        pytest.param([PAST_CLAIM, PROPOSAL], "pending", id="pending beside past"),
        pytest.param([PAST_CLAIM, PROPOSAL, ACTIVE_CLAIM], "active", id="active beside both"),
        pytest.param([allocation()], "pending", id="an allocation"),
        pytest.param([deal()], "active", id="a deal"),
        pytest.param([claim(term_start_epoch=46)], "none", id="a claim that starts later"),
    ],
)
@pytest.mark.parametrize("covered", [True, False])
def test_the_strongest_evidence_decides(
    records: list[ClaimRecord | DealRecord | AllocationRecord], verdict: str, covered: bool
) -> None:
    answer = ask(*records, at=45, coverage=covering() if covered else Coverage())
    assert answer.name == (verdict if covered or verdict != "none" else "unknown")
    assert answer.complete is covered
    assert answer.filplus is FILPLUS[answer.name]


def test_the_five_answers() -> None:
    assert FILPLUS == {"active": True, "pending": False, "past": False, "none": False, "unknown": None}


@pytest.mark.parametrize(
    ("epoch", "needed"),
    [
        (NV17 - 1, {"deals"}),
        (NV17, {"deals", "claims", "allocations"}),
        (NV22, {"deals", "claims", "allocations"}),
        (R - 1, {"deals", "claims", "allocations"}),
        (R, {"deals", "claims"}),
    ],
)
def test_what_must_be_covered_for_a_piece(epoch: int, needed: set[str]) -> None:
    assert set(ask(at=epoch, coverage=Coverage(), milestones=RETIRING).missing) == needed
    for kind in ("deals", "claims", "allocations"):
        others = covering(*(other for other in ("deals", "claims", "allocations") if other != kind))
        answer = ask(at=epoch, coverage=others, milestones=RETIRING)
        assert answer.name == ("unknown" if kind in needed else "none")


def test_allocations_are_needed_where_the_end_is_not_known() -> None:
    assert ask(at=R, coverage=covering("deals", "claims"), milestones=MILESTONES).missing == ("allocations",)


@pytest.mark.parametrize(("epoch", "verdict"), [(49, "unknown"), (50, "none"), (51, "unknown")])
def test_coverage_is_exact(epoch: int, verdict: str) -> None:
    """A complete file covers its own epoch: a removal before it can't be seen in it."""
    spans = (Span(kind=k, from_epoch=50, through_epoch=50, source="file") for k in ("deals", "claims", "allocations"))
    assert ask(at=epoch, coverage=Coverage(tuple(spans))).name == verdict


def test_an_empty_index_knows_nothing() -> None:
    answer = ask(at=None, coverage=Coverage())
    assert (answer.name, answer.filplus, answer.gaps) == ("unknown", None, ("the index is empty",))


def test_a_cid_that_the_chain_cannot_answer_for_is_unknown_whatever_there_is() -> None:
    answer = ask(claim(), deal(), at=45, answerable=False)
    assert (answer.name, answer.claims, answer.deals) == ("unknown", (), ())


class TestPayload:
    """A payload CID needs labels too, and since nv22 data comes in without one."""

    def test_before_nv22_a_whole_index_may_say_none(self) -> None:
        assert ask(at=NV22 - 1, payload=True).name == "none"

    @pytest.mark.parametrize("epoch", [NV22, NV22 + 1])
    def test_from_nv22_on_it_may_not(self, epoch: int) -> None:
        answer = ask(at=epoch, payload=True)
        assert answer.name == "unknown"
        assert "network version 22" in answer.gaps[0]

    def test_labels_that_the_source_left_out_are_a_hole(self) -> None:
        answer = ask(at=NV22 - 1, payload=True, labels_known=False)
        assert answer.name == "unknown"
        assert "labels" in answer.gaps[0]

    def test_a_piece_needs_no_labels(self) -> None:
        assert ask(at=45, labels_known=False).name == "none"

    @pytest.mark.parametrize(
        ("record", "verdict"), [(claim(), "active"), (proposal(start_epoch=90), "pending"), (PAST_CLAIM, "past")]
    )
    def test_evidence_counts_beside_the_hole(self, record: ClaimRecord | DealRecord, verdict: str) -> None:
        answer = ask(record, at=NV22 + 1, payload=True)
        assert (answer.name, answer.complete) == (verdict, False)


class TestVanished:
    """Between the last file with a record and the first without, it is not known."""

    @pytest.mark.parametrize(
        "record", [claim(gone_epoch=60), deal(gone_epoch=60), allocation(gone_epoch=60, expiration_epoch=99)]
    )
    def test_in_between_the_verdict_is_unknown(self, record: ClaimRecord | DealRecord | AllocationRecord) -> None:
        answer = ask(record, at=45)
        assert answer.name == "unknown"
        assert answer.gaps == ("1 record vanished between two complete files around this epoch",)

    def test_other_evidence_still_decides(self) -> None:
        answer = ask(claim(gone_epoch=60), claim(id=8), at=45)
        assert (answer.name, answer.complete) == ("active", False)
        assert ask(claim(gone_epoch=60), PAST_CLAIM, at=45).name == "past"

    def test_afterwards_it_is_past(self) -> None:
        assert ask(claim(gone_epoch=60), at=60).name == "past"

    def test_an_allocation_that_vanished_without_a_claim_leaves_nothing(self) -> None:
        assert ask(allocation(gone_epoch=45), at=45).name == "none"

    def test_an_allocation_that_the_end_cleared_leaves_no_hole(self) -> None:
        lost = allocation(seen_epoch=R - 5, gone_epoch=R + 5, expiration_epoch=R + 50)
        assert ask(lost, at=R, milestones=RETIRING).name == "none"


class TestUnclaimed:
    """A deal activated from nv22 on, with and without its claim."""

    late = deal(sector_start_epoch=NV22, first_seen_epoch=NV22, end_epoch=200, seen_epoch=NV22)

    def test_without_a_claim_it_is_nothing_where_claims_cover(self) -> None:
        assert ask(self.late, at=70).name == "none"
        assert ask(self.late, at=70, coverage=covering("deals", "allocations")).name == "active"

    def test_its_claim_makes_both_active(self) -> None:
        answer = ask(self.late, claim(term_start_epoch=NV22), at=70)
        assert (answer.claims[0].standing.status, answer.deals[0].standing.status) == ("active", "active")

    def test_a_claim_that_starts_later_is_none_yet(self) -> None:
        answer = ask(self.late, claim(term_start_epoch=71), at=70)
        assert (answer.name, answer.deals[0].standing.status) == ("none", "unclaimed")

    def test_a_claim_of_another_provider_does_not_help(self) -> None:
        answer = ask(self.late, claim(provider_id=7, term_start_epoch=NV22), at=70)
        assert (answer.name, answer.deals[0].standing.status) == ("active", "unclaimed")


def test_records_that_count_as_nothing_are_listed_all_the_same() -> None:
    answer = ask(UNVERIFIED, allocation(expiration_epoch=40), proposal(start_epoch=44), at=45)
    assert [one.standing.status for one in answer.deals] == ["unverified", "lapsed"]
    assert [one.standing.status for one in answer.allocations] == ["expired"]


@pytest.mark.parametrize(
    "record", [claim(term_start_epoch=46), deal(first_seen_epoch=46, sector_start_epoch=46), allocation()]
)
def test_records_that_say_nothing_yet_are_not_listed(record: ClaimRecord | DealRecord | AllocationRecord) -> None:
    answer = ask(record, at=45 if record.id != 3 else 29)
    assert (answer.claims, answer.deals, answer.allocations) == ((), (), ())
