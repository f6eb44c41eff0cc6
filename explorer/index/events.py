"""Recorded actor events into the index, batch by batch in the caller's transaction."""

import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from operator import attrgetter
from tempfile import TemporaryFile
from typing import Any

import asyncpg

from explorer.ground.database import transaction_lock
from explorer.index.documents import Entry
from explorer.index.lives import Life, allocation_after, claim_after
from explorer.index.lock import IMPORT_LOCK
from explorer.index.merge import queries_of, row_count
from explorer.index.records import ALLOCATIONS, CLAIMS, DEALS, Row, Table, allocation_columns, claim_columns
from explorer.index.rejects import Rejects
from explorer.index.spans import load_coverage
from explorer.index.tally import Tally
from explorer.verdict.coverage import Coverage
from node.errors import EventError, ForeignEvent, RecordError, UnknownEventType
from node.event_types import (
    AllocationEvent,
    ClaimCreated,
    ClaimEvent,
    ClaimUpdated,
    DealActivated,
    DealCompleted,
    DealEvent,
    SectorTerminated,
)
from node.events import ActorEvent, parse_actor_event
from node.registry import Allocation, Claim
from node.state import INT64_MAX

BATCH_EVENTS = 5000
INDEXED = ClaimEvent | AllocationEvent | DealEvent | SectorTerminated


@dataclass(frozen=True, slots=True)
class _Family:
    """A kind of record whose whole life events tell: its table, its events, and how they change it."""

    table: Table
    make: Callable[..., Any]
    columns: Callable[[Any], Row]
    events: type[Any]
    id_of: Callable[[Any], int]
    after: Callable[[Life[Any] | None, Any, int, Coverage], Life[Any]]


_CLAIMS = _Family(CLAIMS, Claim, claim_columns, ClaimEvent, attrgetter("claim_id"), claim_after)
_ALLOCATIONS = _Family(
    ALLOCATIONS, Allocation, allocation_columns, AllocationEvent, attrgetter("allocation_id"), allocation_after
)


async def import_events(
    connection: asyncpg.Connection,
    stream: Iterator[Entry],
    rejects: Rejects,
    tally: Tally,
    *,
    latest_epoch: int | None,
) -> None:
    """Takes every event of the stream; those that the index has no use for are rejected as `event_not_indexed`.

    The stream is read to its end, into a temporary file, before the index is locked: it may be slow.
    """
    with TemporaryFile() as spool:
        for batch in _batches(_parsed(stream, rejects, tally, latest_epoch)):
            pickle.dump(batch, spool)
        await transaction_lock(connection, IMPORT_LOCK)
        coverage = await load_coverage(connection)
        end = spool.tell()
        spool.seek(0)
        while spool.tell() < end:
            await _apply(connection, pickle.load(spool), coverage, tally)  # noqa: S301 - written above, by ourselves


def _batches(events: Iterator[ActorEvent]) -> Iterator[list[ActorEvent]]:
    while batch := list(islice(events, BATCH_EVENTS)):
        yield batch


def _parsed(stream: Iterable[Entry], rejects: Rejects, tally: Tally, latest_epoch: int | None) -> Iterator[ActorEvent]:
    for ordinal, entry in enumerate(stream, start=1):
        try:
            event = _parse(entry, latest_epoch)
        except (EventError, RecordError) as error:
            refusal = _as_record_error(error)
            tally.rejected[refusal.reason] += 1
            rejects.write(ordinal, refusal, entry)
            continue
        tally.witness(_shown_epoch(event))
        yield event


def _shown_epoch(event: ActorEvent) -> int:
    """The first epoch at which the event changes an answer.

    Claims and activations bear their own date, the event's height; everything else shows in the state after it.
    """
    dated = isinstance(event.payload, ClaimCreated | ClaimUpdated | DealActivated)
    return event.height if dated else event.height + 1


def _parse(entry: Entry, latest_epoch: int | None) -> ActorEvent:
    """An event that the index keeps; RecordError for one that it doesn't."""
    event = parse_actor_event(entry.value)
    if event.reverted:
        raise RecordError("reverted_event", "the event was reverted: its tipset is no longer in the chain")
    if not isinstance(event.payload, INDEXED) or isinstance(event.payload, DealCompleted):
        raise RecordError("event_not_indexed", f"{event.payload.event_type} events don't change any verdict")
    if isinstance(event.payload, SectorTerminated) and event.emitter.actor_id is None:
        raise RecordError("malformed_emitter", "a miner's event without the miner's id address")
    if latest_epoch is not None and event.height > latest_epoch:
        raise RecordError("event_from_future", f"height {event.height} lies years ahead of this clock")
    numbers = (event.height + 1, *(getattr(event.payload, field.name) for field in fields(event.payload)))
    if any(isinstance(number, int) and number > INT64_MAX for number in numbers):
        raise RecordError("number_out_of_range", "a number of the event is beyond 2^63 - 1")
    return event


