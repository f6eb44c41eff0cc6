"""The loop that counts large parties ahead. One process of several does it; it works a fifth of the time.

changes noted ─┐
time passed   ─┴► one party after the other: large? ─ yes ─► count, keep    one transaction each
                                                     └ no ──► forget
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from explorer.errors import DatabaseUnavailable, QueryTimeout
from explorer.ground.connection import database_errors
from explorer.ground.database import lock_key
from explorer.ground.supervision import Beat
from explorer.index.service import IndexService
from explorer.parties.counting import LARGE_RECORDS, count_party, is_large
from explorer.parties.marks import (
    drop_summary,
    forget_seen,
    load_changed,
    load_outdated,
    load_summary,
    mark_seen,
    save_summary,
)
from explorer.parties.naming import Role
from explorer.parties.terms import Terms, terms_of

PAUSE_S = 10.0
"""Between two looks at what there is to do."""
REST = 4.0
"""After counting one again, so many times as long as it took is waited: the database has others to serve. A first count
is waited for by people, and comes at once."""
PARTIES_A_ROUND = 500
KEPT_FOR = timedelta(days=1)
"""So old a count is made anew in any case: whether others have a piece too changes without a note."""
STATEMENT_TIMEOUT_S = 600
LOCK = "explorer.parties"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Counts what has changed. `pool` is its own: a count may take longer than a request's statement."""

    pool: asyncpg.Pool
    index: IndexService
    large_records: int = LARGE_RECORDS
    rest: float = REST
    statement_timeout_s: float = STATEMENT_TIMEOUT_S
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled. A database that is away is waited for."""
        while True:
            beat()
            try:
                await self.refresh(beat)
            except (DatabaseUnavailable, QueryTimeout) as error:
                _log.warning("parties_not_counted", error=str(error))
            await asyncio.sleep(PAUSE_S)

    async def refresh(self, beat: Beat = lambda: None) -> int:
        """Counts everything that has to be; how many parties were looked at. 0 where another process does it."""
        done = 0
        with database_errors("counting parties"):
            async with self.pool.acquire() as connection, _only_one(connection) as is_mine:
                while is_mine and (changed := await load_changed(connection, PARTIES_A_ROUND)):
                    done += await self._each(connection, changed, beat)
                if is_mine:
                    done += await self._each(connection, await self._outdated(connection), beat)
        return done

    async def _each(self, connection: asyncpg.Connection, parties: Sequence[tuple[Role, int]], beat: Beat) -> int:
        for role, party_id in parties:
            beat()
            await self._try(connection, role, party_id)
        await forget_seen(connection)
        return len(parties)

    async def _outdated(self, connection: asyncpg.Connection) -> list[tuple[Role, int]]:
        """Those whom time has changed."""
        terms = await self._terms()
        if terms is None:
            return []
        return await load_outdated(connection, terms, made_before=self.now() - KEPT_FOR, limit=PARTIES_A_ROUND)

    async def _terms(self) -> Terms | None:
        async with self.index.at_head() as (_, standpoint):
            return terms_of(standpoint)

    async def _try(self, connection: asyncpg.Connection, role: Role, party_id: int) -> None:
        """Looks at one party; one that takes too long must not keep the others waiting."""
        try:
            await self._look_at(connection, role, party_id)
        except asyncpg.QueryCanceledError:
            _log.warning(
                "party_not_counted", role=role, party_id=party_id, statement_timeout_s=self.statement_timeout_s
            )
            await mark_seen(connection, role, party_id)

    async def _look_at(self, connection: asyncpg.Connection, role: Role, party_id: int) -> None:
        """Counts one party if it is large, and takes its notes away, both as one snapshot sees them."""
        started = asyncio.get_running_loop().time()
        async with connection.transaction(isolation="repeatable_read"):
            await connection.execute(f"SET LOCAL statement_timeout = {round(self.statement_timeout_s * 1000)}")
            terms = terms_of(await self.index.standpoint(connection))
            was_known = await load_summary(connection, role, party_id) is not None
            if terms is not None and await is_large(connection, role, party_id, self.large_records):
                counted = await count_party(connection, role, party_id, terms)
                await save_summary(connection, role, party_id, counted, terms=terms, now=self.now())
            else:
                await drop_summary(connection, role, party_id)
            await mark_seen(connection, role, party_id)
        if was_known:
            took_s = asyncio.get_running_loop().time() - started
            _log.debug("party_counted_again", role=role, party_id=party_id, seconds=round(took_s, 2))
            await asyncio.sleep(took_s * self.rest)


@asynccontextmanager
async def _only_one(connection: asyncpg.Connection) -> AsyncIterator[bool]:
    """Whether this process is the one that counts, as long as the context lasts."""
    key = lock_key(LOCK)
    is_mine = await connection.fetchval("SELECT pg_try_advisory_lock($1)", key)
    try:
        yield is_mine
    finally:
        if is_mine and not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", key)
