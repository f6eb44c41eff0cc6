"""Nodes that disagree about what is final: known since when, logged and told to whoever watches, once each.

agree ─another tipset where one is to be final─► disputed: ERROR, counted, kept, an alert in the outbox
  └──the same tipset again; of another chain, removed, or preferred──┘ INFO
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
import structlog

from explorer.alerts.outbox import enqueue
from explorer.follow.dispute_rows import forget_dispute, load_disputes, save_dispute
from explorer.follow.witnesses import Dispute, NamedChain, Testimony, Word, ask_witnesses, is_settled
from explorer.index.followed import Link
from node.chain.protocol import Chain

DISPUTED = "node.disputed"
"""The type of the alert."""

AGREES = "it has the same tipset again"
FOREIGN = "it is of another chain"
REMOVED = "no setting names it any more"
PREFERRED = "it is the preferred node now: the others are compared with it"

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
    """The disputes that stand, here as in the database. `begins` is called for each that begins, once its alert is in
    the outbox.

    A node that falls silent, whichever it is, ends none, nor does a restart.
    """

    pool: asyncpg.Pool
    begins: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = utc_now
    nodes: Sequence[NamedChain] = ()
    """All nodes, the preferred one first: an end must be confirmed by one that isn't the disputing one."""
    standing: dict[str, Disputed] = field(default_factory=dict, init=False)
    """By node."""
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    """Held while a dispute changes: it is heard of in two ways."""

    @property
    def current(self) -> list[Dispute]:
        """The disputes, without their history."""
        return [one.dispute for one in self.standing.values()]

    async def resume(self, nodes: Sequence[NamedChain]) -> None:
        """Takes up the disputes that stood when following last stopped, with the nodes that there are now.

        Those of nodes that are no witnesses any more end.
        """
        self.nodes = nodes
        await self.load()
        preferred, *witnesses = [name for name, _ in nodes]
        for name, one in list(self.standing.items()):
            if name in witnesses:
                _log.warning("dispute_stands", node=name, epoch=one.dispute.height, since=rfc3339(one.since))
            else:
                await self.end(name, PREFERRED if name == preferred else REMOVED)

    async def load(self) -> None:
        """Takes what the database keeps: all that is known of disputes while another process follows."""
        async with self.pool.acquire() as connection:
            kept = await load_disputes(connection)
        self.standing = {dispute.node: Disputed(dispute, since) for dispute, since in kept}

    async def look(self, link: Link, witnesses: Sequence[NamedChain]) -> list[Dispute]:
        """Asks the witnesses for the tipset at a height; the disputes that stand then."""
        chains = dict(witnesses)
        for testimony in await ask_witnesses(link, witnesses):
            if testimony.dispute is not None:
                await self._goes_on(testimony.dispute)
            elif testimony.node in self.standing:
                await self._may_end(testimony, chains[testimony.node])
        return self.current

    async def end(self, node: str, reason: str) -> None:
        """Ends a node's dispute, if there is one. Where that can't be written down it stands."""
        async with self._changing:
            if node not in self.standing:
                return
            async with self.pool.acquire() as connection:
                await forget_dispute(connection, node)
            ended = self.standing.pop(node)
        _log.info("dispute_ended", node=node, since=rfc3339(ended.since), reason=reason)

    async def _goes_on(self, dispute: Dispute) -> None:
        async with self._changing:
            known = self.standing.get(dispute.node)
            if known is None:
                await self._begin(Disputed(dispute, self.now()))
            elif known.dispute != dispute:
                async with self.pool.acquire() as connection:
                    await save_dispute(connection, dispute, known.since)
                self.standing[dispute.node] = Disputed(dispute, known.since)

    async def _may_end(self, testimony: Testimony, chain: Chain) -> None:
        """Ends a dispute where what the node says now is a reason to."""
        node = testimony.node
        others = [(name, other) for name, other in self.nodes if name != node]
        if testimony.word is Word.FOREIGN:
            await self.end(node, FOREIGN)
        elif testimony.word is Word.AGREES and await is_settled(self.standing[node].dispute, chain, others):
            await self.end(node, AGREES)

    async def _begin(self, disputed: Disputed) -> None:
        """Tells of a dispute. Where that fails it has not begun, and is told at the next look."""
        node = disputed.dispute.node
        async with self.pool.acquire() as connection, connection.transaction():
            await save_dispute(connection, disputed.dispute, disputed.since)
            await enqueue(connection, DISPUTED, f"node {node}", disputed.document())
        self.standing[node] = disputed
        self.begins()
        _log.error("dispute_begins", node=node, epoch=disputed.dispute.height, detail=disputed.dispute.detail)


def rfc3339(moment: datetime) -> str:
    """`2024-03-14T12:00:30Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
