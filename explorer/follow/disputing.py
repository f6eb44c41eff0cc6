"""Nodes that disagree about what is final: known since when, logged and told to whoever watches, once each.

agree ─another tipset where one is to be final─► disputed: ERROR, counted, an alert in the outbox
  └──────────────────the same tipset again──────────┘ INFO
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
import structlog

from explorer.alerts.outbox import enqueue
from explorer.follow.finality import Dispute, disputes_of
from explorer.index.followed import Link
from node.chain.protocol import Chain

DISPUTED = "node.disputed"
"""The type of the alert."""

_log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Disputed:
    """A dispute, and since when that node disputes."""

    dispute: Dispute
    since: datetime

    def document(self) -> dict[str, object]:
        """It, for `/status` and the alert."""
        one = self.dispute
        return {"node": one.node, "epoch": one.height, "detail": one.detail, "since": rfc3339(self.since)}


@dataclass(slots=True)
class Disputes:
    """The disputes that stand. `begins` is called for each that begins, once its alert is in the outbox."""

    pool: asyncpg.Pool
    begins: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = utc_now
    standing: dict[str, Disputed] = field(default_factory=dict, init=False)
    """By node."""

    @property
    def current(self) -> list[Dispute]:
        """The disputes, without their history."""
        return [one.dispute for one in self.standing.values()]

    async def look(self, link: Link, witnesses: Sequence[tuple[str, Chain]]) -> list[Dispute]:
        """Asks the witnesses for the tipset at a height; the disputes that stand then."""
        found = {dispute.node: dispute for dispute in await disputes_of(link, witnesses, before=self.current)}
        for node in self.standing.keys() - found.keys():
            ended = self.standing.pop(node)
            _log.info("dispute_ended", node=node, since=rfc3339(ended.since))
        for node, dispute in found.items():
            if node in self.standing:
                self.standing[node] = Disputed(dispute, self.standing[node].since)
            else:
                await self._begin(Disputed(dispute, self.now()))
        return self.current

    async def _begin(self, disputed: Disputed) -> None:
        """Tells of a dispute. Where that fails it has not begun, and is told at the next look."""
        node = disputed.dispute.node
        async with self.pool.acquire() as connection, connection.transaction():
            await enqueue(connection, DISPUTED, f"node {node}", disputed.document())
        self.standing[node] = disputed
        self.begins()
        _log.error("dispute_begins", node=node, epoch=disputed.dispute.height, detail=disputed.dispute.detail)


def rfc3339(moment: datetime) -> str:
    """`2024-03-14T12:00:30Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
