"""When a dispute ends: never by silence or a restart, nor by a node that agrees with itself; always where a node is
replaced or removed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from explorer.follow.disputing import AGREES, FOREIGN, PREFERRED, REMOVED
from tests.integration.follow.watched import Document, Watched, port, served, url_of, watched
from tests.integration.follow.world import World

pytestmark = pytest.mark.usefixtures("soon_final")

BEGUN = "filplus_finality_disputes_begun_total"


def preferred_world(seed: int) -> World:
    """A world that left its chain 40 epochs deep."""
    world = World(seed)
    world.ask("Sim.Mine", 80)
    world.ask("Sim.Fork", 40)
    world.ask("Sim.Mine", 60)
    return world


def disputing_world(seed: int) -> World:
    """One that stayed on it."""
    world = World(seed)
    world.ask("Sim.Mine", 140)
    return world


async def disputed(status: Watched) -> Document:
    """The dispute, once there is one."""
    node = await status.until(lambda found: bool(found["disputes"]))
    [dispute] = node["disputes"]
    return dict(dispute)


async def alerts(pool: asyncpg.Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM alerts.messages"))


def ends(logs: list[Any]) -> list[str]:
    return [entry["reason"] for entry in logs if entry["event"] == "dispute_ended"]


async def until_of_another_chain(status: Watched, words: str) -> None:
    """Returns once the second node is named as such, counts for nothing, and disputes nothing."""

    def is_told(found: Document) -> bool:
        first, second = found["nodes"]
        is_named = words in (second["error"] or "") and "FILPLUS_CHAIN_URL" in second["error"]
        is_left_out = (found["disputes"], second["head_epoch"]) == ([], None)
        return is_named and is_left_out and (found["head_epoch"], found["lag_epochs"]) == (first["head_epoch"], 0)

    await status.until(is_told)


async def test_a_disputing_node_that_changes_network_disputes_nothing(pool: asyncpg.Pool) -> None:
    other = disputing_world(61)
    async with (
        served(preferred_world(61)) as first,
        served(other) as second,
        watched(pool, first.url, second.url) as status,
    ):
        await disputed(status)
        with capture_logs() as logs:
            await second.do(lambda: other.fault("network"))
            await until_of_another_chain(status, "not of simulated")
        assert ends(logs) == [FOREIGN]


async def test_a_disputing_node_replaced_by_another_chain_disputes_nothing(pool: asyncpg.Pool) -> None:
    bound = port()
    again = bound.dup()
    one = preferred_world(62)
    async with served(one) as first, AsyncExitStack() as server:
        second = await server.enter_async_context(served(disputing_world(62), bound))
        async with watched(pool, first.url, second.url) as status:
            await disputed(status)
            with capture_logs() as logs:
                await server.aclose()
                async with served(World(63), again):
                    await until_of_another_chain(status, "another chain")
                    await first.do(lambda: one.ask("Sim.Mine", 1))
                    await status.level()
                    await until_of_another_chain(status, "another chain")
            assert ends(logs) == [FOREIGN]
            assert await alerts(pool) == 1


class Forwarder:
    """A way to a node that can be cut and mended."""

    def __init__(self, to: str) -> None:
        self._port = int(to.rpartition(":")[2].partition("/")[0])
        with port() as bound:
            self.url = url_of(bound)
            self._own_port = bound.getsockname()[1]
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def mended(self) -> AsyncIterator[None]:
        """While it is open the way leads to the node; when it is closed every connection ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self._own_port)
        try:
            yield
        finally:
            server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, to}
        await asyncio.gather(_pipe(reader, to), _pipe(there, writer))
        self._writers -= {writer, to}


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer):
        try:
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            return


async def test_a_dispute_outlives_the_preferred_nodes_silence(pool: asyncpg.Pool) -> None:
    one = preferred_world(64)
    async with served(one) as first, served(disputing_world(64)) as second, AsyncExitStack() as ways:
        way = Forwarder(first.url)
        await ways.enter_async_context(way.mended())
        async with watched(pool, way.url, second.url) as status:
            before = await disputed(status)
            with capture_logs() as logs:
                await ways.aclose()
                await followed_alone(status, logs)
                assert [found["since"] for found in (await status.node())["disputes"]] == [before["since"]]
                async with way.mended():
                    await status.until(lambda found: found["nodes"][0]["error"] is None)
                    await first.do(lambda: one.ask("Sim.Mine", 1))
                    await status.until(lambda found: found["disputes"][0]["epoch"] > before["epoch"])
                    assert [found["since"] for found in (await status.node())["disputes"]] == [before["since"]]
            assert ends(logs) == []
            assert await alerts(pool) == status.standing.registry.get_sample_value(BEGUN) == 1


