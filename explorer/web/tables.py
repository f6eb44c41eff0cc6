"""Tables as CSV and as lines of JSON. What users wrote is made harmless for spreadsheets. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from explorer.web.negotiation import CSV, NDJSON
from explorer.web.ports import Document

COLUMNS: Mapping[str, Sequence[str]] = {
    "claims": (
        "id", "status", "client", "provider", "piece_cid", "size_bytes", "term_start_epoch", "term_min_epochs",
        "term_max_epochs", "expires_epoch", "sector",
    ),
    "deals": (
        "id", "status", "client", "provider", "piece_cid", "size_bytes", "verified", "start_epoch", "end_epoch",
        "sector_start_epoch", "slash_epoch", "label", "label_base64", "label_known",
    ),
    "allocations": (
        "id", "status", "client", "provider", "piece_cid", "size_bytes", "term_min_epochs", "term_max_epochs",
        "expiration_epoch",
    ),
    "statuses": ("status", "records", "bytes"),
    "providers": ("address", "records", "bytes", "active_records", "active_bytes", "share"),
    "clients": ("address", "records", "bytes", "active_records", "active_bytes", "share"),
    "months": ("month", "from_epoch", "records", "bytes", "active_records", "active_bytes"),
    "copies": ("copies", "or_more", "pieces", "bytes"),
}  # fmt: skip
"""The columns of each table, in their order."""

CONTENT_TYPES = {CSV: "text/csv; charset=utf-8; header=present", NDJSON: NDJSON}
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, full-width forms too."""
_CELL_BEGUN_INSIDE = re.compile("[;\t\r\n] *(?=[-=+@\uff1d\uff0b\uff0d\uff20])")
"""Where a text would begin a cell of its own: a spreadsheet that expects semicolons heeds no quotes within a line."""


def table_head(table: str, media_type: str) -> bytes:
    """What stands before the first row."""
    return _lines([COLUMNS[table]]) if media_type == CSV else b""


def table_rows(table: str, items: Iterable[Document], media_type: str) -> bytes:
    """The rows, each a line."""
    if media_type == NDJSON:
        return b"".join(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items)
    return _lines([_cell(item[name]) for name in COLUMNS[table]] for item in items)


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> str | int | float:
    """A value as a cell: nothing for null; a text that a spreadsheet would reckon with gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = str(value)
    if text.isalnum():  # most are: addresses, CIDs, amounts
        return text
    text = _CELL_BEGUN_INSIDE.sub(r"\g<0>'", text)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_SIGNS) else text
