"""Whole tables as an answer that is written while it is read: some rows in memory, whatever the table's size.

asked ─► place ─► headers ─► [ a page of rows ]… ─► end     the database's failure or a slow reader cuts the answer off
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from explorer.errors import DatabaseError
from explorer.web.keys import CONFIG
from explorer.web.ports import Document
from explorer.web.problems import Problem
from explorer.web.tables import CONTENT_TYPES, table_head, table_rows

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Downloads:
    """How many tables are on their way."""

    number: int = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Counts one as long as the context lasts."""
        self.number += 1
        try:
            yield
        finally:
            self.number -= 1


DOWNLOADS = web.AppKey("downloads", Downloads)


def demand_place(request: web.Request) -> None:
    """Returns where one more table may be sent; the problem `too_many_downloads` else."""
    limit = request.app[CONFIG].limits.downloads
    if request.app[DOWNLOADS].number >= limit:
        raise Problem("too_many_downloads", f"{limit} tables are being sent, and no more are allowed.", str(limit))


class TableBody(Payload):
    """The body of a table. `pages` gives its items, some at a time."""

    def __init__(
        self, request: web.Request, table: str, pages: AsyncIterator[list[Document]], *, media_type: str
    ) -> None:
        super().__init__(None, content_type=CONTENT_TYPES[media_type])
        self._table, self._pages, self._media_type = table, pages, media_type
        self._downloads = request.app[DOWNLOADS]
        self._write_timeout_s = request.app[CONFIG].limits.event_write_timeout_s
        self._transport = request.transport

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """A table that is still being read has no text as a whole."""
        raise TypeError("a streamed table cannot be decoded")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Writes the table. Cut off, it has no proper end, so that nobody takes a part for the whole."""
        with self._downloads.one_more():
            try:
                await self._send(writer, table_head(self._table, self._media_type))
                async for items in self._pages:
                    rows = await asyncio.to_thread(table_rows, self._table, items, self._media_type)
                    await self._send(writer, rows)
            except (DatabaseError, TimeoutError) as error:
                _log.warning("table_cut_off", table=self._table, error=str(error), kind=type(error).__name__)
                if self._transport is not None:
                    self._transport.abort()
                raise ConnectionResetError("a table was not sent to its end") from error

    async def _send(self, writer: AbstractStreamWriter, body: bytes) -> None:
        async with asyncio.timeout(self._write_timeout_s):
            await writer.write(body)
            await writer.drain()
