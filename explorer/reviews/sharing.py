"""Which other reviews name the same data, in whatever spelling: a number for each input, and for all together."""

from typing import Final

import asyncpg

from explorer.ground.queries import load_queries
from explorer.reviews.documents import Document
from explorer.reviews.risks import Shared
from node.cid import EMPTY_MULTIHASHES

COUNTED_INPUTS: Final = 100
MOST_COUNTED: Final = 1_000
"""So many other reviews are counted for one input; beyond, it is "at least"."""

_QUERIES: Final = load_queries("explorer.reviews.sql", "around.sql")
_SAYS_NOTHING: Final = list(EMPTY_MULTIHASHES)
"""What everybody has: the empty block, file and directory."""


async def load_sharing(
    connection: asyncpg.Connection, review_id: str, publisher: str, *, owner: str | None
) -> tuple[Shared, ...]:
    """The other reviews that name data of this one: first all of them together, then by input, in the inputs' order.

    `owner` is whose reviews alone are counted; None: all. The first has no place; where nothing is counted, since the
    inputs are inline data, sealed sectors or empty, there is not even that.
    """
    asked = (review_id, _SAYS_NOTHING, COUNTED_INPUTS)
    if not await connection.fetchval(_QUERIES["comparable"], *asked):
        return ()
    rows = await connection.fetch(_QUERIES["sharing"], *asked, MOST_COUNTED, owner, publisher)
    found = [Shared(*row) for row in rows]
    return tuple(sorted(found, key=lambda one: one.place or 0))


def sharing_document(shared: tuple[Shared, ...], cids: list[str]) -> Document | None:
    """The document `ReviewSharing`; None where nothing could be counted."""
    if not shared:
        return None
    total, *inputs = shared
    return {
        **_counts(total),
        "inputs": [{"cid": cids[one.place - 1], **_counts(one)} for one in inputs if one.place is not None],
        "counted_inputs": min(len(cids), COUNTED_INPUTS),
        "counted_reviews": MOST_COUNTED,
    }


def _counts(one: Shared) -> Document:
    return {
        "reviews": one.reviews,
        "clusters": one.clusters,
        "publishers": one.publishers,
        "other_publishers": one.strangers,
    }
