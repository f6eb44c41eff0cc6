"""Asking a running explorer over HTTP: what the command line and the pipeline node use."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import quote

import aiohttp

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
    async def open(cls, url: str, *, key: str | None = None) -> AsyncIterator[Self]:
        """A client with connections of its own, closed at the end. It asks with a cluster's or an operator's `key`."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, connect=10)
        headers = {"Accept": "application/json"} | ({} if key is None else {"Authorization": f"Bearer {key}"})
        cookies = aiohttp.CookieJar(unsafe=True)  # as a session's on this machine's own 127.0.0.1
        async with aiohttp.ClientSession(timeout=timeout, headers=headers, cookie_jar=cookies) as session:
            yield cls(session, url)

    def use_key(self, key: str) -> None:
        """Asks with that key from now on."""
        self._session.headers["Authorization"] = f"Bearer {key}"

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

    async def report(self, body: Mapping[str, Any]) -> Document:
        """The review of a cluster's job: `POST /reviews`."""
        return await self._ask("POST", "/reviews", "state", json=body)

    async def reviews(self, filters: Mapping[str, str]) -> Document:
        """The document of `GET /reviews`."""
        return await self._ask("GET", "/reviews", "reviews", params=filters)

    async def review(self, review_id: str) -> Document:
        """The document of `GET /reviews/{id}`."""
        return await self._ask("GET", _path(review_id), "state")

    async def approval(self, review_id: str, decision: str, address: str) -> Document:
        """The text by which the notary of an address decides: `GET /reviews/{id}/approval`."""
        asked = {"decision": decision, "address": address}
        return await self._ask("GET", f"{_path(review_id)}/approval", "message", params=asked)

    async def decide(self, review_id: str, body: Mapping[str, str]) -> Document:
        """The review after a decision: `POST /reviews/{id}/decisions`."""
        return await self._ask("POST", f"{_path(review_id)}/decisions", "state", json=body)

    async def publisher_proof(self, review_id: str) -> Document:
        """The text by which the publisher proves to hold its address."""
        return await self._ask("GET", f"{_path(review_id)}/publisher-proof", "message")

    async def prove(self, review_id: str, body: Mapping[str, str]) -> Document:
        """The review with its publisher's proof."""
        return await self._ask("POST", f"{_path(review_id)}/publisher-proof", "state", json=body)

    async def nonce(self, address: str) -> Document:
        """The text by which an address signs in."""
        return await self._ask("GET", "/auth/nonce", "message", params={"address": address})

    async def sign_in(self, body: Mapping[str, str]) -> Document:
        """Who is signed in by a signed text; this client's next requests are theirs."""
        return await self._ask("POST", "/auth/verify", "id", json=body)

    async def sign_out(self) -> Document:
        """Ends the session."""
        return await self._ask("POST", "/auth/logout", "signed_in")

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


def _path(review_id: str) -> str:
    return f"/reviews/{quote(review_id, safe='')}"


def _document(body: bytes, status: int, url: str, member: str) -> Document:
    """The answer, or the error that it is; ServiceUnreachable where no explorer would answer so."""
    try:
        document = json.loads(body)  # whole numbers of any size, as a job may hold them
    except (ValueError, RecursionError) as error:
        raise ServiceUnreachable(f"{url} answered {status} without JSON: is it an explorer?") from error
    if not isinstance(document, dict):
        raise ServiceUnreachable(f"{url} answered {status} with something else than an explorer's document")
    if status >= 400:
        raise _refusal(document, status)
    if member not in document:
        raise ServiceUnreachable(f"{url} answered {status} without {member!r}: is it an explorer of this release?")
    return document


def _refusal(problem: Document, status: int) -> ServiceRefused:
    code, remedy = str(problem.get("code", "error")), problem.get("remedy")
    detail = str(problem.get("detail") or code)
    return ServiceRefused(detail, status=status, code=code, remedy=None if remedy is None else str(remedy))
