"""The desk at which reviews are worked on: the database, the index, the rules of this place; and how changes are told.

Every change is one transaction: rows, then the audit's entry, the alert, the event for those who watch. The last three
each take a lock until the commit, always in this order, so no two changes wait for one another in a circle.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

import asyncpg

from explorer.access.actors import Actor
from explorer.alerts.outbox import enqueue
from explorer.audit.log import record
from explorer.ground.connection import database_errors
from explorer.index.questions import AsOf, EvidenceRequest
from explorer.reviews import store
from explorer.reviews.documents import Document, Record, alert_document
from explorer.reviews.errors import ReviewUnknown
from explorer.reviews.life import Effect
from explorer.reviews.rights import demand_sight
from node.network import Network

DEADLINE: Final = timedelta(days=7)
REMINDER: Final = timedelta(hours=24)
"""So long before the deadline, notaries are reminded."""
VERIFICATIONS: Final = 2
"""Signatures that are verified at once: one of a BLS key takes half a second of a core."""

T = TypeVar("T")


class Verdicts(Protocol):
    """The index, as far as reviews ask it."""

    async def verdict(self, cid: str, *, at: AsOf, evidence: EvidenceRequest) -> Document:
        """The verdict over one CID, with the programme's state."""

    async def verdicts(self, cids: Sequence[str], *, at: AsOf) -> Document:
        """The verdicts over many, all of one moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What reviews are worked on with. Texts name `public_url`; `now` may stand in for the database's time."""

    pool: asyncpg.Pool
    network: Network
    public_url: str
    index: Verdicts
    quorum_bytes: int
    now: Callable[[], datetime | None] = lambda: None
    deadline: timedelta = DEADLINE
    verifying: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(VERIFICATIONS))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection that sees one state of everything."""
        with database_errors("reading reviews"):
            async with (
                self.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for looking before a change, whose transaction looks again."""
        with database_errors("reading reviews"):
            async with self.pool.acquire() as connection:
                yield connection

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection in a transaction, committed at the end."""
        with database_errors("changing a review"):
            async with self.pool.acquire() as connection, connection.transaction():
                yield connection

    async def moment(self, connection: asyncpg.Connection) -> datetime:
        """What time it is."""
        return await store.load_now(connection, self.now())

    async def verify(self, work: Callable[[], T]) -> T:
        """Does work with signatures in a thread, while others are served."""
        async with self.verifying:
            return await asyncio.to_thread(work)


async def found(connection: asyncpg.Connection, review_id: str) -> store.Held:
    """The review as far as its life goes; ReviewUnknown."""
    head = await store.load_head(connection, review_id)
    if head is None:
        raise ReviewUnknown(review_id)
    return head


async def seen(connection: asyncpg.Connection, review_id: str, actor: Actor | None) -> store.Held:
    """The review as far as its life goes; ReviewUnknown where there is none that the actor may see."""
    head = await found(connection, review_id)
    demand_sight(actor, review_id, head.cluster_id)
    return head


async def held(connection: asyncpg.Connection, review_id: str, actor: Actor | None) -> store.Held:
    """The review, held until the transaction ends; ReviewUnknown where there is none that the actor may see."""
    head = await store.lock_review(connection, review_id)
    if head is None:
        raise ReviewUnknown(review_id)
    demand_sight(actor, review_id, head.cluster_id)
    return head


async def loaded(connection: asyncpg.Connection, review_id: str, now: datetime | None) -> Record:
    """Everything about a review; ReviewUnknown. `now` may stand in for the database's time."""
    record = await store.load_record(connection, review_id, now)
    if record is None:
        raise ReviewUnknown(review_id)
    return record


async def tell(
    desk: Desk,
    connection: asyncpg.Connection,
    actor: Actor,
    review_id: str,
    action: str,
    facts: Mapping[str, Any],
    effects: Sequence[Effect] = (),
    *,
    now: datetime,
) -> Record:
    """Writes down what was done, tells it to those who wait for it, and returns the review as it is now.

    To be called last in the transaction of the change. `action` is as in the audit log: review.decided.
    """
    review = await loaded(connection, review_id, now)
    await record(connection, actor, action, review_id, facts, now=now)
    for effect in effects:
        await enqueue(connection, effect.value, review_id, alert_document(review, desk.network), now=now)
    row = review.review
    change = {"review": review_id, "change": action.removeprefix("review."), "state": row["state"]}
    await store.append_to_feed(connection, review_id, {**change, "round": row["round"], "revision": row["revision"]})
    return review
