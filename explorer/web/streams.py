"""`GET /events`: the feed as server-sent events. What is refused is refused as everywhere; then the stream begins.

asked ─► watcher ─► answer's headers ─► [ events | heartbeat ]… ─► the client, its slowness or the shutdown ends it
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import orjson
import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from explorer.errors import DatabaseError, MalformedCid
from explorer.index.feed import FeedEvent, party_key
from explorer.reviews.reading import demand_seen
from explorer.reviews.rights import demand_overseer
from explorer.web import asking
from explorer.web.broadcast import Broadcast, Watcher
from explorer.web.caching import NO_STORE
from explorer.web.doorkeeper import HOLDING, Holding
from explorer.web.formats import rfc3339
from explorer.web.keys import BROADCAST, CONFIG, INDEX, METRICS
from explorer.web.negotiation import EVENT_STREAM, chosen_type
from explorer.web.parties import parties_of
from explorer.web.ports import HEAD, EvidenceRequest, Index
from explorer.web.problems import Problem
from explorer.web.reviews import desk_of
from node.cid import Cid, kind_of, match_key, parse_cid
from node.errors import CidError

TYPES = ("head", "cid", "import")
RETRY_MS = 3_000
_SUBJECTS = ("cid", "client", "provider")
READY_WITHIN_S = 3.0
"""How long a stream waits for a feed that was just lost, or not yet begun."""

_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": NO_STORE, "X-Accel-Buffering": "no"}

Keys = frozenset[bytes]

_log = structlog.get_logger(__name__)


async def stream_events(request: web.Request) -> web.StreamResponse:
    """`GET /events`."""
    chosen_type(request, EVENT_STREAM)
    asked = asking.read_request(request, "getEvents")
    cid = None if asked["cid"] is None else _parsed(asked["cid"])
    party = await _party_key(request, asked)
    await _demand_reviews_seen(request, asked)
    broadcast = request.app[BROADCAST]
    await broadcast.ready(READY_WITHIN_S)
    place = broadcast.newest  # before its pieces are looked up: what happens meanwhile is told
    find_keys = None if cid is None else _finder(request.app[INDEX], asked["cid"], cid)
    keys = party if find_keys is None else await find_keys()
    if request.method == "HEAD":
        return web.Response(headers=_HEADERS)
    limit = request.app[CONFIG].limits.event_streams
    if broadcast.count() >= limit:
        raise Problem("too_many_streams", f"{limit} streams are open, and no more are allowed.", str(limit))
    watcher = Watcher(
        types=_types_of(asked),
        keys=keys,
        place=place,
        review_id=asked["review"],
        all_reviews=asked["reviews"] is not None,
        is_gone=_hung_up(request),
    )
    _place(watcher, broadcast, request.headers.get("Last-Event-ID", ""))
    is_payload = cid is not None and kind_of(cid) == "payload"
    body = EventStream(request, watcher, find_keys=find_keys if is_payload else None)
    return web.Response(body=body, headers=_HEADERS)


async def _demand_reviews_seen(request: web.Request, asked: dict[str, Any]) -> None:
    """Returns where no review is asked for, or what who asks may see. The events tell that one changed, not what."""
    wanted = [name for name in ("review", "reviews") if asked[name] is not None]
    if not wanted:
        return
    others = [name for name in ("cid", "client", "provider", "types") if asked[name] is not None]
    if others or len(wanted) > 1:
        detail = f"{wanted[0]} comes alone, without any other."
        raise Problem("conflicting_parameters", detail, asked[wanted[0]], "Open two streams.")
    if asked["reviews"] is not None:
        demand_overseer(asking.actor_of(request))
    else:
        await demand_seen(desk_of(request), asking.actor_of(request), asked["review"])


async def _party_key(request: web.Request, asked: dict[str, Any]) -> Keys | None:
    """The key of the client or provider whose records are watched; None where it is no party's."""
    wanted = [name for name in _SUBJECTS if asked[name] is not None]
    if len(wanted) > 1:
        detail = f"{' and '.join(wanted)} are all given."
        raise Problem("conflicting_parameters", detail, asked[wanted[1]], "Open a stream for each.")
    if not wanted or wanted == ["cid"]:
        return None
    [role] = wanted
    return frozenset({party_key(role, await parties_of(request).actor_id(asked[role]))})


def _hung_up(request: web.Request) -> Callable[[], bool]:
    """What tells whether the client has closed its connection."""
    transport = request.transport
    return lambda: transport is None or transport.is_closing()


def _parsed(text: str) -> Cid:
    try:
        return parse_cid(text)
    except CidError as error:
        raise MalformedCid(str(error), value=text[:100]) from error


def _types_of(asked: dict[str, Any]) -> frozenset[str]:
    """The wanted types; with a CID or a party and no types named, those that change the answer about it."""
    if asked["types"] is not None:
        return frozenset(asked["types"].split(","))
    is_of_all = all(asked[name] is None for name in _SUBJECTS)
    return frozenset(TYPES if is_of_all else ("cid", "import"))


def _finder(index: Index, text: str, cid: Cid) -> Callable[[], Awaitable[Keys]]:
    """What finds the match keys of a CID: its own, and those of the pieces that hold it."""

    async def find() -> Keys:
        keys = {key for key in (match_key(cid),) if key is not None}
        if kind_of(cid) == "payload":
            document = await index.verdict(text, at=HEAD, evidence=EvidenceRequest())
            pieces = (match_key(parse_cid(piece["piece_cid"])) for piece in document["evidence"]["pieces"])
            keys.update(piece for piece in pieces if piece is not None)
        return frozenset(keys)

    return find


