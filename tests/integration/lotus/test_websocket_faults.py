"""Subscriptions over a websocket whose node drops, hangs, closes channels, or talks nonsense."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from random import Random
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from node.address import parse_address
from node.chain import errors
from node.chain.event_filter import EventFilter
from node.chain.tipset import HeadChanges, StreamGap
from node.lotus.client import LotusChain
from node.lotus.limits import Limits, Retries
from node.lotus.opening import open_lotus_chain
from tests.patience import PATIENCE_S
from tests.recordings_player import RECORDINGS, recorded_frames
from tests.unit.lotus.chains import taken

FRAMES = [
    line["frame"]
    for line in recorded_frames(RECORDINGS / "03-reads-errors-events-nv28" / "ws-chainnotify.ndjson")
    if line["dir"] == "recv" and line["frame"].get("method") == "xrpc.ch.val"
]
LIMITS = Limits(timeout_s=2, heartbeat_s=5)
PATIENT = Retries(first_pause_s=0.001, longest_pause_s=0.002, rest_s=0.001)
VERIFIED_REGISTRY = EventFilter(emitters=(parse_address("f06"),))

Serve = Callable[[web.WebSocketResponse, int], Awaitable[None]]


@asynccontextmanager
async def node(serve: Serve, *, seen: list[web.Request] | None = None) -> AsyncIterator[str]:
    """A node's address; `serve` gets each websocket and how many there were before."""
    sockets: list[web.WebSocketResponse] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append(request)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        sockets.append(socket)
        await serve(socket, len(sockets) - 1)
        if request.transport is not None:
            request.transport.abort()
        return socket

    app = web.Application()
    app.router.add_get("/rpc/v1", handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/rpc/v1"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def chain_of(
    serve: Serve, *, limits: Limits = LIMITS, seen: list[web.Request] | None = None, token: str | None = None
) -> AsyncIterator[LotusChain]:
    async with (
        node(serve, seen=seen) as url,
        open_lotus_chain([url], limits=limits, retries=PATIENT, tokens=[token]) as chain,
    ):
        yield chain


async def open_channel(socket: web.WebSocketResponse, channel: int = 1) -> Any:
    """Answers the next subscription."""
    request = await socket.receive_json()
    await socket.send_json({"jsonrpc": "2.0", "id": request["id"], "result": channel})
    return request


async def send(socket: web.WebSocketResponse, frames: Sequence[Any]) -> None:
    for frame in frames:
        await socket.send_str(json.dumps(frame))


def head_of(item: HeadChanges) -> list[tuple[str, int]]:
    return [(change.kind, change.tipset.epoch) for change in item.changes]


async def test_head_changes_over_the_wire_with_the_token_in_the_header() -> None:
    seen: list[web.Request] = []

    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        request = await open_channel(socket)
        assert request["method"] == "Filecoin.ChainNotify"
        await send(socket, FRAMES)
        await socket.receive()

    async with chain_of(serve, seen=seen, token="abc") as chain:
        items = await taken(chain.head_changes(), 5)
    assert [head_of(item) for item in items][:2] == [[("current", 263)], [("apply", 264)]]
    assert seen[0].headers["Authorization"] == "Bearer abc"
    assert items[0].node == chain.nodes[0]


@pytest.mark.parametrize("seed", range(5))
async def test_a_connection_dropped_at_random_frames_is_made_anew_each_time(seed: int) -> None:
    draw = Random(seed)

    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        if draw.random() < 0.2:
            return
        await open_channel(socket)
        await send(socket, FRAMES[: draw.randint(0, len(FRAMES))])

    async with chain_of(serve) as chain:
        items = await taken(chain.head_changes(), 60)
    assert any(isinstance(item, StreamGap) for item in items)
    for before, item in zip([StreamGap("", ""), *items], items, strict=False):
        if isinstance(before, StreamGap) and isinstance(item, HeadChanges):
            assert head_of(item) == [("current", 263)]


async def test_a_channel_that_the_node_closes_is_a_gap() -> None:
    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        await open_channel(socket)
        await send(socket, [FRAMES[0], {"jsonrpc": "2.0", "method": "xrpc.ch.close", "params": [1]}])
        await socket.receive()

    async with chain_of(serve) as chain:
        items = await taken(chain.head_changes(), 3)
    assert isinstance(items[1], StreamGap)
    assert "ended the subscription" in items[1].reason
    assert head_of(items[2]) == [("current", 263)]


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "[]",
        '{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1]}',
        '{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,{"Type":"apply"}]}',
        '{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[99,[]]}',
        '{"jsonrpc":"2.0","id":77,"result":5}',
        b"\x00binary",
    ],
)
async def test_nonsense_is_a_gap_and_a_new_connection(frame: str | bytes) -> None:
    async def serve(socket: web.WebSocketResponse, count: int) -> None:
        await open_channel(socket)
        if count == 0:
            await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
        else:
            await send(socket, FRAMES[:1])
        await socket.receive()

    async with chain_of(serve) as chain:
        gap, current = await taken(chain.head_changes(), 2)
    assert isinstance(gap, StreamGap)
    assert head_of(current) == [("current", 263)]


async def test_a_frame_that_is_too_big_is_not_held() -> None:
    async def serve(socket: web.WebSocketResponse, count: int) -> None:
        await open_channel(socket)
        if count == 0:
            await socket.send_str("x" * 300_000)
        else:
            await send(socket, FRAMES[:1])
        await socket.receive()

    async with chain_of(serve, limits=Limits(timeout_s=2, frame_bytes=100_000)) as chain:
        gap, current = await taken(chain.head_changes(), 2)
    assert "more bytes" in gap.reason
    assert isinstance(current, HeadChanges)


