"""The loop that delivers alerts; any number of processes may run it over one database.

connect ─► LISTEN ─► show that we live ─► all undelivered is due ─► lease ─► attempts, side by side ─► wait ─┐
   ▲                                                                  ▲                                      │
   └─ a lost database ends all attempts: everything begins anew ◄─────┴──────────────────────────────────────┘

Nothing is kept in memory but the attempts under way. An endpoint has only so many at once, so a slow one delays nobody.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import asyncpg
import structlog
from prometheus_client import CollectorRegistry

from explorer.alerts.addresses import Policy
from explorer.alerts.channels import Channel, ChannelSender, channel_faults
from explorer.alerts.delivering import Deliverer
from explorer.alerts.endpoints import register_channels
from explorer.alerts.letters import Sender
from explorer.alerts.metrics import AlertMetrics
from explorer.alerts.outbox import (
    CHANNEL,
    Leased,
    free_leases,
    give_up_disabled,
    hold_owner,
    load_figures,
    make_all_due,
)
from explorer.alerts.sending import open_webhook_sender
from explorer.errors import DatabaseUnavailable
from explorer.ground.connection import database_errors
from explorer.ground.database import open_pool
from explorer.ground.notified import ROUND_S, listen_for_ever, word_within
from explorer.ground.supervision import Beat

BUSY_S: Final = 0.5
"""Before it looks again where something is due, but another process or earlier attempts are at it."""
POOL_SIZE: Final = 8
_TIMEOUT_S: Final = 10.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class DeliveryLoop:
    """Delivers what the outbox holds, for ever. `deliverer.owner` is drawn anew at each connection."""

    dsn: str
    deliverer: Deliverer

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled; a database that is away is waited for."""
        await listen_for_ever(self.dsn, CHANNEL, partial(self._deliver, beat), purpose="alerts", beat=beat)

    async def _deliver(self, beat: Beat, connection: asyncpg.Connection, word: asyncio.Event) -> None:
        """Delivers until the connection is lost, which ends all attempts."""
        deliverer = replace(self.deliverer, owner=await _living_owner(connection))
        await free_leases(connection, now=deliverer.now())
        await make_all_due(connection, now=deliverer.now())
        try:
            async with asyncio.TaskGroup() as attempts:
                with database_errors("delivering alerts"):
                    await _Rounds(connection, deliverer, attempts, word).run(beat)
        except BaseExceptionGroup as group:
            if group.split(DatabaseUnavailable)[1] is None:
                raise DatabaseUnavailable(str(group.exceptions[0])) from group
            raise


async def _living_owner(connection: asyncpg.Connection) -> int:
    """A number that no other living process has, ours as long as the connection lives."""
    while True:
        owner = secrets.randbelow(2**31)
        if await hold_owner(connection, owner):
            return owner


@dataclass(slots=True)
class _Rounds:
    """The rounds of one connection."""

    connection: asyncpg.Connection
    deliverer: Deliverer
    attempts: asyncio.TaskGroup
    word: asyncio.Event

    async def run(self, beat: Beat) -> None:
        looked_at = -ROUND_S
        while True:
            beat()
            async with asyncio.timeout(_TIMEOUT_S):
                if asyncio.get_running_loop().time() - looked_at >= ROUND_S:
                    await self._look_after()
                    looked_at = asyncio.get_running_loop().time()
                wait_s = await self._lease()
            await word_within(self.word, wait_s)

    async def _lease(self) -> float:
        """Starts what may be attempted; returns how long to wait for word after that."""
        self.word.clear()
        leased = await self.deliverer.lease()
        for one in leased:
            self.attempts.create_task(self._attempt(one), name=f"delivery {one.id}")
        if leased:
            return BUSY_S
        next_s = await self.deliverer.next_in_s()
        return ROUND_S if next_s is None else min(max(next_s, BUSY_S), ROUND_S)

    async def _attempt(self, leased: Leased) -> None:
        await self.deliverer.attempt(leased)
        self.word.set()

    async def _look_after(self) -> None:
        await free_leases(self.connection, now=self.deliverer.now())
        await give_up_disabled(self.connection, now=self.deliverer.now())
        self.deliverer.metrics.show(await load_figures(self.connection, now=self.deliverer.now()))


@asynccontextmanager
async def open_delivery(
    dsn: str, policy: Policy, channels: Sequence[Channel] = (), *, registry: CollectorRegistry
) -> AsyncIterator[DeliveryLoop]:
    """Opens the loop with connections of its own, and makes the channels those of the settings.

    Channels that can't be told are named in the log; what they should be told waits.
    """
    for fault in await channel_faults(channels):
        _log.error("alerts_channels_fail", error=fault)
    async with (
        open_pool(dsn, application_name="filplus alerts", min_size=0, max_size=POOL_SIZE) as pool,
        open_webhook_sender(policy) as webhooks,
    ):
        with database_errors("naming the channels"):
            async with pool.acquire() as connection:
                await register_channels(connection, {channel.id: channel.scheme for channel in channels})
        senders: dict[str, Sender] = {"webhook": webhooks}
        if channels:
            senders["channel"] = ChannelSender(channels)
        yield DeliveryLoop(dsn, Deliverer(pool, 0, senders, AlertMetrics.registered(registry)))
