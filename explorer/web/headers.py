"""Headers that every answer carries: security, CORS, the request's id, where the time went."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from explorer.web.config import WebConfig

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_EXPOSED = "ETag, Link, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, X-Request-ID, Filplus-As-Of"
_ALLOWED = "Accept, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-ID"
_CSP = (
    "default-src 'self'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; img-src 'self'; object-src 'none'; script-src 'self'; style-src 'self'"
)
_SECURITY = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": "filplus",
}
_HSTS = "max-age=31536000; includeSubDomains"

REQUEST_ID = web.RequestKey("REQUEST_ID", str)
TIMINGS: web.RequestKey[dict[str, float]] = web.RequestKey("TIMINGS", dict)


def request_id_from(header: str | None) -> str:
    """The caller's own id when it is short and plain, so that a trace goes on; else a new one of 128 bits."""
    return header if header is not None and _SAFE_ID.fullmatch(header) else secrets.token_hex(16)


def common_headers(config: WebConfig) -> dict[str, str]:
    """What every answer of a service carries. HSTS only where people reach it by https."""
    hsts = {"Strict-Transport-Security": _HSTS} if config.public_url.startswith("https://") else {}
    return {**_SECURITY, **hsts, "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}


def preflight_headers(methods: str, open_methods: str) -> dict[str, str]:
    """What an OPTIONS request is told: the methods, and the headers that a script may send. Never credentials."""
    return {
        "Allow": methods,
        "Access-Control-Allow-Methods": open_methods,
        "Access-Control-Allow-Headers": _ALLOWED,
        "Access-Control-Max-Age": "86400",
        "Cache-Control": "public, max-age=86400",
    }


def decorate(request: web.BaseRequest, response: web.StreamResponse, common: dict[str, str]) -> None:
    """Adds the common headers, the request's id and its timings to an answer that is about to be sent."""
    for name, value in common.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = common["Server"]
    response.headers.setdefault("Vary", "Accept")
    if REQUEST_ID in request:
        response.headers["X-Request-ID"] = request[REQUEST_ID]
    if timings := request.get(TIMINGS):
        response.headers["Server-Timing"] = ", ".join(
            f"{name};dur={spent * 1000:.1f}" for name, spent in timings.items()
        )


@contextmanager
def timed(request: web.BaseRequest, name: str) -> Iterator[None]:
    """Adds the time spent inside to what `Server-Timing` says under that name."""
    started = time.perf_counter()
    try:
        yield
    finally:
        timings = request.get(TIMINGS, {})
        request[TIMINGS] = {**timings, name: timings.get(name, 0.0) + time.perf_counter() - started}
