"""The thin loop: wakes up when the head moves, reads the way there, and has it written.

    head told by the stream, or by polling ─► stage by stage: path, plan, told, advance ─► finality ─► programme

It is crash-only: everything it needs to go on is in the database.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import asyncpg
import structlog

from explorer.errors import ForkBelowFinal
from explorer.follow.filling import Filler
from explorer.follow.finality import Dispute, Settled, disputes_of, settled_below
from explorer.follow.forks import is_heavier, key_of, plan_to
from explorer.follow.programme import Programme, programme_at
from explorer.follow.reading import path_to, read_told
from explorer.follow.start import read_state, start_tipset
from explorer.ground.database import transaction_lock
from explorer.index import tipsets
from explorer.index.followed import Link
from explorer.index.lock import IMPORT_LOCK
from explorer.index.records import TABLES
from explorer.index.spans import load_coverage
from explorer.index.tipsets import Following, Step
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.chain.protocol import Chain
from node.chain.tipset import HeadChanges, TipSet

STAGE_TIPSETS = 100
"""How many epochs are read and written at once while catching up."""
POLL_S = 30.0
"""How long the stream may be silent before the node is asked."""
LIGHTER_AFTER_S = 60.0
"""How long a node must stay on a lighter chain before it is believed without having said that it reverted."""
STATE_AGAIN_AFTER_S = 3600.0
"""How long after a node gave no state it is asked again."""
_LINKS_MAX = 5000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Follower:
    """Follows one chain into the index of one pool. One at a time: the caller holds the lock.

    `witnesses` are the other nodes, by name: what is to be final must not be disputed by them.
    """

    chain: Chain
    pool: asyncpg.Pool
    clock: Callable[[], float]
    witnesses: Sequence[tuple[str, Chain]] = ()
    disputes: list[Dispute] = field(default_factory=list, init=False)
    node_head: TipSet | None = field(default=None, init=False)
    """The newest head that a node told."""
    _lighter_since: float | None = field(default=None, init=False)
    _states_asked: dict[RecordKind, float] = field(default_factory=dict, init=False)
    _filler: Filler = field(init=False)

    def __post_init__(self) -> None:
        self._filler = Filler(self.chain, self.pool, self.clock)

    async def follow(self, beat: Callable[[], None]) -> None:
        """Follows for ever, with a beat at each head. ChainError and FollowError end it; the next call goes on."""
        await self.begin()
        async with aclosing(self._heads()) as heads:
            async for head, is_explicit in heads:
                await self.go_to(head, is_explicit=is_explicit)
                beat()

    async def begin(self) -> None:
        """Begins with a final tipset where following never began, and reads what is missing of its state."""
        async with self.pool.acquire() as connection:
            if await tipsets.load_following(connection) is None:
                start, source = await start_tipset(self.chain)
                identity = await self.chain.identity()
                version = await self.chain.network_version(at=start.key)
                async with connection.transaction():
                    await transaction_lock(connection, IMPORT_LOCK)
                    link = Link(start.epoch, key_of(start.key))
                    await tipsets.begin(
                        connection,
                        link,
                        parent_weight=start.parent_weight,
                        genesis_cid=identity.genesis_cid.to_bytes(),
                        genesis_time=identity.genesis_time,
                        final_source=source,
                        network_version=version,
                    )
                _log.info("following_begins", epoch=start.epoch, source=source)
        await self.read_missing_states()

    async def read_missing_states(self) -> None:
        """Reads the whole state of each kind that nothing covers up to the head, at what is final."""
        async with self.pool.acquire() as connection:
            missing = [kind for kind in await _uncovered(connection) if self._may_ask(kind)]
            if not missing:
                return
            following = await _demand_following(connection)
            link = await tipsets.load_tipset_at(connection, following.final_epoch)
            assert link is not None  # noqa: S101 - the start is final, and followed
            tipset = await self.chain.tipset_at(link.height)
            if key_of(tipset.key) != link.key:
                raise ForkBelowFinal(
                    f"the node has another tipset at {link.height} than the followed one, which is final"
                )
            for kind in missing:
                await read_state(connection, self.chain, TABLES[kind], tipset)
                self._states_asked[kind] = self.clock()  # only now: what failed on the way is tried again at once
            async with connection.transaction():
                await transaction_lock(connection, IMPORT_LOCK)
                await tipsets.rewrite_spans(connection)

    def _may_ask(self, kind: RecordKind) -> bool:
        asked = self._states_asked.get(kind)
        return asked is None or self.clock() - asked >= STATE_AGAIN_AFTER_S

    async def go_to(self, head: TipSet, *, is_explicit: bool = True) -> None:
        """Brings the index to a head, in stages where it is far, and says what is final then.

        Without `is_explicit`, a head on a lighter chain is only gone to once the node has stayed there for a while.
        """
        self.node_head = head
        if not await self._is_to_be_followed(head, is_explicit=is_explicit):
            return
        settled = await settled_below(self.chain, head)
        self.disputes = await disputes_of(settled.final, self.witnesses)
        while not await self._stage(head, settled):
            pass
        await self._note_programme(head)
        await self._filler.fill()
        await self.read_missing_states()

    async def _is_to_be_followed(self, head: TipSet, *, is_explicit: bool) -> bool:
        async with self.pool.acquire() as connection:
            found = await tipsets.load_head(connection)
        if found is None or is_explicit or is_heavier(head, found[1]) or key_of(head.key) == found[0].key:
            self._lighter_since = None
            return True
        now = self.clock()
        self._lighter_since = now if self._lighter_since is None else self._lighter_since
        return now - self._lighter_since >= LIGHTER_AFTER_S

    async def _stage(self, head: TipSet, settled: Settled) -> bool:
        """Goes at most STAGE_TIPSETS epochs nearer to the head; whether it is reached."""
        async with self.pool.acquire() as connection:
            following = await _demand_following(connection)
            links = await _links_above(connection, following.final_epoch)
        target = await self._target(head, links[0].height)
        plan = plan_to(links, await path_to(self.chain, target, links))
        told = await read_told(self.chain, plan.base, plan.applies)
        steps = [
            Step(link=Link(tipset.epoch, key_of(tipset.key)), parent_weight=tipset.parent_weight, told=one)
            for tipset, one in zip(plan.applies, told, strict=True)
        ]
        if steps or plan.revert_from is not None:
            await self._write(links[0], plan.revert_from, steps)
        await self._settle(settled, target)
        return target is head

    async def _target(self, head: TipSet, height: int) -> TipSet:
        """The head, or a tipset on the way to it where it is far above."""
        if head.epoch - height <= STAGE_TIPSETS:
            return head
        target = await self.chain.tipset_at(height + STAGE_TIPSETS, anchor=head.key)
        return target if target.epoch > height else head

    async def _write(self, head: Link, revert_from: int | None, steps: list[Step]) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await transaction_lock(connection, IMPORT_LOCK)
            await tipsets.advance(connection, head=head, revert_from=revert_from, steps=steps)
        if revert_from is not None:
            # A tipset that only grew by a block is no news.
            log = _log.debug if revert_from == head.height else _log.info
            log("reorg", reverted_from=revert_from, through=head.height, applied=len(steps))

    async def _settle(self, settled: Settled, reached: TipSet) -> None:
        """Says what is final and safe of what the index has reached, unless another node disputes it."""
        async with self.pool.acquire() as connection, connection.transaction():
            await transaction_lock(connection, IMPORT_LOCK)
            if not self.disputes and await _is_ours(connection, settled, reached):
                await tipsets.set_finality(
                    connection,
                    final_epoch=min(settled.final.height, reached.epoch),
                    source=settled.source,
                    safe_epoch=min(settled.safe.height, reached.epoch),
                )

    async def _note_programme(self, head: TipSet) -> None:
        """Says whether the programme is open at the head."""
        async with self.pool.acquire() as connection:
            known = await _demand_following(connection)
            before = Programme(known.network_version, known.retires_at_epoch)
            programme = await programme_at(self.chain, head, before)
            if programme != before:
                await tipsets.set_programme(
                    connection,
                    network_version=programme.network_version,
                    retires_at_epoch=programme.retires_at_epoch,
                )

    async def _heads(self) -> AsyncGenerator[tuple[TipSet, bool], None]:
        """The heads to go to, and whether the node told how its head got there; one at least every POLL_S."""
        async with aclosing(self.chain.head_changes()) as changes:
            upcoming = asyncio.ensure_future(anext(changes))
            try:
                while True:
                    done, _ = await asyncio.wait({upcoming}, timeout=POLL_S)
                    if not done:
                        yield await self.chain.head(), False
                        continue
                    item = upcoming.result()
                    upcoming = asyncio.ensure_future(anext(changes))
                    if isinstance(item, HeadChanges):
                        yield await self._head_after(item)
            finally:
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)

    async def _head_after(self, changes: HeadChanges) -> tuple[TipSet, bool]:
        """The head that a list of changes ends with."""
        last = changes.changes[-1]
        if last.kind == "revert":
            return await self.chain.tipset(last.tipset.parents), True
        return last.tipset, last.kind == "apply"


async def _links_above(connection: asyncpg.Connection, final_epoch: int) -> list[Link]:
    """The followed tipsets that are not final, from the top down, and the newest that is."""
    links = await tipsets.load_links(connection, _LINKS_MAX)
    above = [link for link in links if link.height > final_epoch]
    return links[: len(above) + 1]


async def _uncovered(connection: asyncpg.Connection) -> list[RecordKind]:
    """The kinds that nothing covers at the followed head."""
    head = await tipsets.load_head(connection)
    coverage = await load_coverage(connection)
    return [kind for kind in RECORD_KINDS if head is not None and not coverage.covers(kind, head[0].height)]


async def _is_ours(connection: asyncpg.Connection, settled: Settled, reached: TipSet) -> bool:
    """Whether what is to be final is of the followed chain; what lies before its start or ahead can't be compared."""
    if settled.final.height > reached.epoch:
        return True
    link = await tipsets.load_tipset_at(connection, settled.final.height)
    return link is None or link == settled.final


async def _demand_following(connection: asyncpg.Connection) -> Following:
    following = await tipsets.load_following(connection)
    assert following is not None  # noqa: S101 - it began before
    return following
