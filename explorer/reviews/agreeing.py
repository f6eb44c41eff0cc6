"""Whether the tables of reviews agree with the audit log: what `filplus audit verify` finds beside a broken chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from explorer.audit.verifying import Report, verify_database
from explorer.ground.queries import load_queries
from explorer.reviews.differing import differences
from explorer.reviews.retold import Replay

_AT_A_TIME: Final = 50
"""Rows: a job alone may have a megabyte."""

_QUERIES: Final = load_queries("explorer.reviews.sql", "agreement.sql")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many reviews were compared, and of each that differs why."""

    compared: int
    differing: Mapping[str, list[str]]

    def document(self) -> dict[str, Any]:
        """The comparison as JSON."""
        differing = [{"review": review_id, "why": why} for review_id, why in self.differing.items()]
        return {"compared": self.compared, "differing": differing}


async def verify_with_reviews(
    connection: asyncpg.Connection, *, noted: str | None = None, signatures: bool = True
) -> tuple[Report, Agreement]:
    """What the log is found to be, as `verify_database` says, and whether the tables agree with it, of one moment."""
    replay = Replay()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        report = await verify_database(connection, noted=noted, signatures=signatures, also=replay.take)
        return report, await _compared(connection, replay)


async def _compared(connection: asyncpg.Connection, replay: Replay) -> Agreement:
    unseen, compared = dict(replay.reviews), 0
    differing: dict[str, list[str]] = {}
    async for row in connection.cursor(_QUERIES["rows"], prefetch=_AT_A_TIME):
        compared += 1
        if why := differences(unseen.pop(row["id"], None), row):
            differing[row["id"]] = why
    gone = {review_id: ["the log tells of it, but it isn't there"] for review_id in unseen}
    return Agreement(compared + len(gone), differing | gone)
