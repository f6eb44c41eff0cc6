"""Websockets: frames between the network and a session in the chain's thread."""

import asyncio
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from node.devnet.lines import Frame
from node.devnet.session import Session
from node.devnet.thread import ChainThread
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.requests import MAX_REQUEST_BYTES, TOO_LARGE

_PING_S = 30.0
_FAREWELL_S = 0.5
"""How long a client is given to say goodbye."""
_FRAMES_WAITING_MAX = 100_000
"""How many frames may wait for a slow reader before its connection is closed."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A text frame to send; the connection ends after half of one that is to be cut, and before one that is refused."""

    frame: Frame
    is_cut: bool = False
    is_refused: bool = False


@dataclass(slots=True)
class _QueuedLine:
    """A session's line: frames go to the event loop in their order."""

    thread: ChainThread
    frames: asyncio.Queue[_Sent] = field(default_factory=lambda: asyncio.Queue(_FRAMES_WAITING_MAX))
    is_too_slow: bool = False
    session: Session | None = None
    is_due: bool = False

    def send(self, frame: Frame) -> None:
        self._tell(_Sent(frame))

    def refuse(self) -> None:
        self._tell(_Sent(b"", is_refused=True))

    def cut(self, frame: Frame) -> None:
        self._tell(_Sent(frame, is_cut=True))

    def settle_soon(self) -> None:
        if not self.is_due:
            self.is_due = True
            self.thread.run_soon(self._settle)

    def _settle(self) -> None:
        self.is_due = False
        if self.session is not None:
            self.session.settle()

    def _tell(self, sent: _Sent) -> None:
        self.thread.tell(lambda: self._put(sent))

    def _put(self, sent: _Sent) -> None:
        try:
            self.frames.put_nowait(sent)
        except asyncio.QueueFull:
            self.is_too_slow = True


class _Socket(web.WebSocketResponse):
    """A websocket that says why it closes where the library does not."""

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        if code == WSCloseCode.MESSAGE_TOO_BIG and not message:
            message = TOO_LARGE.encode()
        return await super().close(code=code, message=message, drain=drain)


async def converse(
    thread: ChainThread, dispatcher: Dispatcher, permissions: frozenset[str], request: web.Request
) -> web.StreamResponse:
    """Leads the conversation of one websocket until either side ends it."""
    socket = _Socket(timeout=_FAREWELL_S, heartbeat=_PING_S, max_msg_size=MAX_REQUEST_BYTES, compress=False)
    await socket.prepare(request)
    line = _QueuedLine(thread)
    session = line.session = await thread.run(lambda: Session(dispatcher, permissions, line))
    writing = asyncio.create_task(_write(thread, socket, line, request))
    try:
        await _read(thread, session, socket)
    except asyncio.CancelledError:
        await socket.close(code=WSCloseCode.GOING_AWAY)
        raise
    finally:
        line.session = None
        writing.cancel()
        await thread.run(session.close)
        with suppress(asyncio.CancelledError):
            await writing
    return socket


async def _read(thread: ChainThread, session: Session, socket: web.WebSocketResponse) -> None:
    """Hands over frames as they come. One that nobody foresaw is logged; the conversation goes on."""
    async for message in socket:
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            try:
                await thread.run(partial(session.receive, message.data))
            except Exception as error:  # noqa: BLE001
                _log.error("frame_failed", error=repr(error), exc_info=error)


async def _write(thread: ChainThread, socket: web.WebSocketResponse, line: _QueuedLine, request: web.Request) -> None:
    """Sends frames as they come; ends the connection after one that ends it, and of a reader that is too slow."""
    while not line.is_too_slow:
        sent = await line.frames.get()
        text = sent.frame if isinstance(sent.frame, bytes) else await thread.render(sent.frame)
        if sent.is_cut and request.transport is not None:
            request.transport.write(_half(text))
            request.transport.close()
            return
        if sent.is_refused:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"Too Many Requests")
            return
        with suppress(ConnectionError):
            await socket.send_frame(text, WSMsgType.TEXT)
    await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"reading too slowly")


def _half(text: bytes) -> bytes:
    """The head of a text frame of RFC 6455 (unmasked, 64-bit length) and half of its payload."""
    return b"\x81\x7f" + struct.pack(">Q", len(text)) + text[: len(text) // 2]
