"""How the index is asked: as of when, and for how much evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from explorer.ground.cursors import Cursors
from explorer.verdict.records import RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """The moment that is asked about: an epoch, a time, or neither, which means the head of the index."""

    epoch: int | None = None
    time: datetime | None = None

    @property
    def is_head(self) -> bool:
        """Whether no moment was named."""
        return self.epoch is None and self.time is None


HEAD = AsOf()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRequest:
    """How much evidence to give: totals only, or `limit` items of each kind after that kind's cursor."""

    full: bool = False
    limit: int = 100
    cursors: Mapping[str, str | None] = field(default_factory=dict)


SUMMARY = EvidenceRequest()


def cursor_of(kind: RecordKind, last_id: int) -> str:
    """The opaque cursor behind the record `last_id` of a list that is ordered by id."""
    return _cursors(kind).at(last_id)


def id_of_cursor(kind: RecordKind, cursor: str | None) -> int:
    """The id behind which the page begins; -1 without a cursor. MalformedCursor for one that was not made here."""
    return -1 if cursor is None else _cursors(kind).number(cursor)


def _cursors(kind: RecordKind) -> Cursors:
    return Cursors(f"{kind}:", least=0)
