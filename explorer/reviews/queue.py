"""What waits for a notary: open, not approved by it in this round, not its own; the nearest deadline first.

Where it has asked and nobody has answered yet, the review waits for the answer instead: it is listed apart, and not
counted. It can be decided all the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from explorer.access.actors import Actor, ActorKind
from explorer.ground.cursors import Cursors, malformed
from explorer.ground.queries import load_queries
from explorer.reviews import store
from explorer.reviews.desk import Desk
from explorer.reviews.documents import Document, summary_document, time_text
from explorer.reviews.errors import MalformedFilter
from explorer.reviews.reading import Filters, wanted_of
from explorer.reviews.rights import sees_all

ANSWER: Final = "answer"
"""What a list of those waits for where the notary's question has no answer yet."""
MOST_COUNTED: Final = 1_000
"""Beyond so many a page says "more than"."""
SHOWN_OTHERS: Final = 20
_CURSORS: Final = Cursors("waiting ")

_QUERIES: Final = load_queries("explorer.reviews.sql", "dashboard.sql")


async def load_waiting(desk: Desk, actor: Actor, filters: Filters, *, is_answer_due: bool = False) -> Document:
    """The document `Reviews` of those that wait for the notary who asks; MalformedFilter for anybody else.

    `is_answer_due`: of those where its question waits for an answer instead.
    """
    if actor.kind is not ActorKind.NOTARY:
        raise MalformedFilter("waits_for is for a notary's session: reviews wait for nobody else", value="waits_for")
    if filters.state is not None or filters.since is not None or filters.until is not None or filters.job_id:
        raise MalformedFilter("waits_for goes with cluster and publisher only: what waits is open", value="waits_for")
    wanted = wanted_of(replace(filters, cursor=None), desk.network, owner=None)
    behind = (None, None) if filters.cursor is None else _place_of(filters.cursor)
    async with desk.reading() as connection:
        rows = await connection.fetch(
            _QUERIES["waiting"],
            actor.id,
            desk.now(),
            *behind,
            *wanted.cluster,
            *wanted.publisher,
            is_answer_due,
            filters.limit + 1,
        )
        shown = await _documents(connection, desk, rows[: filters.limit])
    cursor = _cursor_of(rows[filters.limit - 1]) if len(rows) > filters.limit else None
    return {"reviews": shown, "next_cursor": cursor}


async def load_next(desk: Desk, actor: Actor, review: Document) -> Document | None:
    """The summary of the next review that waits for a notary, after one: by deadline, then again from the nearest."""
    behind = (datetime.fromisoformat(review["expires_at"]), review["id"])
    async with desk.reading() as connection:
        for place in (behind, (None, None)):
            rows = await connection.fetch(_QUERIES["waiting"], actor.id, desk.now(), *place, *[None] * 4, False, 2)
            others = [row for row in rows if row["id"] != review["id"]]
            if others:
                return (await _documents(connection, desk, others[:1]))[0]
    return None


async def count_waiting(desk: Desk, actor: Actor, filters: Filters) -> int:
    """How many reviews need a notary's decision, of the filters' clusters and publishers; MOST_COUNTED + 1 for more."""
    wanted = wanted_of(replace(filters, cursor=None), desk.network, owner=None)
    narrowed = (*wanted.cluster, *wanted.publisher)
    async with desk.looking() as connection:
        most = MOST_COUNTED + 1
        return int(await connection.fetchval(_QUERIES["count_waiting"], actor.id, desk.now(), most, *narrowed))


async def load_queue(desk: Desk) -> Document:
    """How many reviews are open, and when the oldest of them was asked for."""
    async with desk.looking() as connection:
        row = await connection.fetchrow(_QUERIES["queue"])
    return {"open": row["open"], "oldest_at": None if row["oldest_at"] is None else time_text(row["oldest_at"])}


async def load_others(desk: Desk, actor: Actor) -> list[Document]:
    """The newest reviews that don't wait for a notary, as summaries."""
    async with desk.reading() as connection:
        rows = await connection.fetch(_QUERIES["others"], actor.id, SHOWN_OTHERS)
        return await _documents(connection, desk, rows)


async def load_jobs(desk: Desk, actor: Actor, review_ids: Sequence[str]) -> dict[str, str]:
    """The job of each of some reviews, by the review; none for who doesn't see all reviews."""
    if not review_ids or not sees_all(actor):
        return {}
    async with desk.looking() as connection:
        return {row["id"]: row["job_id"] for row in await connection.fetch(_QUERIES["jobs"], list(review_ids))}


async def _documents(connection: asyncpg.Connection, desk: Desk, rows: list[asyncpg.Record]) -> list[Document]:
    decisions = await store.load_decisions(connection, [row["id"] for row in rows])
    return [summary_document(row, decisions[row["id"]], desk.network) for row in rows]


def _cursor_of(row: Any) -> str:
    return _CURSORS.at(f"{row['expires_at'].isoformat()} {row['id']}")


def _place_of(cursor: str) -> tuple[datetime, str]:
    """The deadline and the id behind which a page begins; MalformedCursor for what was not made here."""
    moment, _, review_id = _CURSORS.place(cursor).partition(" ")
    try:
        deadline = datetime.fromisoformat(moment)
        in_utc = deadline.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise malformed(cursor) from error
    if deadline.tzinfo is None or not review_id or " " in review_id:
        raise malformed(cursor)
    return in_utc, review_id
