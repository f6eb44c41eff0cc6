"""What is final: the node's word, never of the newest epochs, and not what another node disputes."""

import pytest

from explorer.follow.finality import LEAST_DEPTH_EPOCHS, settled_below
from explorer.follow.forks import key_of
from explorer.follow.witnesses import disputes_of
from explorer.index.followed import Link
from node.chain.errors import ChainError, NodeUnreachable, WrongNetwork
from node.chain.results import Finality, FinalityLevel
from node.chain.tipset import TipSet, TipSetKey
from tests.unit.follow.tipsets import chain_of


class Node:
    """A chain of tipsets at these heights that calls some of them final and safe."""

    def __init__(self, heights: list[int], *, final: int = 0, safe: int = 0, name: str = "") -> None:
        self.tipsets = chain_of(heights, [f"{name}{height}" for height in heights])
        self._levels = {"finalized": final, "safe": safe}

    @property
    def head(self) -> TipSet:
        return self.tipsets[-1]

    async def tipset_at(self, epoch: int, *, anchor: TipSetKey | None = None) -> TipSet:
        return [one for one in self.tipsets if one.epoch <= epoch][-1]

    async def identity(self) -> None:
        """It is of our chain."""

    async def finality(self, level: FinalityLevel = "finalized") -> Finality:
        return Finality(level=level, source="v2_tag", tipset=await self.tipset_at(self._levels[level]))

    def link(self, epoch: int) -> Link:
        one = [one for one in self.tipsets if one.epoch <= epoch][-1]
        return Link(one.epoch, key_of(one.key))


class Failing:
    """A node that can't be asked."""

    def __init__(self, error: ChainError) -> None:
        self._error = error

    async def tipset_at(self, _epoch: int) -> TipSet:
        raise self._error


async def test_the_nodes_word_is_taken_where_it_is_old_enough() -> None:
    node = Node(list(range(101)), final=40, safe=60)
    settled = await settled_below(node, node.head)  # type: ignore[arg-type]
    assert (settled.final, settled.safe, settled.source) == (node.link(40), node.link(60), "v2_tag")


@pytest.mark.parametrize("said", [71, 90, 100])
async def test_the_newest_epochs_are_never_final(said: int) -> None:
    node = Node(list(range(101)), final=said, safe=said)
    settled = await settled_below(node, node.head)  # type: ignore[arg-type]
    assert settled.final == settled.safe == node.link(100 - LEAST_DEPTH_EPOCHS)


async def test_of_null_rounds_the_tipset_before_is_final() -> None:
    node = Node([0, 10, 50, 90, 100], final=95)
    assert (await settled_below(node, node.head)).final == node.link(50)  # type: ignore[arg-type]


async def test_a_young_chain_has_its_genesis_final() -> None:
    node = Node(list(range(20)), final=15)
    assert (await settled_below(node, node.head)).final == node.link(0)  # type: ignore[arg-type]


async def test_a_node_with_another_tipset_disputes() -> None:
    ours, same, other = Node(list(range(50))), Node(list(range(60))), Node(list(range(60)), name="other ")
    found = await disputes_of(ours.link(30), [("same", same), ("other", other)])  # type: ignore[list-item]
    assert [(one.node, one.height, one.detail) for one in found] == [("other", 30, "it has another tipset at 30")]


async def test_a_null_round_where_another_has_a_tipset_is_a_dispute() -> None:
    [found] = await disputes_of(Node(list(range(50))).link(30), [("gap", Node([0, 20, 40]))])  # type: ignore[list-item]
    assert found.detail == "it has another tipset at 20"


@pytest.mark.parametrize("error", [NodeUnreachable("gone"), WrongNetwork("another")])
async def test_who_cant_be_asked_disputes_nothing(error: ChainError) -> None:
    assert await disputes_of(Node([0, 1]).link(1), [("ill", Failing(error))]) == []  # type: ignore[list-item]
