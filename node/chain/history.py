"""The events of a long range of epochs, in pages: as many epochs at once as the node gives, and memory stays bounded.

    ask 2,880 epochs ─too wide, too many, too large─► half ─► half … ─► a page ─► the next as wide ─few─► twice as wide

Nodes bound the width of a range (2,880 epochs on Lotus) and what they give at once (10,000 events), and a gateway how
far it looks back, which no halving helps against: BeyondLookback.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from node.chain.errors import AnswerTooLarge, RangeTooWide, TooManyEvents
from node.chain.event_filter import EventFilter
from node.chain.protocol import Chain
from node.event_schema import EVENT_TYPES
from node.events import ActorEvent

WIDEST_EPOCHS = 2880
_FEW_EVENTS = 2_000
"""A page with fewer is followed by one of twice the width, as long as a fifth of Lotus' bound is not in reach."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """The events of some epochs, both ends included, in the chain's order. No event is an answer too."""

    from_epoch: int
    to_epoch: int
    events: tuple[ActorEvent, ...]


async def event_pages(
    chain: Chain, events: EventFilter, *, width_epochs: int = WIDEST_EPOCHS
) -> AsyncGenerator[EventPage, None]:
    """Pages that cover the filter's range without gap or overlap, from its first epoch to its last.

    Without `to_epoch` it is up to the head's parents, whose events are the newest that can be asked for. The pages are
    no snapshot: above what is final, two of them can be of different forks.

    Of an epoch that is too much at once, each type of event is asked for apart, and they come type by type. ValueError
    for a filter without `from_epoch`; any error of the tree, after which the pages that came still hold.
    """
    if events.from_epoch is None:
        raise ValueError("events in pages need a first epoch")
    last = await _last_epoch(chain) if events.to_epoch is None else events.to_epoch
    start = events.from_epoch
    width = widest = max(width_epochs, 1)
    while start <= last:
        end = min(start + width - 1, last)
        try:
            found = await chain.actor_events(replace(events, from_epoch=start, to_epoch=end))
        except (RangeTooWide, TooManyEvents, AnswerTooLarge) as error:
            if start < end:
                width = _narrower(end - start + 1, error)
                widest = width if isinstance(error, RangeTooWide) else widest
                continue
            found = await _type_by_type(chain, replace(events, from_epoch=start, to_epoch=end), error)
        yield EventPage(start, end, found)
        start = end + 1
        if len(found) < _FEW_EVENTS:
            width = min(width * 2, widest)


async def _last_epoch(chain: Chain) -> int:
    head = await chain.head()
    return (await chain.tipset(head.parents)).epoch if head.epoch > 0 else 0


def _narrower(width_epochs: int, error: Exception) -> int:
    """Half the width, or what the node names as its bound where that is less."""
    bound = error.max_epochs if isinstance(error, RangeTooWide) else None
    half = width_epochs // 2
    return max(1, half if bound is None else min(half, bound))


async def _type_by_type(
    chain: Chain, events: EventFilter, error: RangeTooWide | TooManyEvents | AnswerTooLarge
) -> tuple[ActorEvent, ...]:
    """The events of one epoch, one type after the other; the error where that cannot be told apart any more."""
    types = events.event_types or EVENT_TYPES
    if len(types) == 1 or isinstance(error, RangeTooWide):
        raise error
    found: list[ActorEvent] = []
    for event_type in types:
        found += await chain.actor_events(replace(events, event_types=(event_type,)))
    return tuple(found)
