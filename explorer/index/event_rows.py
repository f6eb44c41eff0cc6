"""What events change of the index's rows, in the caller's transaction and under its lock."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import asyncpg

from explorer.ground.queries import load_queries
from explorer.index.lives import Life, allocation_after, claim_after
from explorer.index.merge import queries_of, row_count
from explorer.index.records import ALLOCATIONS, CLAIMS, Row, Table, allocation_columns, claim_columns
from explorer.index.tally import Tally
from explorer.verdict.coverage import Coverage
from node.event_types import (
    AllocationEvent,
    ClaimEvent,
    DealCompleted,
    DealEvent,
    SectorTerminated,
)
from node.events import ActorEvent
from node.registry import Allocation, Claim

_QUERIES = load_queries("explorer.index.sql", "events.sql")

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


def is_indexed(event: ActorEvent) -> bool:
    """Whether the index keeps what an event tells; the others change no verdict."""
    return isinstance(event.payload, INDEXED) and not isinstance(event.payload, DealCompleted)


async def apply_batch(
    connection: asyncpg.Connection, events: list[ActorEvent], coverage: Coverage, tally: Tally
) -> None:
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
    status = await connection.execute(_QUERIES["add_deal_events"], ids, types, [height for _, height in ours])
    tally.added += row_count(status)


async def _add_sector_terminations(connection: asyncpg.Connection, events: list[ActorEvent], tally: Tally) -> None:
    ours = [event for event in events if isinstance(event.payload, SectorTerminated)]
    providers = [event.emitter.actor_id for event in ours]
    sectors = [event.payload.sector for event in ours if isinstance(event.payload, SectorTerminated)]
    heights = [event.height for event in ours]
    status = await connection.execute(_QUERIES["add_sector_terminations"], providers, sectors, heights)
    tally.added += row_count(status)
