"""Attempts: leased from the outbox, sent, settled."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import asyncpg
import structlog

from explorer.alerts.letters import Answer, Sender
from explorer.alerts.metrics import AlertMetrics
from explorer.alerts.outbox import LEASE_S, Leased, lease, next_in_s, settle
from explorer.alerts.schedule import DOWN_AFTER, Delivery, Endpoint, Outcome, Plan, plan
from explorer.ground.connection import database_errors

KINDS: Final = ("webhook", "channel")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Delivers on behalf of a process, its `owner` number. Kinds of endpoints without a sender are left to others.

    `now` gives the time of a test; the database's clock rules where it gives None.
    """

    pool: asyncpg.Pool
    owner: int
    senders: Mapping[str, Sender]
    metrics: AlertMetrics
    now: Callable[[], datetime | None] = lambda: None
    chance: Callable[[], float] = random.random
    lease_s: float = LEASE_S

    async def lease(self) -> list[Leased]:
        """What this process is to attempt now."""
        with database_errors("leasing alerts"):
            async with self.pool.acquire() as connection:
                return await lease(connection, self.owner, now=self.now(), but=self._but, lease_s=self.lease_s)

    async def next_in_s(self) -> float | None:
        """Seconds until there is more to lease; None: nothing waits."""
        with database_errors("looking for alerts"):
            async with self.pool.acquire() as connection:
                return await next_in_s(connection, now=self.now(), but=self._but)

    @property
    def _but(self) -> list[str]:
        return [kind for kind in KINDS if kind not in self.senders]

    async def attempt(self, leased: Leased) -> Plan | None:
        """Sends what was leased and writes down what came of it; None where the lease was lost meanwhile."""
        began = time.monotonic()
        answer = await self._answer(leased)
        seconds = time.monotonic() - began
        with database_errors(f"settling delivery {leased.id}"):
            async with self.pool.acquire() as connection:
                decide = partial(self._decide, answer)
                made = await settle(connection, leased, answer, decide, seconds=seconds, now=self.now())
        self._tell(leased, answer, made)
        return made

    async def _answer(self, leased: Leased) -> Answer:
        try:
            return await self.senders[leased.kind].send(leased.letter)
        except Exception:  # noqa: BLE001 - one letter that breaks a sender must not hold up all the others
            _log.exception("alert_broke_sender", delivery=leased.id, endpoint=leased.letter.endpoint_id)
            return Answer(Outcome.TRANSIENT, error="our own fault; the log has it")

    def _decide(self, answer: Answer, delivery: Delivery, endpoint: Endpoint) -> Plan:
        return plan(answer.outcome, delivery, endpoint, chance=self.chance, asked_s=answer.asked_s)

    def _tell(self, leased: Leased, answer: Answer, made: Plan | None) -> None:
        self.metrics.tried(leased.letter.endpoint_id, answer.outcome)
        facts = {"delivery": leased.id, "endpoint": leased.letter.endpoint_id, "message": leased.letter.webhook_id}
        if made is None:
            self.metrics.lost_leases.inc()
            _log.warning("alert_lease_lost", **facts)
        elif made.disabled_reason is not None:
            _log.error("alert_endpoint_disabled", reason=made.disabled_reason, **facts)
        elif made.dead_reason is not None:
            _log.error("alert_dead", reason=made.dead_reason, error=answer.error, **facts)
        elif made.probe_in_s is not None and made.failures == DOWN_AFTER:
            _log.warning("alert_endpoint_down", error=answer.error, **facts)
        elif answer.outcome is not Outcome.DELIVERED:
            _log.debug("alert_failed", error=answer.error, due_in_s=made.due_in_s, **facts)
        elif made.recovered:
            _log.info("alert_endpoint_recovered", **facts)
