"""Tables as CSV: read back as they were written, and harmless in a spreadsheet."""

import csv
import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.web.negotiation import CSV, NDJSON
from explorer.web.tables import COLUMNS, table_head, table_rows

DEAL = dict.fromkeys(COLUMNS["deals"], 1)


def cells(**changed: Any) -> dict[str, str]:
    """One deal's cells, as a reader of CSV finds them."""
    text = (table_head("deals", CSV) + table_rows("deals", [DEAL | changed], CSV)).decode()
    [row] = list(csv.DictReader(io.StringIO(text, newline="")))
    return row


@pytest.mark.parametrize(
    "label",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "\n1", "  =1", '=HYPERLINK("http://x")', "\uff1d1", "\uff0b1"],
)
def test_a_formula_is_text(label: str) -> None:
    assert cells(label=label)["label"] == f"'{label}"


@given(st.text() | st.text(alphabet="=+-@; \t\r\n'a"))
def test_no_cell_begins_as_a_formula_and_the_rest_is_kept(label: str) -> None:
    """Neither by commas, as it is written, nor by the semicolons that some spreadsheets expect, which ignore quotes."""
    shown = cells(label=label.replace("\x00", ""))["label"]
    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert not any(one.lstrip(" ").startswith(("=", "+", "-", "@")) for one in re.split("[;\t\r\n]", shown))
    assert shown.replace("'", "") == label.replace("\x00", "").replace("'", "")


@pytest.mark.parametrize("label", ['say "hi", you', "a\r\nb", "a,b", "a;b", "\ud800"])
def test_separators_and_quotes_stay_inside_their_cell(label: str) -> None:
    row = cells(label=label, id=7)
    assert row["label"] == label.encode("utf-8", "replace").decode()
    assert (row["id"], row["status"]) == ("7", "1")


def test_numbers_stay_numbers_and_null_is_nothing() -> None:
    row = cells(sector_start_epoch=-1, label=None, verified=True)
    assert (row["sector_start_epoch"], row["label"], row["verified"]) == ("-1", "", "true")


def test_lines_of_json_are_one_each() -> None:
    body = table_rows("claims", [{"id": 1, "x": "a\nb"}, {"id": 2, "x": None}], NDJSON)
    assert body == b'{"id":1,"x":"a\\nb"}\n{"id":2,"x":null}\n'
    assert table_head("claims", NDJSON) == b""
