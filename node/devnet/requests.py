"""JSON-RPC over HTTP, with the statuses and headers that a Lotus node's server has."""

import asyncio

from aiohttp import web

from node.devnet.thread import ChainThread
from node.sim.faults import FaultAction
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.envelope import MAX_REQUEST_BYTES, Answer, Exchange

_JSON = "application/json"
_GARBAGE = b"<html><body><h1>It works!</h1></body></html>\n"
_RETRY_AFTER_S = 1


async def answer_request(
    thread: ChainThread, dispatcher: Dispatcher, permissions: frozenset[str], request: web.Request
) -> web.StreamResponse:
    """The answer to a POST with one request or a list of them; what waits for the chain to grow waits."""
    body = await _body_of(request)
    exchange = await thread.run(lambda: Exchange(dispatcher, body, permissions))
    outcome = await _advance(thread, exchange)
    if isinstance(outcome, FaultAction):
        return await _misbehave(thread, exchange, outcome, request)
    if outcome.is_large:
        return await _stream(thread, outcome, request)
    response = web.Response(status=outcome.status, body=outcome.body, content_type=_JSON)
    if len(body) > MAX_REQUEST_BYTES:
        response.force_close()
    return response


async def _stream(thread: ChainThread, answer: Answer, request: web.Request) -> web.StreamResponse:
    """A large answer, rendered as fast as it is read, while the chain goes on."""
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": _JSON})
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for piece in thread.rendered(answer.pieces()):
        await response.write(piece)
    await response.write_eof()
    return response


async def _body_of(request: web.Request) -> bytes:
    """The body, of one that is too large only as much as shows it."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            break
    return bytes(body)


async def _advance(thread: ChainThread, exchange: Exchange) -> Answer | FaultAction:
    """The exchange's outcome, once there is one."""
    while True:
        outcome, moment = await thread.attempt(exchange.advance)
        if outcome is not None:
            return outcome
        await thread.changed_since(moment)


async def _misbehave(
    thread: ChainThread, exchange: Exchange, fault: FaultAction, request: web.Request
) -> web.StreamResponse:
    """What a failing node, or what stands before it, does instead of answering."""
    if fault.kind == "hang":
        await asyncio.Event().wait()
    if fault.kind == "429":
        return web.Response(status=429, text="Too Many Requests\n", headers={"Retry-After": str(_RETRY_AFTER_S)})
    if fault.kind == "cut":
        answer = await _advance(thread, exchange)
        return await _cut(await thread.render(lambda: answer.body) if isinstance(answer, Answer) else _GARBAGE, request)
    return web.Response(body=_GARBAGE, content_type=_JSON)


async def _cut(body: bytes, request: web.Request) -> web.StreamResponse:
    """Half of a body, under headers that promise all of it; then the connection ends."""
    response = web.StreamResponse(headers={"Content-Type": _JSON, "Content-Length": str(len(body))})
    response.force_close()
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
