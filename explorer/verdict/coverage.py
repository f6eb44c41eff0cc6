"""What the index could have missed: which kinds of record it holds completely, at which epochs.

"None" is only said where everything that could hold a record was read; elsewhere the answer is "unknown".
"""

from collections.abc import Iterable
from dataclasses import dataclass

from explorer.verdict.records import RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A source that holds every record of a kind at each epoch from `from_epoch` through `through_epoch`."""

    kind: RecordKind
    from_epoch: int
    through_epoch: int
    source: str

    def holds(self, epoch: int) -> bool:
        """Whether `epoch` lies in the span, both ends included."""
        return self.from_epoch <= epoch <= self.through_epoch


@dataclass(frozen=True, slots=True)
class Coverage:
    """All spans of the index, in no order."""

    spans: tuple[Span, ...] = ()

    def covers(self, kind: RecordKind, epoch: int) -> bool:
        """Whether one source holds every record of the kind at that epoch."""
        return any(span.kind == kind and span.holds(epoch) for span in self.spans)

    def last(self, kind: RecordKind) -> int | None:
        """The last epoch that a complete source of the kind covers."""
        return max((span.through_epoch for span in self._of(kind)), default=None)

    def before(self, kind: RecordKind, epoch: int) -> int | None:
        """The last epoch before `epoch` that a complete source of the kind covers."""
        spans = (min(span.through_epoch, epoch - 1) for span in self._of(kind) if span.from_epoch < epoch)
        return max(spans, default=None)

    def after(self, kind: RecordKind, epoch: int) -> int | None:
        """The first epoch after `epoch` that a complete source of the kind covers."""
        spans = (max(span.from_epoch, epoch + 1) for span in self._of(kind) if span.through_epoch > epoch)
        return min(spans, default=None)

    def _of(self, kind: RecordKind) -> Iterable[Span]:
        return (span for span in self.spans if span.kind == kind)

    def at(self, epoch: int) -> tuple[Span, ...]:
        """The spans that hold `epoch`, by kind and source."""
        return tuple(sorted((s for s in self.spans if s.holds(epoch)), key=lambda s: (s.kind, s.source, s.from_epoch)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestones:
    """The epochs at which a network's rules changed for FIL+."""

    nv17_epoch: int
    nv22_epoch: int
    retires_at_epoch: int | None = None


def kinds_needed(epoch: int, milestones: Milestones) -> tuple[RecordKind, ...]:
    """The kinds that could hold a counting record of a piece at `epoch`.

    Before nv17 claims and allocations could not exist (FIP-0045); from nv29 on allocations count as nothing (FIP-0118).
    """
    if epoch < milestones.nv17_epoch:
        return ("deals",)
    if milestones.retires_at_epoch is not None and epoch >= milestones.retires_at_epoch:
        return ("deals", "claims")
    return ("deals", "claims", "allocations")


def missing_kinds(kinds: Iterable[RecordKind], coverage: Coverage, epoch: int) -> tuple[RecordKind, ...]:
    """Those of `kinds` that the index doesn't hold completely at `epoch`, in the order given."""
    return tuple(kind for kind in kinds if not coverage.covers(kind, epoch))
