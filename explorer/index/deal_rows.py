"""What a followed tipset told of deals, in their rows.

An event of the market says too little to be a row, so events that are imported stand beside the rows, and a file that
is newer outdates them. What is followed is newer than any file, so it is written into the rows themselves.
"""

from collections.abc import Iterable

import asyncpg

from explorer.ground.queries import load_queries
from explorer.index.records import DEALS
from explorer.index.told import Told
from explorer.verdict.coverage import Coverage
from node.event_types import DealActivated, DealTerminated
from node.market import Deal

_QUERIES = load_queries("explorer.index.sql", "tipsets.sql")
_OWN_QUERIES = load_queries("explorer.index.sql", "deal_rows.sql")

_Deals = list[tuple[int, int]]
"""Ids of deals, and heights."""


async def save_published(
    connection: asyncpg.Connection, deals: Iterable[Deal], height: int, coverage: Coverage
) -> None:
    """Adds the deals that were published at a height. Rows of other deals under their ids, which a file had from a
    tipset that was reverted, are replaced."""
    after = coverage.after("deals", height + 1)
    rows = [(height + 1, row.id, *row.columns, after) for row in map(DEALS.row_of, deals)]
    await connection.executemany(_OWN_QUERIES["replace_other"], rows)
    await connection.executemany(_QUERIES["save_published"], rows)


async def live_deals_on(connection: asyncpg.Connection, told: Told, coverage: Coverage) -> None:
    """Activates and ends the deals that were, those too that were published only now, where a hole was filled."""
    later = await connection.fetch(_QUERIES["told_later"], [deal.id for deal in told.deals], told.height)
    payloads = [event.payload for event in told.events]
    activated = [(one.deal_id, told.height) for one in payloads if isinstance(one, DealActivated)]
    ended = [(one.deal_id, told.height) for one in payloads if isinstance(one, DealTerminated)]
    await _live_on(connection, _of(later, "activated") + activated, _of(later, "terminated") + ended, coverage)


async def live_deals_since(connection: asyncpg.Connection, height: int, coverage: Coverage) -> None:
    """Does so again with what was told from a height on: for rows that were read of the state there only later."""
    since = await connection.fetch(_QUERIES["told_since"], height)
    await _live_on(connection, _of(since, "activated"), _of(since, "terminated"), coverage)


async def _live_on(connection: asyncpg.Connection, activated: _Deals, ended: _Deals, coverage: Coverage) -> None:
    await connection.execute(_QUERIES["activate_deals"], *_columns(activated))
    await connection.execute(_QUERIES["end_deals"], *_columns(ended), coverage.last("deals"))


def _of(rows: Iterable[asyncpg.Record], event_type: str) -> _Deals:
    return [(row["deal_id"], row["height"]) for row in rows if row["type"] == event_type]


def _columns(pairs: _Deals) -> tuple[list[int], list[int]]:
    return [first for first, _ in pairs], [second for _, second in pairs]
