"""A process that uses the embedded database: prints the postmaster's number, and leaves when its input ends or a signal
comes. Run as `python -m tests.integration.ground.embedded_user DATA_DIR`.
"""

import asyncio
import logging
import sys
from pathlib import Path

import asyncpg

from explorer.ground.embedded import embedded_server
from explorer.ground.telemetry import configure_logging


async def use(data_dir: Path) -> None:
    async with embedded_server(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        print((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    configure_logging(level=logging.getLevelName(logging.WARNING))
    asyncio.run(use(Path(sys.argv[1])))
