"""What is missing of the state is read beside the following, one kind after the other, for as long as it takes.

missing ─► read at what is final ─┬─► read       asked again in an hour, if it is missing again
                                  ├─► refused    asked again in an hour: the node doesn't tell it
                                  └─► fails      asked again after 5 s, 10 s, 20 s … an hour
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from explorer.errors import DatabaseError, FollowError
from explorer.follow.disputing import rfc3339
from explorer.follow.forks import key_from
from explorer.follow.state_read import StateRead, read_state
from explorer.ground.connection import database_errors
from explorer.index.answers import Document
from explorer.index.followed import Link
from explorer.index.spans import load_coverage
from explorer.index.tipsets import load_following, load_head, load_tipset_at
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.chain.errors import ChainError
from node.chain.protocol import Chain

LOOK_S = 5.0
"""How often it is looked whether something is missing."""
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 3600.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class KindReads:
    """How the reading of one kind goes."""

    kind: RecordKind
    reading: StateRead | None = None
    """What is read just now."""
    since: datetime | None = None
    """Since when."""
    failures: int = 0
    """How often in a row it failed."""
    error: str | None = None
    """Why the last one did not give every record; None where it did, or there was none."""
    again_at: datetime | None = None
    """When it is asked again, if it is still missing."""
    due_s: float = float("-inf")

    @property
    def is_news(self) -> bool:
        """Whether it is being read, or was not read whole."""
        return self.since is not None or self.error is not None

    def document(self) -> Document:
        """How it stands, for `/status`."""
        return {
            "kind": self.kind,
            "epoch": None if self.reading is None else self.reading.epoch,
            "reading_since": None if self.since is None else rfc3339(self.since),
            "records": None if self.reading is None else self.reading.records,
            "failures": self.failures,
            "error": self.error,
            "again_at": None if self.error is None or self.again_at is None else rfc3339(self.again_at),
        }


@dataclass(slots=True)
class StateReader:
    """Reads states into one index, beside its follower."""

    chain: Chain
    pool: asyncpg.Pool
    clock: Callable[[], float]
    reads: dict[RecordKind, KindReads] = field(init=False)

    def __post_init__(self) -> None:
        self.reads = {kind: KindReads(kind) for kind in RECORD_KINDS}

    def documents(self) -> list[Document]:
        """What is being read, and what could not be."""
        return [one.document() for one in self.reads.values() if one.is_news]

    async def run(self) -> None:
        """Reads what is missing, for ever. No failure ends it: following notices by itself when all is gone."""
        while True:
            try:
                with database_errors("looking which state is missing"):
                    await self.read_due()
            except DatabaseError as error:
                _log.warning("states_not_looked_at", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def read_due(self) -> None:
        """Reads each kind that is missing, if it is time."""
        missing = await self._missing()
        for one in self.reads.values():
            if one.kind not in missing:
                one.error, one.failures = None, 0
            elif self.clock() >= one.due_s:
                await self._read(one)

    async def _missing(self) -> list[RecordKind]:
        """The kinds that are covered neither at the followed head nor at what is final, where they could be read."""
        async with self.pool.acquire() as connection:
            final, head = await _final(connection), await load_head(connection)
            coverage = await load_coverage(connection)
        if final is None or head is None:
            return []
        epochs = (final.height, head[0].height)
        return [kind for kind in RECORD_KINDS if not any(coverage.covers(kind, epoch) for epoch in epochs)]

    async def _read(self, one: KindReads) -> None:
        """One attempt at one kind."""
        one.since = datetime.now(UTC)
        try:
            with database_errors(f"reading the state's {one.kind}"):
                async with self.pool.acquire() as connection:
                    await self._read_final(connection, one)
        except (ChainError, FollowError, DatabaseError, asyncpg.PostgresError) as error:
            one.failures += 1
            self._ends(one, str(error) or type(error).__name__)
            _log.warning("state_not_read", kind=one.kind, error=one.error, failures=one.failures)
        finally:
            one.reading, one.since = None, None

    async def _read_final(self, connection: asyncpg.Connection, one: KindReads) -> None:
        final = await _final(connection)
        if final is not None:
            one.reading = StateRead(one.kind, final.height)
            await read_state(connection, self.chain, await self.chain.tipset(key_from(final.key)), one.reading)
            one.failures = 0
            self._ends(one, _shortcoming(one.reading))

    def _ends(self, one: KindReads, error: str | None) -> None:
        """Notes how it ended, and when it is due again."""
        one.error = error
        doublings = min(max(one.failures - 1, 0), 20)
        pause_s = min(FIRST_PAUSE_S * 2**doublings, LONGEST_PAUSE_S) if one.failures else LONGEST_PAUSE_S
        one.due_s = self.clock() + pause_s
        one.again_at = datetime.now(UTC) + timedelta(seconds=pause_s)


async def _final(connection: asyncpg.Connection) -> Link | None:
    """The newest followed tipset that is final; None before following began."""
    following = await load_following(connection)
    return None if following is None else await load_tipset_at(connection, following.final_epoch)


def _shortcoming(read: StateRead) -> str | None:
    """Why a state that was read is not whole."""
    if read.refused is not None:
        return read.refused
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(read.rejected.items()))
    return f"records that could not be taken: {reasons}" if reasons else None
