"""What a notary said, for the notary's page."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from explorer.access.notaries import load_notary
from explorer.ground.cursors import Cursors
from explorer.ground.queries import load_queries
from explorer.reviews.desk import Desk
from explorer.reviews.documents import Document, time_text
from node.address import Address, parse_address

_QUERIES: Final = load_queries("explorer.reviews.sql", "dashboard.sql")
_CURSORS: Final = Cursors("said:")


async def load_notary_record(desk: Desk, address: Address, *, cursor: str | None, limit: int) -> Document:
    """The document `NotaryRecord`; NotaryUnknown, MalformedCursor. A revoked notary's record stays."""
    behind = None if cursor is None else _CURSORS.number(cursor)
    async with desk.reading() as connection:
        notary = await load_notary(connection, address)
        rows = await connection.fetch(_QUERIES["said"], str(address), behind, limit + 1)
        others = await connection.fetch(_QUERIES["same_key"], str(address))
        months = await connection.fetch(_QUERIES["said_by_month"], str(address), desk.now())
    return {
        **notary.document(),
        "same_key": [_other(row) for row in others],
        "months": _months(months),
        "decisions": [_decision(row, desk) for row in rows[:limit]],
        "next_cursor": _CURSORS.at(rows[limit - 1]["id"]) if len(rows) > limit else None,
    }


def _other(row: asyncpg.Record) -> Document:
    """Another notary's address of the same key, as a wallet spells it too."""
    eth = parse_address(row["address"]).to_eth()
    return {"address": row["address"], **({} if eth is None else {"eth_address": eth}), "name": row["name"]}


def _months(rows: Sequence[asyncpg.Record]) -> list[Document]:
    months: dict[str, dict[str, Any]] = {}
    for row in rows:
        empty = {"month": row["month"], "approve": 0, "reject": 0, "ask": 0}
        months.setdefault(row["month"], empty)[row["decision"]] = row["number"]
    return list(months.values())


def _decision(row: asyncpg.Record, desk: Desk) -> Document:
    return {
        "review": row["review_id"],
        "round": row["round"],
        "decision": row["decision"],
        "comment": row["comment"],
        "is_signed": row["is_signed"],
        "at": time_text(row["at"]),
        "job_id": row["job_id"],
        "cluster": row["cluster_name"],
        "publisher": parse_address(row["publisher"]).to_text(desk.network.address_prefix),
        "requested_bytes": str(row["requested_bytes"]),
        "state": row["state"],
    }
