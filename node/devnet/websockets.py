"""Websockets: frames between the network and a session in the chain's thread."""

import asyncio
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from aiohttp import WSCloseCode, WSMsgType, web

from node.devnet.requests import permissions_of
from node.devnet.session import Session
from node.devnet.thread import ChainThread
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.envelope import MAX_REQUEST_BYTES

_PING_S = 30.0
_FRAMES_WAITING_MAX = 100_000
"""How many frames may wait for a slow reader before its connection is closed."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A text frame to send; the connection ends after half of one that is to be cut, and before one that is refused."""

    text: bytes
    is_cut: bool = False
    is_refused: bool = False


@dataclass(slots=True)
class _QueuedLine:
    """A session's line: frames go to the event loop in their order."""

    thread: ChainThread
    frames: asyncio.Queue[_Frame] = field(default_factory=lambda: asyncio.Queue(_FRAMES_WAITING_MAX))
    is_too_slow: bool = False

    def send(self, frame: bytes) -> None:
        self._tell(_Frame(frame))

    def refuse(self) -> None:
        self._tell(_Frame(b"", is_refused=True))

    def cut(self, frame: bytes) -> None:
        self._tell(_Frame(frame, is_cut=True))

    def _tell(self, frame: _Frame) -> None:
        self.thread.tell(lambda: self._put(frame))

    def _put(self, frame: _Frame) -> None:
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.is_too_slow = True


async def converse(thread: ChainThread, dispatcher: Dispatcher, request: web.Request) -> web.StreamResponse:
    """Leads the conversation of one websocket until either side ends it."""
    permissions = permissions_of(thread, request)
    if permissions is None:
        return web.Response(status=401)
    socket = web.WebSocketResponse(heartbeat=_PING_S, max_msg_size=MAX_REQUEST_BYTES)
    await socket.prepare(request)
    line = _QueuedLine(thread)
    session = await thread.run(lambda: Session(dispatcher, permissions, line))
    writing = asyncio.create_task(_write(socket, line, request))
    try:
        await _read(thread, session, socket)
    finally:
        writing.cancel()
        await thread.run(session.close)
        with suppress(asyncio.CancelledError):
            await writing
    return socket


async def _read(thread: ChainThread, session: Session, socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            await thread.run(partial(session.receive, message.data))


async def _write(socket: web.WebSocketResponse, line: _QueuedLine, request: web.Request) -> None:
    """Sends frames as they come; ends the connection after one that ends it, and of a reader that is too slow."""
    while not line.is_too_slow:
        frame = await line.frames.get()
        if frame.is_cut and request.transport is not None:
            request.transport.write(_half(frame.text))
            request.transport.close()
            return
        if frame.is_refused:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"Too Many Requests")
            return
        with suppress(ConnectionError):
            await socket.send_str(frame.text.decode())
    await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"reading too slowly")


def _half(text: bytes) -> bytes:
    """The head of a text frame of RFC 6455 (unmasked, 64-bit length) and half of its payload."""
    return b"\x81\x7f" + struct.pack(">Q", len(text)) + text[: len(text) // 2]
