"""What PostgreSQL did for a statement, out of EXPLAIN (ANALYZE, FORMAT JSON)."""

import json
from typing import Any

import asyncpg


async def rows_read(connection: asyncpg.Connection, query: str, *arguments: Any) -> int:
    """Runs a statement; returns how many rows its plan and those beneath it looked at."""
    [explained] = json.loads(await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", *arguments))
    return _looked_at(explained["Plan"])


def _looked_at(plan: dict[str, Any]) -> int:
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return int(own) + sum(_looked_at(part) for part in plan.get("Plans", ()))
