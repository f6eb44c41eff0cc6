"""What the index says was in the chain's state at an epoch: record by record, by id or in pages."""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from typing import Any

import asyncpg

from explorer.ground.queries import load_queries
from explorer.verdict.coverage import Coverage, missing_kinds
from explorer.verdict.records import RECORD_KINDS, RecordKind

PAGE_ROWS = 5000

Held = Mapping[str, Any]
"""A record of the index: its fields as of the epoch, and `in_state`, `since_epoch`, `ended_epoch`."""

_QUERIES = load_queries("explorer.index.sql", "drift.sql")
_NEEDS: Mapping[RecordKind, tuple[RecordKind, ...]] = {
    "claims": ("claims",),
    "allocations": ("allocations", "claims"),
    "deals": ("deals",),
}
"""Which kinds must be covered to know one: only its claim tells that an allocation was claimed."""


@cache
def state_query(kind: RecordKind, name: str) -> str:
    """A query of drift.sql over the state of one kind."""
    return _QUERIES[name].format(state=_QUERIES[f"{kind}_at"], table=kind)


def gaps_at(coverage: Coverage, epoch: int) -> dict[str, str]:
    """The kinds whose state at the epoch the index doesn't know, and why."""
    missing = {kind: missing_kinds(_NEEDS[kind], coverage, epoch) for kind in RECORD_KINDS}
    return {kind: _gap_text(kind, lacking, epoch) for kind, lacking in missing.items() if lacking}


def _gap_text(kind: RecordKind, lacking: Sequence[RecordKind], epoch: int) -> str:
    first, last = lacking[0], lacking[-1]
    text = f"the index doesn't hold every record of {first} at epoch {epoch}"
    if last == kind:
        return text
    return f"{text}{'' if last == first else f', nor of {last}'}, which tell those that were claimed"


def kinds_behind(kind: RecordKind) -> tuple[RecordKind, ...]:
    """The kinds that tell what is in the state of one."""
    return _NEEDS[kind]


async def held_by_id(connection: asyncpg.Connection, kind: RecordKind, epoch: int, ids: list[int]) -> dict[int, Held]:
    """What the index holds under these ids, in the state at the epoch or not."""
    rows = await connection.fetch(state_query(kind, "by_ids"), epoch, ids)
    return {row["id"]: row for row in rows}


async def held_pages(connection: asyncpg.Connection, kind: RecordKind, epoch: int) -> AsyncIterator[list[Held]]:
    """Everything of a kind that the index holds, in pages by id; each page is one short statement."""
    last = -1
    while rows := await connection.fetch(state_query(kind, "page"), epoch, last, PAGE_ROWS):
        yield rows
        last = rows[-1]["id"]


async def claims_of_provider(connection: asyncpg.Connection, epoch: int, provider_id: int) -> AsyncIterator[list[Held]]:
    """The provider's claims that the index holds, in pages by sector."""
    query, last = state_query("claims", "page_of_provider"), (-1, -1)
    while rows := await connection.fetch(query, epoch, *last, provider_id, PAGE_ROWS):
        yield rows
        last = (rows[-1]["sector"], rows[-1]["id"])


async def allocations_of_client(
    connection: asyncpg.Connection, epoch: int, client_id: int
) -> AsyncIterator[list[Held]]:
    """The client's allocations that the index holds, in pages by id."""
    query, last = state_query("allocations", "page_of_client"), -1
    while rows := await connection.fetch(query, epoch, last, client_id, PAGE_ROWS):
        yield rows
        last = rows[-1]["id"]
