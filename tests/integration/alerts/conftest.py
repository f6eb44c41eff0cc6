"""Outboxes over databases of the tests' own, and worlds whose clock the test turns."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from explorer.alerts.addresses import Policy
from explorer.alerts.deliveries import DeliveryRow, list_deliveries
from explorer.alerts.delivering import Deliverer
from explorer.alerts.endpoints import NewSecret, add_webhook
from explorer.alerts.letters import Sender
from explorer.alerts.metrics import AlertMetrics
from explorer.alerts.outbox import enqueue, hold_owner
from explorer.alerts.sending import open_webhook_sender

LOCAL = Policy((ip_network("127.0.0.0/8"), ip_network("::1/128")))
BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
OWNER = 7


@dataclass
class World:
    """A database, a clock, and a process that delivers when the clock is turned."""

    pool: asyncpg.Pool
    deliverer: Deliverer | None = None
    now: datetime = BEGAN
    attempts: list[datetime] = field(default_factory=list)

    async def add(self, url: str, *types: str) -> NewSecret:
        """A webhook."""
        async with self.pool.acquire() as connection:
            return await add_webhook(connection, url, types or None, LOCAL, now=self.now)

    async def tell(self, subject: str = "r1", type_: str = "review.requested", /, **data: Any) -> str:
        """A message in a transaction of its own."""
        async with self.pool.acquire() as connection, connection.transaction():
            return await enqueue(connection, type_, subject, data, now=self.now)

    async def deliveries(self, **options: Any) -> list[DeliveryRow]:
        """The deliveries as they stand, the oldest first."""
        async with self.pool.acquire() as connection:
            return (await list_deliveries(connection, limit=100_000, **options))[::-1]

    async def states(self) -> list[str]:
        """The states of the deliveries, the oldest first."""
        return [row.state for row in await self.deliveries()]

    async def turn(self, *, seconds: float = 0, until: datetime | None = None) -> int:
        """Turns the clock on, with everything done that is due on the way; returns how many attempts that were."""
        assert self.deliverer is not None
        end = until or self.now + timedelta(seconds=seconds)
        done = idle = 0
        while True:
            leased = await self.deliverer.lease()
            if leased:
                await asyncio.gather(*(self.deliverer.attempt(one) for one in leased))
                self.attempts += [self.now] * len(leased)
                done, idle = done + len(leased), 0
                continue
            next_s = await self.deliverer.next_in_s()
            if next_s is None or self.now + timedelta(seconds=next_s) > end:
                self.now = end
                return done
            idle += 1
            assert idle < 50, "something is due but nothing can be leased"
            self.now += timedelta(seconds=max(next_s, 0.001))


@asynccontextmanager
async def opened_world(
    dsn: str, pool: asyncpg.Pool, *, seed: int = 1, sender: Sender | None = None, owner: int = OWNER
) -> AsyncIterator[World]:
    """A world whose process lives as long as the context lasts."""
    living = await asyncpg.connect(dsn)
    world = World(pool)
    try:
        assert await hold_owner(living, owner)
        async with open_webhook_sender(LOCAL, now=lambda: world.now) as webhooks:
            world.deliverer = Deliverer(
                pool,
                owner,
                {"webhook": sender or webhooks},
                AlertMetrics.registered(CollectorRegistry()),
                now=lambda: world.now,
                chance=Random(seed).random,
            )
            yield world
    finally:
        await living.close()


@pytest.fixture
async def world(dsn: str, pool: asyncpg.Pool) -> AsyncIterator[World]:
    """A world."""
    async with opened_world(dsn, pool) as opened:
        yield opened


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The path of a new key and its certificate for 127.0.0.1, signed by itself."""
    both = tmp_path / "both"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run([*command, "-keyout", tmp_path / "key", "-out", both], check=True, capture_output=True, timeout=60)
    both.write_text(both.read_text() + (tmp_path / "key").read_text())
    return both
