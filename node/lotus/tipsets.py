"""The part of `LotusChain` that reads the chain itself: network, tipsets, messages, events."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import datetime

from node.chain.errors import BadRequest, GarbledAnswer, MethodMissing, NodeNotSynced, TooManyEvents
from node.chain.event_filter import EventFilter
from node.chain.results import ChainMessage, ExecutedMessage, NetworkIdentity, NodeVersion
from node.chain.tipset import HeadChanges, StreamGap, TipSet, TipSetKey
from node.events import ActorEvent
from node.lotus import decoding, params
from node.lotus.asking import Asking, lotus_call
from node.lotus.following import followed
from node.lotus.health import IDENTITY_CALLS, Node
from node.lotus.transport import Call, Frame

EVENTS_CUT_AT = 10_000
"""As many events as older nodes cut their answers to, without a word (MaxFilterResults)."""

_NOTIFY = lotus_call("ChainNotify")


class Tipsets(Asking):
    """Reads the chain. A head older than `_stale_after_s` is NodeNotSynced; None: any head will do."""

    _stale_after_s: float | None
    _wall_clock: Callable[[], datetime]

    async def identity(self) -> NetworkIdentity:
        """The network's name and genesis."""
        return await self._pool.read_batch(IDENTITY_CALLS, lambda results: decoding.identity(*results))

    async def node_version(self) -> NodeVersion:
        """What the node says of itself."""
        return await self._ask("Version", decode=decoding.node_version)

    async def network_version(self, *, at: TipSetKey | None = None) -> int:
        """The network version that holds at the tipset."""
        return await self._ask("StateNetworkVersion", params.tipset_key(at), decode=decoding.network_version)

    async def head(self) -> TipSet:
        """The node's head; NodeNotSynced where it is too old."""
        return await self._ask("ChainHead", decode=self._fresh)

    def _fresh(self, document: object) -> TipSet:
        head = decoding.tipset(document)
        age_s = self._wall_clock().timestamp() - head.timestamp
        if self._stale_after_s is not None and age_s > self._stale_after_s:
            raise NodeNotSynced(f"the head, epoch {head.epoch}, is {age_s:.0f} s old", head_epoch=head.epoch)
        return head

    async def finalized(self) -> TipSet | None:
        """The newest final tipset. Below epoch 900 Lotus answers `height -639 is negative`: None."""
        try:
            return await self._ask("ChainGetFinalizedTipSet", decode=decoding.tipset)
        except (BadRequest, MethodMissing):
            return None

    async def tipset(self, key: TipSetKey) -> TipSet:
        """The tipset of that key."""

        def decode(document: object) -> TipSet:
            found = decoding.tipset(document)
            if found.key != key:
                raise GarbledAnswer(f"asked for tipset {key}, the answer is {found.key}")
            return found

        return await self._ask("ChainGetTipSet", params.tipset_key(key), decode=decode)

    async def tipset_at(self, epoch: int, *, anchor: TipSetKey | None = None) -> TipSet:
        """The tipset of that epoch, or the one before where it is a null round."""

        def decode(document: object) -> TipSet:
            found = decoding.tipset(document)
            if found.epoch > epoch:
                raise GarbledAnswer(f"asked for epoch {epoch}, the answer is of {found.epoch}")
            return found

        return await self._ask("ChainGetTipSetByHeight", epoch, params.tipset_key(anchor), decode=decode)

    async def messages(self, tipset: TipSetKey) -> tuple[ChainMessage, ...]:
        """The messages that the tipset includes."""
        return await self._ask("ChainGetMessagesInTipset", params.tipset_key(tipset), decode=decoding.messages)

    async def executed_messages(self, tipset: TipSet) -> tuple[ExecutedMessage, ...]:
        """The messages of the tipset before, with their receipts. Every block of a tipset names the same."""
        block = params.link(tipset.key.cids[0])
        calls = (lotus_call("ChainGetParentMessages", block), lotus_call("ChainGetParentReceipts", block))
        return await self._pool.read_batch(calls, lambda results: decoding.executed_messages(*results))

    async def actor_events(self, events: EventFilter) -> tuple[ActorEvent, ...]:
        """The events that match."""

        def decode(document: object) -> tuple[ActorEvent, ...]:
            items = decoding.a_list(document, "events", null_is_empty=True)
            if len(items) == EVENTS_CUT_AT and not _is_of_one_epoch(events):
                raise TooManyEvents(f"{EVENTS_CUT_AT} events, which is where older nodes cut their answers")
            found = (decoding.actor_event(item) for item in items)
            return tuple(event for event in found if event is not None and events.matches(event))

        return await self._ask("GetActorEventsRaw", params.event_filter(events, prefix=self._prefix), decode=decode)

    def follow(self, events: EventFilter | None = None) -> AsyncGenerator[HeadChanges | ActorEvent | StreamGap, None]:
        """The head's changes and the events that match, in the order of one node; for ever."""

        def decode(node: Node, frame: Frame) -> HeadChanges | ActorEvent | None:
            return _head_changes(node, frame) if frame.index == 0 or events is None else _event(frame, events)

        first, again = self._subscriptions(events)
        return followed(self._pool, (_NOTIFY, *first), (_NOTIFY, *again), decode)

    def head_changes(self) -> AsyncGenerator[HeadChanges | StreamGap, None]:
        """The head's changes; for ever."""
        return followed(self._pool, (_NOTIFY,), (_NOTIFY,), _head_changes)

    def actor_event_stream(self, events: EventFilter) -> AsyncGenerator[ActorEvent | StreamGap, None]:
        """The events that match; for ever."""
        return followed(self._pool, *self._subscriptions(events), lambda _, frame: _event(frame, events))

    def _subscriptions(self, events: EventFilter | None) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
        """What the first connection asks for, and what later ones do: those don't ask for the past again."""
        if events is None:
            return (), ()
        from_now_on = replace(events, from_epoch=None, to_epoch=None)
        first, again = (
            lotus_call("SubscribeActorEventsRaw", params.event_filter(each, prefix=self._prefix))
            for each in (events, from_now_on)
        )
        return (first,), (again,)


def _head_changes(node: Node, frame: Frame) -> HeadChanges:
    return HeadChanges(decoding.head_changes(frame.value), node.name)


def _event(frame: Frame, events: EventFilter) -> ActorEvent | None:
    event = decoding.actor_event(frame.value)
    return event if event is not None and events.matches(event) else None


def _is_of_one_epoch(events: EventFilter) -> bool:
    """Whether a node gives all of them, however many: it never cuts a tipset in two."""
    return events.tipset is not None or (events.from_epoch is not None and events.from_epoch == events.to_epoch)
