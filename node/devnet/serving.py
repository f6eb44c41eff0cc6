"""The server: its paths, its clock, its start and its end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from node.devnet.entrance import permissions_of
from node.devnet.requests import answer_request
from node.devnet.thread import ChainThread
from node.devnet.websockets import converse
from node.sim.rpc.dispatch import Dispatcher, dispatchers
from node.sim.rpc.gateway import gateway_dispatchers
from node.sim.rpc.methods import Node

_SHUTDOWN_S = 1.0
"""How long requests that still run may take to end once the server is told to."""


@asynccontextmanager
async def serving(
    node: Node, bound: socket.socket, *, block_time_s: float = 0.0, now_s: Callable[[], float] | None = None
) -> AsyncIterator[ChainThread]:
    """Serves a simulated chain at a listening socket as long as the context lasts; gives the thread it lives in.

    /rpc/v0, /rpc/v1, /rpc/v2         JSON-RPC: POST, and websocket
    /gateway/rpc/v1, /gateway/rpc/v2  the same as a lotus-gateway before the node gives it
    /healthz                          200 with the head's epoch
    /health/livez, readyz             as a Lotus node without peers answers them

    A tipset is mined every `block_time_s` seconds of real time; at 0 only by `Sim.Mine` and other verbs. The gateway
    looks back a day from `now_s` (Unix seconds), from the head's time without it.
    """
    thread = ChainThread(node)
    app = _application(thread, now_s or partial(_head_time, node))
    runner = web.AppRunner(
        app,
        handler_cancellation=True,
        access_log=None,
        auto_decompress=False,  # Go's server hands a body on as it came.
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    await web.SockSite(runner, bound).start()
    pace = asyncio.create_task(_keep_mining(thread, block_time_s)) if block_time_s > 0 else None
    try:
        yield thread
    finally:
        if pace is not None:
            pace.cancel()
            with suppress(asyncio.CancelledError):
                await pace
        await runner.cleanup()
        await thread.close()


async def _keep_mining(thread: ChainThread, block_time_s: float) -> None:
    """Mines in even steps. What came too late is not made up for."""
    while True:
        await asyncio.sleep(block_time_s)
        await thread.run(thread.node.chain.mine)


def _head_time(node: Node) -> float:
    return float(node.chain.head.blocks[0].timestamp)


def _application(thread: ChainThread, now_s: Callable[[], float]) -> web.Application:
    requests = _Requests()
    app = web.Application(client_max_size=0, middlewares=[requests.note, _as_go_does])
    app.on_shutdown.append(requests.end)
    gateway = gateway_dispatchers(thread.node, now_s=now_s)
    served = dispatchers(thread.node) | {f"/gateway{path}": dispatcher for path, dispatcher in gateway.items()}
    for path, dispatcher in served.items():
        app.router.add_route("*", path, partial(_rpc, thread, dispatcher))
    app.router.add_get("/healthz", partial(_health, thread))
    app.router.add_get("/health/livez", partial(_empty, 200))
    app.router.add_get("/health/readyz", partial(_empty, 503))
    return app


class _Requests:
    """The requests that run. Some wait for the chain, some hang, and websockets last: none of them ends by itself."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def note(self) -> Middleware:
        """The middleware that notes each request while it runs."""

        @web.middleware
        async def noting(request: web.Request, handler: Handler) -> web.StreamResponse:
            if (task := asyncio.current_task()) is None:
                raise RuntimeError("a request is handled outside of a task, which nothing could cancel")
            self._tasks.add(task)
            try:
                return await handler(request)
            finally:
                self._tasks.discard(task)

        return noting

    async def end(self, _: web.Application) -> None:
        """Cancels every request, so that the server's end waits for none."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_SHUTDOWN_S)


async def _rpc(thread: ChainThread, dispatcher: Dispatcher, request: web.Request) -> web.StreamResponse:
    """A websocket where one is asked for, else one exchange."""
    permissions = permissions_of(thread.node.tokens, request)
    if isinstance(permissions, web.Response):
        return permissions
    if web.WebSocketResponse().can_prepare(request):
        return await converse(thread, dispatcher, permissions, request)
    return await answer_request(thread, dispatcher, permissions, request)


async def _health(thread: ChainThread, _: web.Request) -> web.Response:
    head = thread.node.chain.head
    document = {"status": "ok", "network": thread.node.chain.options.network_name, "head_epoch": head.height}
    return web.Response(body=json.dumps(document).encode(), content_type="application/json")


async def _empty(status: int, _: web.Request) -> web.Response:
    return web.Response(status=status)


@web.middleware
async def _as_go_does(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Paths that nobody serves are answered in the words of Go's server."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return web.Response(status=404, text="404 page not found\n", headers={"X-Content-Type-Options": "nosniff"})
