"""Events of long ranges in pages: whatever a node's limits are, nothing is missed, doubled, or held without bound."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.chain import errors
from node.chain.event_filter import EventFilter
from node.chain.history import EventPage, event_pages
from node.chain.protocol import Chain
from node.events import ActorEvent, parse_actor_event
from node.lotus.transport import Call, RpcFault
from tests.recordings_player import recorded_calls
from tests.unit.lotus.chains import Scripted, chain_over, whole

EVENT = parse_actor_event(
    next(
        call.response["result"][0]
        for call in recorded_calls("03-reads-errors-events-nv28")
        if call.method == "Filecoin.GetActorEventsRaw" and isinstance(call.response.get("result"), list)
    )
)


@dataclass
class Limited:
    """A node that gives so many events, of so many epochs at once."""

    events: list[ActorEvent]
    widest: int = 2880
    most: int = 10_000
    names_its_limit: bool = True
    asked: list[EventFilter] = field(default_factory=list)

    async def actor_events(self, events: EventFilter) -> tuple[ActorEvent, ...]:
        self.asked.append(events)
        assert events.from_epoch is not None
        assert events.to_epoch is not None
        if events.to_epoch - events.from_epoch >= self.widest:
            raise errors.RangeTooWide("too wide", max_epochs=self.widest if self.names_its_limit else None)
        found = tuple(event for event in self.events if events.matches(event))
        if len(found) > self.most:
            raise errors.TooManyEvents("too many")
        return found


def at(*heights: int) -> list[ActorEvent]:
    return [replace(EVENT, height=height) for height in heights]


async def pages(node: Any, events: EventFilter, **options: int) -> list[EventPage]:
    return await whole(event_pages(cast("Chain", node), events, **options))


@given(
    heights=st.lists(st.integers(0, 120), max_size=60).map(sorted),
    first=st.integers(0, 100),
    length=st.integers(0, 60),
    widest=st.integers(1, 50),
    width=st.integers(1, 80),
    names=st.booleans(),
)
async def test_pages_hold_every_event_once_in_order(
    heights: list[int], first: int, length: int, widest: int, width: int, names: bool
) -> None:
    most = max([1, *(heights.count(height) for height in heights)])
    node = Limited(at(*heights), widest=widest, most=most, names_its_limit=names)
    found = await pages(node, EventFilter(from_epoch=first, to_epoch=first + length), width_epochs=width)
    assert [event.height for page in found for event in page.events] == [
        height for height in heights if first <= height <= first + length
    ]
    assert found[0].from_epoch == first
    assert found[-1].to_epoch == first + length
    assert all(page.to_epoch + 1 == after.from_epoch for page, after in itertools.pairwise(found))


async def test_the_nodes_own_limit_is_learnt_at_once() -> None:
    node = Limited([], widest=100)
    assert len(await pages(node, EventFilter(from_epoch=0, to_epoch=999), width_epochs=100_000)) == 10
    assert len(node.asked) == 11


async def test_dense_epochs_narrow_the_pages_and_sparse_ones_widen_them_again() -> None:
    node = Limited(at(*[height for height in range(64) for _ in range(100)]), most=800)
    found = await pages(node, EventFilter(from_epoch=0, to_epoch=50_000))
    assert max(len(page.events) for page in found) <= 800
    assert max(page.to_epoch - page.from_epoch for page in found) == 2879
    assert len(node.asked) < 60


async def test_an_epoch_that_is_too_much_is_asked_for_type_by_type() -> None:
    node = Limited(at(5, 5, 5), most=3)

    async def refuse_together(events: EventFilter) -> tuple[ActorEvent, ...]:
        if not events.event_types:
            raise errors.AnswerTooLarge("too large")
        return await Limited.actor_events(node, events)

    node.actor_events = refuse_together  # type: ignore[method-assign]
    (page,) = await pages(node, EventFilter(from_epoch=5, to_epoch=5))
    assert len(page.events) == 3


@pytest.mark.parametrize(
    "error", [errors.TooManyEvents("x"), errors.AnswerTooLarge("x"), errors.RangeTooWide("x", max_epochs=0)]
)
async def test_what_cannot_be_made_smaller_is_raised(error: errors.ChainError) -> None:
    class Refusing:
        async def actor_events(self, _: EventFilter) -> tuple[ActorEvent, ...]:
            raise error

    with pytest.raises(type(error)):
        await pages(Refusing(), EventFilter(from_epoch=0, to_epoch=3))


async def test_pages_that_came_still_hold_when_the_node_fails() -> None:
    node = Limited(at(1, 15), widest=10)
    stream = event_pages(cast("Chain", node), EventFilter(from_epoch=0, to_epoch=19), width_epochs=10)
    assert [event.height for event in (await anext(stream)).events] == [1]

    async def look_back_less(_: EventFilter) -> tuple[ActorEvent, ...]:
        raise errors.BeyondLookback("lookbacks of more than 24h0m0s are disallowed")

    node.actor_events = look_back_less  # type: ignore[method-assign]
    with pytest.raises(errors.BeyondLookback):
        await anext(stream)


async def test_a_range_without_a_beginning_is_no_range() -> None:
    with pytest.raises(ValueError, match="first epoch"):
        await pages(Limited([]), EventFilter())


RECORDED_REFUSALS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "invalid epoch range: range between to and 'from' heights is too large (maximum: 2880)": (
        lambda asked: asked["toHeight"] - asked["fromHeight"] > 2880
    ),
    "filter matches too many events, try a more restricted filter": (
        lambda asked: asked["toHeight"] - asked["fromHeight"] > 7
    ),
}


@pytest.mark.parametrize("text", RECORDED_REFUSALS)
async def test_a_nodes_own_words_are_understood(text: str) -> None:
    def node(call: Call) -> Any:
        (asked,) = call.params
        return RpcFault(1, text) if RECORDED_REFUSALS[text](cast("dict[str, Any]", asked)) else None

    chain = chain_over(Scripted(node))
    found = await whole(event_pages(chain, EventFilter(from_epoch=0, to_epoch=99), width_epochs=100_000))
    assert (found[0].from_epoch, found[-1].to_epoch) == (0, 99)
