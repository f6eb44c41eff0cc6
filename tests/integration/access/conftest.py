"""Worlds with a running explorer."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.integration.access.serving import World, open_world


@pytest.fixture
async def world(dsn: str, data_dir: Path, pool: asyncpg.Pool) -> AsyncIterator[World]:
    """A running explorer over a database of the test's own."""
    async with open_world(dsn, data_dir, pool) as opened:
        yield opened
