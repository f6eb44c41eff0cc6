"""The door to a simulated chain behind its server: real HTTP, real websockets."""

import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from node.devnet.serving import serving
from tests.contract.devnets import devnet
from tests.contract.doors import HttpReply, HttpRequest
from tests.contract.stories import Story
from tests.patience import PATIENCE_S

_PING = "Filecoin.StateNetworkName"


@dataclass(slots=True)
class WireSocket:
    """A websocket. What was sent before a ping's answer has come when that has."""

    socket: aiohttp.ClientWebSocketResponse
    pings: int = 0

    async def send(self, text: str) -> None:
        """Sends a text frame."""
        await self.socket.send_str(text)

    async def receive(self) -> list[str]:
        """The frames since the last time."""
        self.pings += 1
        request_id = f"ping {self.pings}"
        await self.send(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": _PING, "params": []}))
        frames: list[str] = []
        while json.loads(frame := await self.socket.receive_str(timeout=PATIENCE_S)).get("id") != request_id:
            frames.append(frame)
        return frames

    async def close(self) -> None:
        """Closes it."""
        await self.socket.close()


@dataclass(slots=True)
class WireDoor:
    """A server's address, and a client of it."""

    url: str
    session: aiohttp.ClientSession
    admin_token: str
    has_paths: bool = True

    async def send(self, request: HttpRequest) -> HttpReply:
        """The server's reply."""
        headers = {} if request.authorization is None else {"Authorization": request.authorization}
        url = f"{self.url}/gateway{request.path}" if request.gateway else f"{self.url}{request.path}"
        async with self.session.request(request.method, url, data=io.BytesIO(request.body), headers=headers) as answer:
            return HttpReply(answer.status, await answer.read(), dict(answer.headers))

    async def connect(self, *, authorization: str | None) -> WireSocket:
        """A websocket at /rpc/v1."""
        headers = {} if authorization is None else {"Authorization": authorization}
        return WireSocket(await self.session.ws_connect(f"{self.url}/rpc/v1", headers=headers))

    async def close(self) -> None:
        """Ends the client."""
        await self.session.close()


@asynccontextmanager
async def wire_door(story: Story) -> AsyncIterator[WireDoor]:
    """The devnet of a story, served on a free port."""
    node = devnet(story.setup)
    bound = socket.create_server(("127.0.0.1", 0))
    async with (
        serving(node, bound, now_s=lambda: float(story.setup.now_s)),
        aiohttp.ClientSession() as session,
    ):
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        yield WireDoor(url, session, node.tokens.admin_token or "")
