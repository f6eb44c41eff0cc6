"""The supervised loop around a follower: one process at a time, and again after every failure.

lock on a connection of its own ─► chain ─► follower ─► fails ─► pause ─► again
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
import structlog

from explorer.errors import DatabaseUnavailable, FollowError
from explorer.follow.backfill import Backfill
from explorer.follow.disputing import FOREIGN, Disputes
from explorer.follow.follower import Follower
from explorer.follow.inside import forget_own_chain, own_genesis
from explorer.follow.opening import Followed, OpenChain, open_chain
from explorer.follow.pace import DEFAULT_PACE, Pace
from explorer.follow.pulse import keep_listening
from explorer.follow.standing import Standing
from explorer.ground.connection import database_errors
from explorer.ground.database import lock_key
from explorer.ground.settings import Settings
from explorer.ground.supervision import Beat
from explorer.index.tipsets import load_following
from node.chain.errors import ChainError
from node.cid import cid_from_bytes
from node.lotus.client import LotusChain

LOCK = "explorer.follow"
AGAIN_S = 5.0
"""How long after the database went away, or another process was found to follow, this one tries again."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class FollowLoop:
    """Follows the chain of the settings for ever."""

    settings: Settings
    pool: asyncpg.Pool
    standing: Standing
    pace: Pace = DEFAULT_PACE
    _disputes: Disputes = field(init=False)
    """Taken up again each time that following begins here."""

    def __post_init__(self) -> None:
        self._disputes = Disputes(self.pool, self.standing.dispute_begins)

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled."""
        while True:
            try:
                await self._turn(beat)
            except DatabaseUnavailable as error:
                self.standing.fails(str(error))
                _log.warning("database_unavailable", error=str(error))
            except Exception as error:
                self.standing.fails(str(error) or type(error).__name__)
                raise  # the supervisor says it, and starts us anew: `/status` must not go on saying that all is well
            beat()
            await asyncio.sleep(AGAIN_S)

    async def _turn(self, beat: Beat) -> None:
        """Follows for as long as this process may; returns at once where another one does."""
        async with self._lock() as lost:
            if lost is None:
                with database_errors("reading what nodes dispute"):
                    await self._disputes.load()
                self.standing.follows_elsewhere(self._disputes)
            else:
                await _first_of(_lost(lost), self._open(beat))

    @asynccontextmanager
    async def _lock(self) -> AsyncIterator[asyncio.Event | None]:
        """While this process is the one that follows, the event that it isn't any more; None where another one is.

        The lock is its connection's, and lost with it.
        """
        taking = "taking the follower's lock"
        with database_errors(taking):
            connection = await self.pool.acquire()
        try:
            with database_errors(taking):
                is_ours = await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_key(LOCK))
            if is_ours:
                async with _held(connection) as lost:
                    yield lost
            else:
                yield None
        finally:
            with database_errors("giving the follower's connection back"):
                await self.pool.release(connection)

    async def _open(self, beat: Beat) -> None:
        """Opens the chain, and follows it until the database fails."""
        imported = None if self.settings.chain_urls else await own_genesis(self.pool)
        if imported is not None or not self.settings.chain_urls:
            await forget_own_chain(self.pool)
        async with open_chain(
            self.settings, followed=await self._followed(), imported=imported, pace=self.pace
        ) as opened:
            with database_errors("following the chain"):
                await self._follow_opened(opened, beat)

    async def _follow_opened(self, opened: OpenChain, beat: Beat) -> None:
        """Follows an open chain, with all that goes on beside it."""
        disputes = self._disputes
        await disputes.resume(opened.nodes)
        follower = Follower(opened.chain, self.pool, time.monotonic, witnesses=opened.witnesses, disputing=disputes)
        self.standing.follows(opened.chain, disputes, opened.simulated_url, follower.states)
        await _first_of(
            keep_listening(opened.chain, partial(self._heard, opened.chain), self.pace),
            follower.states.run(),
            Backfill(opened.chain, self.pool, self.settings.network.nv22_epoch).run(),
            self._follow(follower, beat),
        )

    async def _heard(self, chain: LotusChain, again_in_s: float) -> None:
        """Takes what the nodes told: one of another chain has no word in what is final here."""
        for node in chain.health():
            if node.is_foreign:
                await self._disputes.end(node.name, FOREIGN)
        self.standing.asks_again(again_in_s)

    async def _follow(self, follower: Follower, beat: Beat) -> None:
        failures = 0

        def reached() -> None:
            nonlocal failures
            failures = 0
            self.standing.goes_on()
            beat()

        while True:
            try:
                await follower.follow(reached)
            except (ChainError, FollowError) as error:
                failures += 1
                pause_s = self.pace.pause_s(failures)
                self.standing.fails(str(error))
                _log.warning("following_failed", error=str(error), kind=type(error).__name__, again_in_s=pause_s)
                beat()
                await asyncio.sleep(pause_s)

    async def _followed(self) -> Followed | None:
        """The chain that was followed before."""
        with database_errors("reading how far following is"):
            async with self.pool.acquire() as connection:
                following = await load_following(connection)
        return None if following is None else Followed(cid_from_bytes(following.genesis_cid), following.start_epoch)


@asynccontextmanager
async def _held(connection: asyncpg.Connection) -> AsyncIterator[asyncio.Event]:
    """While a connection holds the follower's lock, the event that it was lost; gives the lock back."""
    lost = asyncio.Event()
    listener = partial(_set, lost)
    connection.add_termination_listener(listener)
    try:
        yield lost
    finally:
        if not lost.is_set():
            connection.remove_termination_listener(listener)
            with database_errors("giving the follower's lock back"):
                await connection.execute("SELECT pg_advisory_unlock($1)", lock_key(LOCK))


def _set(event: asyncio.Event, _: object) -> None:
    event.set()


async def _lost(lost: asyncio.Event) -> None:
    """Waits for the event; DatabaseUnavailable."""
    await lost.wait()
    raise DatabaseUnavailable("the connection that holds the follower's lock is gone")


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Does the works side by side until one of them ends or fails; raises what that one did."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
