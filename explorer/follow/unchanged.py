"""Did the index stay what it was while it was compared?

It is read in many short statements. A snapshot held for as long as a node takes, up to hours, would keep the database
from clearing away what nobody needs any more. What happens later on the chain changes nothing of an epoch's state. An
import may, and a reorg where the epoch is not final: then what differs may be the change's doing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from explorer.errors import HeadMoved, IndexChanged
from explorer.index.drift import Comparison
from explorer.index.followed import Link
from explorer.index.imports import kinds_imported_since, newest_import
from explorer.index.state import kinds_behind
from explorer.index.tipsets import load_tipset_at


@dataclass(frozen=True, slots=True)
class Mark:
    """The index as a comparison at an epoch found it: the followed tipset, if there is one, and the newest import."""

    epoch: int
    link: Link | None
    import_id: int


async def mark_at(connection: asyncpg.Connection, epoch: int) -> Mark:
    """What is to be the same in the end."""
    return Mark(epoch, await load_tipset_at(connection, epoch), await newest_import(connection))


async def demand_unchanged(connection: asyncpg.Connection, mark: Mark, comparisons: Iterable[Comparison]) -> None:
    """HeadMoved where the epoch's tipset is not followed any more; IndexChanged where something differs, and something
    was imported that may tell of it."""
    if await load_tipset_at(connection, mark.epoch) != mark.link:
        raise HeadMoved(
            f"the tipset at epoch {mark.epoch} was left while the index was compared: compare again, at a final epoch"
        )
    imported = await kinds_imported_since(connection, mark.import_id)
    for one in comparisons:
        if one.drift and imported & {"events", *kinds_behind(one.kind)}:
            raise IndexChanged(
                f"{one.drift:,} {one.kind} differ at epoch {mark.epoch}, but {' and '.join(sorted(imported))} "
                "were imported while they were compared: compare again"
            )
