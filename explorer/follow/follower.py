"""The thin loop: wakes up when the head moves, reads the way there, and has it written.

    head told by the stream, or by polling ─► stage by stage: path, plan, told, advance ─► finality ─► programme

It is crash-only: everything it needs to go on is in the database.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import asyncpg
import structlog

from explorer.errors import NotFollowing
from explorer.follow.disputing import Disputes
from explorer.follow.filling import Filler
from explorer.follow.finality import Settled, settled_below
from explorer.follow.forks import is_heavier, key_from, key_of, plan_to
from explorer.follow.heads import newest_heads
from explorer.follow.programme import Programme, programme_at
from explorer.follow.ranges import EventRanges
from explorer.follow.reading import path_to, read_told
from explorer.follow.start import begin_following
from explorer.follow.states import StateReader
from explorer.follow.witnesses import Dispute
from explorer.ground.database import transaction_lock
from explorer.index import tipsets
from explorer.index.followed import Link
from explorer.index.lock import IMPORT_LOCK
from explorer.index.tipsets import Step
from node.chain.errors import NotFound
from node.chain.protocol import Chain
from node.chain.tipset import TipSet

STAGE_TIPSETS = 100
"""How many epochs are read and written at once while catching up."""
POLL_S = 10.0
"""How long the stream may be silent before the node is asked."""
LIGHTER_AFTER_S = 60.0
"""How long a node must stay on a lighter chain before it is believed without having said that it reverted."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Follower:
    """Follows one chain into the index of one pool. One at a time: the caller holds the lock, and runs `states` beside.

    `witnesses` are the other nodes, by name: what is to be final must not be disputed by them.
    """

    chain: Chain
    pool: asyncpg.Pool
    clock: Callable[[], float]
    witnesses: Sequence[tuple[str, Chain]] = ()
    disputing: Disputes | None = None
    """Where disputes are kept; None: the follower has its own."""
    disputes: list[Dispute] = field(default_factory=list, init=False)
    _disputing: Disputes = field(init=False)
    states: StateReader = field(init=False)
    """What reads the state that following begins with, beside it."""
    _lighter_since: float | None = field(default=None, init=False)
    _filler: Filler = field(init=False)
    _ranges: EventRanges = field(init=False)

    def __post_init__(self) -> None:
        self.states = StateReader(self.chain, self.pool, self.clock)
        self._filler = Filler(self.chain, self.pool, self.clock)
        self._ranges = EventRanges(self.chain, self.clock)
        self._disputing = self.disputing or Disputes(self.pool)

    async def follow(self, beat: Callable[[], None]) -> None:
        """Follows for ever, with a beat at each head. ChainError and FollowError end it; the next call goes on."""
        await self.begin()
        async with aclosing(newest_heads(self.chain, poll_s=POLL_S)) as heads:
            async for head, is_explicit in heads:
                await self.go_to(head, is_explicit=is_explicit)
                beat()

    async def begin(self) -> None:
        """Begins with a final tipset where following never began."""
        async with self.pool.acquire() as connection:
            if await tipsets.load_following(connection) is None:
                await begin_following(connection, self.chain)

    async def go_to(self, head: TipSet, *, is_explicit: bool = True) -> None:
        """Brings the index to a head, in stages where it is far, and says what is final then.

        Without `is_explicit`, a head on a lighter chain is only gone to once the node has stayed there for a while.
        """
        if not await self._is_to_be_followed(head, is_explicit=is_explicit):
            return
        settled = await settled_below(self.chain, head)
        self.disputes = await self._disputing.look(settled.final, self.witnesses)
        while not await self._stage(head, settled):
            pass
        await self._note_programme(head)
        await self._filler.fill()

    async def _is_to_be_followed(self, head: TipSet, *, is_explicit: bool) -> bool:
        async with self.pool.acquire() as connection:
            found = await tipsets.load_head(connection)
        if found is None or is_explicit or is_heavier(head, *found) or key_of(head.key) == found[0].key:
            self._lighter_since = None
            return True
        now = self.clock()
        self._lighter_since = now if self._lighter_since is None else self._lighter_since
        return now - self._lighter_since >= LIGHTER_AFTER_S

    async def _stage(self, head: TipSet, settled: Settled) -> bool:
        """Goes at most STAGE_TIPSETS epochs nearer to the head; whether it is reached."""
        async with self.pool.acquire() as connection:
            links = await tipsets.load_links(connection)
        if not links:
            raise NotFollowing("the index follows no chain any more")
        target = await self._target(head, links[0].height)
        plan = plan_to(links, await path_to(self.chain, target, links))
        told = await read_told(self.chain, plan.base, plan.applies, self._ranges)
        steps = [
            Step(link=Link(tipset.epoch, key_of(tipset.key)), parent_weight=tipset.parent_weight, told=one)
            for tipset, one in zip(plan.applies, told, strict=True)
        ]
        if steps or plan.revert_from is not None:
            await self._write(links[0], plan.revert_from, steps)
        await self._settle(settled, target)
        return target is head

    async def _target(self, head: TipSet, height: int) -> TipSet:
        """The head, or a tipset on the way to it, at most STAGE_TIPSETS above where it is, but for null rounds.

        Those are leapt over: a chain that stood still for months is one stage, found by few questions.
        """
        low, high, target, leap = height, head.epoch, head, STAGE_TIPSETS
        while high - low > STAGE_TIPSETS:
            epoch = low + leap if low + leap < high else (low + high) // 2
            found = await self.chain.tipset_at(epoch, anchor=head.key)
            if found.epoch > height:
                high, target, leap = epoch, found, STAGE_TIPSETS
            else:
                low, leap = epoch, leap * 2
        return target

    async def _write(self, head: Link, revert_from: int | None, steps: list[Step]) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await transaction_lock(connection, IMPORT_LOCK)
            move = await tipsets.advance(connection, head=head, revert_from=revert_from, steps=steps)
        if move.change == "reorg":
            _log.info("reorg", reverted_from=revert_from, through=head.height, depth=move.depth, applied=len(steps))

    async def _settle(self, settled: Settled, reached: TipSet) -> None:
        """Says what is final and safe of what the index has reached, unless another node disputes it."""
        if not await self._leads_to(settled.final, reached):
            return
        async with self.pool.acquire() as connection, connection.transaction():
            await transaction_lock(connection, IMPORT_LOCK)
            if not self.disputes and await _is_ours(connection, settled, reached):
                await tipsets.set_finality(
                    connection,
                    final_epoch=min(settled.final.height, reached.epoch),
                    source=settled.source,
                    safe_epoch=min(settled.safe.height, reached.epoch),
                )

    async def _leads_to(self, final: Link, reached: TipSet) -> bool:
        """Whether a final tipset that is still ahead stands on the one that is reached: another node may have told it.

        Of one that is not ahead the index tells.
        """
        if final.height <= reached.epoch:
            return True
        try:
            below = await self.chain.tipset_at(reached.epoch, anchor=key_from(final.key))
        except NotFound:
            return False
        return below.key == reached.key

    async def _note_programme(self, head: TipSet) -> None:
        """Says whether the programme is open at the head."""
        async with self.pool.acquire() as connection:
            known = await tipsets.load_following(connection)
            if known is None:
                return
            before = Programme(known.network_version, known.retires_at_epoch)
            programme = await programme_at(self.chain, head, before)
            if programme != before:
                await tipsets.set_programme(
                    connection,
                    network_version=programme.network_version,
                    retires_at_epoch=programme.retires_at_epoch,
                )


async def _is_ours(connection: asyncpg.Connection, settled: Settled, reached: TipSet) -> bool:
    """Whether what is to be final is of the followed chain; what lies before its start can't be compared."""
    if settled.final.height > reached.epoch:
        return True
    link = await tipsets.load_tipset_at(connection, settled.final.height)
    return link is None or link == settled.final
