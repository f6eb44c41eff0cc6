"""Payload-to-piece maps: which payload CID is in which piece, by the word of a source that the operator trusts.

CSV with or without a header line, or JSON records:

    payload_cid,piece_cid,piece_size
    bafybei…,baga6ea4seaq…,34359738368
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import chain

import asyncpg

from explorer.errors import CorruptFile
from explorer.ground.database import transaction_lock
from explorer.ground.queries import load_queries
from explorer.index.documents import RECORD_CHARS_MAX, Entry, entries
from explorer.index.files import DumpFile
from explorer.index.lock import IMPORT_LOCK
from explorer.index.merge import row_count
from explorer.index.rejects import Rejects
from explorer.index.tally import Tally
from node.cid import Cid, is_empty_content, kind_of, match_key, parse_cid
from node.errors import CidError, RecordError, excerpt
from node.state import INT64_MAX

COLUMNS = ("payload_cid", "piece_cid", "piece_size")
"""The order of a CSV file without a header line."""
LEAST_PIECE_BYTES = 128
_QUERIES = load_queries("explorer.index.sql", "pieces.sql")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "payload_cid": ("payload_cid", "payload", "payloadcid", "cid"),
    "piece_cid": ("piece_cid", "piece", "piececid", "commp"),
    "piece_size": ("piece_size", "size_bytes", "size", "piecesize", "padded_size"),
}


@dataclass(frozen=True, slots=True)
class PayloadPiece:
    """A payload (multihash) and its CID's codec, the piece that holds it, and its padded size where it is told."""

    payload: bytes
    codec: int
    piece: bytes
    size_bytes: int | None


async def import_pieces(
    connection: asyncpg.Connection, dump: DumpFile, rejects: Rejects, tally: Tally, *, source: str
) -> None:
    """Takes the map of `source` into the index; a pair that it already has is unchanged."""
    await connection.execute(_QUERIES["create_piece_stage"])
    await connection.copy_records_to_table(
        "piece_stage", schema_name="pg_temp", records=_rows(_entries(dump), rejects, tally)
    )
    await transaction_lock(connection, IMPORT_LOCK)
    source_id = await connection.fetchval(_QUERIES["add_piece_source"], source)
    tally.changed = row_count(await connection.execute(_QUERIES["change_pieces"], source_id))
    tally.added = row_count(await connection.execute(_QUERIES["add_pieces"], source_id))


def parse_pair(value: object) -> PayloadPiece:
    """The pair of one record; RecordError with the reason why it can't be taken."""
    if not isinstance(value, Mapping):
        raise RecordError(
            "malformed_record", f"the record is {excerpt(value)}, not an object with {', '.join(COLUMNS)}"
        )
    fields = {str(name).strip().lower(): field for name, field in value.items()}
    payload = _cid(fields, "payload_cid")
    piece = _cid(fields, "piece_cid")
    if kind_of(payload) != "payload" or is_empty_content(payload):
        what = is_empty_content(payload) or f"of kind {kind_of(payload)}"
        raise RecordError("no_payload_cid", f"payload_cid {payload.to_text()} is {what}: it says nothing of a piece")
    if kind_of(piece) != "piece":
        raise RecordError("no_piece_cid", f"piece_cid {piece.to_text()} is of kind {kind_of(piece)}, not a piece CID")
    return PayloadPiece(payload.multihash, payload.codec, match_key(piece) or b"", _size(fields))


def _entries(dump: DumpFile) -> Iterator[Entry]:
    """The records, of JSON or CSV as the first character tells."""
    text = iter(dump.text)
    first = next((chunk for chunk in text if chunk.strip()), "")
    if not first:
        raise CorruptFile(dump.name, "it is empty")
    whole = chain([first], text)
    return entries(whole, dump.name) if first.lstrip()[0] in "{[" else _csv_entries(whole, dump.name)


