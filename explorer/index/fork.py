"""Dump files as the start of a simulated chain, which so becomes a fork of the network that they are of.

files ─► kinds ─► deals, claims, allocations ─► packed tables, as of the largest epoch that a record bears
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from explorer.errors import EpochMissing, NotForkable
from explorer.index.documents import Entry, entries
from explorer.index.files import open_dump
from explorer.index.kinds import with_kind
from explorer.index.records import TABLES, DumpKind, Table, read_entry
from node.errors import RecordError
from node.market import Deal
from node.sim.genesis import Imported, import_records
from node.sim.imports import TermedDeal, parse_terms

_REMEDY = "a chain starts from JSON of deals, claims and allocations, as StateMarketDeals and its kin answer"
_PREFIXES = "ft"
"""A fork of any network is read: mainnet's addresses as well as Calibration's."""


@dataclass(slots=True)
class Fork:
    """What the files gave. `rejected` counts by reason the records that could not be taken."""

    records: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    epoch: int | None = None
    """The epoch that the chain goes on from."""
    witnessed: int | None = None
    """The largest epoch that a record bears witness of."""


def read_fork(files: Sequence[str], *, at_epoch: int | None = None) -> tuple[Imported, Fork]:
    """The records of all files, for a chain to start from; `-` is standard input.

    `at_epoch` is the epoch that they were read at; without it the largest that one of them bears witness of.
    UnreadableFile, CorruptFile, KindUnknown, NotForkable (a file of another kind), EpochMissing. A file
    without a record adds none.
    """
    fork = Fork()
    with ExitStack() as opened:
        streams: dict[str, list[Iterator[Entry]]] = {kind: [] for kind in TABLES}
        for file in files:
            stream = entries(opened.enter_context(open_dump(file)).text, file)
            for first in islice(stream, 1):
                kind, whole = with_kind(chain([first], stream), file, remedy=_REMEDY)
                _demand_state(file, kind)
                streams[kind].append(whole)
        records = {kind: _records(TABLES[kind], chain(*streams[kind]), fork) for kind in TABLES}
        imported = import_records(epoch=at_epoch or 0, **records)
    fork.epoch = fork.witnessed if at_epoch is None else at_epoch
    if fork.epoch is None:
        raise EpochMissing(
            f"none of the {fork.rejected.total()} records could be taken, or bears a date; "
            "say --at-epoch N, the tipset that they were read at"
        )
    return replace(imported, epoch=fork.epoch), fork


def _demand_state(file: str, kind: DumpKind) -> None:
    if kind not in TABLES:
        raise NotForkable(f"{file} holds {kind}; a chain starts from deals, claims and allocations")


def _records(table: Table, stream: Iterable[Entry], fork: Fork) -> Iterator[Any]:
    """The Deals, Claims or Allocations of a stream, counted."""
    for entry in stream:
        try:
            record = read_entry(table, entry, _PREFIXES)
        except RecordError as error:
            fork.rejected[error.reason] += 1
            continue
        fork.records[table.kind] += 1
        witnessed = table.row_of(record).epoch
        if witnessed is not None:
            fork.witnessed = max(witnessed, fork.witnessed or 0)
        yield _with_terms(record, entry.value)


def _with_terms(record: Any, value: object) -> Any:
    """A deal with its price and collaterals, which the chain settles by; other records as they are."""
    return TermedDeal(record, parse_terms(value)) if isinstance(record, Deal) and isinstance(value, Mapping) else record
