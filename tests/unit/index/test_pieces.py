"""Payload-to-piece maps: CSV with and without a header, JSON records, and what in them cannot be taken."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer.errors import CorruptFile
from explorer.index.documents import RECORD_CHARS_MAX
from explorer.index.files import CHUNK_BYTES, CountingFile, DumpFile
from explorer.index.pieces import _entries, _rows, parse_pair
from explorer.index.rejects import Rejects
from explorer.index.tally import Tally
from node.cid import CODEC_DAG_PB
from node.errors import RecordError
from node.piece import piece_v2
from tests.unit.index.dumps import chunked, commitment, payload_cid, piece_text

Rows = list[tuple[object, ...]]
PAYLOAD, PIECE = payload_cid(1).to_text(), piece_text(1)
LINE = f"{PAYLOAD},{PIECE},34359738368"
ROW = (payload_cid(1).multihash, CODEC_DAG_PB, commitment(1), 34359738368)
HEADER = "payload_cid,piece_cid,piece_size"


def rows_of(text: str, tmp_path: Path, chunk: int = 1 << 20) -> tuple[Rows, Tally]:
    dump = DumpFile("map.csv", None, CountingFile(io.BytesIO()), chunked(text, chunk))
    tally = Tally()
    with Rejects(tmp_path, "map.csv") as rejects:
        return list(_rows(_entries(dump), rejects, tally)), tally


@pytest.mark.parametrize(
    "text",
    [
        LINE,
        LINE + "\n",
        f"{HEADER}\n{LINE}\n",
        f"{HEADER}\r\n{LINE}\r\n",
        f"\n\n{LINE}\n\n",
        f'"{PAYLOAD}","{PIECE}","34359738368"\n',
        f"PAYLOAD_CID, Piece_CID ,Piece_Size\n{PAYLOAD}, {PIECE} , 34359738368\n",
        f"size,cid,commp,more\n34359738368,{PAYLOAD},{PIECE},whatever\n",
        f"{payload_cid(1).to_v0_text()},{PIECE},34359738368",
        f"ipfs://{PAYLOAD},{PIECE},34359738368",
        f"{PAYLOAD},{piece_v2(commitment(1), payload_size_bytes=1000).to_text()},34359738368",
        json.dumps({"payload_cid": PAYLOAD, "piece_cid": PIECE, "piece_size": 34359738368}),
        json.dumps([{"cid": {"/": PAYLOAD}, "pieceCid": {"/": PIECE}, "size": "34359738368"}]),
    ],
)
def test_every_spelling_of_a_map_gives_the_same_pair(text: str, tmp_path: Path) -> None:
    for chunk in (1, 2, 10, 1 << 20):
        rows, tally = rows_of(text, tmp_path, chunk)
        assert rows == [ROW]
        assert (tally.records, tally.rejected.total()) == (1, 0)


@pytest.mark.parametrize("size", [f"{PAYLOAD},{PIECE}", f"{PAYLOAD},{PIECE},\n"])
def test_the_size_may_be_left_out(size: str, tmp_path: Path) -> None:
    assert rows_of(size, tmp_path)[0] == [(*ROW[:3], None)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("hello,world,1", "malformed_payload_cid"),
        (f",{PIECE},1", "missing_payload_cid"),
        (f"{PAYLOAD}", "missing_piece_cid"),
        (f"{PAYLOAD},x,1", "malformed_piece_cid"),
        (f"{PAYLOAD},{PAYLOAD},1", "no_piece_cid"),
        (f"{PIECE},{PIECE},1", "no_payload_cid"),
        (f"bafkqaaa,{PIECE},1", "no_payload_cid"),
        (f"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku,{PIECE},1", "no_payload_cid"),
        (f"{PAYLOAD},{PIECE},-1", "malformed_piece_size"),
        (f"{PAYLOAD},{PIECE},1.5", "malformed_piece_size"),
        (f"{PAYLOAD},{PIECE},٣", "malformed_piece_size"),
        (f"{PAYLOAD},{PIECE},9223372036854775808", "malformed_piece_size"),
    ],
)
def test_a_bad_row_is_rejected_and_the_others_are_taken(line: str, reason: str, tmp_path: Path) -> None:
    rows, tally = rows_of(f"{HEADER}\n{LINE}\n{line}\n{LINE}\n", tmp_path)
    assert rows == [ROW, ROW]
    assert (tally.records, dict(tally.rejected)) == (3, {reason: 1})
    [rejects] = tmp_path.iterdir()
    assert json.loads(rejects.read_text())["record"] == 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "malformed_record"),
        ([PAYLOAD, PIECE], "malformed_record"),
        ({"payload_cid": 1, "piece_cid": PIECE}, "missing_payload_cid"),
        ({"payload_cid": PAYLOAD, "piece_cid": PIECE, "piece_size": True}, "malformed_piece_size"),
        ({"payload_cid": PAYLOAD, "piece_cid": PIECE, "piece_size": 1.0}, "malformed_piece_size"),
    ],
)
def test_a_json_record_that_is_no_pair(value: Any, reason: str) -> None:
    with pytest.raises(RecordError) as caught:
        parse_pair(value)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "text", ["", "  \n", f'{LINE}\n"{PAYLOAD},{PIECE}', f'"a"b,{PIECE},1', f"{LINE}\rx,y", f"{LINE},{'x' * 200_000}"]
)
def test_what_is_no_csv_is_corrupt(text: str, tmp_path: Path) -> None:
    with pytest.raises(CorruptFile):
        rows_of(text, tmp_path)


@pytest.mark.parametrize(
    ("again", "line"),
    [("x" * CHUNK_BYTES, 3), ("a," * 500_000, 3), ('"a\n",' * 100_000, 3 + RECORD_CHARS_MAX // 5)],
    ids=["one field", "many fields", "many lines"],
)
def test_a_row_without_an_end_is_refused_before_it_fills_the_memory(again: str, line: int) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        yield f"{HEADER}\n{LINE}\n"
        while True:
            read += len(again)
            yield again

    dump = DumpFile("map.csv", None, CountingFile(io.BytesIO()), endless())
    with pytest.raises(
        CorruptFile, match=rf"map\.csv is not a whole dump: line {line}: the row has more than 16,777,216"
    ):
        list(_entries(dump))
    assert read <= RECORD_CHARS_MAX * 1.3


@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_map_that_is_cut_off_anywhere_is_corrupt_or_whole(ending: str, tmp_path: Path) -> None:
    whole = f"{HEADER}\n{LINE}\n{LINE}{ending}"
    start = len(f"{HEADER}\n{LINE}\n")
    for cut in range(start + 1, len(whole)):
        try:
            rows, tally = rows_of(whole[:cut], tmp_path)
        except CorruptFile:
            continue
        assert rows == [ROW, ROW]
        assert tally.rejected.total() == 0
