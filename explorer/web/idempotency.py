"""`Idempotency-Key` on what a known caller POSTs (draft-ietf-httpapi-idempotency-key-header-07).

What succeeded is answered again for a day, marked `Idempotency-Replayed: true`. What was refused or failed has had no
effect, so that the same key may come again with the request mended.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

from explorer.access.actors import Actor
from explorer.access.idempotency import Answer, Attempt, Busy
from explorer.errors import FilplusError
from explorer.web.bodies import read_body
from explorer.web.doorkeeper import DOORKEEPER
from explorer.web.keys import ACTOR, CONFIG
from explorer.web.ports import Access
from explorer.web.problems import Problem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LARGEST_ANSWER_BYTES: Final = 256 * 1024
RETRY_AFTER_S: Final = 2
_HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_KEPT_HEADERS: Final = ("Content-Type", "Location", "Link", "ETag")

_log = structlog.get_logger(__name__)


@web.middleware
async def answer_once(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Runs a request that has a key once, and answers it again from what is kept."""
    actor, access = request.get(ACTOR), request.app[DOORKEEPER].access
    if request.method != "POST" or actor is None or access is None or _HEADER not in request.headers:
        return await handler(request)
    key = _key_of(request)
    body = await read_body(request, request.app[CONFIG].limits)
    begun = await access.begin(_caller(actor), key, _fingerprint(request, body))
    match begun:
        case Answer():
            return _replayed(begun)
        case Busy.OTHER:
            detail = "This key came with another address or body before."
            raise Problem("idempotency_key_reused", detail, key)
        case Busy.UNDER_WAY:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem("under_way", "A request with this key is being worked on.", key, headers=headers)
        case Attempt():
            return await _attempted(request, handler, access, begun)


async def _attempted(request: web.Request, handler: Handler, access: Access, attempt: Attempt) -> web.StreamResponse:
    try:
        response = await handler(request)
    except BaseException:
        await asyncio.shield(_noted(access.failed(attempt)))
        raise
    answer = _to_keep(response)
    await asyncio.shield(_noted(access.failed(attempt) if answer is None else access.answered(attempt, answer)))
    return response


async def _noted(noting: Awaitable[None]) -> None:
    """Writes down what became of an attempt. Where that fails, the lease ends it: no reason to withhold the answer."""
    try:
        await noting
    except FilplusError as error:
        _log.warning("idempotency_not_noted", error=str(error))


def _to_keep(response: web.StreamResponse) -> Answer | None:
    """The answer where it tells of a success, is whole and not too large, and brings no cookie."""
    is_whole = isinstance(response, web.Response) and isinstance(response.body, bytes | bytearray | None)
    if not is_whole or not 200 <= response.status < 400 or response.cookies:
        return None
    body = bytes(response.body or b"")  # type: ignore[attr-defined]
    if len(body) > LARGEST_ANSWER_BYTES:
        return None
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return Answer(response.status, headers, body)


def _replayed(answer: Answer) -> web.Response:
    headers = {**answer.headers, "Idempotency-Replayed": "true"}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


def _key_of(request: web.Request) -> str:
    """The key, with or without the quotes that the draft puts around it."""
    given = request.headers.getall(_HEADER)
    text = given[0].strip(" ")
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if len(given) > 1 or _KEY.fullmatch(text) is None:
        raise Problem("malformed_idempotency_key", f"{_HEADER} must be one of 1 to 200 printable characters.", text)
    return text


def _caller(actor: Actor) -> str:
    return f"{actor.kind}:{actor.id}"


def _fingerprint(request: web.Request, body: bytes) -> bytes:
    hashed = hashlib.sha256()
    for part in (request.method.encode(), request.raw_path.encode("utf-8", "replace"), body):
        hashed.update(len(part).to_bytes(8, "big") + part)
    return hashed.digest()
