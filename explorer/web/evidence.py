"""A record of evidence as the pages show it: when it starts and ends, how much it is about, how its status looks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from explorer.web.ports import EVIDENCE_KINDS, Document

STATUS_TONES = {
    "active": "good",
    "pending": "wait",
    "published": "wait",
    "slashed": "bad",
    "terminated": "bad",
    "sector_terminated": "bad",
}
"""The colour of a status label; every other status is grey. The word itself always stands in the label."""

ENDED_EARLY = frozenset({"removed", "sector_terminated", "terminated", "gone"})
"""Statuses of records that ended before their own dates say."""

STATUS_WORDS = {"sector_terminated": "sector terminated"}

VERDICT_LABELS = {
    "active": ("FIL+", "good"),
    "pending": ("Pending", "wait"),
    "past": ("Was FIL+", "past"),
    "none": ("Not FIL+", "past"),
    "unknown": ("Not known", "open"),
}
"""A verdict's label and tone. Unknown is never called a no."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time that one claim or deal speaks of.

    `certain_end_epoch` is the first moment it may honestly end. `end_known` is false where a record ended before its
    own dates say, and nothing tells when: it may have been at any epoch from its start to the asked one.
    """

    kind: str
    record_id: int
    provider: str
    status: str | None
    start_epoch: int
    certain_end_epoch: int
    end_epoch: int
    end_known: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """A provider with active evidence."""

    provider: str
    records: int
    size_bytes: int
    until_epoch: int


def claim_span(claim: Document, asked_epoch: int | None) -> Span:
    """The span of a claim: from its term's start to its latest end."""
    start = claim["term_start_epoch"]
    return _span("claim", claim, start, (start + claim["term_min_epochs"], claim["expires_epoch"]), asked_epoch)


def deal_span(deal: Document, asked_epoch: int | None) -> Span | None:
    """The span of a deal that was activated; None for others. A slashed deal ends where it was slashed."""
    start, slashed = deal["sector_start_epoch"], deal["slash_epoch"]
    if start is None or start < 0:
        return None
    end = deal["end_epoch"] if slashed is None or slashed < 0 else min(slashed, deal["end_epoch"])
    return _span("deal", deal, start, (end, end), asked_epoch)


def _span(kind: str, record: Document, start: int, ends: tuple[int, int], asked_epoch: int | None) -> Span:
    certain, end = ends
    known = record["status"] not in ENDED_EARLY
    if not known:
        certain, end = start, end if asked_epoch is None else min(end, asked_epoch)
    end = max(start, end)
    certain = min(max(certain, start), end)
    return Span(kind, record["id"], record["provider"], record["status"], start, certain, end, known)


def spans_of(evidence: Document, *, asked_epoch: int | None) -> list[Span]:
    """The spans of all claims and verified deals on the page, the earliest first."""
    claims = [claim_span(c, asked_epoch) for c in evidence["claims"]["items"]]
    deals = [deal_span(d, asked_epoch) for d in evidence["deals"]["items"] if d["verified"]]
    return sorted((s for s in (*claims, *deals) if s), key=lambda s: (s.start_epoch, s.end_epoch, s.record_id))


def holders_of(evidence: Document) -> list[Holder]:
    """The providers with active claims or deals on the page, the one with most bytes first.

    A deal and its claim are the same bytes, so a provider's claims count, and its deals only where it has no claim.
    """
    claims = _by_provider(evidence["claims"]["items"], "expires_epoch")
    deals = _by_provider(evidence["deals"]["items"], "end_epoch")
    return sorted((deals | claims).values(), key=lambda holder: (-holder.size_bytes, holder.provider))


def _by_provider(records: list[Document], end_key: str) -> dict[str, Holder]:
    found: dict[str, Holder] = {}
    for record in records:
        if record["status"] == "active":
            name = record["provider"]
            was = found.get(name, Holder(name, 0, 0, 0))
            until = max(was.until_epoch, record[end_key])
            found[name] = Holder(name, was.records + 1, was.size_bytes + record["size_bytes"], until)
    return found


def is_partial(evidence: Document) -> bool:
    """Whether the page shows fewer records than there are."""
    return any(len(evidence[kind]["items"]) < evidence[kind]["total"] for kind in EVIDENCE_KINDS)


def next_cursors(evidence: Document) -> dict[str, str]:
    """The cursor of the next page, for each kind that has one."""
    pages = {kind: evidence[kind].get("next_cursor") for kind in EVIDENCE_KINDS}
    return {kind: cursor for kind, cursor in pages.items() if cursor}


def totals(evidence: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """The kinds of evidence that hold anything, with their pages."""
    yield from ((kind, evidence[kind]) for kind in EVIDENCE_KINDS if evidence[kind]["total"])
