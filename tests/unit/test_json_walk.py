"""The walk over JSON that comes in pieces: the same steps whatever the pieces, and nothing held that is done with."""

import json
from collections.abc import Generator, Iterable, Iterator
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.json_walk import JsonWalk


def complain(position: int, what: str) -> NoReturn:
    raise ValueError(f"{position}: {what}")


def driven(steps: Generator[None, None, Any], walk: JsonWalk, pieces: Iterable[str]) -> Any:
    """The result of the steps, fed piece by piece."""
    rest: Iterator[str] = iter(pieces)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
        piece = next(rest, None)
        walk.end() if piece is None else walk.feed(piece)


def parsed(pieces: Iterable[str], *, value_chars_max: int = 10_000) -> Any:
    walk = JsonWalk(complain, value_chars_max=value_chars_max)
    return driven(walk.value(), walk, pieces)


@given(
    value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=8),
    cuts=st.lists(st.integers(1, 7), min_size=1, max_size=5),
    indent=st.sampled_from([None, 1]),
)
def test_a_value_is_the_same_in_any_pieces(value: Any, cuts: list[int], indent: int | None) -> None:
    text, pieces = "  " + json.dumps(value, indent=indent), []
    while text:
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(text[:size])
        text = text[size:]
    assert parsed(pieces) == value


def test_a_number_may_go_on_until_the_text_ends() -> None:
    assert parsed(["12", "34", ".5"]) == 1234.5


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([], "0: it is cut off"),
        (['{"a"', ":"], "0: it is cut off"),
        (["NaN"], "cut off or damaged"),
        (["[" * 100_000], "sane size"),
        (['"' + "x" * 20_000], "sane size"),
    ],
)
def test_what_is_no_value_is_complained_of_where_it_stands(pieces: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parsed(pieces)


def test_it_goes_back_over_pieces_to_what_it_held() -> None:
    walk = JsonWalk(complain, value_chars_max=1_000_000)
    start, rest = ' {"a": 1', [" " * 200_000, ', "b": 2}']

    def steps() -> Generator[None, None, Any]:
        yield from walk.peek()
        walk.hold()
        yield from walk.take("{")
        assert (yield from walk.key()) == "a"
        yield from walk.value()
        yield from walk.take(",")
        walk.go_back()
        return (yield from walk.value())

    assert driven(steps(), walk, [start, *rest]) == {"a": 1, "b": 2}


def test_what_is_held_is_bounded() -> None:
    walk = JsonWalk(complain, value_chars_max=1000)

    def steps() -> Generator[None, None, Any]:
        yield from walk.peek()
        walk.hold()
        yield from walk.take("{")
        return (yield from walk.take("}"))

    with pytest.raises(ValueError, match="sane size"):
        driven(steps(), walk, ["{", *[" " * 100] * 100])


def test_blanks_without_end_are_let_go() -> None:
    walk = JsonWalk(complain, value_chars_max=1000)
    peek = walk.peek()
    for _ in range(100):
        next(peek)
        walk.feed(" " * 50_000)
        assert walk.held < 200_000
    assert walk.fed == 5_000_000
