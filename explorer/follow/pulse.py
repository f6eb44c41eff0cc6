"""The pulse: nodes are asked for their heads beside everything else, so that one that fails is known within seconds.

Following waits, retries and reads for as long as it takes. What `/status` says must not wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from explorer.follow.pace import Pace
from node.lotus.client import LotusChain


async def keep_listening(chain: LotusChain, heard: Callable[[float], Awaitable[None]], pace: Pace) -> None:
    """Asks for ever, and says after each round in how many seconds the next begins; what was heard is in the chain's
    health."""
    while True:
        await chain.listen(timeout_s=pace.patience_s, quiet_s=pace.quiet_s, identity_s=pace.identity_s)
        pause_s = _pause_s(chain, pace)
        await heard(pause_s)
        await asyncio.sleep(pause_s)


def _pause_s(chain: LotusChain, pace: Pace) -> float:
    """How long until the next round: no longer than a node is left alone, so that it is asked when that is over."""
    left_alone_s = [node.left_alone_s for node in chain.health() if node.left_alone_s > 0]
    return min([pace.every_s, *left_alone_s])
