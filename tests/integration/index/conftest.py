"""An importer over a database of the test's own."""

from pathlib import Path

import asyncpg
import pytest

from tests.integration.index.importing import Importer


@pytest.fixture
def imports(pool: asyncpg.Pool, tmp_path: Path) -> Importer:
    """Imports texts into an empty index of a devnet."""
    return Importer(pool, tmp_path)
