"""What terminated sectors before following began, asked for from the start downwards, as far as the node keeps events.

    0 ─── the node keeps none ─┬─ asked ── asked ── asked ─┬─ start ═══ followed ═══ head
                               └─ done                     └─ first

The claims of a terminated sector stay in the state, so that the state alone would call them active. A node that has
dropped its events answers as if there had been none: then nothing tells.

What is held is one answer of the node: each is written down as it comes, and how far it came once a stretch is whole.
Taking the same events in again changes nothing, so that a stretch that was broken off is asked for anew.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

import asyncpg
import structlog

from explorer.errors import DatabaseError
from explorer.follow.forks import key_from
from explorer.ground.connection import database_errors
from explorer.ground.database import transaction_lock
from explorer.index.backfill import Backfilled, load_backfilled, save_backfilled
from explorer.index.event_rows import apply_batch
from explorer.index.imports import log_import
from explorer.index.lock import IMPORT_LOCK
from explorer.index.spans import load_coverage
from explorer.index.tally import Tally
from explorer.index.tipsets import load_following, load_tipset_at
from node.chain.errors import BeyondLookback, ChainError, NotSupported
from node.chain.event_filter import EventFilter
from node.chain.history import WIDEST_EPOCHS, event_pages
from node.chain.protocol import Chain
from node.chain.tipset import TipSetKey
from node.event_types import SectorTerminated
from node.events import ActorEvent

SOURCE: Final = "the node's events"
LOOK_S: Final = 5.0
"""How often it is looked whether following has begun."""
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 3600.0
_TYPES: Final = (SectorTerminated.event_type,)

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Backfill:
    """Asks one chain for the events before the start, into one index. `floor_epoch`: there are none below."""

    chain: Chain
    pool: asyncpg.Pool
    floor_epoch: int = 0

    async def run(self) -> None:
        """Goes down for ever, or until nothing is left; no failure ends it."""
        failures = 0
        while True:
            try:
                with database_errors("asking for the events before the start"):
                    is_done = await self.step()
                failures, pause_s = 0, LOOK_S if is_done else 0.0
            except (ChainError, DatabaseError) as error:
                pause_s = min(FIRST_PAUSE_S * 2 ** min(failures, 20), LONGEST_PAUSE_S)
                failures += 1
                _log.info("backfill_failed", error=str(error), again_in_s=pause_s)
            await asyncio.sleep(pause_s)

    async def step(self) -> bool:
        """Asks for one stretch, and whether there is nothing left to ask for at the moment."""
        async with self.pool.acquire() as connection:
            following = await load_following(connection)
            if following is None:
                return True
            before = await load_backfilled(connection, following.start_epoch)
            start = await load_tipset_at(connection, following.start_epoch)
        if before.is_done or start is None:
            return True
        await self._go_down(before, key_from(start.key))
        return False

    async def _go_down(self, before: Backfilled, anchor: TipSetKey) -> None:
        """Asks for the stretch below what was reached, takes it in, and writes down how far it came."""
        low = max(before.reached_epoch - WIDEST_EPOCHS, self.floor_epoch)
        if low >= before.reached_epoch:
            await self._save(replace(before, is_done=True))
            return
        try:
            await self._take_in(before.start_epoch, low, before.reached_epoch - 1)
            # The tipset before a leap of the chain, as a fork of a real network begins with, spares asking all the way.
            next_epoch = (await self.chain.tipset_at(low, anchor=anchor)).epoch
        except (NotSupported, BeyondLookback) as error:
            await self._save(replace(before, is_done=True, reason=str(error)))
            return
        reached = max(min(low, next_epoch + 1), self.floor_epoch)
        await self._save(replace(before, reached_epoch=reached, is_done=reached <= self.floor_epoch))

    async def _take_in(self, start_epoch: int, low: int, high: int) -> None:
        """Takes in the events of these epochs, both ends included, page by page."""
        wanted = EventFilter(from_epoch=low, to_epoch=high, event_types=_TYPES)
        async with aclosing(event_pages(self.chain, wanted)) as pages:
            async for page in pages:
                events = [event for event in page.events if not event.reverted and _is_whole(event)]
                if events:
                    await self._apply(start_epoch, events)

    async def _apply(self, start_epoch: int, events: list[ActorEvent]) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await transaction_lock(connection, IMPORT_LOCK)
            await apply_batch(connection, events, await load_coverage(connection), Tally())
            await log_import(
                connection,
                "events",
                source=SOURCE,
                epoch=start_epoch,
                complete=False,
                records=len(events),
                rejected=0,
            )

    async def _save(self, reached: Backfilled) -> None:
        """Writes down how far it is known now."""
        async with self.pool.acquire() as connection:
            await save_backfilled(connection, reached)
        if reached.is_done:
            _log.info("backfill_ends", reached_epoch=reached.reached_epoch, reason=reached.reason)


def _is_whole(event: ActorEvent) -> bool:
    return isinstance(event.payload, SectorTerminated) and event.emitter.actor_id is not None
