"""A connection that listens to PostgreSQL's notifications, made anew as often as it is lost.

connect ─► LISTEN ─► work, with an event that each notification sets, and the connection's end ─► lost ─► pause ─┐
   ▲                                                                                                             │
   └─────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import structlog

from explorer.errors import DatabaseUnavailable
from explorer.ground.connection import database_errors, open_connection
from explorer.ground.supervision import Beat

ROUND_S: Final = 5.0
"""How long to wait for word before looking all the same: a connection that has died silently is found so."""
PAUSES_S: Final = (0.2, 1.0, 2.0, 5.0)
"""After failures in a row; the last one goes on. A connection that held for a round begins with the first."""

Work = Callable[[asyncpg.Connection, asyncio.Event], Awaitable[None]]

_log = structlog.get_logger(__name__)


async def listen_for_ever(
    dsn: str, channel: str, work: Work, *, purpose: str, beat: Beat, lost: Callable[[], None] = lambda: None
) -> None:
    """Does the work over a listening connection until it is cancelled; a database that is away is waited for.

    `lost` is called whenever the work has ended. `purpose` names the connection to the server and in the log.
    """
    failures, now = 0, asyncio.get_running_loop().time
    while True:
        began = now()
        try:
            await _listen(dsn, channel, work, purpose)
        except DatabaseUnavailable as error:
            failures = 0 if now() - began > ROUND_S else failures + 1
            level = logging.WARNING if failures < 2 else logging.DEBUG
            _log.log(level, "listening_lost", purpose=purpose, error=str(error))
        finally:
            lost()
        beat()
        await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])


async def _listen(dsn: str, channel: str, work: Work, purpose: str) -> None:
    async with open_connection(dsn, server_settings={"application_name": f"filplus {purpose}"}) as connection:
        try:
            with database_errors(f"listening for the {purpose}"):
                word = asyncio.Event()
                connection.add_termination_listener(lambda _: word.set())
                await connection.add_listener(channel, lambda *_: word.set())
                await work(connection, word)
        finally:
            connection.terminate()  # a dead connection would keep a polite close waiting


async def word_within(word: asyncio.Event, seconds: float) -> bool:
    """Whether there was word within the time."""
    try:
        async with asyncio.timeout(seconds):
            await word.wait()
    except TimeoutError:
        return False
    return True
