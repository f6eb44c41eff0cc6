"""The door to a simulated chain in the same process: no bytes of HTTP, the same exchanges and sessions."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from node.devnet.lines import Frame
from node.devnet.session import Session
from node.sim.rpc.dispatch import Dispatcher, dispatchers
from node.sim.rpc.envelope import Answer, Exchange
from node.sim.rpc.gateway import gateway_dispatchers
from node.sim.rpc.methods import Node
from tests.contract.doors import HttpReply, HttpRequest

_TURNS_MOST = 100
_NO_ANSWER = 0
"""The status of a reply that never comes: a difference as any other."""


@dataclass(slots=True)
class InProcessSocket:
    """A session's connection; it is its `Line` too."""

    frames: list[str] = field(default_factory=list)
    session: Session | None = None

    async def send(self, text: str) -> None:
        """Hands a frame to the session."""
        assert self.session is not None
        self.session.receive(text)

    async def receive(self) -> list[str]:
        """The frames since the last time."""
        assert self.session is not None
        self.session.settle()
        frames, self.frames = self.frames, []
        return frames

    async def close(self) -> None:
        """Ends the session."""
        assert self.session is not None
        self.session.close()


@dataclass(frozen=True, slots=True)
class _Line:
    """What a session writes to."""

    socket: InProcessSocket

    def send(self, frame: Frame) -> None:
        self.socket.frames.append((frame if isinstance(frame, bytes) else frame()).decode())

    def refuse(self) -> None:
        raise AssertionError("the contract orders no faults")

    def cut(self, frame: Frame) -> None:
        raise AssertionError(f"the contract orders no faults: {frame!r}")

    def settle_soon(self) -> None:
        """Nothing: `receive` settles."""


class InProcessDoor:
    """A node, and a gateway before it."""

    has_paths = False

    def __init__(self, node: Node, *, now_s: Callable[[], float]) -> None:
        self._node = node
        self._served = dispatchers(node)
        self._gateway = gateway_dispatchers(node, now_s=now_s)
        self.admin_token = node.tokens.admin_token or ""

    async def send(self, request: HttpRequest) -> HttpReply:
        """The reply of the dispatcher of the request's path."""
        path, _, query = request.path.partition("?")
        authorization = request.authorization or (f"Bearer {query.removeprefix('token=')}" if query else None)
        permissions = self._node.tokens.permissions(authorization)
        if permissions is None:
            return HttpReply(401)
        served: dict[str, Dispatcher] = self._gateway if request.gateway else self._served
        body = request.body if request.method == "POST" else b""
        answer = await _answer(Exchange(served[path], body, permissions))
        return HttpReply(answer.status, answer.body, {"Content-Type": "application/json"})

    async def connect(self, *, authorization: str | None) -> InProcessSocket:
        """A session of its own."""
        permissions = self._node.tokens.permissions(authorization)
        assert permissions is not None
        socket = InProcessSocket()
        socket.session = Session(self._served["/rpc/v1"], permissions, _Line(socket))
        return socket

    async def close(self) -> None:
        """Nothing."""


async def _answer(exchange: Exchange) -> Answer:
    """The answer, once the chain has grown enough for it."""
    for _ in range(_TURNS_MOST):
        outcome = exchange.advance()
        if isinstance(outcome, Answer):
            return outcome
        await asyncio.sleep(0)
    return Answer(_NO_ANSWER)
