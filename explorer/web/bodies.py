"""Request bodies: how much is read, and how strictly JSON is taken."""

import asyncio
import json
from typing import Any

import orjson
from aiohttp import web

from explorer.web.caching import LARGE_BYTES
from explorer.web.config import Limits
from explorer.web.contract import Operation
from explorer.web.problems import Problem


async def read_json_body(request: web.Request, operation: Operation, limits: Limits) -> Any:
    """The body as the operation takes it.

    Raises Problem for another type, too many bytes, too long a wait for them, no JSON, another shape.
    """
    if request.content_type != "application/json":
        detail = f"The body must be application/json, not {request.headers.get('Content-Type', 'without a type')!r}."
        raise Problem("unsupported_media_type", detail, request.headers.get("Content-Type"))
    raw = await read_body(request, limits)
    if len(raw) > LARGE_BYTES:
        return await asyncio.to_thread(_checked, raw, operation)
    return _checked(raw, operation)


async def read_body(request: web.Request, limits: Limits) -> bytes:
    """At most as many bytes as are allowed. A body that announces more is refused unread. The second time is free."""
    limit_bytes = limits.body_bytes
    if (request.content_length or 0) > limit_bytes:
        raise _too_large(limit_bytes, announced=request.content_length)
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            return await request.read()
    except TimeoutError as error:
        detail = f"The body did not come within {limits.body_timeout_s:g} s."
        raise Problem("request_timeout", detail, headers={"Connection": "close"}) from error
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large(limit_bytes) from error
    except web.RequestPayloadError as error:
        raise Problem("bad_request", "The body could not be read to its end.") from error


def _too_large(limit_bytes: int, *, announced: int | None = None) -> Problem:
    size = "more" if announced is None else f"{announced} bytes"
    value = None if announced is None else str(announced)
    headers = {"Connection": "close"}
    return Problem(
        "body_too_large", f"A body may have {limit_bytes} bytes, this one has {size}.", value, headers=headers
    )


def _checked(raw: bytes, operation: Operation) -> Any:
    document = parse_json(raw)
    operation.check_body(document)
    return document


def parse_json(raw: bytes) -> Any:
    """The document. Raises the problem `malformed_json`, also for NaN, lone surrogates, bad UTF-8, repeated keys."""
    try:
        orjson.loads(raw)
        # orjson would silently take the last of two keys, and make floats of large numbers.
        return json.loads(raw, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise Problem("malformed_json", f"The body is not JSON: {error}.") from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated in one object")
    return found
