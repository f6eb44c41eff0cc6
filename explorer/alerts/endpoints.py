"""Endpoints as operators see them: add, list, remove, rotate, test; their deliveries, and replaying those."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from explorer.alerts.addresses import Policy
from explorer.alerts.errors import DeliveryUnknown, EndpointRefused, EndpointUnknown, TypesRefused
from explorer.alerts.guard import endpoint_url
from explorer.alerts.outbox import enqueue_for
from explorer.alerts.standard_webhooks import new_secret
from explorer.ground.queries import load_queries

TYPES: Final = (
    "review.requested",
    "review.decided",
    "review.expiring",
    "grant.submitted",
    "grant.granted",
    "grant.failed",
)
"""What a filter may name. `webhook.test` passes every filter."""
TEST_TYPE: Final = "webhook.test"
MOST_WEBHOOKS: Final = 128
OVERLAP: Final = timedelta(hours=24)
"""For so long messages are signed with the secret before, too."""
PAGE: Final = 100

_QUERIES: Final = load_queries("explorer.alerts.sql", "endpoints.sql")


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint, and how it stands."""

    id: str
    kind: str
    url: str
    types: tuple[str, ...] | None
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failures: int
    failing_since: datetime | None
    is_down: bool
    pending: int
    dead: int

    @property
    def state(self) -> str:
        """One word: disabled, down, failing or up."""
        if self.disabled_at is not None:
            return "disabled"
        return "down" if self.is_down else "failing" if self.failures else "up"

    def document(self) -> dict[str, Any]:
        """As JSON prints it, without any secret."""
        return {
            "id": self.id,
            "kind": self.kind,
            "url": self.url,
            "types": None if self.types is None else list(self.types),
            "state": self.state,
            "created_at": _text(self.created_at),
            "disabled_at": _text(self.disabled_at),
            "disabled_reason": self.disabled_reason,
            "failures": self.failures,
            "failing_since": _text(self.failing_since),
            "pending": self.pending,
            "dead": self.dead,
        }


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An endpoint's secret, to be shown once."""

    endpoint_id: str
    url: str
    types: tuple[str, ...] | None
    secret: str = field(repr=False)

    def document(self) -> dict[str, Any]:
        """As JSON prints it, the secret with it."""
        types = None if self.types is None else list(self.types)
        return {"id": self.endpoint_id, "url": self.url, "types": types, "secret": self.secret}


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
            "at": _text(self.at),
            "state": self.state,
            "tries": self.tries,
            "due_at": _text(self.due_at) if self.state == "pending" else None,
            "ended_at": _text(self.ended_at),
            "dead_reason": self.dead_reason,
            "last_attempt": last,
        }


_ATTEMPT_FIELDS: Final = ("outcome", "status", "duration_ms", "error", "excerpt")


def attempt_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """One attempt as JSON prints it."""
    return {"at": _text(row["at"]), **{name: row[name] for name in _ATTEMPT_FIELDS}}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_types(text: str | None) -> tuple[str, ...] | None:
    """The types of a filter, in the order of TYPES; None, which wants all, for nothing or `*`. TypesRefused."""
    named = {part.strip() for part in (text or "").split(",") if part.strip()}
    if not named or named == {"*"}:
        return None
    unknown = sorted(named.difference(TYPES))
    if unknown:
        raise TypesRefused(f"{unknown[0]!r} is no type of alert: known are {', '.join(TYPES)}", value=unknown[0])
    return tuple(one for one in TYPES if one in named)


async def add_webhook(
    connection: asyncpg.Connection,
    url: str,
    types: Sequence[str] | None,
    policy: Policy,
    *,
    now: datetime | None = None,
) -> NewSecret:
    """Adds a webhook with a new secret. It is told of what happens from now on.

    UrlRefused; EndpointRefused where the URL is there already, or too many are.
    """
    checked = endpoint_url(url, policy)
    endpoint_id, secret = "wh_" + secrets.token_hex(8), new_secret(secrets.token_bytes)
    async with connection.transaction():
        if await connection.fetchval(_QUERIES["count_webhooks"]) >= MOST_WEBHOOKS:
            raise EndpointRefused(f"there are {MOST_WEBHOOKS} webhooks already: remove one")
        wanted = None if types is None else list(types)
        if not await connection.fetchval(_QUERIES["add"], endpoint_id, "webhook", checked, wanted, now):
            raise EndpointRefused(f"{checked} is a webhook already: `filplus webhook list`", value=checked)
        await connection.execute(_QUERIES["add_secret"], endpoint_id, secret, now)
    return NewSecret(endpoint_id, checked, None if types is None else tuple(types), secret)


async def list_endpoints(connection: asyncpg.Connection) -> list[EndpointRow]:
    """Every endpoint that is there, the oldest first."""
    return [_endpoint(row) for row in await connection.fetch(_QUERIES["all"], None)]


