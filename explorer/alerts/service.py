"""Webhooks as operators administer them, by HTTP and by `filplus webhook`: documents, each change in the audit log."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
from yarl import URL

from explorer.alerts import deliveries, endpoints, outbox
from explorer.alerts.addresses import Policy
from explorer.alerts.endpoints import NewSecret
from explorer.audit.log import Doer, record
from explorer.ground.connection import database_errors

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WebhookService:
    """Administers what is in the database; whatever process delivers hears of it at once."""

    pool: asyncpg.Pool
    policy: Policy

    async def webhooks(self) -> Document:
        """Every webhook and channel, the oldest first, and how it stands."""
        async with self._reading() as connection:
            return {"webhooks": [row.document() for row in await endpoints.list_endpoints(connection)]}

    async def webhook(self, endpoint_id: str) -> Document:
        """One of them. EndpointUnknown."""
        async with self._reading() as connection:
            return (await endpoints.load_endpoint(connection, endpoint_id)).document()

    async def add(self, url: str, types: Collection[str] | None, *, actor: Doer) -> Document:
        """Adds a webhook; the document shows its secret, this once. UrlRefused, TypesRefused, EndpointRefused."""
        async with self._changing() as connection:
            added = await endpoints.add_webhook(connection, url, types, self.policy)
            await record(connection, actor, "webhook.added", added.endpoint_id, _facts(added))
        return added.document()

    async def remove(self, endpoint_id: str, *, actor: Doer) -> None:
        """Removes a webhook; what waits for it becomes dead letters. EndpointUnknown, EndpointRefused."""
        async with self._changing() as connection:
            await endpoints.remove_endpoint(connection, endpoint_id)
            await record(connection, actor, "webhook.removed", endpoint_id, {})

    async def rotate(self, endpoint_id: str, overlap: timedelta = endpoints.OVERLAP, *, actor: Doer) -> Document:
        """Gives a webhook a new secret, shown this once; those before hold for the overlap. As `remove`."""
        async with self._changing() as connection:
            rotated = await endpoints.rotate_secret(connection, endpoint_id, overlap=overlap)
            facts = {"overlap_seconds": round(overlap.total_seconds())}
            await record(connection, actor, "webhook.rotated", endpoint_id, facts)
        return rotated.document()

    async def enable(self, endpoint_id: str, *, actor: Doer) -> Document:
        """Makes a disabled webhook be told again, of what waited first; its document. EndpointUnknown."""
        async with self._changing() as connection:
            await endpoints.enable_endpoint(connection, endpoint_id)
            await record(connection, actor, "webhook.enabled", endpoint_id, {})
            return (await endpoints.load_endpoint(connection, endpoint_id)).document()

    async def test(self, endpoint_id: str) -> Document:
        """Adds a test message for one endpoint; the delivery's document. EndpointUnknown, EndpointRefused."""
        async with self._changing() as connection:
            delivery_id = await endpoints.send_test(connection, endpoint_id)
            return (await deliveries.load_delivery(connection, delivery_id)).document()

    async def deliveries(
        self, endpoint_id: str | None, *, state: str | None, cursor: str | None, limit: int
    ) -> Document:
        """A page of deliveries with their last attempts, the newest first. EndpointUnknown, MalformedCursor."""
        below = deliveries.id_of_cursor(cursor)
        async with self._reading() as connection:
            if endpoint_id is not None:
                await endpoints.load_endpoint(connection, endpoint_id)
            found = await deliveries.list_deliveries(
                connection, endpoint_id=endpoint_id, state=state, below=below, limit=limit + 1
            )
        shown = found[:limit]
        following = deliveries.cursor_of(shown[-1].id) if len(found) > limit else None
        return {"deliveries": [row.document() for row in shown], "next_cursor": following}

    async def delivery(self, delivery_id: int) -> Document:
        """One delivery, with every attempt that is kept. DeliveryUnknown."""
        async with self._reading() as connection:
            row = await deliveries.load_delivery(connection, delivery_id)
            return {**row.document(), "attempts": await deliveries.load_attempts(connection, delivery_id)}

    async def queue(self) -> Document:
        """How many alerts wait, since when the oldest does, and how many were given up."""
        async with self._reading() as connection:
            row = await outbox.load_queue(connection)
        return {"waiting": row["waiting"], "oldest_at": endpoints.moment_text(row["oldest_at"]), "dead": row["dead"]}

    async def replay(self, delivery_id: int, *, actor: Doer) -> Document:
        """Makes a delivery pending again, with its webhook-id; its document. DeliveryUnknown, EndpointRefused."""
        async with self._changing() as connection:
            await deliveries.replay_delivery(connection, delivery_id)
            row = await deliveries.load_delivery(connection, delivery_id)
            await record(connection, actor, "webhook.replayed", row.endpoint_id, {"delivery": delivery_id})
        return row.document()

    async def replay_dead(self, endpoint_id: str, *, actor: Doer) -> list[int]:
        """Makes every dead letter of a webhook pending again; their ids. EndpointUnknown, EndpointRefused."""
        async with self._changing() as connection:
            replayed = await deliveries.replay_dead(connection, endpoint_id)
            await record(connection, actor, "webhook.replayed", endpoint_id, {"dead_letters": len(replayed)})
        return replayed

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[asyncpg.Connection]:
        with database_errors("reading the webhooks"):
            async with self.pool.acquire() as connection:
                yield connection

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[asyncpg.Connection]:
        with database_errors("changing the webhooks"):
            async with self.pool.acquire() as connection, connection.transaction():
                yield connection


def _facts(added: NewSecret) -> Document:
    """What the log says of a new webhook: of its address only the host, since the rest may be a secret."""
    return {"host": URL(added.url).host, "types": None if added.types is None else list(added.types)}
