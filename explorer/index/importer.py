"""`filplus index import`: one file, one transaction.

    text → entries → rows → stage ─┐ lock ┌─ repeated? share? ─ merge ─ coverage, log ─ commit
                     └ rejects file       └ any error: nothing has changed

Reading and staging of two imports may run side by side; merging takes turns.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from explorer.errors import EpochInFuture, EpochMissing, OtherNetwork
from explorer.ground.connection import database_errors
from explorer.ground.database import transaction_lock
from explorer.index import merge
from explorer.index.beside import Bearing, bearing_of
from explorer.index.documents import Entry, entries
from explorer.index.events import import_events
from explorer.index.files import STDIN, DumpFile, open_dump
from explorer.index.imports import log_import
from explorer.index.kinds import with_kind
from explorer.index.lock import IMPORT_LOCK
from explorer.index.networks import claim_network
from explorer.index.pieces import import_pieces
from explorer.index.records import TABLES, DumpKind, Table, parse_entry
from explorer.index.rejects import Rejects
from explorer.index.spans import load_index_epoch
from explorer.index.tally import Tally
from explorer.index.tipsets import unwound
from node.errors import RecordError
from node.network import Network

STDIN_SOURCE = "standard input"
_SAY_KIND = "say --kind deals, claims, allocations, events or pieces"
Progress = Callable[[int, int], None]
"""Called now and then with the bytes read and the records taken so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to import and how: see CONTRACT, `index import`.

    `latest_epoch` bounds what a file may claim to be its epoch, so that one absurd number can't outdate the index.
    """

    file: str
    network: Network
    rejects_dir: Path
    kind: DumpKind | None = None
    at_epoch: int | None = None
    partial: bool = False
    force: bool = False
    source: str | None = None
    latest_epoch: int | None = None


async def import_file(connection: asyncpg.Connection, request: ImportRequest, progress: Progress) -> dict[str, Any]:
    """Imports one file and returns its report, as `index import --json` prints it.

    ImportFailed, DatabaseUnavailable, NetworkMismatch, DataDirError (the rejects): nothing has changed.
    """
    started = time.monotonic()
    with (
        open_dump(request.file) as dump,
        Rejects(request.rejects_dir, request.file) as rejects,
        database_errors(f"importing {request.file}"),
    ):
        async with connection.transaction():
            await claim_network(connection, request.network.name)
            kind, tally = await _import(connection, request, dump, rejects, progress)
            await _log(connection, request, kind, tally)
    return {
        "file": request.file,
        "kind": kind,
        "bytes": dump.bytes_read,
        "records": tally.records,
        "added": tally.added,
        "changed": tally.changed,
        "unchanged": tally.unchanged,
        "removed": tally.removed,
        "rejected": dict(tally.rejected),
        "rejects_file": str(rejects.path) if tally.rejected else None,
        "at_epoch": request.at_epoch if kind in TABLES else None,
        "epoch": tally.epoch,
        "complete": tally.complete,
        "seconds": round(time.monotonic() - started, 3),
    }


async def _import(
    connection: asyncpg.Connection, request: ImportRequest, dump: DumpFile, rejects: Rejects, progress: Progress
) -> tuple[DumpKind, Tally]:
    """Reads the file to its end and merges it; returns its kind and what became of its records."""
    tally = Tally()
    _demand_past(request)
    if request.kind == "pieces":
        await import_pieces(connection, dump, rejects, tally, source=source_of(request))
        return "pieces", tally
    stream = _counted(entries(dump.text, request.file), dump, tally, progress)
    kind, stream = (request.kind, stream) if request.kind else with_kind(stream, request.file, remedy=_SAY_KIND)
    if kind == "events":
        await import_events(connection, stream, rejects, tally, latest_epoch=request.latest_epoch)
        return kind, tally
    table = TABLES[kind]
    await merge.create_stage(connection, table)
    await merge.fill_stage(connection, table, _rows(table, stream, request, rejects, tally))
    await transaction_lock(connection, IMPORT_LOCK)
    if tally.nothing_taken:
        _demand_own_network(request, tally)
        tally.epoch = None
        return kind, tally
    epoch = tally.epoch = await _epoch_of(connection, request, tally)
    bearing = await bearing_of(connection, table.kind, epoch)
    async with unwound(connection):
        await _merge_stage(connection, table, request, rejects, tally, epoch=epoch, bearing=bearing)
    return kind, tally


def _demand_past(request: ImportRequest) -> None:
    """EpochInFuture for a file from an epoch that can't have been: it would outdate the whole index."""
    latest = request.latest_epoch
    if latest is not None and request.at_epoch is not None and request.at_epoch > latest:
        raise EpochInFuture(
            f"--at-epoch {request.at_epoch} lies years ahead of this clock, on {request.network.name}: "
            "say the height of the tipset that the file was read at"
        )


