"""Dump files: plain, zstd, gzip, from standard input; a file that ends in the middle is always an error."""

import gzip
import io
import sys
from pathlib import Path

import pytest

from explorer.errors import CorruptFile, UnreadableFile
from explorer.index.documents import entries
from explorer.index.files import CHUNK_BYTES, open_dump
from tests.unit.index.dumps import as_map, claim_entry

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RAW = as_map({number: claim_entry(number) for number in range(4)}).encode()
FRAMES = b"".join(zstd.compress(RAW[at : at + 100]) for at in range(0, len(RAW), 100))
MEMBERS = gzip.compress(RAW[:300]) + gzip.compress(RAW[300:])
PACKED = {
    "plain": RAW,
    "zstd": zstd.compress(RAW),
    "zstd of many frames": FRAMES,
    "zstd with a checksum": zstd.compress(RAW, options={zstd.CompressionParameter.checksum_flag: 1}),
    "gzip": gzip.compress(RAW),
    "gzip of two members": MEMBERS,
}


def text_of(path: Path) -> str:
    with open_dump(str(path)) as dump:
        return "".join(dump.text)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return tmp_path / "dump.json"


@pytest.mark.parametrize("suffix", [".json", ".zst", ".gz", "", ".csv"])
@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
def test_the_compression_is_told_by_the_bytes_not_by_the_name(tmp_path: Path, packed: bytes, suffix: str) -> None:
    path = tmp_path / f"dump{suffix}"
    path.write_bytes(packed)
    assert text_of(path).encode() == RAW


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
def test_a_file_cut_off_at_any_byte_is_corrupt(dump: Path, packed: bytes) -> None:
    for end in range(len(packed)):
        dump.write_bytes(packed[:end])
        with open_dump(str(dump)) as opened, pytest.raises(CorruptFile, match="not a whole dump"):
            list(entries(opened.text, opened.name))


@pytest.mark.parametrize("packed", [PACKED["zstd"], PACKED["gzip"]], ids=["zstd", "gzip"])
@pytest.mark.parametrize("tail", [b"garbage", b"\n", RAW])
def test_something_behind_the_compressed_data_is_corrupt(dump: Path, packed: bytes, tail: bytes) -> None:
    dump.write_bytes(packed + tail)
    with pytest.raises(CorruptFile, match="its compressed data is cut off or damaged"):
        text_of(dump)


@pytest.mark.parametrize("name", ["zstd with a checksum", "gzip"])
def test_a_flipped_bit_is_corrupt(dump: Path, name: str) -> None:
    packed = PACKED[name]
    for at in range(12, len(packed), 7):
        dump.write_bytes(packed[:at] + bytes([packed[at] ^ 0x10]) + packed[at + 1 :])
        with pytest.raises(CorruptFile):
            text_of(dump)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PACKED["zstd"])))
    with open_dump("-") as dump:
        assert "".join(dump.text).encode() == RAW
        assert (dump.name, dump.size_bytes, dump.bytes_read) == ("-", None, len(PACKED["zstd"]))


def test_progress_counts_the_bytes_on_disk(dump: Path) -> None:
    dump.write_bytes(PACKED["gzip"])
    with open_dump(str(dump)) as opened:
        list(opened.text)
        assert opened.bytes_read == opened.size_bytes == len(PACKED["gzip"])


def test_a_file_is_read_in_chunks(dump: Path) -> None:
    dump.write_bytes(b"x" * (3 * CHUNK_BYTES))
    with open_dump(str(dump)) as opened:
        assert next(iter(opened.text)) == "x" * CHUNK_BYTES
        assert opened.bytes_read <= 2 * CHUNK_BYTES


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_what_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFile, match=r"can't be read: .*Name a file"):
        text_of(tmp_path / name)


def test_a_byte_order_mark_is_passed_over(dump: Path) -> None:
    dump.write_bytes(b"\xef\xbb\xbf" + RAW + "\ufeff".encode())
    assert text_of(dump) == RAW.decode() + "\ufeff"


def test_bytes_that_are_no_utf8_come_back_as_they_were(dump: Path) -> None:
    label = b"\xff\xfe \xc3( \xed\xa0\x80 ok"
    dump.write_bytes(b'{"1":{"Label":"' + label + b'"}}')
    with open_dump(str(dump)) as opened:
        [entry] = entries(opened.text, opened.name)
    assert isinstance(entry.value, dict)
    assert entry.value["Label"].encode("utf-8", "surrogateescape") == label


def test_a_letter_across_two_chunks_is_one_letter(dump: Path) -> None:
    text = "x" * (CHUNK_BYTES - 1) + "☃" * 3
    dump.write_text(text, encoding="utf-8")
    assert text_of(dump) == text
