"""Where the index and a node differ about one state. Pure: what both hold of a record in, the difference out.

missing    the node has it, the index doesn't have it there
surplus    the index has it there, the node doesn't
different  both have it, with other fields
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from explorer.index.records import TABLES
from explorer.verdict.records import NEVER, RecordKind
from node.network import LAST_VERSION_WITH_DATACAP

What = Literal["missing", "surplus", "different"]
WHATS: tuple[What, ...] = ("missing", "surplus", "different")
EXAMPLES_MAX = 10
"""So many examples are kept of each kind and each sort of drift."""

Fields = Mapping[str, Any]

_NOT_COMPARED = frozenset({"label_key", "label", "label_known"})
_CHUNK_BITS = 16
_LEFT_OUT = "an event of it was missed, or it was changed without one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One record about which the index and the node differ. `fields`: of each, what the index and the node have."""

    kind: RecordKind
    what: What
    id: int
    fields: Mapping[str, tuple[Any, Any]]
    reason: str

    def document(self) -> dict[str, Any]:
        """As JSON: bytes as hexadecimal text, absent sides null."""
        fields = {name: {"index": _plain(pair[0]), "node": _plain(pair[1])} for name, pair in self.fields.items()}
        return {"kind": self.kind, "what": self.what, "id": self.id, "fields": fields, "reason": self.reason}


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def told_fields(kind: RecordKind, record: Any, epoch: int) -> Fields | None:
    """A node's record by the index's columns; None for a deal that is over at the epoch, which is not compared."""
    row = TABLES[kind].row_of(record)
    fields = dict(zip(TABLES[kind].columns, row.columns, strict=True))
    if kind == "deals" and not is_alive(fields, epoch):
        return None
    return fields


def is_alive(deal: Fields, epoch: int) -> bool:
    """Whether a deal of the state can still be in the next one: neither ended, nor slashed, nor past its start
    without a sector. The others leave the state whenever somebody settles them."""
    if deal["slash_epoch"] != NEVER:
        return False
    last: int = deal["start_epoch"] if deal["sector_start_epoch"] == NEVER else deal["end_epoch"]
    return epoch < last


def drift_of(kind: RecordKind, record_id: int, held: Fields | None, told: Fields | None, version: int) -> Drift | None:
    """How the index (`held`, as of the epoch) and the node (`told`) differ about a record; None where they don't.

    `version` is the network version at the epoch.
    """
    ours = held if held is not None and held["in_state"] else None
    if ours is None and told is None:
        return None
    if ours is not None and told is not None:
        fields = differing_fields(kind, ours, told)
        if not fields:
            return None
        return Drift(kind=kind, what="different", id=record_id, fields=fields, reason=_why_different(fields))
    names = compared_names(kind)
    fields = {name: (ours and ours[name], told and told[name]) for name in names}
    if ours is None:
        return Drift(kind=kind, what="missing", id=record_id, fields=fields, reason=_why_missing(held))
    return Drift(kind=kind, what="surplus", id=record_id, fields=fields, reason=_why_surplus(kind, ours, version))


def compared_names(kind: RecordKind) -> tuple[str, ...]:
    """The columns that both sides know of every record; labels are known where both print them."""
    return tuple(name for name in TABLES[kind].columns if name not in _NOT_COMPARED)


def differing_fields(kind: RecordKind, ours: Fields, told: Fields) -> dict[str, tuple[Any, Any]]:
    """The fields that differ, with what the index and the node have."""
    names = compared_names(kind)
    if kind == "deals" and ours["label_known"] and told["label_known"]:
        names += ("label",)
    return {name: (ours[name], told[name]) for name in names if ours[name] != told[name]}


def _why_missing(held: Fields | None) -> str:
    if held is None:
        return "the index never saw it: the event that made it was missed"
    if held["ended_epoch"] is not None:
        return f"the index has it as ended at epoch {held['ended_epoch']}"
    return f"the index has it, but not as it stands there: first seen at epoch {held['since_epoch']}"


def _why_surplus(kind: RecordKind, ours: Fields, version: int) -> str:
    if kind == "deals" and ours["sector_start_epoch"] != NEVER:
        return "its sector was likely terminated by the chain itself, after a fault or at its end: that emits no event"
    if kind == "allocations" and version > LAST_VERSION_WITH_DATACAP:
        return "allocations were likely cleared when the programme ended (FIP-0118): that emits no event"
    return _LEFT_OUT


def _why_different(fields: Mapping[str, Any]) -> str:
    if fields.keys() == {"term_max_epochs"}:
        return "an extension of its term was likely missed"
    if fields.keys() == {"sector_start_epoch"}:
        return "its activation was likely missed, or told of another epoch"
    return "one of the two holds a wrong value: a record's other fields never change"


@dataclass(slots=True)
class Comparison:
    """What became of the comparison of one kind of record."""

    kind: RecordKind
    in_index: int = 0
    in_node: int = 0
    counts: Counter[What] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    """The node's records that can't be taken, by reason; the index may hold none of them."""
    examples: list[Drift] = field(default_factory=list)

    def add(self, drift: Drift | None) -> None:
        """Counts a difference, and keeps it while there are few."""
        if drift is None:
            return
        self.counts[drift.what] += 1
        if self.counts[drift.what] <= EXAMPLES_MAX:
            self.examples.append(drift)

    @property
    def drift(self) -> int:
        """How many records differ."""
        return self.counts.total()

    @property
    def records(self) -> int:
        """How many records either side had."""
        return self.in_index + self.in_node + self.rejected.total()


class SeenIds:
    """A set of ids, a bit each where they lie close together: 12 MB for a hundred million."""

    def __init__(self) -> None:
        self._chunks: dict[int, bytearray] = {}

    def add(self, number: int) -> bool:
        """Takes an id in; whether it is new."""
        chunk, place = number >> _CHUNK_BITS, number & ((1 << _CHUNK_BITS) - 1)
        bits = self._chunks.setdefault(chunk, bytearray(1 << (_CHUNK_BITS - 3)))
        is_new = not bits[place >> 3] >> (place & 7) & 1
        bits[place >> 3] |= 1 << (place & 7)
        return is_new

    def __contains__(self, number: int) -> bool:
        bits = self._chunks.get(number >> _CHUNK_BITS)
        place = number & ((1 << _CHUNK_BITS) - 1)
        return bits is not None and bool(bits[place >> 3] >> (place & 7) & 1)


def drift_counts(comparisons: Sequence[Comparison]) -> dict[str, dict[str, int]]:
    """By kind, how many records are missing, surplus and different."""
    return {one.kind: {what: one.counts[what] for what in WHATS} for one in comparisons}
