"""The loop that reads the feed as it grows: one LISTEN connection a process, whatever number of people watch.

connect ─► LISTEN ─► everything kept, to the audience ─► NOTIFY ─► what is new ─► … ─► lost: tell it, connect again
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import asyncpg
import structlog

from explorer.errors import DatabaseUnavailable
from explorer.ground.connection import database_errors, open_connection
from explorer.ground.supervision import Beat
from explorer.index.feed import CHANNEL, FeedEvent, load_after, load_newest, prune

ROUND_S: Final = 5.0
"""How long it waits for word before it asks by itself: a connection that has died silently is found so."""
PAUSES_S: Final = (0.2, 1.0, 2.0, 5.0)
_PRUNE_ROUNDS = 12
_TIMEOUT_S = 10.0

_log = structlog.get_logger(__name__)


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
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._connect(beat)
            except DatabaseUnavailable as error:
                failures = 0 if asyncio.get_running_loop().time() - began > ROUND_S else failures + 1
                _log.log(logging.WARNING if failures < 2 else logging.DEBUG, "feed_lost", error=str(error))
            finally:
                self.audience.lose()
            beat()
            await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])

    async def _connect(self, beat: Beat) -> None:
        settings = {"application_name": "filplus feed"}
        async with open_connection(self.dsn, server_settings=settings) as connection:
            try:
                with database_errors("reading the feed"):
                    await self._watch(connection, beat)
            finally:
                connection.terminate()  # a dead connection would keep a polite close waiting

    async def _watch(self, connection: asyncpg.Connection, beat: Beat) -> None:
        """Tells what comes, until the connection is lost."""
        grown = asyncio.Event()
        connection.add_termination_listener(lambda _: grown.set())
        await connection.add_listener(CHANNEL, lambda *_: grown.set())
        await self._begin(connection)
        rounds = 0
        while True:
            beat()
            if rounds % _PRUNE_ROUNDS == 0:
                await prune(connection)
            rounds += not await _set_within(grown, ROUND_S)
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


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
