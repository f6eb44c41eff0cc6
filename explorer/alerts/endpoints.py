"""Endpoints: webhooks as they are added, rotated, tested and removed, and channels as the settings name them."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from explorer.alerts.addresses import Policy
from explorer.alerts.endpoint_url import endpoint_url
from explorer.alerts.errors import EndpointRefused, EndpointUnknown, TypesRefused
from explorer.alerts.outbox import enqueue_for, give_up_disabled, release
from explorer.alerts.standard_webhooks import new_secret
from explorer.ground.ids import new_id
from explorer.ground.queries import load_queries

TYPES: Final = (
    "review.requested",
    "review.decided",
    "review.expiring",
    "grant.submitted",
    "grant.granted",
    "grant.failed",
    "node.disputed",
)
"""What a filter may name. `webhook.test` passes every filter."""
TEST_TYPE: Final = "webhook.test"
MOST_WEBHOOKS: Final = 128
OVERLAP: Final = timedelta(hours=24)
"""For so long messages are signed with the secret before, too."""

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
            "created_at": moment_text(self.created_at),
            "disabled_at": moment_text(self.disabled_at),
            "disabled_reason": self.disabled_reason,
            "failures": self.failures,
            "failing_since": moment_text(self.failing_since),
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


def moment_text(moment: datetime | None) -> str | None:
    """A moment as JSON prints it, in UTC to the millisecond."""
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def chosen_types(named: Collection[str] | None) -> tuple[str, ...] | None:
    """The types of a filter, in the order of TYPES; None, which wants all, for none or `*`. TypesRefused."""
    wanted = set(named or ()) - {"*"}
    if not wanted:
        return None
    unknown = sorted(wanted.difference(TYPES))
    if unknown:
        raise TypesRefused(f"{unknown[0]!r} is no type of alert: known are {', '.join(TYPES)}", value=unknown[0])
    return tuple(one for one in TYPES if one in wanted)


async def add_webhook(
    connection: asyncpg.Connection,
    url: str,
    types: Collection[str] | None,
    policy: Policy,
    *,
    now: datetime | None = None,
) -> NewSecret:
    """Adds a webhook with a new secret. It is told of what happens from now on.

    UrlRefused, TypesRefused; EndpointRefused where the URL is there already, or too many are.
    """
    checked, wanted = endpoint_url(url, policy), chosen_types(types)
    endpoint_id, secret = new_id("wh"), new_secret(secrets.token_bytes)
    async with connection.transaction():
        if await connection.fetchval(_QUERIES["count_webhooks"]) >= MOST_WEBHOOKS:
            raise EndpointRefused(f"there are {MOST_WEBHOOKS} webhooks already: remove one")
        if not await connection.fetchval(_QUERIES["add"], endpoint_id, "webhook", checked, wanted, now):
            raise EndpointRefused(f"{checked} is a webhook already: remove that one first, or rotate it", value=checked)
        await connection.execute(_QUERIES["add_secret"], endpoint_id, secret, now)
    return NewSecret(endpoint_id, checked, wanted, secret)


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
    """Removes a webhook; what waits for it becomes dead letters. EndpointUnknown; EndpointRefused for a channel."""
    async with connection.transaction():
        await locked(connection, endpoint_id, kind="webhook")
        await connection.execute(_QUERIES["remove"], endpoint_id, now)


async def enable_endpoint(connection: asyncpg.Connection, endpoint_id: str, *, now: datetime | None = None) -> None:
    """Makes a disabled endpoint be told again, of what waited for it first. EndpointUnknown.

    What waited for too long is a dead letter, whether or not a process was there to give it up.
    """
    async with connection.transaction():
        await locked(connection, endpoint_id)
        await give_up_disabled(connection, endpoint_id, now=now)
        await connection.execute(_QUERIES["enable"], endpoint_id)
        await release(connection, endpoint_id, now=now)
        await connection.execute(_QUERIES["wake"])


async def rotate_secret(
    connection: asyncpg.Connection, endpoint_id: str, *, overlap: timedelta = OVERLAP, now: datetime | None = None
) -> NewSecret:
    """Gives an endpoint a new secret; for the overlap, messages are signed with those before, too. EndpointUnknown."""
    secret = new_secret(secrets.token_bytes)
    async with connection.transaction():
        await locked(connection, endpoint_id, kind="webhook")
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
        row = await locked(connection, endpoint_id)
        if row["disabled_at"] is not None:
            raise EndpointRefused(f"{endpoint_id} is disabled: enable it first", value=endpoint_id)
        return await enqueue_for(connection, endpoint_id, TEST_TYPE, {"endpoint": endpoint_id}, now=now)


async def locked(connection: asyncpg.Connection, endpoint_id: str, *, kind: str | None = None) -> asyncpg.Record:
    """An endpoint's row, which stays until the transaction ends. EndpointUnknown; EndpointRefused: of another kind."""
    row = await connection.fetchrow(_QUERIES["lock"], endpoint_id)
    if row is None:
        raise EndpointUnknown(endpoint_id)
    if kind is not None and row["kind"] != kind:
        raise EndpointRefused(f"{endpoint_id} is a {row['kind']}: change it in FILPLUS_NOTIFY_URLS", value=endpoint_id)
    return row


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
