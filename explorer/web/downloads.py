"""Whole tables as an answer that is written while it is read: some rows in memory, whatever the table's size.

asked ─► place ─► headers ─► [ some rows ]… ─► end     the database's failure or a slow reader cuts the answer off
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from explorer.errors import DatabaseError
from explorer.web.keys import CONFIG
from explorer.web.problems import Problem

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Downloads:
    """How many tables are on their way."""

    number: int = 0


DOWNLOADS = web.AppKey("downloads", Downloads)


@dataclass(slots=True, eq=False)
class Place:
    """One of the places that there are for tables on their way, until it is given back."""

    _downloads: Downloads
    _connection: "asyncio.Task[Any]"
    _is_held: bool = True

    def give_back(self, _: object = None) -> None:
        """Leaves the place to another. The second time nothing happens."""
        if self._is_held:
            self._is_held = False
            self._downloads.number -= 1
            self._connection.remove_done_callback(self.give_back)


def take_place(request: web.Request) -> Place:
    """A place for one more table; the problem `too_many_downloads` where none is left.

    It is given back when the table is sent, and when the connection ends: its answer may never have begun.
    """
    downloads, limit = request.app[DOWNLOADS], request.app[CONFIG].limits.downloads
    if downloads.number >= limit:
        raise Problem("too_many_downloads", f"{limit} tables are being sent, and no more are allowed.", str(limit))
    downloads.number += 1
    place = Place(downloads, request.task)
    request.task.add_done_callback(place.give_back)
    return place


class StreamedTable(Payload):
    """The body of a table that is called `name` in the log. `parts` gives it, some rows at a time."""

    def __init__(self, request: web.Request, name: str, parts: AsyncIterator[bytes], *, content_type: str) -> None:
        super().__init__(None, content_type=content_type)
        self._name, self._parts = name, parts
        self._place = take_place(request)
        self._write_timeout_s = request.app[CONFIG].limits.event_write_timeout_s
        self._transport = request.transport

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """A table that is still being read has no text as a whole."""
        raise TypeError("a streamed table cannot be decoded")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Writes the table. Cut off, it has no proper end, so that nobody takes a part for the whole."""
        try:
            async for part in self._parts:
                await self._send(writer, part)
        except (DatabaseError, TimeoutError) as error:
            _log.warning("table_cut_off", table=self._name, error=str(error), kind=type(error).__name__)
            if self._transport is not None:
                self._transport.abort()
            raise ConnectionResetError("a table was not sent to its end") from error
        finally:
            self._place.give_back()

    async def _send(self, writer: AbstractStreamWriter, part: bytes) -> None:
        async with asyncio.timeout(self._write_timeout_s):
            await writer.write(part)
            await writer.drain()
