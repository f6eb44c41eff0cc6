"""Unsigned varints (LEB128) as multiformats restricts them: at most nine bytes, the shortest form only."""

MAX_UVARINT = 2**63 - 1
_MAX_BYTES = 9


def uvarint_bytes(value: int) -> bytes:
    """The varint of `value`, 0 to 2^63-1; ValueError beyond."""
    if not 0 <= value <= MAX_UVARINT:
        raise ValueError(f"a varint holds 0 to 2^63-1, not {value.bit_length()} bits")
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def read_uvarint(raw: bytes, start: int = 0) -> tuple[int, int]:
    """The varint at `start` and the offset behind it; ValueError where it is cut short, too long or padded."""
    first = raw[start] if start < len(raw) else 0x80
    if first < 0x80:
        return first, start + 1
    value = 0
    for length, group in enumerate(raw[start : start + _MAX_BYTES], start=1):
        value |= (group & 0x7F) << (7 * (length - 1))
        if group < 0x80:
            if group == 0:
                raise ValueError("the varint is longer than it needs to be")
            return value, start + length
    raise ValueError("the varint is cut short or longer than nine bytes")
