"""What was delivered, attempt by attempt, and delivering it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import asyncpg

from explorer.alerts.endpoints import locked, moment_text
from explorer.alerts.errors import DeliveryUnknown, EndpointRefused
from explorer.ground.cursors import Cursors
from explorer.ground.queries import load_queries

PAGE: Final = 100
_CURSORS: Final = Cursors("deliveries:")

_ATTEMPT_FIELDS: Final = ("outcome", "status", "duration_ms", "error", "excerpt")

_QUERIES: Final = load_queries("explorer.alerts.sql", "deliveries.sql")


class State(StrEnum):
    """What a delivery can be."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery with its last attempt."""

    id: int
    endpoint_id: str
    webhook_id: str
    type: str
    subject_id: str
    at: datetime
    state: str
    tries: int
    due_at: datetime
    ended_at: datetime | None
    dead_reason: str | None
    tried_at: datetime | None
    outcome: str | None
    status: int | None
    duration_ms: int | None
    error: str | None
    excerpt: str | None

    def document(self) -> dict[str, Any]:
        """As JSON prints it."""
        last = None
        if self.tried_at is not None:
            last = attempt_document({name: getattr(self, name) for name in _ATTEMPT_FIELDS} | {"at": self.tried_at})
        return {
            "id": self.id,
            "endpoint": self.endpoint_id,
            "webhook_id": self.webhook_id,
            "type": self.type,
            "subject": self.subject_id,
            "at": moment_text(self.at),
            "state": self.state,
            "tries": self.tries,
            "due_at": moment_text(self.due_at) if self.state == "pending" else None,
            "ended_at": moment_text(self.ended_at),
            "dead_reason": self.dead_reason,
            "last_attempt": last,
        }


def attempt_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """One attempt as JSON prints it."""
    return {"at": moment_text(row["at"]), **{name: row[name] for name in _ATTEMPT_FIELDS}}


async def list_deliveries(
    connection: asyncpg.Connection,
    *,
    endpoint_id: str | None = None,
    state: str | None = None,
    below: int | None = None,
    limit: int = PAGE,
) -> list[DeliveryRow]:
    """Deliveries with their last attempts, the newest first; `below`: with smaller ids, for paging."""
    rows = await connection.fetch(_QUERIES["deliveries"], endpoint_id, state, None, below, limit)
    return [DeliveryRow(**row) for row in rows]


async def load_delivery(connection: asyncpg.Connection, delivery_id: int) -> DeliveryRow:
    """One delivery with its last attempt; DeliveryUnknown."""
    row = await connection.fetchrow(_QUERIES["deliveries"], None, None, delivery_id, None, 1)
    if row is None:
        raise DeliveryUnknown(delivery_id)
    return DeliveryRow(**row)


async def load_attempts(connection: asyncpg.Connection, delivery_id: int) -> list[dict[str, Any]]:
    """Every attempt of a delivery that is kept, as documents, the first one first."""
    return [attempt_document(row) for row in await connection.fetch(_QUERIES["attempts"], delivery_id)]


async def replay_delivery(connection: asyncpg.Connection, delivery_id: int, *, now: datetime | None = None) -> None:
    """Makes an ended delivery pending again, with its webhook-id; one that is pending already stays as it is.

    It goes before later messages of its subject that still wait. DeliveryUnknown; EndpointRefused where the endpoint
    is disabled or removed.
    """
    async with connection.transaction():
        row = await connection.fetchrow(_QUERIES["endpoint_of"], delivery_id)
        if row is None:
            raise DeliveryUnknown(delivery_id)
        if row["removed_at"] is not None or row["disabled_reason"] is not None:
            raise EndpointRefused(f"delivery {delivery_id} is of {_why_told_nothing(row)}", value=delivery_id)
        await connection.fetch(_QUERIES["replay"], delivery_id, None, now)
        await connection.execute(_QUERIES["wake"])


def _why_told_nothing(row: Mapping[str, Any]) -> str:
    """Why an endpoint gets no message, and what would change that."""
    if row["removed_at"] is not None:
        return f"{row['id']}, which was removed: add its address again, and it is told of what happens from then on"
    return f"{row['id']}, which is disabled ({row['disabled_reason']}): enable it first"


async def replay_dead(connection: asyncpg.Connection, endpoint_id: str, *, now: datetime | None = None) -> list[int]:
    """Makes every dead letter of an endpoint pending again; returns their ids. EndpointUnknown, EndpointRefused."""
    async with connection.transaction():
        row = await locked(connection, endpoint_id)
        if row["disabled_at"] is not None:
            raise EndpointRefused(f"{endpoint_id} is disabled: enable it first", value=endpoint_id)
        replayed = await connection.fetch(_QUERIES["replay"], None, endpoint_id, now)
        await connection.execute(_QUERIES["wake"])
    return sorted(row["id"] for row in replayed)


def cursor_of(delivery_id: int) -> str:
    """The opaque cursor behind a delivery, in a list with the newest first."""
    return _CURSORS.at(delivery_id)


def id_of_cursor(cursor: str | None) -> int | None:
    """The id below which the page begins; None without a cursor. MalformedCursor for one that was not made here."""
    return None if cursor is None else _CURSORS.number(cursor)
