"""Where connections wait until their first headers are whole, so that slow or silent clients cost next to nothing.

* Doorway: counts the connections, keeps them under a cap, and tells in metrics and log what it cut
* Visitor: one connection in the doorway; with its headers whole it becomes one of aiohttp's
"""

import asyncio
import re
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import structlog
from aiohttp import web

MOST_CONNECTIONS = 4096
FEWEST_CONNECTIONS = 16
RESERVED_FILES = 160
"""Descriptors kept free: for the database's pool, files, and connections that are accepted but not yet counted."""

_END_OF_HEADERS = re.compile(rb"\n\r?\n")
_LOG_INTERVAL_S = 60.0

_log = structlog.get_logger(__name__)


def connections_allowed() -> int:
    """How many connections may be open at once, by the process's limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(FEWEST_CONNECTIONS, soft - RESERVED_FILES))


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLimits:
    """How long headers may take to come, how much of them is kept, and how many connections may be open."""

    headers_timeout_s: float = 10.0
    buffer_bytes: int = 32 * 1024
    connections: int = field(default_factory=connections_allowed)


class Doorway:
    """A protocol factory that stands before a server's own.

    When all places are taken, the connection that has waited longest for its headers gives way to a new one. Where
    none waits, the new one is cut. `count_cut` is told why: `slow` or `crowded`.
    """

    def __init__(self, server: web.Server, limits: DoorLimits, count_cut: Callable[[str], None]) -> None:
        self.server = server
        self.limits = limits
        self._count_cut = count_cut
        self._waiting: dict[Visitor, None] = {}
        self._closed = False
        self._unlogged = 0
        self._next_log_s = 0.0

    def __call__(self) -> asyncio.Protocol:
        return Visitor(self)

    def enter(self, visitor: "Visitor") -> None:
        """Gives a new connection its place, or cuts it."""
        if self._closed:
            visitor.abort()
            return
        if len(self._waiting) + len(self.server.connections) >= self.limits.connections:
            longest = next(iter(self._waiting), visitor)
            self.cut(longest, "crowded")
            if longest is visitor:
                return
        self._waiting[visitor] = None

    def leave(self, visitor: "Visitor") -> None:
        """Forgets a connection that went on or went away."""
        self._waiting.pop(visitor, None)

    def cut(self, visitor: "Visitor", why: str) -> None:
        """Ends a connection. The log hears of it at most once a minute."""
        self.leave(visitor)
        visitor.abort()
        self._count_cut(why)
        self._unlogged += 1
        now_s = time.monotonic()
        if now_s >= self._next_log_s:
            _log.warning("connections_cut", why=why, number=self._unlogged, allowed=self.limits.connections)
            self._unlogged, self._next_log_s = 0, now_s + _LOG_INTERVAL_S

    def close(self) -> None:
        """Ends the connections that still wait, and those that are yet to come."""
        self._closed = True
        for visitor in list(self._waiting):
            visitor.abort()
        self._waiting.clear()


class Visitor(asyncio.Protocol):
    """Keeps what a connection sends until its headers are whole or too long, then hands both to the server.

    Whether they are right, the server judges. A client that ends its side before that is closed by asyncio.
    """

    def __init__(self, doorway: Doorway) -> None:
        self._doorway = doorway
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the time that the headers may take."""
        self._transport = cast("asyncio.Transport", transport)
        timeout_s = self._doorway.limits.headers_timeout_s
        self._timer = asyncio.get_running_loop().call_later(timeout_s, self._doorway.cut, self, "slow")
        self._doorway.enter(self)

    def data_received(self, data: bytes) -> None:
        """Goes on to the server once the headers are whole."""
        seen = max(0, len(self._buffer) - 2)
        self._buffer += data
        if _END_OF_HEADERS.search(self._buffer, seen) or len(self._buffer) >= self._doorway.limits.buffer_bytes:
            self._hand_over()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._stop_timer()
        self._doorway.leave(self)

    def abort(self) -> None:
        """Ends the connection at once, without an answer."""
        self._stop_timer()
        if self._transport is not None:
            self._transport.abort()

    def _hand_over(self) -> None:
        self._stop_timer()
        self._doorway.leave(self)
        transport, self._transport = self._transport, None
        if transport is not None:
            handler = self._doorway.server()
            transport.set_protocol(handler)
            handler.connection_made(transport)
            handler.data_received(bytes(self._buffer))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
