"""Dump files as text, in chunks: plain, zstd or gzip, from a path or standard input.

The compression is told by the first bytes, not by the name. A file that ends in the middle is an error: half a dump
must never pass for "all other deals have vanished".
"""

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from explorer.errors import CorruptFile, UnreadableFile

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK_BYTES = 1 << 20
STDIN = "-"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE_MAGIC = b"\x2a\x4d\x18"
_GZIP_MAGIC = b"\x1f\x8b"


class CountingFile(io.RawIOBase):
    """A binary file that counts the bytes that were read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills `buffer` from the file; returns how many bytes, 0 at its end."""
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.bytes_read += len(data)
        return len(data)


@dataclass
class DumpFile:
    """An open dump: its text, and how far reading has come in the bytes on disk."""

    name: str
    size_bytes: int | None
    raw: CountingFile
    text: Iterator[str] = field(default_factory=lambda: iter(()))

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, compressed where the file is."""
        return self.raw.bytes_read


@contextmanager
def open_dump(name: str) -> Iterator[DumpFile]:
    """The dump at path `name`, or standard input for `-`; UnreadableFile if it can't be opened."""
    with _open_binary(name) as file:
        raw = CountingFile(file)
        size = None if name == STDIN else Path(name).stat().st_size
        dump = DumpFile(name, size, raw)
        dump.text = _decoded(_chunks(io.BufferedReader(raw, CHUNK_BYTES), name))
        yield dump


@contextmanager
def _open_binary(name: str) -> Iterator[BinaryIO]:
    if name == STDIN:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; the error of opening must not hide the caller's
    except OSError as error:
        raise UnreadableFile(name, error.strerror or str(error)) from error
    with file:
        yield file


def _chunks(file: io.BufferedReader, name: str) -> Iterator[bytes]:
    """Uncompressed bytes; CorruptFile where the compressed stream is cut off or damaged."""
    source = _uncompressed(file)
    while True:
        try:
            chunk = source.read(CHUNK_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
            raise CorruptFile(name, f"its compressed data is cut off or damaged ({error})") from error
        except OSError as error:
            raise UnreadableFile(name, error.strerror or str(error)) from error
        if not chunk:
            return
        yield chunk


def _uncompressed(file: io.BufferedReader) -> io.BufferedIOBase:
    magic = file.peek(4)[:4]
    if magic == _ZSTD_MAGIC or (magic[1:] == _ZSTD_SKIPPABLE_MAGIC and magic[0] & 0xF0 == 0x50):
        return zstd.ZstdFile(file)
    if magic[:2] == _GZIP_MAGIC:
        return gzip.GzipFile(fileobj=file)
    return file


def _decoded(chunks: Iterator[bytes]) -> Iterator[str]:
    """The chunks as text. Bytes that are no UTF-8 become lone surrogates, from which labels get them back."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    first = True
    for chunk in chunks:
        text = decoder.decode(chunk)
        yield text.removeprefix("\ufeff") if first else text
        first = False
    yield decoder.decode(b"", final=True)