async def test_a_subscription_that_is_not_answered_times_out() -> None:
    async def serve(socket: web.WebSocketResponse, count: int) -> None:
        if count:
            await open_channel(socket)
            await send(socket, FRAMES[:1])
        while (await socket.receive()).type == WSMsgType.TEXT:
            pass

    async with chain_of(serve, limits=Limits(timeout_s=0.1)) as chain:
        gap, current = await taken(chain.head_changes(), 2)
    assert "not answered" in gap.reason
    assert isinstance(current, HeadChanges)


async def test_a_node_that_answers_no_pings_is_dead() -> None:
    connected_again = asyncio.Event()

    async def serve(socket: web.WebSocketResponse, count: int) -> None:
        await open_channel(socket)
        await send(socket, FRAMES[:1])
        if count == 0:
            await connected_again.wait()  # reads nothing, so no pong goes out
        else:
            connected_again.set()
            await socket.receive()

    async with chain_of(serve, limits=Limits(timeout_s=2, heartbeat_s=0.1)) as chain:
        current, gap, again = await taken(chain.head_changes(), 3)
    assert head_of(current) == head_of(again)
    assert isinstance(gap, StreamGap)


async def test_a_slow_consumer_makes_the_node_wait_and_loses_nothing() -> None:
    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        await open_channel(socket)
        back = json.loads(json.dumps(FRAMES[1]).replace('"apply"', '"revert"'))
        await send(socket, FRAMES[:1] + [FRAMES[1], back] * 100)
        await socket.receive()

    async with (
        chain_of(serve, limits=Limits(timeout_s=2, backlog_frames=2)) as chain,
        aclosing(chain.head_changes()) as changes,
    ):
        for _ in range(201):
            assert isinstance(await anext(changes), HeadChanges)
            await asyncio.sleep(0)


async def test_a_consumer_that_is_busy_for_longer_than_a_heartbeat_loses_nothing() -> None:
    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        await open_channel(socket)
        back = json.loads(json.dumps(FRAMES[1]).replace('"apply"', '"revert"'))
        await send(socket, FRAMES[:1] + [FRAMES[1], back] * 20)
        while (await socket.receive()).type == WSMsgType.TEXT:
            pass

    async with (
        chain_of(serve, limits=Limits(timeout_s=2, backlog_frames=2, heartbeat_s=0.2)) as chain,
        aclosing(chain.head_changes()) as changes,
    ):
        await anext(changes)
        await asyncio.sleep(1)
        for _ in range(40):
            assert isinstance(await anext(changes), HeadChanges)


async def test_events_are_asked_from_the_past_only_once() -> None:
    asked: list[Any] = []

    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        asked.append(await open_channel(socket))
        event = next(
            line["frame"]
            for line in recorded_frames(RECORDINGS / "03-reads-errors-events-nv28" / "ws-actor-events.ndjson")
            if line["dir"] == "recv" and line["frame"].get("method") == "xrpc.ch.val"
        )
        await send(socket, [event])

    async with chain_of(serve) as chain:
        items = await taken(chain.actor_event_stream(EventFilter(from_epoch=0)), 3)
    assert isinstance(items[1], StreamGap)
    assert asked[0]["params"][0]["fromHeight"] == 0
    assert "fromHeight" not in asked[1]["params"][0]


async def test_head_changes_and_events_share_one_websocket() -> None:
    seen: list[web.Request] = []

    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        methods = [(await open_channel(socket, channel))["method"] for channel in (1, 2)]
        assert methods == ["Filecoin.ChainNotify", "Filecoin.SubscribeActorEventsRaw"]
        await send(socket, FRAMES)
        await socket.receive()

    async with chain_of(serve, seen=seen) as chain:
        assert isinstance((await taken(chain.follow(VERIFIED_REGISTRY), 1))[0], HeadChanges)
    assert len(seen) == 1


async def test_what_is_refused_for_good_is_raised() -> None:
    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        request = await socket.receive_json()
        message = "module disabled, enable with Events.EnableActorEventsAPI"
        await socket.send_json({"jsonrpc": "2.0", "id": request["id"], "error": {"code": 1, "message": message}})
        await socket.receive()

    async with chain_of(serve) as chain:
        with pytest.raises(errors.ModuleDisabled):
            await anext(chain.actor_event_stream(VERIFIED_REGISTRY))


@pytest.mark.parametrize(
    ("status", "kind"), [(401, errors.TokenRefused), (404, errors.BadEndpoint), (200, errors.MethodMissing)]
)
async def test_a_page_instead_of_a_websocket(status: int, kind: type[errors.ChainError]) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="hello")

    app = web.Application()
    app.router.add_get("/rpc/v1", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with open_lotus_chain([f"http://127.0.0.1:{runner.addresses[0][1]}/rpc/v1"], retries=PATIENT) as chain:
        with pytest.raises(kind):
            await anext(chain.head_changes())
    await runner.cleanup()


async def test_closing_the_stream_closes_the_socket() -> None:
    closed = asyncio.Event()

    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        await open_channel(socket)
        await send(socket, FRAMES[:1])
        await socket.receive()
        closed.set()

    async with chain_of(serve) as chain:
        await taken(chain.head_changes(), 1)
        async with asyncio.timeout(PATIENCE_S):
            await closed.wait()


async def test_cancelling_who_follows_is_not_swallowed() -> None:
    opened = asyncio.Event()

    async def serve(socket: web.WebSocketResponse, _: int) -> None:
        await open_channel(socket)
        opened.set()
        await socket.receive()

    async with chain_of(serve) as chain:
        task = asyncio.create_task(taken(chain.head_changes(), 1))
        await opened.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