def source_of(request: ImportRequest) -> str:
    """The name under which the file's records are known: fit to be stored and printed."""
    name = request.source or (STDIN_SOURCE if request.file == STDIN else Path(request.file).name)
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def address_prefixes(network: Network) -> str:
    """The prefixes that addresses of a network's dumps may have: whoever runs a devnet chooses."""
    return "ft" if network.genesis_time is None or network.name == "simulated" else network.address_prefix


def _counted(stream: Iterator[Entry], dump: DumpFile, tally: Tally, progress: Progress) -> Iterator[Entry]:
    """The entries, counted, with word to `progress` every so often."""
    for entry in stream:
        tally.records += 1
        if tally.records % 1000 == 0:
            progress(dump.bytes_read, tally.records)
        yield entry


def _rows(
    table: Table, stream: Iterable[Entry], request: ImportRequest, rejects: Rejects, tally: Tally
) -> Iterator[tuple[object, ...]]:
    """The stage's rows; what can't be taken goes to the rejects."""
    prefixes = address_prefixes(request.network)
    for ordinal, entry in enumerate(stream, start=1):
        try:
            row = parse_entry(table, entry, prefixes)
        except RecordError as error:
            tally.rejected[error.reason] += 1
            rejects.write(ordinal, error, entry)
            continue
        tally.witness(row.epoch, request.latest_epoch)
        yield (ordinal, row.id, *row.columns)


async def _merge_stage(
    connection: asyncpg.Connection,
    table: Table,
    request: ImportRequest,
    rejects: Rejects,
    tally: Tally,
    *,
    epoch: int,
    bearing: Bearing,
) -> None:
    """Checks the staged rows as a whole and takes them into the index, as far as they bear on it."""
    async for ordinal, record_id in merge.contradicted_rows(connection, table):
        tally.rejected["repeated_id"] += 1
        error = RecordError("repeated_id", f"id {record_id} comes again later in the file, with other values")
        rejects.write(ordinal, error, Entry(str(record_id), None))
    tally.complete = bearing != "unsettled" and _is_complete(request, tally)
    if bearing == "followed":
        tally.changed = await merge.merge_labels(connection, table)
        return
    if tally.complete and not request.force:
        await merge.check_share(connection, table, epoch=epoch)
    merged = await merge.merge(connection, table, epoch=epoch, complete=tally.complete)
    tally.added, tally.changed, tally.removed = merged.added, merged.changed, merged.removed
    if tally.complete:
        await merge.cover(connection, table, epoch=epoch, source=source_of(request))


def _demand_own_network(request: ImportRequest, tally: Tally) -> None:
    """OtherNetwork where nothing but the network's prefix kept the records out."""
    if tally.rejected["wrong_network"] == tally.records:
        raise OtherNetwork(
            f"{request.file} holds no record of {request.network.name}: name its own network with --network"
        )


async def _epoch_of(connection: asyncpg.Connection, request: ImportRequest, tally: Tally) -> int:
    """The epoch the file was read at: as told, else the largest its records bear, else that of the index."""
    if request.at_epoch is not None:
        return request.at_epoch
    if tally.epoch is not None:
        return tally.epoch
    index_epoch = await load_index_epoch(connection)
    if index_epoch is not None:
        return index_epoch
    raise EpochMissing(
        f"{request.file}: no record bears a date, so its epoch can't be told; "
        "say --at-epoch N, the tipset it was read at (with --partial if it doesn't hold every record)"
    )


def _is_complete(request: ImportRequest, tally: Tally) -> bool:
    """Whether the file holds every record of its kind at its epoch, and each of them was taken."""
    return request.at_epoch is not None and not request.partial and not tally.rejected


async def _log(connection: asyncpg.Connection, request: ImportRequest, kind: DumpKind, tally: Tally) -> None:
    """Writes down the import."""
    await log_import(
        connection,
        kind,
        source=source_of(request),
        epoch=tally.epoch,
        complete=tally.complete,
        records=tally.records,
        rejected=tally.rejected.total(),
    )
