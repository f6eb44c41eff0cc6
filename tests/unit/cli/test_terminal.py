"""Lines in a narrow terminal."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from explorer.cli.review_views import print_reviews
from explorer.cli.terminal import Terminal, in_lines

F3 = "f3" + "q" * 84
REVIEW = {
    "id": "rev_01M83GG34CD1A0AKA0GCJFWY8P",
    "sentence": "open, waits for the publisher's proof and for one approval",
    "cluster": "bacalhau-eu",
    "job_id": "j-7f3a\nrev_FORGED",
    "publisher": F3,
    "requested_bytes": str(1 << 40),
    "expires_at": "2026-11-30T12:00:00Z",
}


@given(st.text(alphabet="ab -ü漢", max_size=120), st.integers(1, 40))
def test_lines_are_broken_at_spaces_alone(text: str, width: int) -> None:
    lines = in_lines(text, width, indent="  ")
    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert cell_len(line) <= width or len(line.split()) == 1


def test_a_line_that_fits_is_left_as_it_is() -> None:
    assert in_lines('      "a": "b"  c', 60) == ['      "a": "b"  c']


@pytest.mark.parametrize("width", [60, 80])
def test_ids_stay_whole_in_a_narrow_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    print_reviews(Terminal(), {"reviews": [REVIEW], "next_cursor": None})
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    for text in (REVIEW["id"], F3):
        assert sum(text in line for line in lines) == 1
    assert all(cell_len(line) <= width for line in lines if F3 not in line)
    assert not any(line.strip().startswith("rev_FORGED") for line in lines), "what a cluster writes makes no line"


def test_what_is_no_terminal_gets_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    print_reviews(Terminal(), {"reviews": [REVIEW], "next_cursor": None})
    assert len(capsys.readouterr().out.splitlines()) == 2
