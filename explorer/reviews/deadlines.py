"""The loop that watches deadlines: it reminds notaries in time, and expires what nobody decided.

Everything it needs is in the database, each step is a transaction over one review, and a step that was done changes
nothing when it is done again: any number of processes may run it, and die at any moment.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

import structlog

from explorer.access.actors import SYSTEM
from explorer.errors import DatabaseError
from explorer.ground.supervision import Beat
from explorer.reviews import store
from explorer.reviews.desk import REMINDER, Desk, tell
from explorer.reviews.life import Effect, Expire, Remind, step

ROUND_S: Final = 15.0
SHORTEST_S: Final = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Watches the deadlines of a desk's reviews."""

    desk: Desk

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled; a database that is away is waited for."""
        failures = 0
        while True:
            beat()
            wait_s = ROUND_S
            try:
                wait_s = await self.once()
                failures = 0
            except DatabaseError as error:
                failures += 1
                _log.log(logging.WARNING if failures == 1 else logging.DEBUG, "deadlines_waited", error=str(error))
            await asyncio.sleep(wait_s)

    async def once(self) -> float:
        """Does what is due; returns how long until more may be."""
        desk = self.desk
        while True:
            async with desk.reading() as connection:
                due = await store.load_due(connection, REMINDER, now=desk.now())
                next_s = await store.load_next_due_s(connection, REMINDER, now=desk.now())
            if not due:
                return ROUND_S if next_s is None else min(max(next_s, SHORTEST_S), ROUND_S)
            for review_id in due:
                await self._let_time_pass(review_id)

    async def _let_time_pass(self, review_id: str) -> None:
        """Reminds of a review or expires it, if that is still due now that it is held."""
        desk = self.desk
        async with desk.changing() as connection:
            review = await store.lock_review(connection, review_id)
            now = await desk.moment(connection)
            if review is None or now < review.life.deadline - REMINDER:
                return
            event = Expire() if now >= review.life.deadline else Remind()
            life, effects = step(review.life, event, now)
            if life == review.life:
                return
            await store.save_life(connection, review, life, now)
            action = Effect.EXPIRING.value if isinstance(event, Remind) else "review.expired"
            facts = {"round": life.round, "state": life.state.value}
            await tell(desk, connection, SYSTEM, review_id, action, facts, effects, now=now)
        _log.info("review_due", review=review_id, action=action)
