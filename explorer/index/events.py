"""Recorded actor events into the index, batch by batch in the caller's transaction."""

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import islice
from tempfile import TemporaryFile

import asyncpg

from explorer.ground.database import transaction_lock
from explorer.index.beside import told_heights
from explorer.index.documents import Entry
from explorer.index.event_rows import apply_batch, is_indexed
from explorer.index.lock import IMPORT_LOCK
from explorer.index.rejects import Rejects
from explorer.index.spans import load_coverage
from explorer.index.tally import Tally
from explorer.index.tipsets import unwound
from node.errors import EventError, ForeignEvent, RecordError, UnknownEventType
from node.event_types import (
    ClaimCreated,
    ClaimUpdated,
    DealActivated,
    SectorTerminated,
)
from node.events import ActorEvent, parse_actor_event
from node.state import INT64_MAX

BATCH_EVENTS = 5000


async def import_events(
    connection: asyncpg.Connection,
    stream: Iterator[Entry],
    rejects: Rejects,
    tally: Tally,
    *,
    latest_epoch: int | None,
) -> None:
    """Takes every event of the stream; those that the index has no use for are rejected as `event_not_indexed`.

    The stream is read to its end, into a temporary file, before the index is locked: it may be slow. Events that the
    followed chain tells itself are passed over.
    """
    with TemporaryFile() as spool:
        for parsed in _batches(_parsed(stream, rejects, tally, latest_epoch)):
            pickle.dump(parsed, spool)
        await transaction_lock(connection, IMPORT_LOCK)
        end = spool.tell()
        spool.seek(0)
        told = await told_heights(connection)
        async with unwound(connection):
            coverage = await load_coverage(connection)
            while spool.tell() < end:
                batch: list[ActorEvent] = pickle.load(spool)  # noqa: S301 - our own, from above
                untold = [event for event in batch if event.height not in told]
                await apply_batch(connection, untold, coverage, tally)


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
    if not is_indexed(event):
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
