"""A follower as a process of its own, for tests that kill it: DSN and node's address as arguments."""

import asyncio
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from explorer.follow.loop import FollowLoop
from explorer.follow.standing import Standing
from explorer.ground.database import open_pool
from explorer.ground.settings import Settings
from node.network import network_named


async def follow(dsn: str, url: str) -> None:
    """Follows until it is killed."""
    settings = Settings(
        data_dir=Path("/nowhere"), network=network_named("simulated"), chain_urls=(url,), database_url=dsn
    )
    async with open_pool(dsn, application_name="runner", max_size=6) as pool:
        await FollowLoop(settings, pool, Standing(CollectorRegistry())).run(lambda: None)


if __name__ == "__main__":
    print("up", flush=True)
    asyncio.run(follow(*sys.argv[1:3]))
