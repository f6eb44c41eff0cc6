"""EIP-4361, Sign-In with Ethereum: the message that a wallet shows, built and parsed strictly by its grammar.

    sign-in-with-ethereum =
        [ scheme "://" ] domain " wants you to sign in with your Ethereum account:" LF
        address LF LF [ statement LF ] LF
        "URI: " LF "Version: " LF "Chain ID: " LF "Nonce: " LF "Issued At: "
        [ LF "Expiration Time: " ] [ LF "Not Before: " ] [ LF "Request ID: " ] [ LF "Resources:" *( LF "- " URI ) ]

Stricter than the grammar in five things, so that a message has one meaning: the address bears its EIP-55 checksum, the
domain isn't empty, the chain id has no leading zeros, times exist (no leap second), a message has at most 8,192
characters.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from explorer.signatures.errors import MalformedText
from explorer.signatures.ethereum import is_checksummed
from explorer.signatures.uri import host_of, is_authority, is_path_text, is_scheme, is_statement, is_uri
from node.errors import excerpt

MAX_CHARS = 8_192
_WANTS = " wants you to sign in with your Ethereum account:"
_CHAIN_ID = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9]{8,}", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInMessage:
    """The fields of a message. Times are kept as they are written: RFC 3339. None: the line isn't there."""

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: str
    scheme: str | None = None
    statement: str | None = None
    expiration_time: str | None = None
    not_before: str | None = None
    request_id: str | None = None
    resources: tuple[str, ...] | None = None


def build_message(message: SignInMessage) -> str:
    """The text of a message; MalformedText names the line that a field would break."""
    text = "\n".join(_lines(message))
    if parse_message(text) != message:
        raise MalformedText(1, "the fields don't come back out of the text: one of them holds a line break")
    return text


def _lines(message: SignInMessage) -> Iterator[str]:
    yield (f"{message.scheme}://" if message.scheme is not None else "") + message.domain + _WANTS
    yield from (message.address, "")
    if message.statement is not None:
        yield message.statement
    yield from ("", f"URI: {message.uri}", "Version: 1", f"Chain ID: {message.chain_id}", f"Nonce: {message.nonce}")
    yield f"Issued At: {message.issued_at}"
    for label, value in (
        ("Expiration Time: ", message.expiration_time),
        ("Not Before: ", message.not_before),
        ("Request ID: ", message.request_id),
    ):
        if value is not None:
            yield label + value
    if message.resources is not None:
        yield "Resources:"
        yield from (f"- {resource}" for resource in message.resources)


def parse_message(text: str) -> SignInMessage:
    """The fields of a message's text; MalformedText names the first line that is wrong."""
    if len(text) > MAX_CHARS:
        raise MalformedText(1, f"a message has at most {MAX_CHARS} characters, not {len(text)}")
    reader = _Reader(text.split("\n"))
    scheme, domain = _origin(reader)
    address = reader.value("", is_checksummed, "an address, 0x and 40 hexadecimal digits with its EIP-55 checksum,")
    reader.value("", lambda line: line == "", "an empty line")
    statement = _statement(reader)
    uri = reader.value("URI: ", is_uri, "a URI")
    reader.value("Version: ", lambda version: version == "1", "1")
    chain_id = int(reader.value("Chain ID: ", _fits(_CHAIN_ID), "a number without leading zeros"))
    nonce = reader.value("Nonce: ", _fits(_NONCE), "at least 8 letters and digits")
    issued_at = reader.value("Issued At: ", _is_time, "a time of RFC 3339")
    message = SignInMessage(
        scheme=scheme,
        domain=domain,
        address=address,
        statement=statement,
        uri=uri,
        chain_id=chain_id,
        nonce=nonce,
        issued_at=issued_at,
        expiration_time=reader.optional("Expiration Time: ", _is_time, "a time of RFC 3339"),
        not_before=reader.optional("Not Before: ", _is_time, "a time of RFC 3339"),
        request_id=reader.optional("Request ID: ", is_path_text, "characters of a URI's path"),
        resources=_resources(reader),
    )
    reader.end()
    return message


def message_time(text: str) -> datetime:
    """The moment in UTC that a message's time names, to the microsecond; ValueError where it names none."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise ValueError(f"{excerpt(text)} is no time of RFC 3339")
    day, clock, fraction, zone = parts.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{zone.upper()}").astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{excerpt(text)} is beyond the calendar") from error


class _Reader:
    """The lines of a message, read in order."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def peek(self, ahead: int = 0) -> str | None:
        """The line that comes next, or one after it; None beyond the last."""
        at = self._at + ahead
        return self._lines[at] if at < len(self._lines) else None

    def value(self, label: str, fits: Callable[[str], bool], due: str) -> str:
        """What the next line says after its label."""
        line = self.peek()
        number = self._at + 1
        if line is None:
            raise MalformedText(number, f"the text ends where `{label.strip()}` is due, with {due}")
        if not line.startswith(label):
            raise MalformedText(number, f"`{label}` and {due} are due, not {excerpt(line)}")
        if not fits(line[len(label) :]):
            raise MalformedText(number, f"{due} is due after `{label}`, not {excerpt(line[len(label) :])}")
        self._at += 1
        return line[len(label) :]

    def optional(self, label: str, fits: Callable[[str], bool], due: str) -> str | None:
        """What the next line says, None where it has another label."""
        line = self.peek()
        return self.value(label, fits, due) if line is not None and line.startswith(label) else None

    def end(self) -> None:
        """Returns where no line is left."""
        line = self.peek()
        if line is not None:
            raise MalformedText(self._at + 1, f"nothing may follow here, but {excerpt(line)} does")


def _origin(reader: _Reader) -> tuple[str | None, str]:
    line = reader.value("", lambda first: first.endswith(_WANTS), f"a domain and `{_WANTS.strip()}`")
    origin = line.removesuffix(_WANTS)
    scheme, mark, rest = origin.partition("://")
    if mark and not is_scheme(scheme):
        raise MalformedText(1, f"{excerpt(scheme)} is no scheme of a URI")
    domain = rest if mark else origin
    if not is_authority(domain) or not host_of(domain):
        raise MalformedText(1, f"{excerpt(domain)} is no domain; write it as host or host:port")
    return (scheme if mark else None), domain


def _statement(reader: _Reader) -> str | None:
    """The statement, None where there is none: then the empty line after it follows at once, and no second one."""
    statement = None
    if reader.peek() != "" or reader.peek(1) == "":
        statement = reader.value("", is_statement, "a statement of ASCII without quotes and percent signs")
    reader.value("", lambda line: line == "", "an empty line")
    return statement


def _resources(reader: _Reader) -> tuple[str, ...] | None:
    if reader.peek() != "Resources:":
        return None
    reader.value("Resources:", lambda rest: rest == "", "nothing")
    found = []
    while reader.peek() is not None:
        found.append(reader.value("- ", is_uri, "a URI"))
    return tuple(found)


def _fits(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_time(text: str) -> bool:
    try:
        message_time(text)
    except ValueError:
        return False
    return True
