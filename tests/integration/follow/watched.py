"""Nodes at sockets, followed by a service's loop, and what its status says of them."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry

from explorer.follow.loop import FollowLoop
from explorer.follow.pace import Pace
from explorer.follow.standing import Standing
from explorer.ground.settings import load_settings
from explorer.index.service import index_service
from node.devnet.serving import serving
from node.lotus.limits import Limits, Retries
from tests.integration.follow.world import World
from tests.patience import PATIENCE_S

PACE = Pace(
    every_s=0.1,
    quiet_s=0.2,
    patience_s=0.3,
    identity_s=0.5,
    pauses_s=(0.05, 0.2),
    limits=Limits(timeout_s=0.5, slow_timeout_s=0.5),
    retries=Retries(first_pause_s=0.02, longest_pause_s=0.1, rest_s=0.05, longest_rest_s=0.2, longest_refusal_s=0.5),
)
HEAD_METHODS = ("Filecoin.ChainHead", "Filecoin.ChainNotify", "Filecoin.StateNetworkName")

Document = dict[str, Any]


@dataclass(slots=True)
class Watched:
    """Nodes at sockets, followed by a service's loop, and what its status says."""

    service: Any
    standing: Standing

    async def node(self) -> Document:
        """The `node` of `GET /status`."""
        document: Document = (await self.service.status())["node"]
        return document

    async def until(self, wanted: Callable[[Document], bool]) -> Document:
        """The first status that is as wanted; TimeoutError with the last one."""
        began, node = time.monotonic(), await self.node()
        while not wanted(node):
            if time.monotonic() - began > PATIENCE_S:
                raise TimeoutError(f"after {PATIENCE_S:g} s: {node}")
            await asyncio.sleep(0.02)
            node = await self.node()
        return node

    async def level(self) -> Document:
        """The status once the index is at the head of a node that is heard."""
        return await self.until(is_level)


def is_level(node: Document) -> bool:
    return node["error"] is None and node["lag_epochs"] == 0


def port() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def url_of(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1"


@asynccontextmanager
async def watched(pool: asyncpg.Pool, *urls: str, pace: Pace = PACE) -> AsyncIterator[Watched]:
    """The chain at these addresses, followed as long as the context lasts."""
    settings = load_settings({"FILPLUS_NETWORK": "simulated", "FILPLUS_CHAIN_URL": ",".join(urls)})
    standing = Standing(CollectorRegistry())
    following = asyncio.create_task(FollowLoop(settings, pool, standing, pace).run(lambda: None))
    try:
        yield Watched(index_service(settings, pool, node=standing.document, vouches=standing.vouches), standing)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@dataclass(slots=True)
class Served:
    """A world at a socket: `do` has something happen to it in its own thread."""

    world: World
    url: str
    do: Callable[[Callable[[], object]], Awaitable[object]]


@asynccontextmanager
async def served(world: World, bound: socket.socket | None = None, *, block_time_s: float = 0) -> AsyncIterator[Served]:
    bound = bound or port()
    async with serving(world.dispatcher.node, bound, block_time_s=block_time_s) as thread:
        yield Served(world, url_of(bound), thread.run)
