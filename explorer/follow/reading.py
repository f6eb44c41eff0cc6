"""What a node tells of a stretch of its chain: the path to it, and what the messages of its tipsets did."""

import asyncio
from collections.abc import Iterable, Sequence

from explorer.errors import ForkBelowFinal
from explorer.follow.by_messages import events_of_messages
from explorer.follow.forks import key_of
from explorer.follow.published import published_deals
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
from node.chain.tipset import TipSet
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


async def path_to(chain: Chain, head: TipSet, links: Sequence[Link]) -> list[TipSet]:
    """The tipsets from one that stands on a link up to the head; the head alone where it is a link.

    ForkBelowFinal where the node's chain has none of them.
    """
    known = {link.key for link in links}
    path = [head]
    while key_of(path[-1].parents) not in known and key_of(head.key) not in known:
        if path[-1].epoch <= links[-1].height:
            raise ForkBelowFinal(
                f"the node's chain has another tipset at {path[-1].epoch} than the followed one, below what is final"
            )
        path.append(await _parent(chain, path[-1]))
    return path[::-1]


async def _parent(chain: Chain, tipset: TipSet) -> TipSet:
    parent = await chain.tipset(tipset.parents)
    if parent.epoch >= tipset.epoch or parent.key != tipset.parents:
        raise GarbledAnswer(f"the tipset at {parent.epoch} can't be the parent of that at {tipset.epoch}")
    return parent


async def read_told(chain: Chain, base: Link, path: Sequence[TipSet]) -> list[Told]:
    """What each tipset of a path tells of the messages of the one below it; the first one stands on the base."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(height: int, tipset: TipSet) -> Told:
        async with limit:
            return await _told_by(chain, height, tipset)

    below = [base.height, *(tipset.epoch for tipset in path)]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(height, tipset)) for height, tipset in zip(below, path, strict=False)]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [task.result() for task in tasks]


async def _told_by(chain: Chain, height: int, tipset: TipSet) -> Told:
    """What the tipset tells of the messages of its parents, which are at `height`."""
    wanted = EventFilter(tipset=tipset.parents.texts, event_types=FOLLOWED_TYPES)
    try:
        events = [event for event in await chain.actor_events(wanted) if not event.reverted]
    except NotSupported as error:
        return await _told_by_messages(chain, height, tipset, await chain.executed_messages(tipset), str(error))
    for event in events:
        if event.height != height or event.tipset_key != tipset.parents.texts:
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
