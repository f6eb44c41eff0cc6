"""A place has one cursor, a cursor one place, and no list takes another's."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import MalformedCursor
from explorer.ground.cursors import Cursors

MARKS = ("audit ", "said:", "waiting ", "before:", "deliveries:", "claims:", "deals:", "allocations:")
PLACES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)


@given(st.sampled_from(MARKS), PLACES)
def test_a_place_comes_back_and_its_cursor_needs_no_escape_in_an_address(mark: str, place: str) -> None:
    cursor = Cursors(mark).at(place)
    assert Cursors(mark).place(cursor) == place
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.sampled_from(MARKS), st.integers(1, 2**63 - 1))
def test_a_number_comes_back(mark: str, number: int) -> None:
    assert Cursors(mark).number(Cursors(mark).at(number)) == number


@given(st.sampled_from(MARKS), st.sampled_from(MARKS), PLACES)
def test_a_list_refuses_the_cursors_of_another(one: str, other: str, place: str) -> None:
    if one != other:
        with pytest.raises(MalformedCursor):
            Cursors(one).place(Cursors(other).at(place))


@given(st.sampled_from(MARKS), st.one_of(st.text(max_size=40), st.binary(max_size=40).map(base64.urlsafe_b64encode)))
def test_whatever_else_comes_is_refused_or_is_the_cursor_of_its_place(mark: str, found: str | bytes) -> None:
    text = found.decode() if isinstance(found, bytes) else found
    with suppress(MalformedCursor):
        assert Cursors(mark).at(Cursors(mark).place(text)) == text


@pytest.mark.parametrize("padding", ["=", "==", "\n", " "])
def test_a_cursor_is_taken_only_as_it_was_given(padding: str) -> None:
    with pytest.raises(MalformedCursor):
        Cursors("said:").number(Cursors("said:").at(7) + padding)


@pytest.mark.parametrize("place", ["0", "-1", "+1", " 1", "01", "1.0", "", "٣", str(2**63), "9" * 5000])
def test_no_number_but_the_plain_one_is_taken(place: str) -> None:
    cursor = base64.urlsafe_b64encode(f"said:{place}".encode()).decode().rstrip("=")
    with pytest.raises(MalformedCursor, match="take next_cursor of an answer"):
        Cursors("said:").number(cursor)


def test_the_least_number_is_the_lists_own() -> None:
    numbered_from_0 = Cursors("claims:", least=0)
    assert numbered_from_0.number(numbered_from_0.at(0)) == 0


def test_an_endless_cursor_is_named_by_its_beginning() -> None:
    with pytest.raises(MalformedCursor) as refused:
        Cursors("said:").place("x" * 100_000)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("mark", "cursor", "place"),
    [
        ("audit ", "YXVkaXQgNw", "7"),
        ("before:", "YmVmb3JlOnJldl8w", "rev_0"),
        ("claims:", "Y2xhaW1zOjE", "1"),
    ],
)
def test_addresses_that_were_given_out_once_stay_good(mark: str, cursor: str, place: str) -> None:
    assert Cursors(mark).place(cursor) == place
