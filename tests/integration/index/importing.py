"""Imports of texts, and what the database holds afterwards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from explorer.index.importer import ImportRequest, import_file
from explorer.index.service import IndexService
from node.network import Network, network_named

Document = dict[str, Any]
DEVNET, MAINNET = network_named("devnet"), network_named("mainnet")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
STATE_TABLES = ("deals", "claims", "allocations", "claim_terms", "deal_events", "sector_terminations", "payload_pieces")
_ALL_TABLES = (*STATE_TABLES, "piece_sources", "coverage", "imports", "network")


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports texts as files of a folder, one after the other, over one pool."""

    pool: asyncpg.Pool
    folder: Path
    network: Network = DEVNET
    _numbers: Any = field(default_factory=count)

    async def __call__(self, content: str | bytes | Mapping[Any, Any], **request: Any) -> Document:
        """The report of one import; the options are those of ImportRequest."""
        if isinstance(content, Mapping):
            content = json.dumps({str(key): value for key, value in content.items()})
        path = self.folder / f"{next(self._numbers)}.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        options: dict[str, Any] = {
            "file": str(path),
            "network": self.network,
            "rejects_dir": self.folder / "rejects",
            **request,
        }
        async with self.pool.acquire() as connection:
            return await import_file(connection, ImportRequest(**options), lambda _bytes, _records: None)

    def service(self, **changes: Any) -> IndexService:
        """The index over the same pool."""
        options: dict[str, Any] = {"pool": self.pool, "network": self.network, "now": lambda: NOW}
        return IndexService(**{**options, **changes})


async def state_of(pool: asyncpg.Pool) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the index, in a fixed order; what tells when and in which order it came is left out."""
    held = {}
    for table in STATE_TABLES:
        held[table] = [tuple(row) for row in await pool.fetch(f"SELECT * FROM explorer.{table} AS t ORDER BY t::text")]
    spans = await pool.fetch("SELECT kind::text, from_epoch, through_epoch FROM explorer.coverage ORDER BY 1, 2, 3")
    return held | {"coverage": [tuple(row) for row in spans]}


async def everything_of(pool: asyncpg.Pool) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table as it stands."""
    return {
        table: [tuple(row) for row in await pool.fetch(f"SELECT * FROM explorer.{table} AS t ORDER BY t::text")]
        for table in _ALL_TABLES
    }


async def empty(pool: asyncpg.Pool) -> None:
    """Empties the index, the network's row too."""
    await pool.execute("TRUNCATE " + ", ".join(f"explorer.{table}" for table in _ALL_TABLES))
