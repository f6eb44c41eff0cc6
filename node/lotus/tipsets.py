"""The part of `LotusChain` that reads the chain itself: network, tipsets, messages, events."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from functools import partial

from node.chain.errors import GarbledAnswer, NotFound, TooManyEvents
from node.chain.event_filter import EventFilter
from node.chain.results import ChainMessage, ExecutedMessage, NetworkIdentity, NodeVersion
from node.chain.tipset import HeadChange, HeadChanges, StreamGap, TipSet, TipSetKey
from node.events import ActorEvent
from node.lotus import decoding, params
from node.lotus.asking import Asking, lotus_call
from node.lotus.following import Subscription, followed
from node.lotus.health import Node
from node.lotus.listening import head_of
from node.lotus.trail import check_path
from node.lotus.transport import Call, Frame
from node.lotus.watching import Watch

EVENTS_CUT_AT = 10_000
"""As many events as older nodes cut their answers to, without a word (MaxFilterResults)."""

_NOTIFY = lotus_call("ChainNotify")
_EXECUTED = ("ChainGetParentMessages", "ChainGetParentReceipts")


class Tipsets(Asking):
    """Reads the chain. What `_watch` says decides when a head is too old to count, and when a node stands still."""

    _watch: Watch

    async def identity(self) -> NetworkIdentity:
        """The network's name and genesis, asked now; WrongNetwork where they are not the expected ones."""

        async def ask(node: Node) -> NetworkIdentity:
            identity = await node.identity()
            self._pool.admit(node, identity)
            return identity

        return await self._pool.run(ask)

    async def node_version(self) -> NodeVersion:
        """What the node says of itself."""
        return await self._ask("Version", decode=decoding.node_version)

    async def network_version(self, *, at: TipSetKey | None = None) -> int:
        """The network version that holds at the tipset."""
        return await self._ask("StateNetworkVersion", params.tipset_key(at), decode=decoding.network_version)

    async def head(self) -> TipSet:
        """The node's head; NodeNotSynced where it is too old."""
        return await self._pool.run(partial(head_of, watch=self._watch))

    async def tipset(self, key: TipSetKey) -> TipSet:
        """The tipset of that key."""

        def decode(document: object) -> TipSet:
            found = decoding.tipset(document)
            if set(found.key.cids) == set(key.cids) and found.key != key:
                raise NotFound(f"there is no tipset {key}: its blocks are in the order {found.key}")
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

    async def path(self, start: TipSetKey, end: TipSetKey) -> tuple[HeadChange, ...]:
        """How the head gets from one tipset to another."""

        def decode(document: object) -> tuple[HeadChange, ...]:
            changes = decoding.path(document)
            check_path(changes, start, end)
            return changes

        return await self._ask("ChainGetPath", params.tipset_key(start), params.tipset_key(end), decode=decode)

    async def messages(self, tipset: TipSetKey) -> tuple[ChainMessage, ...]:
        """The messages that the tipset includes."""
        return await self._ask("ChainGetMessagesInTipset", params.tipset_key(tipset), decode=decoding.messages)

    async def executed_messages(self, tipset: TipSet) -> tuple[ExecutedMessage, ...]:
        """The messages of the tipset before, with their receipts. Every block of a tipset names the same."""
        return (await self.executed_messages_of((tipset,)))[0]

    async def executed_messages_of(self, tipsets: Sequence[TipSet]) -> tuple[tuple[ExecutedMessage, ...], ...]:
        """The same of several tipsets, asked together."""
        if not tipsets:
            return ()
        blocks = [params.link(tipset.key.cids[0]) for tipset in tipsets]
        calls = [lotus_call(name, block) for block in blocks for name in _EXECUTED]
        return await self._pool.read_batch(calls, _executed_in_each)

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
        subscription: Subscription[HeadChanges | ActorEvent] = Subscription(
            first=(_NOTIFY, *first), again=(_NOTIFY, *again), decode=decode, watch=self._watch_or_none
        )
        return followed(self._pool, subscription)

    def head_changes(self) -> AsyncGenerator[HeadChanges | StreamGap, None]:
        """The head's changes; for ever."""
        subscription = Subscription(first=(_NOTIFY,), again=(_NOTIFY,), decode=_head_changes, watch=self._watch_or_none)
        return followed(self._pool, subscription)

    def actor_event_stream(self, events: EventFilter) -> AsyncGenerator[ActorEvent | StreamGap, None]:
        """The events that match; for ever."""
        first, again = self._subscriptions(events)
        subscription = Subscription(
            first=first, again=again, decode=lambda _, frame: _event(frame, events), tells_heads=False
        )
        return followed(self._pool, subscription)

    @property
    def _watch_or_none(self) -> Watch | None:
        return None if self._watch.period_s is None else self._watch

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


def _executed_in_each(results: Sequence[object]) -> tuple[tuple[ExecutedMessage, ...], ...]:
    pairs = zip(results[::2], results[1::2], strict=True)
    return tuple(decoding.executed_messages(included, receipts) for included, receipts in pairs)


def _event(frame: Frame, events: EventFilter) -> ActorEvent | None:
    event = decoding.actor_event(frame.value)
    return event if event is not None and events.matches(event) else None


def _is_of_one_epoch(events: EventFilter) -> bool:
    """Whether a node gives all of them, however many: it never cuts a tipset in two."""
    return events.tipset is not None or (events.from_epoch is not None and events.from_epoch == events.to_epoch)
