from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from explorer.signatures.values import readable_bytes
from explorer.web.formats import (
    EpochClock,
    ago,
    blank_words,
    document_clock,
    plain,
    plural,
    rfc3339,
    sentence,
    shorten,
    tib,
    ticks,
    visible,
    visible_name,
)

NOW = datetime(2025, 1, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1024, "1.00 KiB"),
        (79_800, "77.92 KiB"),
        ((1 << 20) - 1, "1023.99 KiB"),
        (-1536, "-1.50 KiB"),
        (34_359_738_368, "32.00 GiB"),
        (1 << 40, "1.00 TiB"),
        (1 << 80, "1.00 YiB"),
        (1 << 95, "32768.00 YiB"),
    ],
)
def test_tib_takes_the_largest_unit_that_leaves_one(size: int, text: str) -> None:
    assert tib(size) == text


@given(st.integers(1024, 1 << 90))
def test_an_amount_reads_as_in_the_text_that_is_signed(size: int) -> None:
    said, _, unit = readable_bytes(size).removeprefix("about ").partition(" ")
    number, _, shown_unit = tib(size).partition(" ")
    assert (number.rstrip("0").rstrip("."), shown_unit) == (said, unit)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" ", "(blank: U+0020)"),
        ("\u2800\u2800", "(blank: U+2800)"),
        ("\u00a0 \u3164\u200b", "(blank: U+00A0, U+0020, U+3164 and others)"),
    ],
)
def test_a_name_that_shows_nothing_is_called_blank(text: str, shown: str) -> None:
    assert visible_name(text) == f'<span class="unseen">{shown}</span>'
    assert blank_words(text) == shown


@pytest.mark.parametrize("text", ["", "a b", " a", "<b>"])
def test_a_name_that_shows_something_stays(text: str) -> None:
    assert visible_name(text) == escape(text)
    assert blank_words(text) is None


def test_shorten_cuts_the_middle_and_only_where_it_saves() -> None:
    assert shorten("baga6ea4seaqepbqg7dxrdphrvu") == "baga6ea4se…xrdphrvu"
    assert shorten("f01234") == "f01234"


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=65), "2 months ago"),
        (timedelta(days=400), "13 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(days=-800), "in 2 years"),
        (timedelta(seconds=-20), "just now"),
    ],
)
def test_ago_says_how_far_away(away: timedelta, text: str) -> None:
    assert ago(NOW - away, NOW) == text


def test_visible_escapes_markup_and_names_unseen_characters() -> None:
    shown = str(visible("<b>\u202ex\x00\x1b\ud800"))
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown
    assert [f"U+{code}" in shown for code in ("202E", "0000", "001B", "D800")] == [True] * 4
    assert "\u202e" not in shown


def test_plain_names_unseen_characters_without_markup() -> None:
    assert plain("a\u202eb") == "a[U+202E]b"


def test_ticks_escapes_and_marks_code() -> None:
    assert str(ticks("use `a<b>` & go")) == "use <code>a&lt;b&gt;</code> &amp; go"


def test_sentence_has_a_capital_and_an_end() -> None:
    assert sentence("the end") == "The end."
    assert sentence("Why?") == "Why?"
    assert sentence("f410fabc is no notary") == "f410fabc is no notary."
    assert sentence("") == "."


def test_plural() -> None:
    assert plural(1, "claim") == "1 claim"
    assert plural(1200, "deal") == "1,200 deals"


def test_clock_counts_thirty_seconds_an_epoch_and_ends_with_the_calendar() -> None:
    clock = EpochClock(100, NOW)
    assert clock.time_of(102) == NOW + timedelta(minutes=1)
    assert clock.time_of(2**62) is None


def test_no_clock_without_an_epoch() -> None:
    assert document_clock({"epoch": None, "time": None}) is None
    made = document_clock({"epoch": 100, "time": "2025-01-15T12:00:00Z"})
    assert made is not None
    assert rfc3339(made.time) == "2025-01-15T12:00:00Z"
