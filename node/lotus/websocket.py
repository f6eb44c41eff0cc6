"""Subscriptions to one node, all over one websocket. A lost connection ends them: see `following` for the next one."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime

import aiohttp

from node.chain.errors import AnswerTooLarge, ChainError, GarbledAnswer, MethodMissing, NodeTimeout, StreamBroken
from node.lotus.connection import connection_errors
from node.lotus.endpoint import Endpoint
from node.lotus.envelope import request_document
from node.lotus.frames import Channels
from node.lotus.http_answer import error_of_status
from node.lotus.limits import Limits
from node.lotus.transport import Call, Frame

_FAREWELL_S = 1.0
"""How long a node is given to say goodbye."""

WallClock = Callable[[], datetime]


async def subscribed(
    session: aiohttp.ClientSession, endpoint: Endpoint, calls: Sequence[Call], *, limits: Limits, wall_clock: WallClock
) -> AsyncGenerator[Frame, None]:
    """What the calls bring, in the node's order. Raises RpcFault where one is refused, and when the connection ends."""
    ids = list(range(1, len(calls) + 1))
    channels = Channels(ids)
    async with _connected(session, endpoint, limits=limits, wall_clock=wall_clock) as socket:
        with connection_errors(limits.timeout_s):
            for request_id, call in zip(ids, calls, strict=True):
                await socket.send_str(json.dumps(request_document(call, request_id)))
        async with _pumped(socket, limits.backlog_frames) as backlog:
            while True:
                text = await _next_text(backlog, None if channels.all_open else limits.timeout_s)
                for frame in channels.take(text):
                    yield frame


async def _next_text(backlog: "asyncio.Queue[str | ChainError]", timeout_s: float | None) -> str:
    """The next frame's text; raises what ended the connection, NodeTimeout where an answer doesn't come."""
    try:
        async with asyncio.timeout(timeout_s):
            item = await backlog.get()
    except TimeoutError as error:
        raise NodeTimeout(f"a subscription was not answered within {timeout_s:g} s") from error
    if isinstance(item, ChainError):
        raise item
    return item


@asynccontextmanager
async def _connected(
    session: aiohttp.ClientSession, endpoint: Endpoint, *, limits: Limits, wall_clock: WallClock
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    with connection_errors(limits.timeout_s), _handshake_errors(wall_clock):
        async with asyncio.timeout(limits.timeout_s):
            socket = await session.ws_connect(
                endpoint.websocket_url,
                headers=endpoint.headers(),
                heartbeat=limits.heartbeat_s,
                max_msg_size=limits.frame_bytes,
                timeout=aiohttp.ClientWSTimeout(ws_close=_FAREWELL_S),
            )
    try:
        yield socket
    finally:
        with suppress(aiohttp.ClientError, OSError):
            await socket.close()


@contextmanager
def _handshake_errors(wall_clock: WallClock) -> Iterator[None]:
    """What a node means that answers with a page instead of a websocket."""
    try:
        yield
    except aiohttp.WSServerHandshakeError as error:
        meant = error_of_status(error.status, error.headers or {}, now=wall_clock()) if error.status >= 401 else None
        raise (meant or MethodMissing(f"no websocket at this address (HTTP {error.status})")) from None


@asynccontextmanager
async def _pumped(
    socket: aiohttp.ClientWebSocketResponse, backlog_frames: int
) -> AsyncIterator["asyncio.Queue[str | ChainError]"]:
    """The texts of the frames as they come, so that pings are answered while the consumer is busy elsewhere."""
    backlog: asyncio.Queue[str | ChainError] = asyncio.Queue(backlog_frames)
    pump = asyncio.create_task(_pump(socket, backlog))
    try:
        yield backlog
    finally:
        pump.cancel()
        await asyncio.wait([pump])


async def _pump(socket: aiohttp.ClientWebSocketResponse, backlog: "asyncio.Queue[str | ChainError]") -> None:
    """Puts every text into the backlog, and last what ended the connection."""
    while True:
        try:
            message = await socket.receive()
        except (aiohttp.ClientError, OSError) as error:
            await backlog.put(StreamBroken(f"the connection ended: {type(error).__name__}"))
            return
        if message.type != aiohttp.WSMsgType.TEXT:
            await backlog.put(_end_of(socket, message))
            return
        await backlog.put(message.data)


def _end_of(socket: aiohttp.ClientWebSocketResponse, message: aiohttp.WSMessage) -> ChainError:
    if message.type == aiohttp.WSMsgType.BINARY:
        return GarbledAnswer("a frame that is no text")
    if socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
        return AnswerTooLarge("a frame has more bytes than we agreed to hold")
    return StreamBroken(f"the connection ended (close code {socket.close_code})")
