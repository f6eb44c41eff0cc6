"""The rules that come before people: what a request alone shows. Pure.

A rule notes something, wants more approvals, or rejects. None approves.

| rule               | when                                                       | does            |
|--------------------|------------------------------------------------------------|-----------------|
| programme_retired  | FIL+ has ended on this network (FIP-0118)                  | rejects         |
| programme_unknown  | nothing tells whether it has                               | notes           |
| nothing_requested  | 0 bytes                                                    | rejects         |
| above_maximum      | more than MAXIMUM_BYTES                                    | rejects         |
| large              | `quorum_bytes` or more                                     | one more        |
| far_above_results  | more than FAR times what the results have                  | one more        |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from explorer.signatures.values import readable_bytes

MAXIMUM_BYTES: Final = 1 << 60
"""1 EiB: more than any publisher was ever given at once."""
FAR: Final = 20
"""Copies of the results that a request may be for; ten are much."""


class Weight(StrEnum):
    """What a finding does."""

    NOTE = "note"
    MORE_APPROVALS = "more_approvals"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule has found."""

    rule: str
    effect: Weight
    text: str

    def document(self) -> dict[str, str]:
        """The finding as JSON."""
        return {"rule": self.rule, "effect": self.effect.value, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the rules look at. `results_bytes` is None where no result's size is known; `programme` as in verdicts."""

    requested_bytes: int
    results_bytes: int | None
    programme: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What all rules together say."""

    findings: tuple[Finding, ...]

    @property
    def quorum(self) -> int:
        """How many notaries have to approve."""
        return 1 + sum(one.effect is Weight.MORE_APPROVALS for one in self.findings)

    @property
    def rejects(self) -> bool:
        """Whether a rule rejects the request."""
        return any(one.effect is Weight.REJECT for one in self.findings)


def assess(asked: Asked, *, quorum_bytes: int) -> Assessment:
    """What the rules find. `quorum_bytes`: from there on two notaries have to approve."""
    return Assessment((*_of_programme(asked), *_of_amount(asked, quorum_bytes)))


def _of_programme(asked: Asked) -> Iterator[Finding]:
    if asked.programme == "retired":
        yield Finding("programme_retired", Weight.REJECT, "FIL+ has ended on this network: nobody can give DataCap")
    elif asked.programme != "open":
        yield Finding("programme_unknown", Weight.NOTE, "nothing tells whether FIL+ is still open on this network")


def _of_amount(asked: Asked, quorum_bytes: int) -> Iterator[Finding]:
    amount = asked.requested_bytes
    if amount == 0:
        yield Finding("nothing_requested", Weight.REJECT, "no DataCap is requested: 0 bytes")
        return
    if amount > MAXIMUM_BYTES:
        asked_for, most = _told_apart(amount, MAXIMUM_BYTES)
        text = f"{asked_for} is requested, and no request may be for more than {most}"
        yield Finding("above_maximum", Weight.REJECT, text)
        return
    if amount >= quorum_bytes:
        yield Finding(
            "large", Weight.MORE_APPROVALS, f"from {amount_said(quorum_bytes)} on two notaries have to approve"
        )
    results = asked.results_bytes
    if results is not None and amount > FAR * results:
        text = f"{amount_said(amount)} is requested for results of {amount_said(results)}: more than {FAR} copies"
        yield Finding("far_above_results", Weight.MORE_APPROVALS, text)


def _told_apart(amount: int, other: int) -> tuple[str, str]:
    """Two amounts as sentences say them, to the byte where they would look the same."""
    texts = amount_said(amount), amount_said(other)
    if len({text.removeprefix("about ") for text in texts}) == 2:
        return texts
    return bytes_said(amount), bytes_said(other)


def exact_amount(amount: int) -> str:
    """The amount as sentences say it, and to the byte where that says more: `1 TiB (1099511627776 bytes)`."""
    readable, exact = amount_said(amount), bytes_said(amount)
    return exact if readable == exact else f"{readable} ({exact})"


def amount_said(amount: int) -> str:
    """The amount as sentences say it: `1 byte`, `about 1.5 TiB`."""
    return bytes_said(amount) if amount <= 1 else readable_bytes(amount)


def bytes_said(amount: int) -> str:
    """The amount to the byte: `1 byte`, `1024 bytes`."""
    return "1 byte" if amount == 1 else f"{amount} bytes"
