"""How long the open reviews have waited, and how reviews ended week by week."""

from typing import Final

from explorer.access.actors import Actor
from explorer.ground.queries import load_queries
from explorer.reviews.desk import Desk
from explorer.reviews.documents import Document
from explorer.reviews.rights import owner_of

_HOUR: Final = 3600.0
AGES: Final = (
    ("less than an hour", _HOUR),
    ("1 to 6 hours", 6 * _HOUR),
    ("6 to 24 hours", 24 * _HOUR),
    ("1 to 3 days", 72 * _HOUR),
    ("3 to 5 days", 120 * _HOUR),
    ("5 days and more", None),
)
"""How ages are told, each up to so many seconds."""
WEEKS: Final = 12

_QUERIES: Final = load_queries("explorer.reviews.sql", "around.sql")


async def load_ages(desk: Desk, actor: Actor) -> list[Document]:
    """The open reviews that the actor may see by how long they have waited, an entry for each of AGES."""
    bounds = [bound for _, bound in AGES if bound is not None]
    async with desk.looking() as connection:
        rows = await connection.fetch(_QUERIES["ages"], desk.now(), bounds, owner_of(actor))
    found = {row["place"]: row for row in rows}
    return [
        {"age": words, **{name: found[place][name] if place in found else 0 for name in ("reviews", "soon", "next")}}
        for place, (words, _) in enumerate(AGES)
    ]


async def load_weeks(desk: Desk, actor: Actor) -> list[Document]:
    """How rounds of reviews that the actor may see ended in each of the last weeks, the oldest first."""
    async with desk.looking() as connection:
        rows = await connection.fetch(_QUERIES["weeks"], desk.now(), WEEKS, owner_of(actor))
    return [{**row, "week": row["week"].isoformat()} for row in rows]
