"""What a node tells of a stretch of its chain: the path to it, and what the messages of its tipsets did."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from explorer.errors import ForkBelowFinal
from explorer.follow.by_messages import events_of_messages
from explorer.follow.forks import key_of
from explorer.follow.published import published_deals
from explorer.follow.ranges import EventRanges, Events
from explorer.index.followed import Link
from explorer.index.told import Told
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.actors.miner import (
    PRE_COMMIT_SECTOR_BATCH,
    PROVE_COMMIT_SECTORS,
    PROVE_REPLICA_UPDATES,
    TERMINATE_SECTORS,
)
from node.chain.errors import GarbledAnswer, NotSupported
from node.chain.event_filter import EventFilter
from node.chain.protocol import Chain
from node.chain.results import ExecutedMessage
from node.chain.tipset import TipSet, TipSetKey
from node.event_types import (
    AllocationCreated,
    AllocationRemoved,
    ClaimCreated,
    ClaimRemoved,
    ClaimUpdated,
    DealActivated,
    DealCompleted,
    DealPublished,
    DealTerminated,
    SectorActivated,
    SectorPrecommitted,
    SectorTerminated,
    SectorUpdated,
    VerifierBalance,
)
from node.singletons import DATACAP, MARKET, VERIFIED_REGISTRY

FOLLOWED_TYPES = tuple(
    kind.event_type
    for kind in (
        *(AllocationCreated, AllocationRemoved, ClaimCreated, ClaimUpdated, ClaimRemoved),
        *(DealPublished, DealActivated, DealTerminated, DealCompleted, SectorTerminated, VerifierBalance),
        *(SectorPrecommitted, SectorActivated, SectorUpdated),
    )
)
"""All that registry, market and miners emit, so that a message of theirs without any of these shows that events are
missing."""
_WITNESSES = SectorPrecommitted | SectorActivated | SectorUpdated
"""Events that say nothing but that events are there."""
_EMITTING_TO = frozenset({VERIFIED_REGISTRY, MARKET, DATACAP})
_EMITTING_METHODS = frozenset(
    number
    for method in (PRE_COMMIT_SECTOR_BATCH, PROVE_COMMIT_SECTORS, PROVE_REPLICA_UPDATES, TERMINATE_SECTORS)
    for number in method.numbers
)
"""Of miners. Contracts and multisigs may have emitted anything, or what is beneath them."""
_REASON_CHARS = 500
_AT_ONCE = 8
"""How many tipsets are read side by side."""
_FAR_EPOCHS = 10
"""So far above, tipsets are read ahead of their children."""
_AHEAD_EPOCHS = 100
"""So far below the head they are: beneath a long gap of null rounds there is nothing to read ahead."""

Found = TypeVar("Found")


async def path_to(chain: Chain, head: TipSet, links: Sequence[Link]) -> list[TipSet]:
    """The tipsets from one that stands on a link up to the head; the head alone where it is a link.

    ForkBelowFinal where the node's chain has none of them.
    """
    known = {link.key for link in links}
    path = [head]
    ahead = await _ahead(chain, head, links[0].height)
    while key_of(path[-1].parents) not in known and key_of(head.key) not in known:
        if path[-1].epoch <= links[-1].height:
            raise ForkBelowFinal(
                f"the node's chain has another tipset at {path[-1].epoch} than the followed one, below what is final"
            )
        path.append(await _parent(chain, path[-1], ahead))
    return path[::-1]


async def _ahead(chain: Chain, head: TipSet, height: int) -> dict[TipSetKey, TipSet]:
    """The tipsets between a height and a head far above it, by key: read side by side, as one after the other is slow.

    They are only looked up by their children's word, so it does no harm where the node tells others.
    """
    epochs = range(max(height + 1, head.epoch - _AHEAD_EPOCHS), head.epoch)
    if len(epochs) < _FAR_EPOCHS:
        return {}
    found = await _side_by_side([partial(chain.tipset_at, epoch, anchor=head.key) for epoch in epochs])
    return {tipset.key: tipset for tipset in found}


async def _parent(chain: Chain, tipset: TipSet, ahead: Mapping[TipSetKey, TipSet]) -> TipSet:
    parent = ahead.get(tipset.parents) or await chain.tipset(tipset.parents)
    if parent.epoch >= tipset.epoch or parent.key != tipset.parents:
        raise GarbledAnswer(f"the tipset at {parent.epoch} can't be the parent of that at {tipset.epoch}")
    return parent


async def read_told(chain: Chain, base: Link, path: Sequence[TipSet], ranges: EventRanges | None = None) -> list[Told]:
    """What each tipset of a path tells of the messages of the one below it; the first one stands on the base.

    With `ranges`, the events of a long path are asked for together.
    """
    known = {} if ranges is None else await ranges.below(path, FOLLOWED_TYPES)
    below = [base.height, *(tipset.epoch for tipset in path)]
    return await _side_by_side(
        [partial(_told_by, chain, height, tipset, known) for height, tipset in zip(below, path, strict=False)]
    )


async def _side_by_side(asked: Sequence[Callable[[], Coroutine[Any, Any, Found]]]) -> list[Found]:
    """What all of them give, in order, a few at once; the first error of any."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(ask: Callable[[], Coroutine[Any, Any, Found]]) -> Found:
        async with limit:
            return await ask()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(ask)) for ask in asked]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [task.result() for task in tasks]


async def _told_by(chain: Chain, height: int, tipset: TipSet, known: Events) -> Told:
    """What the tipset tells of the messages of its parents, which are at `height`."""
    key = tipset.parents.texts
    wanted = EventFilter(tipset=key, event_types=FOLLOWED_TYPES)
    try:
        events = known.get(key) or [event for event in await chain.actor_events(wanted) if not event.reverted]
    except NotSupported as error:
        return await _told_by_messages(chain, height, tipset, await chain.executed_messages(tipset), str(error))
    for event in events:
        if event.height != height or event.tipset_key != key:
            raise GarbledAnswer(f"an event of {event.height} where those of the tipset at {height} were asked for")
    told = tuple(event for event in events if not isinstance(event.payload, _WITNESSES))
    published = [event for event in told if isinstance(event.payload, DealPublished)]
    if events and not published:
        return Told(height=height, events=told)
    executed = await chain.executed_messages(tipset)
    if not events and _must_have_told(executed):
        return await _told_by_messages(chain, height, tipset, executed, "the node has no events of these heights")
    deals, unread = await published_deals(chain, published, executed, tipset)
    missing: dict[RecordKind, str] = {"deals": f"{unread} published deals could not be read"} if unread else {}
    return Told(height=height, events=told, deals=tuple(deals), missing=missing)


async def _told_by_messages(
    chain: Chain, height: int, tipset: TipSet, executed: Sequence[ExecutedMessage], reason: str
) -> Told:
    """What can be told without events: evidence, but never all of it."""
    events = await events_of_messages(chain, executed, tipset, height=height)
    deals, _ = await published_deals(chain, events, executed, tipset)
    missing = dict.fromkeys(RECORD_KINDS, _storable(reason))
    return Told(height=height, events=tuple(events), deals=tuple(deals), missing=missing)


def _storable(reason: str) -> str:
    """A node's words as the database takes them."""
    return reason.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")[:_REASON_CHARS]


def _must_have_told(executed: Iterable[ExecutedMessage]) -> bool:
    """Whether messages left events of ours, by their receipts, though none was given."""
    return any(
        one.receipt.ok
        and one.receipt.events_root is not None
        and (one.message.to in _EMITTING_TO or one.message.method in _EMITTING_METHODS)
        for one in executed
    )
