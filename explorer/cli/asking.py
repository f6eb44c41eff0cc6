"""Whom a command asks: the service that is named, else the one that runs on this data directory, else the data."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from explorer.cli.terminal import Terminal
from explorer.client import ExplorerClient
from explorer.ground.service_file import running_service
from explorer.index.networks import demand_network
from explorer.index.opening import open_index
from explorer.index.questions import AsOf
from explorer.index.service import IndexService, index_service

Document = dict[str, Any]


class Asked(Protocol):
    """Something that answers look-ups: a running service, or the database itself."""

    async def verdict(self, cid: str, *, at_epoch: int | None = None) -> Document:
        """The document of `GET /cid/{cid}/filplus`."""

    async def verdicts(self, cids: Sequence[str], *, at_epoch: int | None = None) -> Document:
        """The document of `POST /cids/filplus`."""

    async def status(self) -> Document:
        """The document of `GET /status`."""


class DirectIndex:
    """Look-ups without a service."""

    def __init__(self, service: IndexService) -> None:
        self._service = service

    async def verdict(self, cid: str, *, at_epoch: int | None = None) -> Document:
        """The document of `GET /cid/{cid}/filplus`."""
        return await self._service.verdict(cid, at=AsOf(epoch=at_epoch))

    async def verdicts(self, cids: Sequence[str], *, at_epoch: int | None = None) -> Document:
        """The document of `POST /cids/filplus`."""
        return await self._service.verdicts(cids, at=AsOf(epoch=at_epoch))

    async def status(self) -> Document:
        """The document of `GET /status`."""
        return await self._service.status()


@asynccontextmanager
async def open_asked(terminal: Terminal) -> AsyncIterator[Asked]:
    """The one to ask."""
    settings = terminal.settings()
    url = terminal.url or settings.url or running_service(settings.data_dir)
    if url:
        async with ExplorerClient.open(url) as client:
            yield client
        return
    async with open_index(settings, application_name="filplus", may_migrate=False) as opened:
        async with opened.pool.acquire() as connection:
            await demand_network(connection, settings.network.name)
        yield DirectIndex(index_service(settings, opened.pool))
