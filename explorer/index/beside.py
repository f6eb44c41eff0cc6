"""Imports beside a follower: what a file may still tell of a chain that is being followed.

    start ═══ final ─────── head
          E                         settled     taken as any other file
                      E         E   followed    of a followed kind: labels alone, all else the chain tells better
                      E         E   unsettled   of a kind that no node gives: taken, but not as a whole state

Above `final` a file may be of a tipset that will be reverted, or was already: it doesn't say which one it was read at.
What it says would stay in the index when the follower leaves that tipset.
"""

from typing import Literal

import asyncpg
import structlog

from explorer.index.spans import load_coverage
from explorer.index.tipsets import load_following, load_head
from explorer.verdict.records import RecordKind

Bearing = Literal["settled", "followed", "unsettled"]
"""How a file stands to the followed chain: see above. `settled` also where no node is followed."""

_log = structlog.get_logger(__name__)


async def bearing_of(connection: asyncpg.Connection, kind: RecordKind, epoch: int) -> Bearing:
    """How a file of one kind, read at an epoch, stands to the followed chain."""
    following, head = await load_following(connection), await load_head(connection)
    if following is None or head is None or epoch <= following.final_epoch:
        return "settled"
    is_followed = (await load_coverage(connection)).covers(kind, min(epoch, head[0].height))
    _log.warning("import_not_final", kind=kind, epoch=epoch, final_epoch=following.final_epoch, followed=is_followed)
    return "followed" if is_followed else "unsettled"


async def told_heights(connection: asyncpg.Connection) -> range:
    """The heights whose events the followed chain tells itself, and may still change."""
    following, head = await load_following(connection), await load_head(connection)
    return range(0) if following is None or head is None else range(following.final_epoch, head[0].height + 1)
