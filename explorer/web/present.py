"""What every page says of the present, whatever it shows: whether FIL+ has ended, where the chain's clock stands."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from explorer.errors import FilplusError
from explorer.web.formats import EpochClock, document_clock
from explorer.web.negotiation import prefers_page
from explorer.web.ports import Document, Index

_KNOWN_FOR_S = 2.0
_PATIENCE_S = 1.0
"""A page waits no longer than this for what it only says by the way."""


class Present:
    """The programme and the head as the index last told them; None before it did."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self.programme: Document | None = None
        self.head: EpochClock | None = None

    async def renew(self) -> None:
        """Asks the index, unless that was done within 2 s. What it can't tell within 1 s stays as it was."""
        async with self._asking:
            if time.monotonic() < self._asked_at + _KNOWN_FOR_S:
                return
            self._asked_at = time.monotonic()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    told = await self._index.present()
            except (FilplusError, TimeoutError):
                return
            self.programme, self.head = told["programme"], document_clock(told["index"])


PRESENT = web.AppKey("present", Present)


@web.middleware
async def know_present(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Has what every page says known before a page is made."""
    if prefers_page(request):
        await request.app[PRESENT].renew()
    return await handler(request)
