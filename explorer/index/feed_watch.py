"""The loop that reads the feed as it grows: one LISTEN connection a process, whatever number of people watch.

connect ─► LISTEN ─► everything kept, to the audience ─► NOTIFY ─► what is new ─► … ─► lost: tell it, connect again
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import asyncpg

from explorer.ground.notified import ROUND_S, listen_for_ever, word_within
from explorer.ground.supervision import Beat
from explorer.index.feed import CHANNEL, FeedEvent, load_after, load_newest, prune

_PRUNE_ROUNDS = 12
_TIMEOUT_S = 10.0


class Audience(Protocol):
    """Who is told."""

    def begin(self, kept: Sequence[FeedEvent]) -> None:
        """The feed is read again; these are all events that are kept, the oldest first."""

    def add(self, events: Sequence[FeedEvent]) -> None:
        """These come next."""

    def lose(self) -> None:
        """The feed can't be read for now."""


@dataclass(slots=True)
class FeedWatch:
    """Tells an audience of every event of the feed, once, in order.

    `lag_of` says by how many epochs the index is behind the node, given the index's epoch, if anything knows it.
    """

    dsn: str
    audience: Audience
    lag_of: Callable[[int], int | None] | None = None
    _last_id: int = 0

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled; a database that is away is waited for."""
        work = partial(self._watch, beat)
        await listen_for_ever(self.dsn, CHANNEL, work, purpose="feed", beat=beat, lost=self.audience.lose)

    async def _watch(self, beat: Beat, connection: asyncpg.Connection, grown: asyncio.Event) -> None:
        """Tells what comes, until the connection is lost."""
        await self._begin(connection)
        rounds = 0
        while True:
            beat()
            if rounds % _PRUNE_ROUNDS == 0:
                await prune(connection)
            rounds += not await word_within(grown, ROUND_S)
            grown.clear()
            async with asyncio.timeout(_TIMEOUT_S):
                await self._tell(connection)

    async def _begin(self, connection: asyncpg.Connection) -> None:
        kept = await load_newest(connection)
        self._last_id = kept[-1].id if kept else 0
        self.audience.begin(kept)

    async def _tell(self, connection: asyncpg.Connection) -> None:
        while events := await load_after(connection, self._last_id):
            self._last_id = events[-1].id
            self.audience.add([self._with_lag(event) for event in events])

    def _with_lag(self, event: FeedEvent) -> FeedEvent:
        if event.type != "head" or self.lag_of is None:
            return event
        return replace(event, data={**event.data, "lag_epochs": self.lag_of(event.data["epoch"])})
