"""Tables of the state that can be old and huge: millions of imported records below, what happened since above.

    overlay   immutables.Map   id -> record, or None for a removed one     changes make a new map, sharing the rest
    base      PackedTable      sorted ids, rows of bytes in one piece       never changes, shared by every state

So a state is a handful of references, and thousands of tipsets cost what they changed.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from immutables import Map

R = TypeVar("R")


class PackedTable(Generic[R]):
    """Records as rows of bytes in one piece, by id. A record is unpacked each time it is read.

    `owner_at` is where in a row its owner's id stands, eight bytes, little-endian.
    """

    __slots__ = ("_blob", "_by_owner", "_ends", "_ids", "_owner_at", "_unpack")

    def __init__(self, rows: Iterable[tuple[int, bytes]], *, unpack: Callable[[bytes], R], owner_at: int) -> None:
        self._ids: array[int] = array("q")
        self._ends: array[int] = array("Q")
        self._blob = bytearray()
        self._unpack = unpack
        self._owner_at = owner_at
        self._by_owner: dict[int, array[int]] | None = None
        is_sorted = True
        for row_id, row in rows:
            is_sorted = is_sorted and (not self._ids or self._ids[-1] < row_id)
            self._append(row_id, row)
        if not is_sorted:
            self._sort()

    def _append(self, row_id: int, row: bytes) -> None:
        self._blob += row
        self._ids.append(row_id)
        self._ends.append(len(self._blob))

    def _sort(self) -> None:
        """Puts the rows in the order of ids; of several with one id the last stays."""
        latest = {row_id: at for at, row_id in enumerate(self._ids)}
        ordered = [(row_id, self._row(latest[row_id])) for row_id in sorted(latest)]
        self._ids, self._ends, self._blob = array("q"), array("Q"), bytearray()
        for row_id, row in ordered:
            self._append(row_id, row)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def last_id(self) -> int:
        """The greatest id; -1 of an empty table."""
        return self._ids[-1] if self._ids else -1

    def get(self, record_id: int) -> R | None:
        """The record, or None."""
        at = bisect_left(self._ids, record_id)
        if at == len(self._ids) or self._ids[at] != record_id:
            return None
        return self._unpack(self._row(at))

    def ids(self) -> Iterable[int]:
        """Every id, in order."""
        return self._ids

    def items(self) -> Iterator[tuple[int, R]]:
        """Every record with its id, in the order of ids."""
        return ((record_id, self._unpack(self._row(at))) for at, record_id in enumerate(self._ids))

    def ids_of(self, owner: int) -> Iterable[int]:
        """The ids of an owner's records. The first call reads the whole table."""
        if self._by_owner is None:
            self._by_owner = self._index()
        return self._by_owner.get(owner, array("q"))

    def _index(self) -> dict[int, "array[int]"]:
        by_owner: dict[int, array[int]] = {}
        for at, record_id in enumerate(self._ids):
            start = (self._ends[at - 1] if at else 0) + self._owner_at
            owner = int.from_bytes(self._blob[start : start + 8], "little", signed=True)
            by_owner.setdefault(owner, array("q")).append(record_id)
        return by_owner

    def _row(self, at: int) -> bytes:
        return bytes(self._blob[self._ends[at - 1] if at else 0 : self._ends[at]])


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """Records by id, and by the actor who owns them: a claim's provider, an allocation's client."""

    owner: Callable[[R], int]
    base: PackedTable[R] | None = None
    overlay: Map[int, R | None] = field(default_factory=Map)
    owned: Map[int, Map[int, bool]] = field(default_factory=Map)
    """Owner to ids of the overlay's records."""
    count: int = 0

    def get(self, record_id: int) -> R | None:
        """The record, or None where there is none, or none any more."""
        if record_id in self.overlay:
            return self.overlay[record_id]
        return None if self.base is None else self.base.get(record_id)

    def put(self, record_id: int, record: R) -> "Table[R]":
        """The table with the record added, or in place of the former one of the same owner."""
        added = 0 if self.get(record_id) is not None else 1
        owner = self.owner(record)
        ids = self.owned.get(owner, Map()).set(record_id, True)
        return replace(
            self,
            overlay=self.overlay.set(record_id, record),
            owned=self.owned.set(owner, ids),
            count=self.count + added,
        )

    def remove(self, record_id: int) -> "Table[R]":
        """The table without the record, which must be there."""
        record = self.get(record_id)
        if record is None:
            raise KeyError(record_id)
        owner = self.owner(record)
        ids = self.owned.get(owner, Map())
        owned = self.owned.set(owner, ids.delete(record_id)) if record_id in ids else self.owned
        return replace(self, overlay=self.overlay.set(record_id, None), owned=owned, count=self.count - 1)

    def ids(self) -> Iterator[int]:
        """Every id: the old ones first, each part in order."""
        if self.base is not None:
            yield from (at for at in self.base.ids() if at not in self.overlay)
        yield from (at for at in sorted(self.overlay) if self.overlay[at] is not None)

    def items(self) -> Iterator[tuple[int, R]]:
        """Every record with its id: the old ones first, each part in the order of ids."""
        if self.base is not None:
            yield from ((at, record) for at, record in self.base.items() if at not in self.overlay)
        for record_id in sorted(self.overlay):
            record = self.overlay[record_id]
            if record is not None:
                yield record_id, record

    def ids_of(self, owner: int) -> list[int]:
        """The ids of the owner's records, in order; of those that are removed too."""
        old = () if self.base is None else self.base.ids_of(owner)
        return sorted({*old, *self.owned.get(owner, Map())})

    def of_owner(self, owner: int) -> dict[int, R]:
        """The owner's records by id, in the order of ids."""
        found = ((record_id, self.get(record_id)) for record_id in self.ids_of(owner))
        return {record_id: record for record_id, record in found if record is not None}


def table_over(base: PackedTable[R], owner: Callable[[R], int]) -> Table[R]:
    """The table of imported records alone."""
    return Table(owner=owner, base=base, count=len(base))
