"""What following covers: never an epoch whose state isn't known, and every one that is."""

from hypothesis import given
from hypothesis import strategies as st

from explorer.index.followed import Hole, followed_spans, without

heights = st.integers(0, 30)
stretches = st.tuples(heights, st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def hole(first: int, last: int) -> Hole:
    return Hole("claims", first, last, "lost")


def known_epochs(anchors: set[int], start: int, head: int, holes: list[Hole]) -> set[int]:
    """By hand: a state is known at an anchor, and one epoch after a known state where the events between are."""
    missing = {height for one in holes for height in range(one.from_height, one.through_height + 1)}
    known = set()
    for epoch in range(start, head + 1):
        told = epoch - 1 in known and epoch - 1 not in missing
        if epoch in anchors or told:
            known.add(epoch)
    return known


@given(st.sets(heights, max_size=4), heights, heights, st.lists(stretches, max_size=4))
def test_spans_hold_what_is_known(anchors: set[int], start: int, length: int, lost: list[tuple[int, int]]) -> None:
    head, holes = start + length, [hole(*pair) for pair in lost]
    spans = followed_spans("claims", {one for one in anchors if one >= start}, start=start, head=head, holes=holes)
    covered = {epoch for span in spans for epoch in range(span.from_epoch, span.through_epoch + 1)}
    known = known_epochs(anchors, start, head, holes)
    assert covered <= known
    inside_holes = {epoch for one in holes for epoch in range(one.from_height + 1, one.through_height + 1)}
    assert known - covered <= inside_holes | {head}  # a state that was read amid a hole covers its epoch by itself


def test_other_kinds_holes_are_none_of_ours() -> None:
    holes = [Hole("deals", 3, 4, "lost")]
    [span] = followed_spans("claims", [0], start=0, head=9, holes=holes)
    assert (span.from_epoch, span.through_epoch) == (0, 9)


def test_a_hole_ends_what_is_covered_with_its_first_height() -> None:
    spans = followed_spans("claims", [0, 6], start=0, head=9, holes=[hole(3, 4)])
    assert [(span.from_epoch, span.through_epoch) for span in spans] == [(0, 3), (6, 9)]


def test_holes_above_the_head_say_nothing_of_it() -> None:
    [span] = followed_spans("claims", [0], start=0, head=2, holes=[hole(5, 8)])
    assert (span.from_epoch, span.through_epoch) == (0, 2)


@given(stretches, stretches)
def test_what_is_told_is_taken_off_a_hole(lost: tuple[int, int], told: tuple[int, int]) -> None:
    left = without(hole(*lost), *told)
    assert {at for one in left for at in range(one.from_height, one.through_height + 1)} == set(
        range(lost[0], lost[1] + 1)
    ) - set(range(told[0], told[1] + 1))
    assert all(one.reason == "lost" for one in left)
