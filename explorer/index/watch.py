"""The loop that keeps the index's figures fresh for `/metrics`, and an embedded database alive."""

import asyncio

import asyncpg
import structlog
from prometheus_client import CollectorRegistry, Gauge

from explorer.errors import DatabaseUnavailable
from explorer.ground.connection import database_errors
from explorer.ground.embedded import EmbeddedServer
from explorer.ground.supervision import Beat
from explorer.index.spans import load_coverage, load_index_epoch
from explorer.index.store import load_counts
from explorer.verdict.records import RECORD_KINDS

ROUND_S = 5.0
_log = structlog.get_logger(__name__)


class IndexWatch:
    """Reads the index's figures every few seconds into gauges."""

    def __init__(self, pool: asyncpg.Pool, embedded: EmbeddedServer | None, *, registry: CollectorRegistry) -> None:
        self._pool = pool
        self._embedded = embedded
        self._epoch = Gauge("filplus_index_epoch", "The largest epoch in the index", registry=registry)
        self._rows = Gauge(
            "filplus_index_rows", "Rows of the index, large tables estimated", ["table"], registry=registry
        )
        self._covered = Gauge(
            "filplus_index_covered_through_epoch",
            "The last epoch at which the index holds every record of the kind",
            ["kind"],
            registry=registry,
        )

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled; a database that is away is waited for."""
        while True:
            try:
                await self._read()
            except DatabaseUnavailable as error:
                _log.warning("database_unavailable", error=str(error))
                if self._embedded is not None:
                    await self._embedded.ensure_running()
            beat()
            await asyncio.sleep(ROUND_S)

    async def _read(self) -> None:
        with database_errors("reading the index's figures"):
            async with self._pool.acquire() as connection:
                epoch = await load_index_epoch(connection)
                coverage = await load_coverage(connection)
                counts = await load_counts(connection)
        self._epoch.set(-1 if epoch is None else epoch)
        for table, rows in counts.items():
            self._rows.labels(table).set(rows)
        for kind in RECORD_KINDS:
            covered = coverage.last(kind)
            self._covered.labels(kind).set(-1 if covered is None else covered)
