"""Facts as single values in a line: each has one spelling, and nothing in a line can look like something else.

* ids, nonces, domains, networks: ASCII of a narrow alphabet; anything else is refused.
* names that others chose (a cluster, a job id): printable ASCII as it is; every other character, spaces, line breaks,
  look-alikes, marks of direction and the backslash included, as `\\u{hex}`.
* numbers without leading zeros; times as 2026-11-23T12:00:00Z; addresses in lower case, f410 with its 0x… behind it.

Every `…_text` raises UnsayableFact where a value cannot be said, and every `parse_…` ValueError (which UnsayableFact is
not) where a text is no such value; that a spelling is the only one is seen by saying the parsed value again.
"""

import ipaddress
import re
from datetime import UTC, datetime

from explorer.signatures.errors import UnsayableFact
from explorer.signatures.ethereum import eth_text
from explorer.signatures.facts import APPROVE, REJECT
from node.address import PROTOCOL_ACTOR, PROTOCOL_DELEGATED, PROTOCOL_ID, Address, parse_address
from node.errors import excerpt
from node.network import NETWORKS

MAX_NAME_CHARS = 128
MAX_NAME_TEXT_CHARS = 512
MAX_BYTES = 2**80 - 1
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~\-]{0,127}", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9]{8,64}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,24}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_NAME = re.compile(r"(?:[!-\[\]-~]|\\u\{[0-9a-f]{1,6}\})+", re.ASCII)
_ESCAPE = re.compile(r"\\u\{([0-9a-f]{1,6})\}", re.ASCII)
_LABEL = r"(?!-)[a-z0-9\-]{1,63}(?<!-)"
_DOMAIN = re.compile(
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*|\[(?P<ip6>[0-9a-f:]+)\])(?P<port>:[1-9][0-9]{{0,4}})?", re.ASCII
)
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")


def id_text(value: str) -> str:
    """An id of ours: of a review or a grant."""
    return _matching(_ID, value, "an id: 1 to 128 letters, digits, dots, dashes, tildes and underscores")


def nonce_text(value: str) -> str:
    """A nonce."""
    return _matching(_NONCE, value, "a nonce: 8 to 64 letters and digits")


def decision_text(value: str) -> str:
    """approve or reject."""
    if value not in {APPROVE, REJECT}:
        raise UnsayableFact(f"{excerpt(value)} is no decision; choose {APPROVE} or {REJECT}")
    return value


def network_text(value: str) -> str:
    """The name of a known network."""
    if value not in NETWORKS:
        raise UnsayableFact(f"network {excerpt(value)} is not known; choose one of {', '.join(NETWORKS)}")
    return value


def domain_text(value: str) -> str:
    """Host, or host:port, in lower case; a name beyond ASCII as `xn--…`, an IPv6 address in brackets."""
    parts = _DOMAIN.fullmatch(value) if len(value) <= 253 else None
    if parts is None or (parts["ip6"] is not None and not _is_ip6(parts["ip6"])):
        raise UnsayableFact(f"{excerpt(value)} is no domain; write it as host or host:port, in lower case")
    return value


def is_loopback(domain: str) -> bool:
    """Whether the domain is this machine's own, so that plain http does."""
    parts = _DOMAIN.fullmatch(domain)
    host = parts["host"] if parts is not None else ""
    return host in {"localhost", "[::1]"} or re.fullmatch(r"127(\.[0-9]{1,3}){3}", host, re.ASCII) is not None


def name_text(value: str) -> str:
    """A name that somebody else chose, everything escaped that isn't printable ASCII."""
    if not 0 < len(value) <= MAX_NAME_CHARS:
        raise UnsayableFact(f"a name has 1 to {MAX_NAME_CHARS} characters, not {len(value)}")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise UnsayableFact(f"{excerpt(value)} holds half a character (a lone surrogate)")
    text = "".join(char if "!" <= char <= "~" and char != "\\" else f"\\u{{{ord(char):x}}}" for char in value)
    if len(text) > MAX_NAME_TEXT_CHARS:
        raise UnsayableFact(f"{excerpt(value)} takes more than {MAX_NAME_TEXT_CHARS} characters when it is escaped")
    return text


def parse_name(text: str) -> str:
    """The name that an escaped text spells."""
    if len(text) > MAX_NAME_TEXT_CHARS or _NAME.fullmatch(text) is None:
        raise ValueError(f"{excerpt(text)} is no name: printable ASCII and escapes such as \\u{{20}} are due")
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def bytes_text(value: int) -> str:
    """An amount of bytes, exactly."""
    if isinstance(value, bool) or not 0 < value <= MAX_BYTES:
        raise UnsayableFact(f"{excerpt(value)} is no amount of DataCap: 1 to 2^80-1 bytes")
    return str(value)


def parse_bytes(text: str) -> int:
    """The amount that a text names."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{excerpt(text)} is no whole number of bytes without leading zeros")
    return int(text)


def readable_bytes(value: int) -> str:
    """An amount in the largest binary unit that leaves at least one, to two decimals, `about` where it was cut."""
    power = min((value.bit_length() - 1) // 10, len(_UNITS) - 1)
    hundredths, rest = divmod(value * 100, 1 << (10 * power))
    number = f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".")
    return f"{'about ' if rest else ''}{number} {_UNITS[power]}"


def time_text(value: datetime) -> str:
    """A moment in UTC."""
    if value.utcoffset() is None or value.microsecond:
        raise UnsayableFact(f"time {value.isoformat()} is not in whole seconds of a known time zone")
    try:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError as error:
        raise UnsayableFact(f"time {value.isoformat()} is beyond the calendar") from error


def parse_time(text: str) -> datetime:
    """The moment that a text names."""
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"{excerpt(text)} is no time; write it as 2026-11-23T12:00:00Z")
    return datetime.fromisoformat(text)


def address_text(value: Address) -> str:
    """An address as the API shows it: f…"""
    return value.to_text()


def signer_text(value: Address) -> str:
    """An address that signs, of f410 its 0x… form behind it."""
    if value.protocol in {PROTOCOL_ID, PROTOCOL_ACTOR}:
        raise UnsayableFact(f"{value} has no key of its own; name the f1, f3, f410 or 0x address that signs")
    if value.protocol == PROTOCOL_DELEGATED:
        return f"{value} ({eth_text(value)})"
    return address_text(value)


def parse_signer(text: str) -> Address:
    """The address that a text of `signer_text` names."""
    return parse_address(text.partition(" (")[0])


def _matching(pattern: re.Pattern[str], value: str, due: str) -> str:
    if pattern.fullmatch(value) is None:
        raise UnsayableFact(f"{excerpt(value)} is not {due}")
    return value


def _is_ip6(text: str) -> bool:
    try:
        return ipaddress.IPv6Address(text).compressed == text
    except ValueError:
        return False
