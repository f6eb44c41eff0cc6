"""The supervised loop around a follower: one process at a time, and again after every failure.

lock on a connection of its own ─► chain ─► follower ─► fails ─► pause ─► again
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import structlog

from explorer.errors import DatabaseUnavailable, FollowError
from explorer.follow.follower import Follower
from explorer.follow.inside import forget_own_chain, own_genesis
from explorer.follow.opening import OpenChain, open_chain
from explorer.follow.standing import Standing
from explorer.ground.connection import database_errors
from explorer.ground.database import lock_key
from explorer.ground.settings import Settings
from explorer.ground.supervision import Beat
from explorer.index.tipsets import load_following
from node.chain.errors import ChainError
from node.cid import Cid, cid_from_bytes

LOCK = "explorer.follow"
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 20.0)
"""After failures in a row; the last one goes on, so that a node that is back is followed within a minute."""
ELSEWHERE_S = 10.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class FollowLoop:
    """Follows the chain of the settings for ever."""

    settings: Settings
    pool: asyncpg.Pool
    standing: Standing

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled."""
        while True:
            async with self._lock() as ours:
                if ours:
                    await self._open(beat)
                else:
                    self.standing.elsewhere = True
            beat()
            await asyncio.sleep(ELSEWHERE_S)

    @asynccontextmanager
    async def _lock(self) -> AsyncIterator[bool]:
        """Whether this process is the one that follows; the lock is lost with its connection."""
        with database_errors("taking the follower's lock"):
            async with self.pool.acquire() as connection:
                ours = await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_key(LOCK))
                try:
                    yield ours
                finally:
                    if ours and not connection.is_closed():
                        await connection.execute("SELECT pg_advisory_unlock($1)", lock_key(LOCK))

    async def _open(self, beat: Beat) -> None:
        """Opens the chain, and follows it until the database fails."""
        imported = None if self.settings.chain_urls else await own_genesis(self.pool)
        if imported is not None or not self.settings.chain_urls:
            await forget_own_chain(self.pool)
        async with open_chain(self.settings, genesis_cid=await self._genesis(), imported=imported) as opened:
            follower = Follower(opened.chain, self.pool, time.monotonic, witnesses=opened.witnesses)
            self.standing.follows(follower, opened.chain, opened.simulated_url)
            await self._follow(follower, opened, beat)

    async def _follow(self, follower: Follower, opened: OpenChain, beat: Beat) -> None:
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
                pause_s = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
                failures += 1
                self.standing.fails(str(error))
                _log.warning("following_failed", error=str(error), kind=type(error).__name__, again_in_s=pause_s)
                beat()
                await asyncio.sleep(pause_s)
            except DatabaseUnavailable as error:
                self.standing.fails(str(error))
                raise

    async def _genesis(self) -> Cid | None:
        """The genesis of the chain that was followed before."""
        with database_errors("reading how far following is"):
            async with self.pool.acquire() as connection:
                following = await load_following(connection)
        return None if following is None else cid_from_bytes(following.genesis_cid)
