"""Followers as processes that can be killed: `python -m tests.integration.follow.followers DSN URL`.

Each line of standard input starts one, whose process id is printed. They are forked, so that none waits for imports.
"""

import asyncio
import os
import signal
import sys
import time

import structlog

from explorer.errors import FollowError
from explorer.follow import follower, states
from explorer.follow.follower import Follower
from explorer.ground.database import open_pool
from node.chain.errors import ChainError
from node.lotus.opening import open_lotus_chain

APPLICATION = "filplus follower under test"
_PAUSE_S = 0.05
_POLL_S, _LIGHTER_AFTER_S = 0.5, 2.0
"""A head that went back while nobody followed is waited for: a minute and more in the product."""


async def follow(dsn: str, url: str) -> None:
    """Follows for ever, and reads states beside it, as the service does."""
    states.LOOK_S = states.FIRST_PAUSE_S = _PAUSE_S
    follower.POLL_S, follower.LIGHTER_AFTER_S = _POLL_S, _LIGHTER_AFTER_S
    async with open_pool(dsn, application_name=APPLICATION) as pool, open_lotus_chain([url]) as chain:
        made = Follower(chain, pool, time.monotonic)
        await asyncio.gather(made.states.run(), _go_on(made))


async def _go_on(made: Follower) -> None:
    while True:
        try:
            await made.follow(lambda: None)
        except (ChainError, FollowError) as error:
            print(error, file=sys.stderr)
            await asyncio.sleep(_PAUSE_S)


def main() -> None:
    """Starts a follower for each line, until there are no more."""
    structlog.configure(
        processors=[structlog.dev.ConsoleRenderer()], logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks what became of those that were killed
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            asyncio.run(follow(*sys.argv[1:3]))
        print(child, flush=True)


if __name__ == "__main__":
    main()
