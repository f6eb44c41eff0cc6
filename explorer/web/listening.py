"""The application at a listening socket: its runner, the doorway before it, and the end of both."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientPayloadError, web
from aiohttp.http import HttpProcessingError

from explorer.ground.binding import BACKLOG
from explorer.web.doorway import DoorLimits, Doorway
from explorer.web.keys import CONFIG, METRICS

KEEPALIVE_S = 15.0
LINGERING_S = 3.0
"""How long the rest of a refused body is read and thrown away, so that the refusal arrives."""

_ACCEPTED_AT_ONCE = 16
"""How many connections asyncio accepts before the doorway can count them."""

_PARSER_SLACK = 4


@asynccontextmanager
async def answering(
    app: web.Application, bound: socket.socket, *, door: DoorLimits | None = None
) -> AsyncIterator[None]:
    """Answers at a listening socket as long as the context lasts; requests under way are then answered to their end."""
    runner = make_runner(app)
    await runner.setup()
    try:
        async with _open_doorway(runner, bound, door or DoorLimits()):
            yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _open_doorway(runner: web.AppRunner, bound: socket.socket, limits: DoorLimits) -> AsyncIterator[None]:
    server = runner.server
    if server is None:
        raise RuntimeError("the runner is not set up")
    doorway = Doorway(server, limits, runner.app[METRICS].connection_cut)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(doorway, sock=bound, backlog=_ACCEPTED_AT_ONCE)
    bound.listen(BACKLOG)  # asyncio has made the kernel's queue as short as its own
    try:
        yield
    finally:
        listening.close()
        doorway.close()


def make_runner(app: web.Application) -> web.AppRunner:
    """A runner whose parser takes more than the public limits, so that the refusal can be a problem with its code."""
    limits = app[CONFIG].limits
    options: dict[str, Any] = {
        "max_line_size": limits.request_line_bytes * _PARSER_SLACK,
        "max_field_size": limits.header_bytes * _PARSER_SLACK,
        "keepalive_timeout": KEEPALIVE_S,
        "lingering_time": LINGERING_S,
        "access_log": None,
        "logger": _protocol_logger(),
    }
    return web.AppRunner(app, **options)


def _protocol_logger() -> logging.Logger:
    """What aiohttp logs to: its own failures, but not what strangers send amiss, which the metrics count."""
    logger = logging.getLogger(f"{__name__}.protocol")
    logger.addFilter(is_our_failure)
    return logger


def is_our_failure(record: logging.LogRecord) -> bool:
    """Whether a record tells of anything but a request that could not be read."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ClientPayloadError | web.RequestPayloadError)
