"""Asking a running explorer over HTTP: what the command line and the pipeline node use."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import orjson

from explorer.errors import ServiceRefused, ServiceUnreachable

Document = dict[str, Any]
CIDS_PER_REQUEST = 10_000
TIMEOUT_S = 60.0


class ExplorerClient:
    """The explorer at `url`. Every call may raise ServiceUnreachable (transient) or ServiceRefused (with its code)."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Self]:
        """A client with connections of its own, closed at the end."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, connect=10)
        async with aiohttp.ClientSession(timeout=timeout, headers={"Accept": "application/json"}) as session:
            yield cls(session, url)

    async def verdict(self, cid: str, *, at_epoch: int | None = None) -> Document:
        """The document of `GET /cid/{cid}/filplus`."""
        epoch = {} if at_epoch is None else {"at_epoch": str(at_epoch)}
        return await self._ask("GET", f"/cid/{quote(cid, safe='')}/filplus", "verdict", params=epoch)

    async def verdicts(self, cids: Sequence[str], *, at_epoch: int | None = None) -> Document:
        """The document of `POST /cids/filplus` for any number of CIDs, in the order asked."""
        results: list[Document] = []
        as_of: Document | None = None
        for start in range(0, max(len(cids), 1), CIDS_PER_REQUEST):
            body: Document = {"cids": list(cids[start : start + CIDS_PER_REQUEST])}
            if at_epoch is not None:
                body["at_epoch"] = at_epoch
            answer = await self._ask("POST", "/cids/filplus", "results", json=body)
            results.extend(answer["results"])
            as_of = as_of or answer["as_of"]
        return {"results": results, "as_of": as_of}

    async def status(self) -> Document:
        """The document of `GET /status`."""
        return await self._ask("GET", "/status", "index")

    async def _ask(self, method: str, path: str, member: str, **options: Any) -> Document:
        """The answer, which as an explorer's has that member."""
        try:
            async with self._session.request(method, self._url + path, **options) as response:
                return _document(await response.read(), response.status, self._url, member)
        except (aiohttp.ClientError, TimeoutError) as error:
            what = str(error) or type(error).__name__
            raise ServiceUnreachable(
                f"no explorer answers at {self._url} ({what}): is `filplus serve` running?"
            ) from error


def _document(body: bytes, status: int, url: str, member: str) -> Document:
    """The answer, or the error that it is; ServiceUnreachable where no explorer would answer so."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ServiceUnreachable(f"{url} answered {status} without JSON: is it an explorer?") from error
    if not isinstance(document, dict):
        raise ServiceUnreachable(f"{url} answered {status} with something else than an explorer's document")
    if status >= 400:
        code = str(document.get("code", "error"))
        raise ServiceRefused(str(document.get("detail") or code), status=status, code=code)
    if member not in document:
        raise ServiceUnreachable(f"{url} answered {status} without {member!r}: is it an explorer of this release?")
    return document
