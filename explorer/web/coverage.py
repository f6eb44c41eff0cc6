"""What the index covers, as bars with their gaps."""

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.web.ports import EVIDENCE_KINDS, Document

_MIN_WIDTH = 0.8

Range = tuple[int, int]
"""The first and the last epoch of a range, both inside it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A covered part of the bar, in percent of it."""

    left: float
    width: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class CoverageBar:
    """One kind's coverage from epoch 0 to the head of the index."""

    kind: str
    stretches: list[Stretch]
    gaps: list[Range]
    sources: list[str]
    partial_sources: list[str]


def coverage_bars(status: Document) -> list[CoverageBar]:
    """A bar for each kind of record, also for one of which nothing was imported; none while the index is empty."""
    head = status["index"]["epoch"]
    if head is None:
        return []
    entries = status["index"]["coverage"]
    kinds = list(dict.fromkeys([*EVIDENCE_KINDS, *(entry["kind"] for entry in entries)]))
    return [_bar(kind, [e for e in entries if e["kind"] == kind], max(1, head)) for kind in kinds]


def _bar(kind: str, entries: list[Document], head: int) -> CoverageBar:
    complete = [e for e in entries if e["complete"] and e["from_epoch"] is not None]
    ranges = merged([(e["from_epoch"], e["through_epoch"]) for e in complete])
    partial = [e["source"] for e in entries if not e["complete"]]
    return CoverageBar(
        kind,
        [_stretch(r, head) for r in ranges],
        gaps_between(ranges, head),
        sorted({e["source"] for e in complete}),
        sorted(set(partial)),
    )


def _stretch(found: Range, head: int) -> Stretch:
    first, last = found
    width = max(_MIN_WIDTH, (last - first) / head * 100)
    left = min(first / head * 100, 100 - width)
    return Stretch(round(max(0.0, left), 2), round(min(width, 100.0), 2), first, last)


def merged(ranges: Sequence[Range]) -> list[Range]:
    """The ranges in order, those that overlap or touch as one."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def gaps_between(ranges: Sequence[Range], head: int) -> list[Range]:
    """What merged ranges leave uncovered from epoch 0 to the head."""
    gaps, next_epoch = [], 0
    for first, last in ranges:
        if first > next_epoch:
            gaps.append((next_epoch, first - 1))
        next_epoch = last + 1
    return [*gaps, (next_epoch, head)] if next_epoch <= head else gaps
