"""Chores of the calendar: what is done once a night. A chore that fails is logged, and done again the next night.

supervisor ─► Chores.run ─► scheduler ─► each chore at its time, one night after the other
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from prometheus_client import CollectorRegistry, Gauge

from explorer.alerts.outbox import prune as prune_alerts
from explorer.errors import DatabaseUnavailable, FilplusError
from explorer.follow.state_read import STATE_SOURCE
from explorer.follow.verify import SAMPLE, Wanted, verify
from explorer.ground.connection import database_errors
from explorer.ground.supervision import Beat
from explorer.index.spans import thin_coverage
from explorer.index.verifications import Verification, load_last_verification, prune_verifications
from node.chain.errors import ChainError
from node.lotus.client import LotusChain

ROUND_S = 30.0
LATE_S = 6 * 3600
"""A chore whose time passed while the machine slept is still done so much later."""
NIGHT_HOURS = 6
"""Chores are done between midnight and six, UTC."""
RECENT = timedelta(hours=12)
"""Another process's comparison is not repeated within this time."""
KEPT = timedelta(days=365)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """What is done each night, under a name for the log."""

    name: str
    work: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Chores:
    """Does its chores night after night. `seed` spreads the time over replicas: the data directory."""

    chores: Sequence[Chore]
    seed: Path
    refresh: Callable[[], Awaitable[None]] | None = None
    """Called every ROUND_S, to show what is known."""

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled."""
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # each chore says itself what became of it
        scheduler = AsyncIOScheduler(timezone=UTC)
        for chore in self.chores:
            minute = night_minute(f"{self.seed}:{chore.name}")
            trigger = CronTrigger(hour=minute // 60, minute=minute % 60, timezone=UTC)
            scheduler.add_job(
                done, trigger, args=[chore], name=chore.name, coalesce=True, max_instances=1, misfire_grace_time=LATE_S
            )
        scheduler.start()
        try:
            while True:
                if self.refresh is not None:
                    await self.refresh()
                beat()
                await asyncio.sleep(ROUND_S)
        finally:
            scheduler.shutdown(wait=False)


def night_minute(seed: str) -> int:
    """A minute of the night, 0 for midnight, that depends on nothing but the seed."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) % (NIGHT_HOURS * 60)


async def done(chore: Chore) -> None:
    """Does a chore; whatever becomes of it is logged."""
    try:
        await chore.work()
    except (ChainError, FilplusError) as error:
        _log.warning("chore_failed", chore=chore.name, error=str(error), kind=type(error).__name__)
    except Exception:  # noqa: BLE001 - the guard: a chore's fault is no reason to end the others
        _log.exception("chore_failed", chore=chore.name)
    else:
        _log.info("chore_done", chore=chore.name)


@dataclass(frozen=True, slots=True)
class NightlyVerification:
    """Compares a sample with the node, as `filplus index verify` does. `chain` gives the one that is followed, or None
    while there is none."""

    pool: asyncpg.Pool
    chain: Callable[[], LotusChain | None]
    prefix: str = "f"
    sample: int = SAMPLE
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self) -> None:
        """Compares, unless that was done lately. ChainError and FilplusError as of `verify`."""
        found = self.chain()
        if found is None or await self._was_done_lately():
            return
        chain = found.apart()
        # The day's number: another sample each night, and one that can be drawn again.
        wanted = Wanted(seed=self.now().toordinal(), sample=self.sample, prefix=self.prefix)
        await verify(self.pool, chain, wanted, told_by=lambda: ", ".join(chain.answered))

    async def _was_done_lately(self) -> bool:
        with database_errors("reading the last verification"):
            async with self.pool.acquire() as connection:
                last = await load_last_verification(connection)
        return last is not None and self.now() - last.at < RECENT


@dataclass(frozen=True, slots=True)
class Pruning:
    """Forgets old verifications, and most of the epochs at which the node's whole state was read long ago."""

    pool: asyncpg.Pool
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self) -> None:
        """Forgets verifications older than KEPT but for the newest, and leaves one state a day of the older ones."""
        with database_errors("pruning old verifications and states"):
            async with self.pool.acquire() as connection:
                await prune_verifications(connection, self.now() - KEPT)
                await thin_coverage(connection, STATE_SOURCE)


@dataclass(frozen=True, slots=True)
class AlertPruning:
    """Forgets alerts that were delivered, or given up, long ago."""

    pool: asyncpg.Pool
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self) -> None:
        """Forgets them, with their deliveries and attempts."""
        with database_errors("pruning old alerts"):
            async with self.pool.acquire() as connection:
                await prune_alerts(connection, self.now())


@dataclass(slots=True)
class DriftGauges:
    """What the last verification found, for `/metrics`; nothing before the first."""

    pool: asyncpg.Pool
    registry: CollectorRegistry
    _drift: Gauge = field(init=False)
    _at: Gauge = field(init=False)

    def __post_init__(self) -> None:
        self._drift = Gauge(
            "filplus_index_drift",
            "Records of the kind that differed from the node's in the last verification",
            ["kind"],
            registry=self.registry,
        )
        self._at = Gauge(
            "filplus_index_verified_seconds", "When the index was last compared with a node", registry=self.registry
        )

    async def refresh(self) -> None:
        """Reads the last verification; a database that is away is waited for."""
        try:
            with database_errors("reading the last verification"):
                async with self.pool.acquire() as connection:
                    last = await load_last_verification(connection)
        except DatabaseUnavailable:
            return
        if last is not None:
            self.show(last)

    def show(self, last: Verification) -> None:
        """Shows one verification; a kind that it could not compare has no figure."""
        self._drift.clear()
        for kind, counts in last.drift.items():
            self._drift.labels(kind).set(sum(counts.values()))
        self._at.set(last.at.timestamp())
