"""What a dump holds, as its first records tell."""

from collections.abc import Iterator, Mapping
from itertools import chain

from explorer.errors import KindUnknown
from explorer.index.documents import Entry
from explorer.index.records import TABLES, DumpKind

_LOOKED_AT = 100


def kind_of_entry(entry: Entry) -> DumpKind | None:
    """The kind that an entry's fields tell; None where they don't."""
    if not isinstance(entry.value, Mapping):
        return None
    if "entries" in entry.value and "emitter" in entry.value:
        return "events"
    for table in TABLES.values():
        if table.marks & entry.value.keys():
            return table.kind
    return None


def with_kind(stream: Iterator[Entry], file: str, *, remedy: str) -> tuple[DumpKind, Iterator[Entry]]:
    """The kind of the first telling entry, and the stream with nothing missing.

    KindUnknown where none tells, with what the user can do about it.
    """
    seen: list[Entry] = []
    for entry in stream:
        seen.append(entry)
        kind = kind_of_entry(entry)
        if kind:
            return kind, chain(seen, stream)
        if len(seen) == _LOOKED_AT:
            break
    raise KindUnknown(f"{file}: none of its first {len(seen)} records tells what it holds; {remedy}")