async def load_endpoint(connection: asyncpg.Connection, endpoint_id: str) -> EndpointRow:
    """One endpoint; EndpointUnknown."""
    row = await connection.fetchrow(_QUERIES["all"], endpoint_id)
    if row is None:
        raise EndpointUnknown(endpoint_id)
    return _endpoint(row)


def _endpoint(row: asyncpg.Record) -> EndpointRow:
    return EndpointRow(**{**row, "types": None if row["types"] is None else tuple(row["types"])})


async def remove_endpoint(connection: asyncpg.Connection, endpoint_id: str, *, now: datetime | None = None) -> None:
    """Removes an endpoint; what waits for it becomes dead letters. EndpointUnknown."""
    async with connection.transaction():
        await _locked(connection, endpoint_id)
        await connection.execute(_QUERIES["remove"], endpoint_id, now)


async def enable_endpoint(connection: asyncpg.Connection, endpoint_id: str) -> None:
    """Makes a disabled endpoint be told again, of what waited for it first. EndpointUnknown."""
    async with connection.transaction():
        await _locked(connection, endpoint_id)
        await connection.execute(_QUERIES["enable"], endpoint_id)
        await connection.execute(_QUERIES["wake"])


async def rotate_secret(
    connection: asyncpg.Connection, endpoint_id: str, *, overlap: timedelta = OVERLAP, now: datetime | None = None
) -> NewSecret:
    """Gives an endpoint a new secret; for the overlap, messages are signed with those before, too. EndpointUnknown."""
    secret = new_secret(secrets.token_bytes)
    async with connection.transaction():
        await _locked(connection, endpoint_id, kind="webhook")
        await connection.execute(_QUERIES["drop_secrets"], endpoint_id, now)
        await connection.execute(_QUERIES["end_secrets"], endpoint_id, now, overlap)
        await connection.execute(_QUERIES["add_secret"], endpoint_id, secret, now)
        row = await load_endpoint(connection, endpoint_id)
    return NewSecret(endpoint_id, row.url, row.types, secret)


async def send_test(connection: asyncpg.Connection, endpoint_id: str, *, now: datetime | None = None) -> int:
    """Adds a test message for one endpoint, whatever types it wants; returns the delivery's id.

    EndpointUnknown; EndpointRefused where it is disabled.
    """
    async with connection.transaction():
        row = await _locked(connection, endpoint_id)
        if row["disabled_at"] is not None:
            raise EndpointRefused(
                f"{endpoint_id} is disabled: `filplus webhook enable {endpoint_id}`", value=endpoint_id
            )
        return await enqueue_for(connection, endpoint_id, TEST_TYPE, {"endpoint": endpoint_id}, now=now)


async def _locked(connection: asyncpg.Connection, endpoint_id: str, *, kind: str | None = None) -> asyncpg.Record:
    row = await connection.fetchrow(_QUERIES["lock"], endpoint_id)
    if row is None:
        raise EndpointUnknown(endpoint_id)
    if kind is not None and row["kind"] != kind:
        raise EndpointRefused(f"{endpoint_id} is a {row['kind']}, which has no secret", value=endpoint_id)
    return row


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
            why = "removed" if row["removed_at"] is not None else f"disabled: {row['disabled_reason']}"
            raise EndpointRefused(f"the endpoint {row['id']} of delivery {delivery_id} is {why}", value=delivery_id)
        await connection.fetch(_QUERIES["replay"], delivery_id, None, now)
        await connection.execute(_QUERIES["wake"])


async def replay_dead(connection: asyncpg.Connection, endpoint_id: str, *, now: datetime | None = None) -> list[int]:
    """Makes every dead letter of an endpoint pending again; returns their ids. EndpointUnknown, EndpointRefused."""
    async with connection.transaction():
        row = await _locked(connection, endpoint_id)
        if row["disabled_at"] is not None:
            raise EndpointRefused(
                f"{endpoint_id} is disabled: `filplus webhook enable {endpoint_id}`", value=endpoint_id
            )
        replayed = await connection.fetch(_QUERIES["replay"], None, endpoint_id, now)
        await connection.execute(_QUERIES["wake"])
    return sorted(row["id"] for row in replayed)


async def register_channels(connection: asyncpg.Connection, channels: Mapping[str, str]) -> None:
    """Makes the endpoints of kind channel those of the settings: id to scheme. Others are removed."""
    async with connection.transaction():
        there = {row["id"]: row["is_there"] for row in await connection.fetch(_QUERIES["channels"])}
        for channel_id, scheme in channels.items():
            if channel_id not in there:
                await connection.fetchval(_QUERIES["add"], channel_id, "channel", f"{scheme}://", None, None)
            elif not there[channel_id]:
                await connection.execute(_QUERIES["bring_back"], channel_id, f"{scheme}://")
        for channel_id, is_there in there.items():
            if is_there and channel_id not in channels:
                await connection.execute(_QUERIES["remove"], channel_id, None)
