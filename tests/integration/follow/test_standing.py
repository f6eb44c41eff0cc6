"""What `/status` says while nodes fail, over sockets: never that all is well, and the truth again soon after."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from explorer.follow import disputing
from explorer.follow.loop import FollowLoop
from explorer.follow.pace import Pace
from explorer.follow.standing import Standing
from explorer.ground.settings import load_settings
from explorer.index.service import index_service
from explorer.web.sentences import reach
from node.devnet.serving import serving
from node.lotus.limits import Limits, Retries
from tests.integration.follow.world import World

NOTICED_WITHIN_S = 10.0
RECOVERED_WITHIN_S = 30.0
PACE = Pace(
    every_s=0.1,
    quiet_s=0.2,
    patience_s=0.3,
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

    async def until(self, wanted: Callable[[Document], bool], within_s: float) -> Document:
        """The first status that is as wanted; TimeoutError with the last one."""
        began, node = time.monotonic(), await self.node()
        while not wanted(node):
            if time.monotonic() - began > within_s:
                raise TimeoutError(f"after {within_s:g} s: {node}")
            await asyncio.sleep(0.02)
            node = await self.node()
        return node

    async def level(self) -> Document:
        """The status once the index is at the head of a node that is heard."""
        return await self.until(is_level, RECOVERED_WITHIN_S)


def is_level(node: Document) -> bool:
    return node["error"] is None and node["lag_epochs"] == 0


def port() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def url_of(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1"


@asynccontextmanager
async def watched(pool: asyncpg.Pool, *urls: str) -> AsyncIterator[Watched]:
    """The chain at these addresses, followed as long as the context lasts."""
    settings = load_settings({"FILPLUS_NETWORK": "simulated", "FILPLUS_CHAIN_URL": ",".join(urls)})
    standing = Standing(CollectorRegistry())
    following = asyncio.create_task(FollowLoop(settings, pool, standing, PACE).run(lambda: None))
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


@pytest.mark.parametrize("kind", ["hang", "garbage", "429", "cut", "stale", "network"])
async def test_a_node_that_fails_is_never_called_level_with(pool: asyncpg.Pool, kind: str) -> None:
    world = World(51)
    world.ask("Sim.Mine", 20)
    async with served(world, block_time_s=0.3) as node, watched(pool, node.url) as status:
        await status.level()
        await node.do(lambda: world.fault(kind, HEAD_METHODS))
        failing = await status.until(lambda found: found["error"] is not None, NOTICED_WITHIN_S)
        assert failing["failing_since"] is not None
        assert "level" not in reach(failing)
        assert failing["nodes"][0]["error"] is not None
        assert failing["heard_at"] is not None
        if kind == "network":
            await status.until(lambda found: found["head_epoch"] is None, NOTICED_WITHIN_S)
        await node.do(lambda: world.fault(None))
        well = await status.level()
        assert (well["failing_since"], well["nodes"][0]["error"]) == (None, None)
        assert reach(well) == "the index is level with it"


async def test_trouble_is_told_when_it_begins_and_ends_and_metrics_show_it(pool: asyncpg.Pool) -> None:
    world = World(52)
    async with served(world, block_time_s=0.2) as node, watched(pool, node.url) as status:
        await status.level()
        told: list[bool] = []
        status.standing.changed = lambda: told.append(status.standing.silent_since is not None)
        await node.do(lambda: world.fault("hang", HEAD_METHODS))
        await status.until(lambda found: bool(told), NOTICED_WITHIN_S)
        assert status.standing.registry.get_sample_value("filplus_following_failing") == 1
        await node.do(lambda: world.fault(None))
        await status.level()
        await status.until(lambda found: len(told) >= 2, NOTICED_WITHIN_S)
        assert told[:2] == [True, False]


async def test_a_second_node_of_another_chain_is_shown_and_seldom_asked(pool: asyncpg.Pool) -> None:
    one, other = World(53), World(54)
    async with (
        served(one, block_time_s=0.2) as first,
        served(other) as second,
        watched(pool, first.url, second.url) as status,
    ):
        await status.level()
        found = await status.until(lambda node: node["nodes"][1]["error"] is not None, NOTICED_WITHIN_S)
        assert "another chain" in found["nodes"][1]["error"]
        assert "FILPLUS_CHAIN_URL" in found["nodes"][1]["error"]
        assert found["nodes"][1]["failing_since"] is not None
        before = found["nodes"][1]["failures"]
        await asyncio.sleep(2)
        later = await status.node()
        assert later["nodes"][1]["failures"] - before <= 2 / 0.5 + 5
        assert later["nodes"][1]["rests_s"] <= 0.5
        assert later["error"] is None


async def test_a_chain_replaced_at_its_address_is_refused_with_the_remedy(pool: asyncpg.Pool) -> None:
    bound = port()
    again = bound.dup()
    async with AsyncExitStack() as server:
        old = await server.enter_async_context(served(World(55), bound, block_time_s=0.2))
        async with watched(pool, old.url) as status:
            await status.level()
            await server.aclose()
            async with served(World(56), again):
                node = await status.until(lambda found: "another chain" in (found["error"] or ""), NOTICED_WITHIN_S)
                assert "FILPLUS_CHAIN_URL" in node["error"]
                assert "FILPLUS_DATA_DIR" in node["error"]
                assert (node["head_epoch"], node["lag_epochs"]) == (None, None)
                assert reach(node) == ""


@pytest.mark.usefixtures("soon_final")
async def test_a_dispute_is_counted_logged_and_alerted_once(pool: asyncpg.Pool) -> None:
    one, other = World(57), World(57)
    for world in (one, other):
        world.ask("Sim.Mine", 80)
    async with served(one) as first, served(other) as second, watched(pool, first.url, second.url) as status:
        await status.level()
        assert (await status.node())["disputes"] == []
        with capture_logs() as logs:
            await first.do(lambda: one.ask("Sim.Fork", 40))
            await first.do(lambda: one.ask("Sim.Mine", 60))
            await second.do(lambda: other.ask("Sim.Mine", 60))
            node = await status.until(lambda found: bool(found["disputes"]), NOTICED_WITHIN_S)
        [dispute] = node["disputes"]
        assert dispute["node"] == second.url.removeprefix("http://").partition("/")[0]
        assert dispute["since"].endswith("Z")
        assert [entry["log_level"] for entry in logs if entry["event"] == "dispute_begins"] == ["error"]
        for _ in range(3):
            await first.do(lambda: one.ask("Sim.Mine", 1))
            await status.level()
        assert status.standing.registry.get_sample_value("filplus_finality_disputes_begun_total") == 1
        messages = await pool.fetch("SELECT type, subject_id FROM alerts.messages")
        assert [tuple(row) for row in messages] == [(disputing.DISPUTED, f"node {dispute['node']}")]
