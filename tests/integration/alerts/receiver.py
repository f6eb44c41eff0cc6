"""A receiver of webhooks that notes what it was sent, and answers as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import web

Behaviour = Callable[[web.Request, "Received"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.document["data"]
        return data


async def well(_: web.Request, __: Received) -> web.StreamResponse:
    """Takes everything."""
    return web.Response(status=204)


def answering(status: int, **headers: str) -> Behaviour:
    """Answers everything so."""

    async def behave(_: web.Request, __: Received) -> web.StreamResponse:
        return web.Response(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return behave


def unreliable(chance: Random, *, longest_s: float) -> Behaviour:
    """Takes its time, and fails now and then, no message twice: its third attempt would be minutes away."""
    failed: set[str] = set()

    async def behave(_: web.Request, received: Received) -> web.StreamResponse:
        await asyncio.sleep(chance.uniform(0, longest_s))
        fails = chance.random() < 0.03 and received.id not in failed
        if fails:
            failed.add(received.id)
        return web.Response(status=500 if fails else 200)

    return behave


@dataclass
class Receiver:
    """`requests` are all, `taken` those that were answered with 2xx."""

    url: str = ""
    behaviour: Behaviour = well
    requests: list[Received] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): text for name, text in request.headers.items()}
        received = Received(request.path, headers, await request.read())
        self.requests.append(received)
        response = await self.behaviour(request, received)
        if 200 <= response.status < 300:
            self.taken.append(received)
        return response

    def first_taken(self) -> list[Received]:
        """What was taken, each message once, in the order of the first time."""
        return list({one.id: one for one in reversed(self.taken)}.values())[::-1]


@asynccontextmanager
async def receiving(
    behaviour: Behaviour = well, *, host: str = "127.0.0.1", ssl: Any = None
) -> AsyncIterator[Receiver]:
    """A receiver that listens as long as the context lasts."""
    receiver = Receiver(behaviour=behaviour)
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, 0, ssl_context=ssl)
        await site.start()
        port = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        receiver.url = f"{'https' if ssl else 'http'}://{shown}:{port}/hook"
        yield receiver
    finally:
        await runner.cleanup()