def _place(watcher: Watcher, broadcast: Broadcast, last_event_id: str) -> None:
    """Puts a watcher behind the event that the client has seen; one that can't go on there is reset."""
    if not last_event_id:
        return
    if _ID.fullmatch(last_event_id) and broadcast.knows(int(last_event_id)):
        watcher.place = int(last_event_id)
    else:
        watcher.must_reset = True


class EventStream(Payload):
    """The body of a stream, written as the feed grows. `find_keys` looks a payload's pieces up again."""

    def __init__(
        self,
        request: web.Request,
        watcher: Watcher,
        *,
        find_keys: Callable[[], Awaitable[Keys]] | None,
    ) -> None:
        super().__init__(None, content_type=EVENT_STREAM)
        self._broadcast, self._watcher = request.app[BROADCAST], watcher
        self._limits, self._metrics = request.app[CONFIG].limits, request.app[METRICS]
        self._transport = request.transport
        self._find_keys = find_keys
        self._holding: Holding | None = request.get(HOLDING) if watcher.review_id or watcher.all_reviews else None
        self._is_told_away = False
        self._told_silence: datetime | None = None
        self._told_place = -1

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """A stream has no text as a whole."""
        raise TypeError("a stream of events cannot be decoded")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Writes until the service stops, the client goes, or it reads too slowly."""
        now = asyncio.get_running_loop().time
        with self._metrics.streaming(), self._broadcast.watching(self._watcher):
            await self._send(writer, f"retry: {RETRY_MS}\n{self._position()}\n")
            heartbeat_at = now() + self._limits.event_heartbeat_s
            while not self._broadcast.closed:
                self._watcher.woken.clear()
                is_due = now() >= heartbeat_at
                if (is_due or self._watcher.is_doubted) and not await self._is_allowed():
                    await self._send(writer, _frame(None, "ended", {}))
                    return
                text = await self._next()
                if is_due:
                    text += f": heartbeat\n{'' if text else self._position()}\n"
                    heartbeat_at = now() + self._limits.event_heartbeat_s
                if text:
                    await self._send(writer, text)
                else:
                    await self._woken(heartbeat_at - now())

    async def _is_allowed(self) -> bool:
        """Whether who watches reviews still may. While the database is away nothing is told, and nobody cut off."""
        self._watcher.is_doubted = False
        if self._holding is None:
            return True
        try:
            return await self._holding.still_holds()
        except DatabaseError as error:
            _log.info("credential_not_looked_up", error=str(error))
            return True

    async def _woken(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._watcher.woken.wait()
        except TimeoutError:
            return

    def _position(self) -> str:
        """The line that has a client go on from here, though no event for it has come; empty where it knows."""
        if self._watcher.must_reset or self._watcher.place == self._told_place:
            return ""
        self._told_place = self._watcher.place
        return f"id: {self._told_place}\n"

    async def _next(self) -> str:
        """What is to be said now; empty: nothing."""
        if self._is_told_away != self._broadcast.is_away:
            self._is_told_away = self._broadcast.is_away
            return _frame(None, "away" if self._is_told_away else "back", {})
        if self._told_silence != self._broadcast.silent_since:
            self._told_silence = self._broadcast.silent_since
            return _frame(None, "node", {"silent_since": self._told_silence and rfc3339(self._told_silence)})
        events = self._broadcast.take(self._watcher)
        if self._watcher.must_reset:
            self._broadcast.reset(self._watcher)
            await self._look_again()
            self._told_place = self._watcher.place
            return _frame(self._watcher.place, "reset", {})
        if events:
            self._told_place = events[-1].id
            await self._widen(events)
        return "".join(map(_event_frame, events))

    async def _widen(self, events: list[FeedEvent]) -> None:
        """Watches further pieces of a payload: those of labels that were just published, or of any import."""
        if self._find_keys is None:
            return
        if any(event.type == "import" for event in events):
            await self._look_again()
        pieces = frozenset(event.piece for event in events if event.piece is not None)
        if pieces - (self._watcher.keys or pieces):
            self._broadcast.widen(self._watcher, pieces)

    async def _look_again(self) -> None:
        """Finds a payload's pieces anew; where the database fails, those that are known must do."""
        if self._find_keys is not None:
            try:
                self._broadcast.widen(self._watcher, await self._find_keys())
            except DatabaseError as error:
                _log.info("pieces_not_looked_up", error=str(error))

    async def _send(self, writer: AbstractStreamWriter, text: str) -> None:
        """Writes, and waits for the client to read. One that doesn't is cut off; ConnectionResetError."""
        try:
            async with asyncio.timeout(self._limits.event_write_timeout_s):
                await writer.write(text.encode())
                await writer.drain()
        except TimeoutError as error:
            self._metrics.stream_dropped()
            if self._transport is not None:
                self._transport.abort()
            raise ConnectionResetError("a stream's client reads too slowly") from error


def _event_frame(event: FeedEvent) -> str:
    at = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return _frame(event.id, event.type, {"at": at, **event.data})


def _frame(event_id: int | None, name: str, data: dict[str, Any]) -> str:
    """One event as text. Those without an id tell of the stream, and move nobody's place."""
    first = "" if event_id is None else f"id: {event_id}\n"
    return f"{first}event: {name}\ndata: {orjson.dumps({'type': name, **data}).decode()}\n\n"
