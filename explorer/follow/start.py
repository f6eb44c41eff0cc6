"""Where following begins: at a tipset that no reorg will undo.

State at a tipset is that before its own messages, so the events of its own height are the first that are missing.
"""

import asyncpg
import structlog

from explorer.follow.forks import key_of
from explorer.ground.database import transaction_lock
from explorer.index import tipsets
from explorer.index.followed import Link
from explorer.index.lock import IMPORT_LOCK
from node.chain.protocol import Chain
from node.chain.tipset import TipSet

_LEAP_EPOCHS = 900
_log = structlog.get_logger(__name__)


async def start_tipset(chain: Chain) -> tuple[TipSet, str]:
    """The tipset to begin with, which no reorg will undo, and who says so.

    That is what the node holds to be final; on a chain that begins with a leap, as a fork of a real network does, the
    first tipset after its genesis.
    """
    finality, head = await chain.finality(), await chain.head()
    start = finality.tipset
    if start.epoch == 0 and head.epoch > _LEAP_EPOCHS:
        start = head
        while (parent := await chain.tipset(start.parents)).epoch > 0:
            start = parent
    return start, finality.source


async def begin_following(connection: asyncpg.Connection, chain: Chain) -> None:
    """Makes the start tipset the followed chain, all of it."""
    start, source = await start_tipset(chain)
    identity = await chain.identity()
    version = await chain.network_version(at=start.key)
    async with connection.transaction():
        await transaction_lock(connection, IMPORT_LOCK)
        await tipsets.begin(
            connection,
            Link(start.epoch, key_of(start.key)),
            parent_weight=start.parent_weight,
            genesis_cid=identity.genesis_cid.to_bytes(),
            genesis_time=identity.genesis_time,
            final_source=source,
            network_version=version,
        )
    _log.info("following_begins", epoch=start.epoch, source=source)