async def followed_alone(status: Watched, logs: list[Any]) -> None:
    """Returns once following went to the second node's head in vain: its final tipset is not ours."""

    def in_vain() -> int:
        return sum("below what is final" in str(entry.get("error")) for entry in logs)

    await status.until(lambda _: in_vain() >= 3)


async def test_a_dispute_ends_when_the_node_has_the_same_tipset(pool: asyncpg.Pool) -> None:
    bound = port()
    again = bound.dup()
    one, twin = preferred_world(65), preferred_world(65)
    async with served(one) as first, AsyncExitStack() as server:
        second = await server.enter_async_context(served(disputing_world(65), bound))
        async with watched(pool, first.url, second.url) as status:
            await disputed(status)
            with capture_logs() as logs:
                await server.aclose()
                async with served(twin, again):
                    await first.do(lambda: one.ask("Sim.Mine", 1))
                    await status.until(lambda found: not found["disputes"])
            assert ends(logs) == [AGREES]


async def final_epoch(pool: asyncpg.Pool) -> int:
    return int(await pool.fetchval("SELECT final_epoch FROM explorer.following"))


async def kept(pool: asyncpg.Pool) -> list[str]:
    """The nodes whose disputes are in the database."""
    return [row["node"] for row in await pool.fetch("SELECT node FROM explorer.disputes")]


async def test_a_dispute_outlives_restarts_while_the_node_is_silent_and_ends_when_it_agrees(pool: asyncpg.Pool) -> None:
    bound = port()
    again = bound.dup()
    one, twin = preferred_world(66), preferred_world(66)
    async with served(one) as first, AsyncExitStack() as server:
        second = await server.enter_async_context(served(disputing_world(66), bound))
        async with watched(pool, first.url, second.url) as status:
            before = await disputed(status)
        await server.aclose()
        final = await final_epoch(pool)
        with capture_logs() as logs:
            for _ in range(2):
                async with watched(pool, first.url, second.url) as status:
                    await first.do(lambda: one.ask("Sim.Mine", 5))
                    await status.level()
                    assert await disputed(status) == before
                    assert status.standing.registry.get_sample_value(BEGUN) == 0
        assert ends(logs) == []
        assert (await alerts(pool), await final_epoch(pool)) == (1, final)
        with capture_logs() as logs:
            async with served(twin, again), watched(pool, first.url, second.url) as status:
                await first.do(lambda: one.ask("Sim.Mine", 1))
                await status.until(lambda found: not found["disputes"] and ends(logs) == [AGREES])
                await first.do(lambda: one.ask("Sim.Mine", 1))
                await status.level()
        assert await kept(pool) == []
        assert await final_epoch(pool) > final


async def test_a_dispute_is_known_where_another_process_follows(pool: asyncpg.Pool) -> None:
    async with (
        served(preferred_world(68)) as first,
        served(disputing_world(68)) as second,
        watched(pool, first.url, second.url) as status,
    ):
        before = await disputed(status)
        async with watched(pool, first.url, second.url) as beside:
            await beside.until(lambda found: found["followed_elsewhere"] and found["disputes"] == [before])


@pytest.mark.parametrize("reason", [REMOVED, PREFERRED], ids=["removed", "preferred"])
async def test_a_dispute_ends_where_the_settings_leave_no_such_witness(pool: asyncpg.Pool, reason: str) -> None:
    async with served(preferred_world(67)) as first, served(disputing_world(67)) as second:
        async with watched(pool, first.url, second.url) as status:
            node = (await disputed(status))["node"]
        assert await kept(pool) == [node]
        urls = [first.url] if reason == REMOVED else [second.url, first.url]
        with capture_logs() as logs:
            async with watched(pool, *urls) as status:
                await status.until(lambda _: bool(ends(logs)))
                assert node not in [one["node"] for one in (await status.node())["disputes"]]
        assert ends(logs) == [reason]
        assert node not in await kept(pool)
