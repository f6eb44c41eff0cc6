"""Holes are filled by asking again: a node that had no events of some heights may have them later, or another node has.

hole ─► the followed tipsets over it ─► what each tells now ─► applied as if it had been told then ─► a smaller hole
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import asyncpg
import structlog

from explorer.follow.forks import key_from, key_of
from explorer.follow.reading import read_told
from explorer.ground.database import transaction_lock
from explorer.index import tipsets
from explorer.index.followed import Hole, Link
from explorer.index.lock import IMPORT_LOCK
from explorer.index.told import Told
from node.chain.errors import ChainError, GarbledAnswer
from node.chain.protocol import Chain

AT_ONCE_TIPSETS = 50
"""How many tipsets are asked about, and written, at once."""
AGAIN_AFTER_S = 5.0
"""How long after nothing could be filled it is tried again; doubles each time."""
AGAIN_AFTER_MOST_S = 60.0
"""A node that is well again has filled its holes, or begun to, within a minute."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Filler:
    """Fills the holes of one index, a few tipsets at a time: following goes first."""

    chain: Chain
    pool: asyncpg.Pool
    clock: Callable[[], float]
    _due: float = float("-inf")
    _pause_s: float = AGAIN_AFTER_S

    async def fill(self) -> None:
        """Fills some of the holes that can be filled, if it is time. What a node doesn't tell stays a hole."""
        if self.clock() < self._due:
            return
        async with self.pool.acquire() as connection:
            holes = await tipsets.load_holes(connection)
        asked, filled = 0, False
        for stretch in _stretches(holes):
            links = await self._links_over(stretch)
            one_filled = await self._fill(stretch, links)
            asked += len(links) if one_filled else 1
            filled = filled or one_filled
            if asked >= AT_ONCE_TIPSETS:
                break
        self._pause_s = AGAIN_AFTER_S if filled or not holes else min(self._pause_s * 2, AGAIN_AFTER_MOST_S)
        self._due = self.clock() + (0 if filled else self._pause_s)

    async def _links_over(self, hole: Hole) -> list[Link]:
        async with self.pool.acquire() as connection:
            return await tipsets.load_links_over(connection, hole, AT_ONCE_TIPSETS + 1)

    async def _fill(self, hole: Hole, links: Sequence[Link]) -> bool:
        """Asks about the heights below these tipsets; whether any of the hole is filled."""
        if len(links) < 2:
            return False
        try:
            if hole.kind in (await self._told(links[:2]))[0].missing:
                return False
            told = await self._told(links)
        except ChainError as error:
            _log.info("hole_not_filled", kind=hole.kind, from_height=hole.from_height, reason=str(error))
            return False
        async with self.pool.acquire() as connection, connection.transaction():
            await transaction_lock(connection, IMPORT_LOCK)
            filled = await tipsets.retell(connection, links, told)
        if filled:
            _log.info("hole_filled", kind=hole.kind, from_height=links[0].height, through_height=links[-1].height - 1)
        return filled

    async def _told(self, links: Sequence[Link]) -> list[Told]:
        """What each tipset but the first tells of the one before it."""
        path = []
        for below, link in pairwise(links):
            tipset = await self.chain.tipset(key_from(link.key))
            if key_of(tipset.parents) != below.key:
                raise GarbledAnswer(f"the tipset at {tipset.epoch} stands on another than was followed")
            path.append(tipset)
        return await read_told(self.chain, links[0], path)


def _stretches(holes: Sequence[Hole]) -> list[Hole]:
    """The beginning of each hole, then the end of each: a node may have forgotten the one and know the other.

    Those of several kinds over the same heights are one: what is told is told of all.
    """
    ends = [replace(hole, from_height=hole.through_height - AT_ONCE_TIPSETS + 1) for hole in holes]
    long = [end for end, hole in zip(ends, holes, strict=True) if end.from_height > hole.from_height]
    return list({(one.from_height, one.through_height): one for one in (*holes, *long)}.values())
