"""The events of long stretches, asked for by range while catching up: one question in place of a hundred.

A node that has lost events says so where those of one tipset are asked for, but not inside of a range. So a range is
believed of those tipsets alone of which it has events, as a node keeps all of a tipset's or none. The others are asked
for one by one, as everything is where ranges can't be had.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from node.chain.errors import ChainError
from node.chain.event_filter import EventFilter
from node.chain.history import event_pages
from node.chain.protocol import Chain
from node.chain.tipset import TipSet
from node.events import ActorEvent

LEAST_TIPSETS = 10
"""Fewer are asked for one by one."""
REST_S = 600.0
"""How long after a range could not be had none is asked for."""

Events = Mapping[tuple[str, ...], Sequence[ActorEvent]]
"""The events of tipsets, by their keys."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class EventRanges:
    """Asks one chain for events by range, as long as it gives them."""

    chain: Chain
    clock: Callable[[], float]
    _rests_until_s: float = float("-inf")

    async def below(self, path: Sequence[TipSet], event_types: tuple[str, ...]) -> Events:
        """The events of the parents of a path's tipsets, of some of them at least; none of a short path."""
        if len(path) < LEAST_TIPSETS or self.clock() < self._rests_until_s:
            return {}
        wanted = EventFilter(from_epoch=path[0].epoch, to_epoch=path[-2].epoch, event_types=event_types)
        try:
            return await self._read(wanted)
        except ChainError as error:
            self._rests_until_s = self.clock() + REST_S
            _log.info("events_not_given_by_range", from_epoch=wanted.from_epoch, reason=str(error))
            return {}

    async def _read(self, wanted: EventFilter) -> Events:
        found: defaultdict[tuple[str, ...], list[ActorEvent]] = defaultdict(list)
        width_epochs = (wanted.to_epoch or 0) - (wanted.from_epoch or 0) + 1
        async with aclosing(event_pages(self.chain, wanted, width_epochs=width_epochs)) as pages:
            async for page in pages:
                for event in page.events:
                    if not event.reverted:
                        found[event.tipset_key].append(event)
        return dict(found)
