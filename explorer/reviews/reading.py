"""Reviews as they are asked for: one, or a page of a list."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import asyncpg

from explorer.access.actors import Actor
from explorer.ground.cursors import Cursors, malformed
from explorer.ground.queries import load_queries
from explorer.reviews import store
from explorer.reviews.desk import Desk, loaded, seen
from explorer.reviews.documents import Document, review_document, summary_document
from explorer.reviews.errors import MalformedFilter
from explorer.reviews.life import State
from explorer.reviews.requests import parse_network_address
from explorer.reviews.rights import demand_sight, owner_of, sees_all
from explorer.reviews.sharing import load_sharing, sharing_document
from explorer.reviews.store import Wanted
from node.network import Network

_ID: Final = re.compile(r"rev_[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)
_NOT: Final = "!"
_CURSORS: Final = Cursors("before:")
_QUERIES: Final = load_queries("explorer.reviews.sql", "reviews.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list is narrowed to, as it was written: values with commas between, `!` before those that are not wanted.

    `state=open`, `state=!open`, `cluster=eu,us`, `publisher=!f1…`.
    """

    state: str | None = None
    cluster: str | None = None
    publisher: str | None = None
    job_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: str | None = None
    limit: int = 100


async def load_review(desk: Desk, actor: Actor | None, review_id: str) -> Document:
    """The document `Review` with its `sharing`; ReviewUnknown where there is none that the actor may see."""
    async with desk.reading() as connection:
        record = await loaded(connection, review_id, desk.now())
        demand_sight(actor, review_id, record.review["cluster_id"])
        shared = await load_sharing(connection, review_id, record.review["publisher"], owner=owner_of(actor))
    sharing = sharing_document(shared, [row["cid"] for row in record.inputs])
    return {**review_document(record, desk.network), "sharing": sharing}


async def load_reviews(desk: Desk, actor: Actor, filters: Filters) -> Document:
    """The document `Reviews`, the newest first: a cluster's own, or all for those who see all."""
    wanted = wanted_of(filters, desk.network, owner=None if sees_all(actor) else actor.id)
    async with desk.reading() as connection:
        rows = await store.load_page(connection, replace(wanted, limit=wanted.limit + 1, now=desk.now()))
    shown = rows[: wanted.limit]
    cursor = cursor_of(shown[-1][0]["id"]) if len(rows) > len(shown) else None
    return {
        "reviews": [summary_document(review, decisions, desk.network) for review, decisions in shown],
        "next_cursor": cursor,
    }


async def count_open_of(connection: asyncpg.Connection, cluster_id: str) -> int:
    """How many reviews of a cluster are open."""
    return int(await connection.fetchval(_QUERIES["count_open_of"], cluster_id))


async def demand_seen(desk: Desk, actor: Actor | None, review_id: str) -> None:
    """Returns where the actor may see the review; ReviewUnknown."""
    async with desk.looking() as connection:
        await seen(connection, review_id, actor)


def wanted_of(filters: Filters, network: Network, *, owner: str | None) -> Wanted:
    """The filters as the database is asked; MalformedFilter, MalformedAddress, MalformedCursor."""
    publishers, not_publishers = _values(filters.publisher)
    return Wanted(
        before=None if filters.cursor is None else _id_of(filters.cursor),
        owner=owner,
        states=_states(filters.state),
        cluster=_values(filters.cluster),
        publisher=(_addresses(publishers, network), _addresses(not_publishers, network)),
        since=filters.since,
        until=filters.until,
        job_id=filters.job_id,
        limit=filters.limit,
    )


def _values(text: str | None) -> tuple[list[str] | None, list[str] | None]:
    """The values that are wanted, and those that are not; None: any, none."""
    values = [] if text is None else text.split(",")
    wanted = [value for value in values if not value.startswith(_NOT)]
    unwanted = [value.removeprefix(_NOT) for value in values if value.startswith(_NOT)]
    return wanted or None, unwanted or None


def _states(text: str | None) -> list[str] | None:
    wanted, unwanted = _values(text)
    known = [state.value for state in State]
    for name in (*(wanted or ()), *(unwanted or ())):
        if name not in known:
            raise MalformedFilter(f"state: {name!r} is none; there are {', '.join(known)}", value=name)
    if text is None:
        return None
    return [name for name in wanted or known if name not in (unwanted or ())]


def _addresses(texts: list[str] | None, network: Network) -> list[str] | None:
    return None if texts is None else [str(parse_network_address(text, network)) for text in texts]


def cursor_of(review_id: str) -> str:
    """The opaque cursor behind a review."""
    return _CURSORS.at(review_id)


def _id_of(cursor: str) -> str:
    review_id = _CURSORS.place(cursor)
    if _ID.fullmatch(review_id) is None:
        raise malformed(cursor)
    return review_id


def next_query(asked: Mapping[str, Any], document: Document) -> dict[str, str] | None:
    """The query of the next page, from that of this one; None on the last."""
    if document["next_cursor"] is None:
        return None
    kept = {name: str(value) for name, value in asked.items() if value is not None and name != "cursor"}
    return {**kept, "cursor": document["next_cursor"]}
