"""The pulse: nodes are asked for their heads beside everything else, so that one that fails is known within seconds.

Following waits, retries and reads for as long as it takes. What `/status` says must not wait for it.
"""

import asyncio
from collections.abc import Callable

from explorer.follow.pace import Pace
from node.lotus.client import LotusChain


async def keep_listening(chain: LotusChain, heard: Callable[[], None], pace: Pace) -> None:
    """Asks for ever, and says so after each round; what was heard is in the chain's health."""
    while True:
        await chain.listen(timeout_s=pace.patience_s, quiet_s=pace.quiet_s)
        heard()
        await asyncio.sleep(pace.every_s)
