"""Word that sessions or keys have ended, from whichever process ends them to every one that has let somebody in.

session or key ended, one transaction ─► COMMIT ─► NOTIFY access_ended ─► open streams look whether theirs still holds
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import asyncpg

from explorer.ground.notified import ROUND_S, listen_for_ever, word_within
from explorer.ground.queries import load_queries
from explorer.ground.supervision import Beat

CHANNEL: Final = "access_ended"
_TIMEOUT_S: Final = 10.0

_QUERIES: Final = load_queries("explorer.access.sql", "endings.sql")


async def tell_ended(connection: asyncpg.Connection) -> None:
    """Tells every process, once the transaction is committed, that somebody's access has ended."""
    await connection.execute(_QUERIES["tell"])


@dataclass(frozen=True, slots=True)
class EndingsWatch:
    """Calls `told` whenever somebody's access may have ended: at each word, and after each time without ears."""

    dsn: str
    told: Callable[[], None]

    async def run(self, beat: Beat) -> None:
        """Goes on until it is cancelled; a database that is away is waited for."""
        await listen_for_ever(self.dsn, CHANNEL, partial(self._hear, beat), purpose="endings", beat=beat)

    async def _hear(self, beat: Beat, connection: asyncpg.Connection, word: asyncio.Event) -> None:
        """Hears until the connection is lost, which a look at the database in each round finds out."""
        self.told()
        while True:
            beat()
            is_told = await word_within(word, ROUND_S)
            word.clear()
            async with asyncio.timeout(_TIMEOUT_S):
                await connection.execute(_QUERIES["look"])
            if is_told:
                self.told()
