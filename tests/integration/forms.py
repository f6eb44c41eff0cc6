"""Forms as a browser sends them, and as nobody should."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlencode

FORM: Final = "application/x-www-form-urlencoded"
TOO_LONG: Final = "x" * (1 << 20)


def encoded(fields: Mapping[str, str]) -> bytes:
    """A form's body."""
    return urlencode(fields).encode()


def spoiled(fields: Mapping[str, str], *, longest: str = TOO_LONG) -> Iterator[bytes]:
    """A form with each of its fields missing, empty, repeated, far too long, of no text; with another one; empty."""
    for name in fields:
        others = encoded({other: text for other, text in fields.items() if other != name})
        yield others
        for bad in (
            b"",
            b"+%0D%0A",
            f"a&{name}=b".encode(),
            longest.encode(),
            b"%FF%fe",
            b"%00",
            b"%ED%A0%80",
            b"\xff\xfe",
        ):
            yield others + b"&" + name.encode() + b"=" + bad
        yield others + b"&" + name.encode()
    yield encoded(fields) + b"&other=x"
    yield b""
