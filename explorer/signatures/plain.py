"""The plain texts: a title, then one fact a line, each as `Label: value`. For f1 and f3 keys, and for every proof.

A form is a title and its lines in order. Lines that only explain follow from the facts; read back, a text must be
exactly what its facts say, so that two texts never mean the same, nor one text two things.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from explorer.signatures.errors import MalformedText, UnsayableFact
from explorer.signatures.facts import APPROVE, Decision, Facts, PublisherProof, SignIn
from explorer.signatures.values import (
    address_text,
    bytes_text,
    decision_text,
    domain_text,
    id_text,
    name_text,
    network_text,
    nonce_text,
    parse_bytes,
    parse_name,
    parse_signer,
    parse_time,
    readable_bytes,
    signer_text,
    time_text,
)
from node.address import parse_address
from node.errors import excerpt

MAX_CHARS = 4_096
_SIGNED_WITH = "This moves nothing on the chain."


@dataclass(frozen=True, slots=True)
class _Line:
    """One fact in a line: how it is said and read."""

    label: str
    name: str
    say: Callable[[Any], str]
    read: Callable[[str], object] = str


@dataclass(frozen=True, slots=True)
class _Explanation:
    """A line that follows from the facts."""

    label: str
    say: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class _Form:
    title: str
    kind: type[Facts]
    lines: tuple[_Line | _Explanation, ...]


_NETWORK = _Line("Network", "network", network_text)
_SIGNER = _Line("Signer", "signer", signer_text, parse_signer)
_EXPIRES = _Line("Expires", "expires_at", time_text, parse_time)
_SESSION = (
    _Line("Domain", "domain", domain_text),
    _SIGNER,
    _Line("Nonce", "nonce", nonce_text),
    _Line("Issued", "issued_at", time_text, parse_time),
    _EXPIRES,
)


def meaning(facts: Facts) -> str:
    """What the signature says, in one sentence of ASCII that an EIP-4361 statement may hold."""
    if isinstance(facts, SignIn):
        return f"I sign in to the FIL+ explorer. {_SIGNED_WITH}"
    if isinstance(facts, PublisherProof):
        return f"I hold this address and ask for DataCap for it. {_SIGNED_WITH}"
    amount = f"{bytes_text(facts.requested_bytes)} bytes ({readable_bytes(facts.requested_bytes)})"
    if facts.decision == APPROVE:
        return f"I approve a grant of {amount} of DataCap to {facts.publisher} on {facts.network}."
    return f"I reject a grant of {amount} of DataCap to {facts.publisher} on {facts.network}."


_FORMS = (
    _Form("FIL+ explorer: sign in, version 1", SignIn, (_Explanation("Meaning", meaning), _NETWORK, *_SESSION)),
    _Form(
        "FIL+ explorer: decision on a review, version 1",
        Decision,
        (
            _Explanation("Meaning", meaning),
            _Line("Decision", "decision", decision_text),
            _Line("Review", "review_id", id_text),
            _Line("Grant", "grant_id", id_text),
            _Line("Publisher", "publisher", address_text, parse_address),
            _Line("Requested bytes", "requested_bytes", bytes_text, parse_bytes),
            _Explanation("Requested size", lambda facts: readable_bytes(facts.requested_bytes)),
            _NETWORK,
            *_SESSION,
        ),
    ),
    _Form(
        "FIL+ explorer: publisher's proof, version 1",
        PublisherProof,
        (
            _Explanation("Meaning", meaning),
            _Line("Cluster", "cluster", name_text, parse_name),
            _Line("Job", "job_id", name_text, parse_name),
            _Line("Address", "publisher", signer_text, parse_signer),
            _NETWORK,
            _EXPIRES,
        ),
    ),
)


def plain_text(facts: Facts) -> str:
    """The text of the facts; UnsayableFact where one of them cannot be said."""
    form = next(form for form in _FORMS if form.kind is type(facts))
    # Facts first: an explanation is made of facts that were found sayable.
    said = {line.label: _said(line, facts) for line in form.lines if isinstance(line, _Line)}
    said |= {line.label: line.say(facts) for line in form.lines if isinstance(line, _Explanation)}
    return "\n".join([form.title, *(f"{line.label}: {said[line.label]}" for line in form.lines)])


def _said(line: _Line, facts: Facts) -> str:
    try:
        return line.say(getattr(facts, line.name))
    except UnsayableFact as error:
        raise UnsayableFact(f"{line.label}: {error}") from error


def parse_plain(text: str) -> Facts:
    """The facts that the lines of a text name; MalformedText names the first line that cannot be read.

    Not yet that the text is what those facts say: `texts.facts_of` says them again and compares (`must_be`).
    """
    if len(text) > MAX_CHARS:
        raise MalformedText(1, f"a text has at most {MAX_CHARS} characters, not {len(text)}")
    title, *lines = text.split("\n")
    form = next((form for form in _FORMS if form.title == title), None)
    if form is None:
        raise MalformedText(1, f"{excerpt(title)} is the title of no text that is signed here")
    return _facts(form, lines)


def _facts(form: _Form, lines: list[str]) -> Facts:
    read: dict[str, Any] = {}
    for number, due in enumerate(form.lines, start=2):
        line = lines[number - 2] if number - 2 < len(lines) else None
        if line is None or not line.startswith(f"{due.label}: "):
            raise MalformedText(number, f"`{due.label}: ` is due, not {excerpt(line)}")
        if isinstance(due, _Line):
            read[due.name] = _read(due, line[len(due.label) + 2 :], number)
    return form.kind(**read)


def _read(due: _Line, value: str, number: int) -> object:
    try:
        found = due.read(value)
        due.say(found)
    except (ValueError, UnsayableFact) as error:
        raise MalformedText(number, f"{due.label}: {error}") from error
    return found


def must_be(text: str, due: str) -> None:
    """Returns where a text is exactly the one that its facts say; MalformedText names the first line that isn't."""
    if text == due:
        return
    lines, due_lines = text.split("\n"), due.split("\n")
    for number, due_line in enumerate(due_lines, start=1):
        line = lines[number - 1] if number <= len(lines) else None
        if line != due_line:
            raise MalformedText(number, f"{excerpt(due_line)} is due, not {excerpt(line)}")
    raise MalformedText(len(due_lines) + 1, f"nothing may follow here, but {excerpt(lines[len(due_lines)])} does")