def _csv_entries(chunks: Iterator[str], name: str) -> Iterator[Entry]:
    """The rows of a CSV file as mappings. A last line without an end that isn't whole makes the file corrupt."""
    lines = _Lines(chunks, name)
    reader = csv.reader(lines, strict=True)
    try:
        first = next((row for row in reader if row), [])
        columns, rows = (first, reader) if _is_header(first) else (list(COLUMNS), chain([first], reader))
        for row in rows:
            lines.row_chars = 0
            if row:
                value = dict(zip(columns, row, strict=False))
                if lines.cut_off and not (len(row) >= len(first) and _is_whole(value)):
                    raise CorruptFile(name, f"line {reader.line_num}, the last, is cut off")
                yield Entry(None, value)
    except csv.Error as error:
        raise CorruptFile(name, f"line {reader.line_num} is no CSV ({error})") from error


def _is_whole(value: Mapping[str, object]) -> bool:
    """Whether nothing is missing from a row: both CIDs, and a size that a padded piece can have."""
    try:
        size = parse_pair(value).size_bytes
    except RecordError:
        return False
    if size is None:
        return "" not in value.values()
    return size >= LEAST_PIECE_BYTES and size.bit_count() == 1


def _is_header(row: list[str]) -> bool:
    names = {field.strip().lower() for field in row}
    return bool(names & set(_NAMES["payload_cid"]) and names & set(_NAMES["piece_cid"]))


class _Lines:
    """The lines of a text that comes in chunks; `cut_off` is set with the last if nothing ends it.

    A row may have RECORD_CHARS_MAX characters, in one line or in many that quotes hold together; CorruptFile for more.
    Whoever reads rows sets `row_chars` back to 0 after each.
    """

    def __init__(self, chunks: Iterator[str], name: str) -> None:
        self._chunks, self._name = chunks, name
        self._number = 0
        self.row_chars = 0
        self.cut_off = False

    def __iter__(self) -> Iterator[str]:
        rest = ""
        for chunk in self._chunks:
            *lines, rest = (rest + chunk).split("\n")
            for line in lines:
                yield self._counted(line)
            self._demand_short(len(rest))
        if rest:
            self.cut_off = True
            yield self._counted(rest)

    def _counted(self, line: str) -> str:
        self._demand_short(len(line))
        self._number += 1
        self.row_chars += len(line) + 1
        return line

    def _demand_short(self, more_chars: int) -> None:
        """CorruptFile where the row has too many characters with those of the next line."""
        if self.row_chars + more_chars > RECORD_CHARS_MAX:
            what = f"line {self._number + 1}: the row has more than {RECORD_CHARS_MAX:,} characters"
            raise CorruptFile(self._name, what)


def _rows(stream: Iterator[Entry], rejects: Rejects, tally: Tally) -> Iterator[tuple[object, ...]]:
    for entry in stream:
        tally.records += 1
        try:
            pair = parse_pair(entry.value)
        except RecordError as error:
            tally.rejected[error.reason] += 1
            rejects.write(tally.records, error, entry)
            continue
        yield astuple(pair)


def _field(fields: Mapping[str, object], name: str) -> object:
    return next((fields[other] for other in _NAMES[name] if other in fields), None)


def _cid(fields: Mapping[str, object], name: str) -> Cid:
    value = _field(fields, name)
    text = value.get("/") if isinstance(value, Mapping) else value
    if not isinstance(text, str) or not text.strip():
        raise RecordError(f"missing_{name}", f"{name} is {excerpt(value)}, not a CID")
    try:
        return parse_cid(text.strip())
    except CidError as error:
        raise RecordError(f"malformed_{name}", str(error)) from error


def _size(fields: Mapping[str, object]) -> int | None:
    """The piece size; None where the source leaves it out."""
    value = _field(fields, "piece_size")
    if value is None or value == "":
        return None
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= INT64_MAX):
        raise RecordError("malformed_piece_size", f"piece_size is {excerpt(value)}, not a number of bytes below 2^63")
    return int(text)
