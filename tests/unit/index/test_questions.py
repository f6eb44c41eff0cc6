"""Cursors come back as they went out, and anything else is refused."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import MalformedCursor
from explorer.index.questions import HEAD, AsOf, cursor_of, id_of_cursor
from explorer.verdict.records import RECORD_KINDS


@given(st.sampled_from(RECORD_KINDS), st.integers(0, 2**63 - 1))
def test_a_cursor_names_its_record(kind: str, last_id: int) -> None:
    cursor = cursor_of(kind, last_id)  # type: ignore[arg-type]
    assert id_of_cursor(kind, cursor) == last_id  # type: ignore[arg-type]
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_without_a_cursor_the_list_begins_before_id_0() -> None:
    assert id_of_cursor("claims", None) == -1


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!!",
        "\x00",
        "é",
        "٣" * 4,
        "a" * 5000,
        "====",
        encoded("deals:5"),
        encoded("claims"),
        encoded("claims:"),
        encoded("claims:-1"),
        encoded("claims:1.0"),
        encoded("claims:٣"),
        encoded("claims:+1"),
        encoded("claims: 1"),
        encoded(f"claims:{2**63}"),
        encoded("claims:" + "9" * 5000),
        encoded("claims:5:6"),
        encoded("claims:5") + "\n",
    ],
)
def test_a_cursor_that_was_not_made_here_is_refused(cursor: str) -> None:
    with pytest.raises(MalformedCursor, match="take next_cursor of an answer"):
        id_of_cursor("claims", cursor)


@given(st.text(max_size=40))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(MalformedCursor):
        assert 0 <= id_of_cursor("claims", text) < 2**63


def test_the_head_is_asked_where_nothing_is_named() -> None:
    assert HEAD.is_head
    assert not AsOf(epoch=0).is_head
