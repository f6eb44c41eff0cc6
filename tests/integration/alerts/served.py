"""The running program, `filplus serve`, over a test's database: started, killed, and its alerts moved through time."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import asyncpg

from explorer.ground.service_file import running_service
from tests.e2e.program import Filplus
from tests.integration.alerts.processes import serving
from tests.patience import until

_TIMES = """
SELECT table_name, string_agg(format('%1$I = %1$I - $1::interval', column_name), ', ') AS changes
FROM information_schema.columns
WHERE table_schema = 'alerts' AND data_type = 'timestamp with time zone'
GROUP BY table_name
"""


@dataclass
class Service:
    """The program on a data directory and a database of its own."""

    program: Filplus
    process: ForkServerProcess | None = None

    def start(self) -> None:
        """Starts it, and waits for nothing."""
        self.process = serving(self.program.environment, self.program.data_dir / "log")

    async def answers(self) -> str:
        """Its address, once it answers there."""
        assert self.process is not None
        await until(lambda: running_service(self.program.data_dir), seconds=60)
        url = running_service(self.program.data_dir)
        assert url is not None
        return url

    async def kill(self) -> None:
        """Ends it by kill -9."""
        if self.process is not None:
            self.process.kill()
            await asyncio.to_thread(self.process.join)

    def log(self) -> str:
        """What it wrote."""
        return (self.program.data_dir / "log").read_text()


@contextmanager
def service(dsn: str, data_dir: Path, **environment: str) -> Iterator[Service]:
    """A service that isn't started yet; what still runs at the end is killed."""
    data_dir.mkdir(parents=True)
    settings = {"FILPLUS_DATABASE_URL": dsn, "FILPLUS_WEBHOOK_ALLOW": "127.0.0.0/8", **environment}
    made = Service(Filplus(data_dir, **settings))
    try:
        yield made
    finally:
        if made.process is not None:
            made.process.kill()
            made.process.join()


async def pass_time(pool: asyncpg.Pool, span: timedelta) -> None:
    """Lets time pass for all alerts at once: everything that is written down about them moves into the past.

    The service writes meanwhile, in another order than this does: where each waits for the other it is begun anew.
    """
    while True:
        with suppress(asyncpg.DeadlockDetectedError):
            return await _pass_time(pool, span)


async def _pass_time(pool: asyncpg.Pool, span: timedelta) -> None:
    async with pool.acquire() as connection, connection.transaction():
        for row in await connection.fetch(_TIMES):
            await connection.execute(f"UPDATE alerts.{row['table_name']} SET {row['changes']}", span)
        await connection.execute("NOTIFY alerts")
