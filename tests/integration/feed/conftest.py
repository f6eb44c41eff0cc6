"""Feeds over databases of the tests' own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.index.feed import FeedEvent, load_newest
from explorer.index.feed_watch import Audience, FeedWatch
from tests.integration.index.importing import Importer


@pytest.fixture
def imports(pool: asyncpg.Pool, tmp_path: Path) -> Importer:
    """Imports texts into an empty index of a devnet."""
    return Importer(pool, tmp_path)


async def feed_of(pool: asyncpg.Pool) -> list[FeedEvent]:
    """The feed as it stands."""
    async with pool.acquire() as connection:
        return await load_newest(connection)


async def tell(pool: asyncpg.Pool, number: int = 1, *, piece: bytes | None = None) -> None:
    """Appends events of no meaning, in one transaction."""
    await pool.execute(
        "INSERT INTO explorer.feed (type, piece, data) SELECT 'cid', $2, '{}' FROM generate_series(1, $1)",
        number,
        piece,
    )


@asynccontextmanager
async def watching(dsn: str, audience: Audience, **options: Any) -> AsyncIterator[None]:
    """Runs a watch for an audience as long as the context lasts."""
    task = asyncio.create_task(FeedWatch(dsn, audience, **options).run(lambda: None))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
