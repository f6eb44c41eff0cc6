"""The end of FIL+: its first epoch is found by halving, and found anew when a reorg moves it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.follow.programme import Programme, programme_at
from node.chain.errors import BeyondLookback, NotFound
from node.chain.tipset import TipSet, TipSetKey
from tests.unit.follow.tipsets import chain_of


class Node:
    """A chain of tipsets at these heights, upgraded after an epoch; asked below `floor`, it fails."""

    def __init__(self, heights: list[int], upgrade: int | None, *, floor: int = 0, error: type[Exception] = NotFound):
        self.tipsets = chain_of(heights, [f"tipset {height}" for height in heights])
        self.upgrade, self.floor, self.error = upgrade, floor, error
        self.questions = 0

    @property
    def head(self) -> TipSet:
        return self.tipsets[-1]

    async def tipset_at(self, epoch: int, *, anchor: TipSetKey | None = None) -> TipSet:
        assert anchor == self.head.key
        self.questions += 1
        if epoch < self.floor:
            raise self.error("too far back")
        return [one for one in self.tipsets if one.epoch <= epoch][-1]

    async def network_version(self, *, at: TipSetKey | None = None) -> int:
        epoch = next(one.epoch for one in self.tipsets if one.key == at)
        return 28 if self.upgrade is None or epoch <= self.upgrade else 29

    async def at(self, known: Programme) -> Programme:
        return await programme_at(self, self.head, known)  # type: ignore[arg-type]


OPEN = Programme(28, None)


@given(st.sets(st.integers(1, 300), min_size=1), st.integers(0, 300))
async def test_the_first_tipset_without_datacap_is_found(heights: set[int], upgrade: int) -> None:
    ordered = [0, *sorted(heights)]
    later = [height for height in ordered if height > upgrade]
    expected = Programme(29, later[0]) if later else OPEN
    assert await Node(ordered, upgrade).at(OPEN) == expected


async def test_a_known_end_is_not_searched_again() -> None:
    node = Node(list(range(2000)), 100)
    assert await node.at(Programme(29, 101)) == Programme(29, 101)
    assert node.questions == 2


@pytest.mark.parametrize("known", [99, 100, 102, 105])
async def test_an_end_that_a_reorg_moved_is_found_anew(known: int) -> None:
    heights = [*range(101), 103, *range(105, 120)]
    assert await Node(heights, 100).at(Programme(29, known)) == Programme(29, 103)


async def test_an_end_that_a_reorg_took_back_is_none() -> None:
    assert await Node([0, 1, 2], None).at(Programme(29, 2)) == OPEN


@pytest.mark.parametrize("error", [NotFound, BeyondLookback])
async def test_a_node_that_looks_back_too_little_leaves_the_end_unknown(error: type[Exception]) -> None:
    node = Node(list(range(200)), 20, floor=150, error=error)
    assert await node.at(OPEN) == Programme(29, None)
    assert await node.at(Programme(29, 21)) == Programme(29, 21)
