"""One node over HTTP, and over a websocket for what only that can carry."""

import asyncio
import codecs
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import NoReturn

import aiohttp

from node.chain.errors import AnswerTooLarge, BadEndpoint, GarbledAnswer
from node.lotus.connection import connection_errors, cut_answers
from node.lotus.endpoint import Endpoint
from node.lotus.envelope import batch_results, request_document, result_of
from node.lotus.http_answer import parse_answer
from node.lotus.limits import Limits
from node.lotus.transport import METHOD_NOT_FOUND, Call, Frame, RpcFault
from node.lotus.websocket import subscribed

_PIECE_BYTES = 1 << 16

WallClock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class HttpTransport:
    """Asks one node. The session is lent: whoever made it closes it."""

    def __init__(
        self, session: aiohttp.ClientSession, endpoint: Endpoint, *, limits: Limits, wall_clock: WallClock = _utc_now
    ) -> None:
        self._session = session
        self._endpoint = endpoint
        self._limits = limits
        self._wall_clock = wall_clock
        self._ids = itertools.count(1)

    @property
    def name(self) -> str:
        """Host and port."""
        return self._endpoint.name

    async def call(self, call: Call) -> object:
        """The result's JSON value."""
        request_id = next(self._ids)
        request, timeout_s = request_document(call, request_id), self._limits.timeout_of(call.method)
        url = self._endpoint.url_of(call.version)
        if url is None:
            raise _no_such_version(call)
        try:
            document = await self._ask(request, timeout_s, url=url)
        except BadEndpoint as error:
            raise (error if call.version == 1 else _no_such_version(call)) from error
        return result_of(document, request_id)

    async def batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        """The results' JSON values, an RpcFault in the place of each that failed; long batches go in several."""
        results: list[object] = []
        size = self._limits.batch_calls
        for start in range(0, len(calls), size):
            results += await self._ask_batch(calls[start : start + size])
        return tuple(results)

    async def _ask_batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        ids = [next(self._ids) for _ in calls]
        requests = [request_document(call, request_id) for call, request_id in zip(calls, ids, strict=True)]
        timeout_s = max(self._limits.timeout_of(call.method) for call in calls)
        return batch_results(await self._ask(requests, timeout_s, url=self._endpoint.http_url), ids)

    async def _ask(self, request: object, timeout_s: float, *, url: str) -> object:
        with connection_errors(timeout_s):
            async with asyncio.timeout(timeout_s):
                response = await self._post(request, url)
                with closing(response):
                    body = await self._read(response)
        return parse_answer(response.status, response.headers, body, now=self._wall_clock())

    async def _post(self, request: object, url: str) -> aiohttp.ClientResponse:
        """The answer up to its body. Closing it keeps the connection for others only if the body was read."""
        headers = {**self._endpoint.headers(), "Content-Type": "application/json"}
        body = json.dumps(request, separators=(",", ":")).encode("utf-8")
        return await self._session.post(url, data=body, headers=headers, allow_redirects=False)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The whole body; AnswerTooLarge, and the rest unread, where it is more than we agreed to hold."""
        held = bytearray()
        with cut_answers():
            async for piece in response.content.iter_chunked(_PIECE_BYTES):
                held += piece
                if max(len(held), response.content_length or 0) > self._limits.answer_bytes:
                    raise AnswerTooLarge(f"the answer has more than {self._limits.answer_bytes} bytes")
        return bytes(held)

    async def stream(self, call: Call) -> AsyncGenerator[str, None]:
        """The text of the whole answer in pieces; bytes that are no UTF-8 come as surrogates."""
        request_id = next(self._ids)
        with connection_errors(self._limits.stream_first_byte_s):
            async with asyncio.timeout(self._limits.stream_first_byte_s):
                response = await self._post(request_document(call, request_id), self._endpoint.http_url)
        with closing(response):
            if response.status != 200:
                await self._refuse(response, request_id)
            decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
            async for piece in self._pieces(response):
                yield decoder.decode(piece)
            yield decoder.decode(b"", final=True)

    async def _refuse(self, response: aiohttp.ClientResponse, request_id: int) -> NoReturn:
        """Raises what an answer says whose status is not 200."""
        with connection_errors(self._limits.stream_idle_s):
            async with asyncio.timeout(self._limits.stream_idle_s):
                body = await self._read(response)
        result_of(parse_answer(response.status, response.headers, body, now=self._wall_clock()), request_id)
        raise GarbledAnswer(f"a result with HTTP {response.status}")

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        wait_s = self._limits.stream_first_byte_s
        while True:
            with connection_errors(wait_s), cut_answers():
                async with asyncio.timeout(wait_s):
                    piece = await response.content.readany()
            if not piece:
                return
            yield piece
            wait_s = self._limits.stream_idle_s

    def subscribe(self, calls: Sequence[Call]) -> AsyncGenerator[Frame, None]:
        """What the subscriptions bring, over one websocket."""
        return subscribed(self._session, self._endpoint, calls, limits=self._limits, wall_clock=self._wall_clock)

    async def close(self) -> None:
        """Nothing: the session is its maker's."""


def _no_such_version(call: Call) -> RpcFault:
    """What a node without that version of the API would say if it could."""
    return RpcFault(METHOD_NOT_FOUND, f"method '{call.method}' not found: there is no /rpc/v{call.version} here")
