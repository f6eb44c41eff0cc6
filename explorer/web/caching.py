"""Answers that can be cached: a strong ETag of the body, 304 when the client has it."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from aiohttp import web

LARGE_BYTES = 64 * 1024
HEAD_MAX_AGE_S = 15
MAX_AGE_S = 60
NO_STORE = "no-store"
PRIVATE: Final = "private, no-store"
"""For whoever asked, and for no cache."""
ASSET_CACHE = "public, max-age=31536000, immutable"


def max_age(seconds: int) -> str:
    """The Cache-Control value for an answer that is good for so long."""
    return f"public, max-age={seconds}"


def etag_of(body: bytes) -> str:
    """The strong entity tag of a body, with its quotes."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the header If-None-Match names the tag (compared weakly, as RFC 9110 §13.1.2 says)."""
    if if_none_match is None:
        return False
    named = [entry.strip().removeprefix("W/") for entry in if_none_match.split(",")]
    return "*" in named or etag in named


def encoded(document: Any) -> bytes:
    """The document as JSON bytes."""
    return orjson.dumps(document)


async def encode(document: Any, *, large: bool) -> bytes:
    """As `encoded`, in a thread when the document is large."""
    return await asyncio.to_thread(encoded, document) if large else encoded(document)


def cacheable(
    request: web.Request,
    body: bytes,
    *,
    content_type: str,
    cache_control: str,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A 200 with the body and its ETag, or a 304 without a body when the client named that ETag."""
    etag = etag_of(body)
    known = {"ETag": etag, "Cache-Control": cache_control, **(headers or {})}
    if request.method in ("GET", "HEAD") and is_known(request.headers.get("If-None-Match"), etag):
        return web.Response(status=304, headers=known)
    return web.Response(body=body, headers={"Content-Type": content_type, **known})


def json_answer(
    request: web.Request, document: Any, *, cache_control: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The document as a cacheable JSON answer."""
    return cacheable(
        request, encoded(document), content_type="application/json", cache_control=cache_control, headers=headers
    )


def page_answer(
    request: web.Request,
    text: str,
    *,
    cache_control: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """The text as an HTML page; cacheable where its status is 200."""
    body, content_type = text.encode("utf-8", "replace"), "text/html; charset=utf-8"
    if status == 200:
        return cacheable(request, body, content_type=content_type, cache_control=cache_control, headers=headers)
    known = {"Content-Type": content_type, "Cache-Control": cache_control, **(headers or {})}
    return web.Response(status=status, body=body, headers=known)


async def written_page(
    request: web.Request,
    write: Callable[[], str],
    *,
    cache_control: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """The page whose text `write` gives, as `page_answer` has it. Written in a thread, since it may be large."""

    def answer() -> web.Response:
        return page_answer(request, write(), cache_control=cache_control, status=status, headers=headers)

    return await asyncio.to_thread(answer)
