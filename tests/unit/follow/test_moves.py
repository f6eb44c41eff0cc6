"""How a head got to where it is: progress, growth by a block, and reorgs are told apart."""

import pytest

from explorer.index.followed import Link, Move, move_of


def link(height: int, *blocks: bytes) -> Link:
    return Link(height, blocks)


CHAIN = [link(12, b"c"), link(11, b"b"), link(9, b"a")]


@pytest.mark.parametrize(
    ("revert_from", "applied", "move"),
    [
        (None, [link(13, b"d")], Move("apply", 0)),
        (12, [link(12, b"c", b"e")], Move("grow", 1)),
        (12, [link(12, b"c", b"e"), link(13, b"f")], Move("grow", 1)),
        (12, [link(12, b"e")], Move("reorg", 1)),
        (12, [link(12, b"e", b"f")], Move("reorg", 1)),
        (12, [link(13, b"c", b"e")], Move("reorg", 1)),
        (12, [], Move("reorg", 1)),
        (11, [link(11, b"b", b"e"), link(12, b"c", b"f")], Move("reorg", 2)),
        (10, [link(10, b"b", b"e")], Move("reorg", 2)),
    ],
)
def test_a_move_is_told_by_what_was_lost(revert_from: int | None, applied: list[Link], move: Move) -> None:
    assert move_of(CHAIN, revert_from, applied) == move
