"""What events make of a claim or an allocation: the same, in whatever order they come."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.index.lives import Life, allocation_after, claim_after
from explorer.verdict.coverage import Coverage, Span
from node.cid import Cid
from node.event_types import (
    AllocationCreated,
    AllocationEvent,
    AllocationRemoved,
    ClaimCreated,
    ClaimEvent,
    ClaimRemoved,
    ClaimUpdated,
)
from node.registry import Allocation, Claim
from tests.unit.index.dumps import commitment, payload_cid, piece_cid

NO_FILES = Coverage()


def claim_event(kind: type[ClaimEvent], term_max: int = 100, data: Cid | None = None) -> ClaimEvent:
    return kind(1, 100, 1000, data or piece_cid(1), 2**35, 10, term_max, 10, 7)


def allocation_event(kind: type[AllocationEvent]) -> AllocationEvent:
    return kind(1, 100, 1000, piece_cid(1), 2**35, 10, 100, 50)


def files_at(*epochs: int) -> Coverage:
    """Complete files of both kinds."""
    return Coverage(
        tuple(
            Span(kind=kind, from_epoch=epoch, through_epoch=epoch, source="file")
            for kind in ("claims", "allocations")
            for epoch in epochs
        )
    )


def lived(events: Any, coverage: Coverage = NO_FILES, life: Life[Any] | None = None) -> Life[Any]:
    """The life after all events, each with its height."""
    for event, height in events:
        if isinstance(event, ClaimEvent):
            life = claim_after(life, event, height, coverage)
        else:
            life = allocation_after(life, event, height, coverage)
    assert life is not None
    return life


CREATED, EXTENDED = claim_event(ClaimCreated), claim_event(ClaimUpdated, 200)
EXTENDED_AGAIN, REMOVED = claim_event(ClaimUpdated, 300), claim_event(ClaimRemoved, 300)
WHOLE_LIFE = [(CREATED, 10), (EXTENDED, 20), (EXTENDED_AGAIN, 30), (REMOVED, 400)]


def test_a_claim_from_its_event() -> None:
    life = lived([(CREATED, 10)])
    assert isinstance(life.object, Claim)
    assert (life.object.piece, life.object.data_cid, life.object.term_max_epochs) == (commitment(1), None, 100)
    assert (life.first_seen_epoch, life.seen_epoch, life.gone_epoch, life.removed_epoch) == (11, 11, None, None)


def test_data_that_is_no_piece_is_kept_as_a_cid() -> None:
    life = lived([(claim_event(ClaimCreated, data=payload_cid(1)), 10)])
    assert (life.object.piece, life.object.data_cid) == (None, payload_cid(1).to_bytes())


def test_a_whole_life() -> None:
    life = lived(WHOLE_LIFE)
    assert life.object.term_max_epochs == 300
    assert (life.first_seen_epoch, life.seen_epoch, life.removed_epoch) == (11, 400, 401)
    assert life.terms == ((100, 11), (200, 21), (300, 31))


def test_events_in_any_order_and_again_make_the_same_life() -> None:
    expected = lived(WHOLE_LIFE)
    for order in permutations(WHOLE_LIFE):
        assert lived(order) == expected
        assert lived([*order, order[0], order[2]]) == expected


def test_a_removal_alone_tells_that_there_was_a_claim() -> None:
    life = lived([(REMOVED, 400)])
    assert (life.first_seen_epoch, life.seen_epoch, life.removed_epoch) == (400, 400, 401)


def test_a_removal_that_a_newer_source_contradicts_is_passed_over() -> None:
    """Its tipset was reverted later: the claim is in a file that is newer than the event."""
    open_row = replace(lived([(CREATED, 10)]), seen_epoch=500)
    assert lived([(REMOVED, 400)], life=open_row).removed_epoch is None
    covered = lived([(CREATED, 10)])
    assert lived([(REMOVED, 400)], files_at(450), life=covered).removed_epoch is None
    assert lived([(REMOVED, 450)], files_at(450), life=covered).removed_epoch == 451


def test_a_removal_says_when_a_row_that_had_gone_really_ended() -> None:
    gone = replace(lived([(CREATED, 10)]), gone_epoch=500)
    assert (lived([(REMOVED, 400)], life=gone).gone_epoch, lived([(REMOVED, 400)], life=gone).removed_epoch) == (
        None,
        401,
    )


def test_a_claim_that_no_later_file_has_is_gone_from_the_first_of_them() -> None:
    assert lived([(CREATED, 10)], files_at(5, 40, 60)).gone_epoch == 40
    assert lived([(CREATED, 60)], files_at(5, 40, 60)).gone_epoch is None


def test_an_older_event_only_teaches_more_of_the_past() -> None:
    newer = replace(lived([(EXTENDED, 20)]), seen_epoch=50)
    older = lived([(CREATED, 10)], life=newer)
    assert older.object.term_max_epochs == 200
    assert (older.first_seen_epoch, older.seen_epoch) == (11, 50)
    assert older.terms == ((100, 11), (200, 21))


def test_one_term_needs_no_rows_of_its_own() -> None:
    assert lived([(CREATED, 10), (CREATED, 10)]).terms == ()


def test_an_allocation_and_its_removal_in_either_order() -> None:
    created, removed = (allocation_event(AllocationCreated), 10), (allocation_event(AllocationRemoved), 60)
    life = lived([created, removed])
    assert isinstance(life.object, Allocation)
    assert (life.first_seen_epoch, life.seen_epoch, life.removed_epoch) == (11, 60, 61)
    assert lived([removed, created]) == life


@settings(max_examples=150)
@given(
    heights=st.lists(st.integers(0, 40), min_size=3, max_size=3, unique=True).map(sorted),
    files=st.sets(st.integers(0, 45), max_size=3),
    order=st.permutations(range(4)),
    again=st.integers(0, 3),
)
def test_any_order_beside_any_files(heights: list[int], files: set[int], order: list[int], again: int) -> None:
    """Files from before the claim and after its removal lack it; those between would have brought a row."""
    story = [(CREATED, heights[0]), (EXTENDED, heights[1]), (EXTENDED_AGAIN, heights[2]), (REMOVED, heights[2] + 9)]
    coverage = files_at(*(epoch for epoch in files if epoch <= heights[0] or epoch > heights[2] + 9))
    expected = lived(story, coverage)
    assert lived([story[place] for place in order], coverage) == expected
    assert lived([*(story[place] for place in order), story[again]], coverage) == expected


@pytest.mark.parametrize("files", [(), (60,), (15,)])
def test_an_event_again_changes_nothing(files: tuple[int, ...]) -> None:
    coverage = files_at(*files)
    life = lived(WHOLE_LIFE, coverage)
    for step in WHOLE_LIFE:
        assert lived([step], coverage, life=life) == life
