"""How the index is asked: as of when, and for how much evidence."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from explorer.errors import MalformedCursor
from explorer.verdict.records import RecordKind
from node.state import INT64_MAX


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
    return base64.urlsafe_b64encode(f"{kind}:{last_id}".encode()).decode().rstrip("=")


def id_of_cursor(kind: RecordKind, cursor: str | None) -> int:
    """The id behind which the page begins; -1 without a cursor. MalformedCursor for one that was not made here."""
    if cursor is None:
        return -1
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        made_for, _, last_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError) as error:
        raise _malformed(cursor) from error
    if made_for != kind or not last_id.isdigit() or len(last_id) > 19 or int(last_id) > INT64_MAX:
        raise _malformed(cursor)
    return int(last_id)


def _malformed(cursor: str) -> MalformedCursor:
    return MalformedCursor(
        f"cursor {cursor[:60]!r} was not made by this index; take next_cursor of an answer, or none", value=cursor[:60]
    )
