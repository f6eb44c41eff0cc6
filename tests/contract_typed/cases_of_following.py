"""Cases of streams: the head, its forks, tipsets that grow, events that are taken back."""

import itertools
from contextlib import aclosing

from node.chain.event_filter import EventFilter
from node.chain.tipset import HeadChanges
from node.events import ActorEvent
from tests.contract_typed.accounts import (
    REGISTRY,
)
from tests.contract_typed.case import case
from tests.contract_typed.worlds import READS, TWO_MINERS, World

OF_THE_REGISTRY = EventFilter(emitters=(REGISTRY,))


# Streams


@case()
async def the_head_is_followed_through_null_rounds_and_a_fork(world: World) -> None:
    chain = world.chain(READS)
    await world.mine(4)
    async with aclosing(chain.head_changes()) as stream:
        first = await anext(stream)
        assert [change.kind for change in first.changes] == ["current"]
        await world.null_rounds()
        await world.fork()
        steps, reverts = list(first.changes), 0
        while reverts < 2:  # a tipset that grows is reverted too, alone
            item = await anext(stream)
            assert isinstance(item, HeadChanges)
            steps += item.changes
            reverts = sum(change.kind == "revert" for change in item.changes)
    applied = [change.tipset.epoch for change in steps if change.kind == "apply"]
    assert any(later - earlier > 1 for earlier, later in itertools.pairwise(applied))


@case()
async def a_tipset_grows_by_another_block(world: World) -> None:
    async with aclosing(world.chain(TWO_MINERS).follow(OF_THE_REGISTRY)) as stream:
        assert isinstance(await anext(stream), HeadChanges)
        await world.mine(10)
        for _ in range(30):
            item = await anext(stream)
            if isinstance(item, HeadChanges) and [change.kind for change in item.changes] == ["revert", "apply"]:
                smaller, larger = (change.tipset for change in item.changes)
                break
    assert smaller.epoch == larger.epoch
    assert set(smaller.key.cids) < set(larger.key.cids)


@case()
async def events_are_told_and_taken_back(world: World) -> None:
    chain = world.chain(READS)
    await world.mine(4)
    async with aclosing(chain.follow(OF_THE_REGISTRY)) as stream:
        await anext(stream)
        await world.tipset_with_a_grant()
        await world.give_up()
        told: list[ActorEvent] = []
        while not any(event.reverted for event in told):
            item = await anext(stream)
            told += [item] if isinstance(item, ActorEvent) else []
    back = told[-1]
    assert [event for event in told if event.msg_cid == back.msg_cid and not event.reverted]


@case()
async def events_alone_are_told(world: World) -> None:
    await world.tipset_with_a_grant()
    past = EventFilter(emitters=(REGISTRY,), from_epoch=0)
    async with aclosing(world.chain(READS).actor_event_stream(past)) as stream:
        event = await anext(stream)
    assert isinstance(event, ActorEvent)
    assert event.emitter == REGISTRY
