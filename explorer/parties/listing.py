"""One party's records, the newest first, each with its status. Every page is short statements of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from explorer.ground.queries import load_queries
from explorer.index import store
from explorer.index.items import record_document
from explorer.index.questions import cursor_of, id_of_cursor
from explorer.parties.naming import Role
from explorer.parties.terms import Terms
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord, RecordKind
from explorer.verdict.rules import Holding, Moment, Standing, allocation_standing, claim_standing, deal_standing
from node.state import INT64_MAX

Document = dict[str, Any]
AnyRecord = ClaimRecord | DealRecord | AllocationRecord

_QUERIES = load_queries("explorer.parties.sql", "listing.sql")


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and the cursor behind them where there are more."""

    items: list[Document]
    next_cursor: str | None


async def load_page(
    connection: asyncpg.Connection,
    kind: RecordKind,
    role: Role,
    party_id: int,
    *,
    terms: Terms,
    cursor: str | None,
    limit: int,
) -> Page:
    """The records behind a cursor, the newest first; MalformedCursor. Of deals only the verified ones."""
    below = INT64_MAX if cursor is None else id_of_cursor(kind, cursor)
    query = _QUERIES[kind].format(role=role)
    ids = [row["id"] for row in await connection.fetch(query, party_id, below, limit + 1)]
    shown = ids[:limit]
    records = await store.load_records(connection, kind, shown, terms.epoch)
    moment = terms.moment(await _claimed(connection, records, terms) if kind == "deals" else frozenset())
    items = [_item(record, moment, terms) for record in sorted(records, key=lambda record: -record.id)]
    return Page(items, cursor_of(kind, shown[-1]) if len(ids) > limit else None)


async def _claimed(connection: asyncpg.Connection, deals: Sequence[AnyRecord], terms: Terms) -> frozenset[Holding]:
    """Which of the deals have a claim."""
    found = await connection.fetch(
        _QUERIES["claimed"],
        [deal.client_id for deal in deals],
        [deal.provider_id for deal in deals],
        [deal.piece for deal in deals],
        terms.epoch,
    )
    return frozenset((row["client_id"], row["provider_id"], row["piece"]) for row in found)


def _item(record: AnyRecord, moment: Moment, terms: Terms) -> Document:
    standing = _standing(record, moment)
    return record_document(record, None if standing is None else standing.status, terms.network)


def _standing(record: AnyRecord, moment: Moment) -> Standing | None:
    match record:
        case ClaimRecord():
            return claim_standing(record, moment)
        case DealRecord():
            return deal_standing(record, moment)
        case AllocationRecord():
            return allocation_standing(record, moment)