def _as_record_error(error: EventError | RecordError) -> RecordError:
    """The error with the reason that is counted."""
    if isinstance(error, RecordError):
        return error
    reasons = {ForeignEvent: "foreign_event", UnknownEventType: "unknown_event_type"}
    return RecordError(reasons.get(type(error), "malformed_event"), str(error))


async def _apply(connection: asyncpg.Connection, events: list[ActorEvent], coverage: Coverage, tally: Tally) -> None:
    """One batch, in the order of the chain."""
    events.sort(key=lambda event: event.height)
    for family in (_CLAIMS, _ALLOCATIONS):
        await _apply_family(connection, family, events, coverage, tally)
    await _add_deal_events(connection, events, tally)
    await _add_sector_terminations(connection, events, tally)


async def _apply_family(
    connection: asyncpg.Connection, family: _Family, events: list[ActorEvent], coverage: Coverage, tally: Tally
) -> None:
    """Loads the rows that the events are about, lives them on, and saves those that changed."""
    ours = [(event.payload, event.height) for event in events if isinstance(event.payload, family.events)]
    before = await _load_lives(connection, family, {family.id_of(payload) for payload, _ in ours})
    lives = dict(before)
    for payload, height in ours:
        record_id = family.id_of(payload)
        lives[record_id] = family.after(lives.get(record_id), payload, height, coverage)
    changed = [life for record_id, life in lives.items() if life != before.get(record_id)]
    await _save_lives(connection, family, changed)
    tally.added += len(lives) - len(before)
    tally.changed += sum(life.object.id in before for life in changed)


async def _load_lives(connection: asyncpg.Connection, family: _Family, ids: set[int]) -> dict[int, Life[Any]]:
    queries = queries_of(family.table)
    terms: dict[int, list[tuple[int, int]]] = defaultdict(list)
    if family is _CLAIMS:
        for row in await connection.fetch(queries["load_terms"], list(ids)):
            terms[row["claim_id"]].append((row["term_max_epochs"], row["since_epoch"]))
    lives = {}
    for row in await connection.fetch(queries["load_lives"], list(ids)):
        values = {name: row[name] for name in ("id", *family.table.columns)}
        epochs = (row["first_seen_epoch"], row["seen_epoch"], row["gone_epoch"], row["removed_epoch"])
        lives[row["id"]] = Life(family.make(**values), *epochs, tuple(terms[row["id"]]))
    return lives


async def _save_lives(connection: asyncpg.Connection, family: _Family, lives: list[Life[Any]]) -> None:
    queries = queries_of(family.table)
    rows = [
        (
            life.object.id,
            life.first_seen_epoch,
            life.seen_epoch,
            life.gone_epoch,
            life.removed_epoch,
            *family.columns(life.object),
        )
        for life in lives
    ]
    await connection.executemany(queries["save_life"], rows)
    terms = [(life.object.id, *term) for life in lives for term in life.terms]
    await connection.executemany(queries["save_terms"], terms)


async def _add_deal_events(connection: asyncpg.Connection, events: list[ActorEvent], tally: Tally) -> None:
    ours = [(event.payload, event.height) for event in events if isinstance(event.payload, DealEvent)]
    ids = [deal.deal_id for deal, _ in ours]
    types = [deal.event_type.removeprefix("deal-") for deal, _ in ours]
    status = await connection.execute(queries_of(DEALS)["add_deal_events"], ids, types, [height for _, height in ours])
    tally.added += row_count(status)


async def _add_sector_terminations(connection: asyncpg.Connection, events: list[ActorEvent], tally: Tally) -> None:
    ours = [event for event in events if isinstance(event.payload, SectorTerminated)]
    providers = [event.emitter.actor_id for event in ours]
    sectors = [event.payload.sector for event in ours if isinstance(event.payload, SectorTerminated)]
    status = await connection.execute(
        queries_of(DEALS)["add_sector_terminations"], providers, sectors, [event.height for event in ours]
    )
    tally.added += row_count(status)
