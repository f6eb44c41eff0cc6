"""The records of one party, counted: by status, by the other side, by month, and by how often each piece is there.

Two statements a kind of record. It takes time in proportion to the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg

from explorer.ground.queries import load_queries
from explorer.parties.naming import OTHER, Role
from explorer.parties.periods import Period, first_epochs, periods_through
from explorer.parties.terms import Terms
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.address import actor_address

LARGE_RECORDS = 3_000
"""A party with more records of a kind is counted ahead: so many take a tenth of a second."""
MOST_COPIES = 20
"""Pieces with so many copies or more are counted together."""

Document = dict[str, Any]

_QUERIES = load_queries("explorer.parties.sql", "counting.sql")
_RECORDS = load_queries("explorer.index.sql", "store.sql")
_COPIES: Mapping[Role, str] = {
    "client": "count(DISTINCT judged.provider_id) FILTER (WHERE judged.status = 'active')",
    "provider": "count(*) FILTER (WHERE judged.status = 'active')",
}
_SHARED: Mapping[Role, str] = {
    "client": "EXISTS (SELECT FROM explorer.{kind} AS o"
    " WHERE o.piece = one.piece AND NOT o.client_id = ANY ($1::bigint[]){verified})",
    "provider": "one.clients > 1",
}
_BY_STATUS, _BY_OTHER, _BY_PERIOD = 0b011, 0b101, 0b110
"""What GROUPING says of the columns that a row is not grouped by."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, fit to be kept as JSON, and the first epoch at which time alone makes it wrong."""

    document: Document
    holds_until_epoch: int | None


async def is_large(connection: asyncpg.Connection, role: Role, party_id: int, limit: int = LARGE_RECORDS) -> bool:
    """Whether the party has so many records that counting them takes longer than an answer may."""
    return bool(await connection.fetchval(_QUERIES["is_large"].format(role=role), party_id, limit))


async def count_party(connection: asyncpg.Connection, role: Role, party_id: int, terms: Terms) -> Counted:
    """Everything that is counted of a party, by kind of record; one snapshot if the transaction is one."""
    document: Document = {}
    ends: list[int | None] = []
    for kind in RECORD_KINDS:
        document[kind], holds_until_epoch = await _count_kind(connection, kind, role, party_id, terms)
        ends.append(holds_until_epoch)
    return Counted(document, min((end for end in ends if end is not None), default=None))


async def _count_kind(
    connection: asyncpg.Connection, kind: RecordKind, role: Role, party_id: int, terms: Terms
) -> tuple[Document, int | None]:
    periods = periods_through(terms.network, terms.epoch)
    known = ([party_id], terms.epoch, terms.network.nv22_epoch, terms.retires_at_epoch, terms.claims_cover)
    groups = await connection.fetch(_query("groups", kind, role), *known, first_epochs(periods))
    pieces = await connection.fetch(_query("pieces", kind, role), *known, MOST_COPIES)
    by_status = [row for row in groups if row["grouped"] == _BY_STATUS]
    ends = [row["changes_epoch"] for row in by_status if row["changes_epoch"] is not None]
    return _document(groups, pieces, periods, terms), min(ends, default=None)


def _query(name: str, kind: RecordKind, role: Role) -> str:
    """One of the counts over the judged records of one party."""
    records = _RECORDS[kind].format(key=f"{role}_id")
    shared = _SHARED[role].format(kind=kind, verified=" AND o.verified" if kind == "deals" else "")
    judged = _QUERIES[f"{kind}_judged"].format(records=records)
    return _QUERIES[name].format(judged=judged, other=OTHER[role], copies=_COPIES[role], shared=shared)


def _document(
    groups: list[asyncpg.Record], pieces: list[asyncpg.Record], periods: tuple[Period, ...], terms: Terms
) -> Document:
    statuses = [row for row in groups if row["grouped"] == _BY_STATUS and row["status"] is not None]
    return {
        "records": sum(row["records"] for row in statuses),
        "bytes": _total(statuses, "bytes"),
        "active_records": sum(row["active_records"] for row in statuses),
        "active_bytes": _total(statuses, "active_bytes"),
        "statuses": _statuses(statuses),
        "shares": _shares([row for row in groups if row["grouped"] == _BY_OTHER and row["records"]], terms),
        "months": _months([row for row in groups if row["grouped"] == _BY_PERIOD and row["records"]], periods),
        "pieces": _pieces(pieces),
        "copies": [_copies(row) for row in pieces],
    }


def _statuses(rows: list[asyncpg.Record]) -> list[Document]:
    ordered = sorted(rows, key=lambda row: (row["status"] != "active", -row["records"], row["status"]))
    return [{"status": row["status"], "records": row["records"], "bytes": _decimal(row["bytes"])} for row in ordered]


def _shares(rows: list[asyncpg.Record], terms: Terms) -> list[Document]:
    """Those on the other side, the one with most active bytes first; their share of these."""
    whole = sum(row["active_bytes"] for row in rows)
    ordered = sorted(rows, key=lambda row: (-row["active_bytes"], -row["bytes"], row["other_id"]))
    return [
        {
            "address": actor_address(row["other_id"]).to_text(terms.network.address_prefix),
            **_amounts(row),
            "share": round(float(row["active_bytes"] / whole), 6) if whole else None,
        }
        for row in ordered
    ]


def _months(rows: list[asyncpg.Record], periods: tuple[Period, ...]) -> list[Document]:
    """Each period from the first with a record to the last, also those without any."""
    found = {row["period"]: row for row in rows if row["period"]}
    months = []
    for number in range(min(found, default=1), max(found, default=0) + 1):
        period = periods[number - 1]
        amounts = _amounts(found.get(number))
        months.append({"month": period.month, "from_epoch": period.from_epoch, **amounts})
    return months


def _amounts(row: asyncpg.Record | None) -> Document:
    names = ("records", "bytes", "active_records", "active_bytes")
    values = dict.fromkeys(names, 0) if row is None else row
    return {name: _decimal(values[name]) if name.endswith("bytes") else values[name] for name in names}


def _pieces(rows: list[asyncpg.Record]) -> Document:
    return {
        "distinct": sum(row["pieces"] for row in rows),
        "active": sum(row["pieces"] for row in rows if row["copies"]),
        "shared": sum(row["shared"] for row in rows),
        "shared_bytes": _total(rows, "shared_bytes"),
    }


def _copies(row: asyncpg.Record) -> Document:
    return {
        "copies": row["copies"],
        "or_more": row["copies"] == MOST_COPIES,
        "pieces": row["pieces"],
        "bytes": _decimal(row["bytes"]),
    }


def _total(rows: list[asyncpg.Record], name: str) -> str:
    return _decimal(sum(int(row[name]) for row in rows))


def _decimal(amount: Decimal | int) -> str:
    """The digits of a whole number; a Decimal of its own would write 1E+14."""
    return str(int(amount))
