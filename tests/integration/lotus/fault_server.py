"""A node that misbehaves: an HTTP server written by hand, so that it can send any bytes and stop anywhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Exchange:
    """One request, and the way to answer it."""

    head: str
    body: bytes
    writer: asyncio.StreamWriter

    @property
    def request(self) -> Any:
        """The JSON of the request."""
        return json.loads(self.body)

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers, names in lower case."""
        lines = self.head.split("\r\n")[1:]
        return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    async def send(self, raw: bytes) -> None:
        """Sends bytes as they are."""
        self.writer.write(raw)
        await self.writer.drain()

    async def result(self, result: Any) -> None:
        """A good answer."""
        await self.send(response(json.dumps({"jsonrpc": "2.0", "id": self.request["id"], "result": result}).encode()))


Behaviour = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class FaultServer:
    """Where it listens, and what it was asked."""

    port: int
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of its JSON-RPC."""
        return f"http://127.0.0.1:{self.port}/rpc/v1"


def response(body: bytes, status: str = "200 OK", *headers: str, length: bool = True) -> bytes:
    """An HTTP answer; without a length the end of the connection is the end of the body."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    lines += [f"Content-Length: {len(body)}"] if length else ["Connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def fault_server(behave: Behaviour) -> AsyncIterator[FaultServer]:
    """A server on 127.0.0.1 that does to every request what `behave` says, then hangs up."""
    told = FaultServer(0)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                exchange = await _read(reader, writer)
                told.exchanges.append(exchange)
                await behave(exchange)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length")), "0")
    return Exchange(head, await reader.readexactly(int(length)), writer)
