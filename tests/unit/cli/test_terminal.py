"""Lines in a narrow terminal."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from explorer.cli.cid import print_verdicts
from explorer.cli.exits import Exit
from explorer.cli.review_views import log_lines, print_reviews
from explorer.cli.tables import print_table
from explorer.cli.terminal import Terminal, in_lines

F3 = "f3" + "q" * 84
REVIEW = {
    "id": "rev_01M83GG34CD1A0AKA0GCJFWY8P",
    "state": "open",
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


@pytest.mark.parametrize(
    ("log", "lines"),
    [("", []), ("a\r\nb\n", ["a", "b"]), ("fake\rline\x0c\u2028x\n", ["fake\rline\x0c\u2028x"]), ("\n\n", ["", ""])],
)
def test_a_log_has_a_line_for_each_line_feed_and_no_other(log: str, lines: list[str]) -> None:
    assert log_lines(log) == lines


@pytest.mark.parametrize(("amount", "said"), [(0, "0 bytes"), (1, "1 byte"), (2, "2 bytes"), (1 << 40, "1 TiB")])
def test_a_list_says_amounts_in_good_english(amount: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_reviews(Terminal(), {"reviews": [REVIEW | {"requested_bytes": str(amount)}], "next_cursor": None})
    assert f": {said} for " in capsys.readouterr().out


HEADINGS = ("id", "address", "name", "state")
ROWS = [
    ("nty_01M83GG34CD1A0AKA0GCJFWY8P", F3, "Ada, [red]Example\u202e Org", "may decide"),
    ("nty_01M83GG34CD1A0AKA0GCJFWY8Q", "f1abc", "漢字", "revoked 2026-11-23"),
]


def test_a_table_that_is_no_terminals_has_a_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Terminal(), HEADINGS, ROWS)
    head, first, second = capsys.readouterr().out.splitlines()
    assert first.split("  ") == [*ROWS[0][:2], "Ada, [red]ExampleU+202E Org", "may decide"]
    assert second.split() == [*ROWS[1][:3], "revoked", "2026-11-23"]
    starts = {cell_len(line[: line.index(word)]) for line, word in ((head, "state"), (first, "may"), (second, "rev"))}
    assert len(starts) == 1


@pytest.mark.parametrize("width", [60, 80])
def test_a_tables_ids_stay_whole_in_a_narrow_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    print_table(Terminal(), HEADINGS, ROWS)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    for row in ROWS:
        for text in (*row[:2], row[3]):
            assert sum(text in line for line in lines) == 1
    assert all(cell_len(line) <= width for line in lines if F3 not in line)


def test_the_cids_of_several_verdicts_are_whole_in_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    cids = ["b" + letter * 90 for letter in "abc"]
    results = [{"cid": cids[0], "verdict": "active"}, {"cid": cids[1], "error": {"detail": "no CID " + "x" * 99}}]
    code = print_verdicts(Terminal(), {"results": [*results, {"cid": cids[2], "verdict": "unknown"}]})
    lines = capsys.readouterr().out.splitlines()
    assert (code, [line.split()[0] for line in lines]) == (Exit.USAGE, ["CID", *cids])
    assert lines[1].endswith("  active")
    assert lines[3].endswith("  not known")
