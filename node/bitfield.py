"""Bit fields: sets of unsigned integers, written as RLE+ (sector numbers, deals that were valid, deals to settle).

bits, least significant of each byte first:
00 version | first bit | runs of alternating value, each as
    1                   one bit long
    01 and 4 bits       2 to 15 long
    00 and a varint     16 and longer
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from node.errors import ParamsError, excerpt

_MAX_LENGTH = 2**64 - 1
_VERSION = "00"
_MAX_VARINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class BitField:
    """A set of integers as runs of neighbours, since one run can hold more of them than memory."""

    runs: tuple[tuple[int, int], ...] = ()
    """First member and length of each run, in order, no two of them touching."""

    @property
    def count(self) -> int:
        """How many members there are."""
        return sum(length for _, length in self.runs)

    def __contains__(self, member: int) -> bool:
        return any(first <= member < first + length for first, length in self.runs)

    def __iter__(self) -> Iterator[int]:
        """The members in order; look at `count` first."""
        return (member for first, length in self.runs for member in range(first, first + length))

    def to_bytes(self) -> bytes:
        """The RLE+ bytes; nothing for the empty set. ParamsError beyond 2^64-1."""
        lengths = _alternating(self.runs)
        if not lengths:
            return b""
        first_bit = "1" if self.runs[0][0] == 0 else "0"
        bits = _VERSION + first_bit + "".join(map(_run_bits, lengths))
        return int(bits[::-1], 2).to_bytes((len(bits) + 7) // 8, "little").rstrip(b"\0")


def bitfield_of(members: Iterable[int]) -> BitField:
    """The set of those integers, in any order; ParamsError for a negative one."""
    runs: list[tuple[int, int]] = []
    for member in sorted(set(members)):
        if member < 0:
            raise ParamsError(f"a bit field has no member {excerpt(member)}")
        if runs and sum(runs[-1]) == member:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((member, 1))
    return BitField(tuple(runs))


def bitfield_from_bytes(raw: bytes) -> BitField:
    """The set of RLE+ bytes; ParamsError where they are none, or not the one encoding of their set."""
    bits = f"{int.from_bytes(raw, 'little'):0{len(raw) * 8}b}"[::-1] if raw else ""
    lengths = list(_read_lengths(bits, raw))
    field = _field_of(lengths, starts_set=bits[2:3] == "1")
    if field.to_bytes() != raw:
        raise ParamsError(f"{excerpt(raw)} is no bit field: it is not the shortest form")
    return field


def _alternating(runs: tuple[tuple[int, int], ...]) -> list[int]:
    """The lengths of unset and set runs in turn, but for an unset one of length 0 at the start."""
    lengths: list[int] = []
    end = 0
    for first, length in runs:
        if length < 1 or first < end or (first == end and lengths):
            raise ParamsError("the runs of a bit field are out of order, touch, or are empty")
        lengths += [length] if first == 0 else [first - end, length]
        end = first + length
    if end > _MAX_LENGTH:
        raise ParamsError("a bit field ends beyond 2^64-1")
    return lengths


def _run_bits(length: int) -> str:
    if length == 1:
        return "1"
    if length < 16:
        return "01" + f"{length:04b}"[::-1]
    groups = []
    while length:
        more = length >> 7
        groups.append(f"{length & 0x7F | (0x80 if more else 0):08b}"[::-1])
        length = more
    return "00" + "".join(groups)


def _read_lengths(bits: str, raw: bytes) -> Iterator[int]:
    """The lengths of all runs. Zeros that would follow the last byte are not written, so they are read as if there."""
    if not bits.startswith(_VERSION) and bits:
        raise ParamsError(f"{excerpt(raw)} is no bit field: only version 0 of RLE+ is known")
    at = 3
    while bits.find("1", at) >= 0:
        if bits[at] == "1":
            yield 1
            at += 1
        elif bits[at + 1 : at + 2] == "1":
            yield int(bits[at + 2 : at + 6].ljust(4, "0")[::-1], 2)
            at += 6
        else:
            length, at = _read_varint(bits, at + 2, raw)
            yield length


def _read_varint(bits: str, at: int, raw: bytes) -> tuple[int, int]:
    length = 0
    for position in range(_MAX_VARINT_BYTES):
        group = int(bits[at : at + 8].ljust(8, "0")[::-1], 2)
        at += 8
        length |= (group & 0x7F) << (7 * position)
        if group < 0x80:
            return length, at
    raise ParamsError(f"{excerpt(raw)} is no bit field: a run of it is longer than 2^64-1")


def _field_of(lengths: list[int], *, starts_set: bool) -> BitField:
    runs = []
    at = 0
    for position, length in enumerate(lengths):
        if (position % 2 == 0) is starts_set:
            runs.append((at, length))
        at += length
    return BitField(tuple(runs))
