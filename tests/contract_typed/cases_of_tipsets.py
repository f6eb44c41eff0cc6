"""Cases of tipsets, messages and events: what is read of the chain itself."""

import itertools

import pytest

from node.chain import errors
from node.chain.event_filter import EventFilter
from node.chain.history import event_pages
from node.chain.tipset import tipset_key_of
from node.event_types import VerifierBalance
from tests.contract_typed.accounts import (
    REGISTRY,
)
from tests.contract_typed.case import case
from tests.contract_typed.worlds import GRANTS, READS, TWO_MINERS, UNKNOWN, World
from tests.unit.lotus.chains import whole

OF_THE_REGISTRY = EventFilter(emitters=(REGISTRY,))


# The network and its tipsets


@case()
async def the_network_is_named(world: World) -> None:
    identity = await world.chain(READS).identity()
    assert identity.name in {"testing", "simulated"}
    assert identity.genesis_time > 0
    version = await world.chain(GRANTS).node_version()
    assert version.text
    assert version.block_delay_s == 30
    assert await world.chain(GRANTS).network_version() == 28


@case()
async def a_tipset_is_found_by_key_and_by_epoch(world: World) -> None:
    chain = world.chain(READS)
    null, before = await world.null_rounds()
    found = await chain.tipset_at(null)
    assert found == await chain.tipset_at(before)
    assert found.epoch == before
    head = await chain.head()
    assert head.epoch > found.epoch
    key = await world.empty_tipset()
    assert (await chain.tipset(key)).key == key


@case()
async def a_tipset_above_the_head_is_refused(world: World) -> None:
    await world.mine(261)
    with pytest.raises(errors.EpochAboveHead) as raised:
        await world.chain(READS).tipset_at(1261)
    assert raised.value.head_epoch == 261


@case()
async def an_unknown_tipset_is_not_found(world: World) -> None:
    with pytest.raises(errors.NotFound):
        await world.chain(READS).tipset(UNKNOWN)


@case()
async def blocks_in_another_order_are_another_key(world: World) -> None:
    chain = world.chain(TWO_MINERS)
    key = await world.tipset_of_two_blocks()
    assert (await chain.tipset(key)).key == key
    with pytest.raises(errors.NotFound):
        await chain.tipset(tipset_key_of(*key.texts[::-1]))


@case()
async def a_young_chain_is_final_up_to_its_genesis(world: World) -> None:
    final = await world.chain(READS).finality()
    assert (final.level, final.source, final.tipset.epoch) == ("finalized", "v2_tag", 0)
    assert (await world.chain(READS).finality("safe")).tipset.epoch in {0, 61}


@case()
async def the_way_from_a_given_up_head_to_the_new_one(world: World) -> None:
    chain = world.chain(READS)
    fork = await world.fork()
    changes = await chain.path(fork.old, fork.new)
    kinds = [change.kind for change in changes]
    assert kinds == sorted(kinds, reverse=True)
    assert (kinds[0], changes[0].tipset.key) == ("revert", fork.old)
    last = changes[-1]
    assert fork.new == (last.tipset.key if last.kind == "apply" else last.tipset.parents)


# Messages and receipts


@case()
async def messages_of_a_tipset_and_none_of_an_empty_one(world: World) -> None:
    chain = world.chain(READS)
    included, _ = await world.tipset_with_a_grant()
    (message,) = await chain.messages(included)
    assert (message.message.to, message.message.method) == (REGISTRY, 4)
    assert await chain.messages(await world.empty_tipset()) == ()


@case()
async def receipts_stand_in_the_tipset_after(world: World) -> None:
    chain = world.chain(READS)
    included, after = await world.tipset_with_a_grant()
    tipset = await chain.tipset(await world.empty_tipset())
    child = type(tipset)(
        **{name: getattr(tipset, name) for name in tipset.__slots__ if name not in {"key", "parents"}},
        key=after,
        parents=included,
    )
    (executed,) = await chain.executed_messages(child)
    assert executed.receipt.ok
    assert executed.message.method == 4
    assert await chain.executed_messages_of([child, child]) == ((executed,), (executed,))
    assert await chain.executed_messages_of([]) == ()


# Events


@case()
async def events_by_epochs_by_tipset_and_none(world: World) -> None:
    chain = world.chain(READS)
    included, after = await world.tipset_with_a_grant()
    (event,) = await chain.actor_events(EventFilter(tipset=included.texts))
    assert isinstance(event.payload, VerifierBalance)
    assert (event.emitter, event.reverted, event.tipset_key) == (REGISTRY, False, included.texts)
    assert await chain.actor_events(EventFilter(tipset=after.texts)) == ()
    everything = await chain.actor_events(EventFilter(from_epoch=0))
    assert event in everything
    assert [each.height for each in everything] == sorted(each.height for each in everything)
    assert await chain.actor_events(EventFilter(from_epoch=311)) == ()


@case()
async def events_of_too_wide_a_range(world: World) -> None:
    with pytest.raises(errors.RangeTooWide) as raised:
        await world.chain(READS).actor_events(EventFilter(from_epoch=0, to_epoch=100_000))
    assert raised.value.max_epochs == 2880


@case(recorded=False)
async def events_in_pages_are_the_same_as_at_once(world: World) -> None:
    chain = world.chain(READS)
    await world.tipset_with_a_grant()
    await world.onboard(await world.allocate())
    await world.mine(3)
    last = (await chain.head()).epoch - 1
    at_once = await chain.actor_events(EventFilter(from_epoch=0, to_epoch=last))
    for width in (1, 3, 100):
        pages = await whole(event_pages(chain, EventFilter(from_epoch=0), width_epochs=width))
        assert tuple(event for page in pages for event in page.events) == at_once
        assert (pages[0].from_epoch, pages[-1].to_epoch) == (0, last)
        for one, next_one in itertools.pairwise(pages):
            assert next_one.from_epoch == one.to_epoch + 1
    assert await whole(event_pages(chain, EventFilter(from_epoch=5, to_epoch=4))) == []
