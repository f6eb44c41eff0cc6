"""Fork choice and plan: whatever two chains have in common, the plan leads from one to the other."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ForkBelowFinal
from explorer.follow.forks import is_heavier, key_of, plan_to
from explorer.index.followed import Link
from node.chain.tipset import TipSet, TipSetKey
from tests.unit.follow.tipsets import chain_of, links_of, tipset

gaps = st.lists(st.integers(1, 4), max_size=8)


def heights(start: int, steps: list[int]) -> list[int]:
    """Heights upward; a step of more than one leaves null rounds."""
    found = []
    for step in steps:
        start += step
        found.append(start)
    return found


@st.composite
def forked(draw: st.DrawFn) -> tuple[list[TipSet], list[TipSet], int]:
    """Two chains, and how many tipsets they have in common: one at least."""
    common = heights(0, draw(st.lists(st.integers(1, 4), min_size=1, max_size=6)))
    ours, theirs = heights(common[-1], draw(gaps)), heights(common[-1], draw(gaps))
    shared = [f"common {height}" for height in common]
    one = chain_of([*common, *ours], [*shared, *(f"ours {height}" for height in ours)])
    other = chain_of([*common, *theirs], [*shared, *(f"theirs {height}" for height in theirs)])
    return one, other, len(common)


@given(forked())
def test_the_plan_leads_from_one_chain_to_the_other(pair: tuple[list[TipSet], list[TipSet], int]) -> None:
    ours, theirs, common = pair
    path = theirs[common:] or [theirs[-1]]
    plan = plan_to(links_of(ours), path)
    kept = [one for one in ours if plan.revert_from is None or one.epoch < plan.revert_from]
    assert [one.key for one in (*kept, *plan.applies)] == [one.key for one in theirs]
    assert plan.base.key == key_of(ours[common - 1].key)
    assert (plan.revert_from is None) == (len(ours) == common)


def test_a_second_block_at_the_same_height_replaces_the_first() -> None:
    ours = chain_of([1, 2, 3], ["a", "b", "c"])
    grown = tipset(3, "c and d", "b")
    plan = plan_to(links_of(ours), [grown])
    assert (plan.revert_from, plan.applies) == (3, (grown,))


def test_a_head_that_went_back_takes_back_and_applies_nothing() -> None:
    ours = chain_of([1, 2, 5], ["a", "b", "c"])
    plan = plan_to(links_of(ours), [ours[1]])
    assert (plan.base.height, plan.revert_from, plan.applies) == (2, 5, ())


def test_the_same_head_is_nothing_to_do() -> None:
    ours = chain_of([1, 2], ["a", "b"])
    plan = plan_to(links_of(ours), [ours[-1]])
    assert (plan.revert_from, plan.applies) == (None, ())


def test_a_path_that_stands_on_nothing_of_ours_is_refused() -> None:
    ours = chain_of([1, 2], ["a", "b"])
    with pytest.raises(ForkBelowFinal, match=r"the node's tipset at 2 stands on none of the followed chain down to 1"):
        plan_to(links_of(ours), [tipset(2, "x", "y")])


def test_only_a_heavier_head_is_taken_from_a_mere_answer() -> None:
    head = tipset(9, "head", "parent", weight=100)
    ours = Link(9, key_of(tipset(9, "ours", "parent").key))
    assert is_heavier(head, ours, 99)
    assert not is_heavier(head, ours, 100)
    assert not is_heavier(head, ours, 101)


def test_the_same_blocks_and_one_more_are_heavier() -> None:
    """A follower that was killed between the two, or only asks, is not told of the growth: it sees a head."""
    head, other = tipset(9, "head", "parent", weight=100), tipset(9, "other", "parent")
    grown = replace(head, key=TipSetKey((*other.key.cids, *head.key.cids)))
    ours = Link(9, key_of(head.key))
    assert is_heavier(grown, ours, 100)
    assert not is_heavier(head, Link(9, key_of(grown.key)), 100)
    assert not is_heavier(grown, ours, 101)
