"""The feed in memory, and those who watch it. Pure of input and output: `feed_watch` fills it, `streams` reads it.

  oldest kept                     newest
log  | 41 | 42 | 44 | 45 | … | 97 |        a watcher is a place in the log, and what it wants of it:
                 ^ watcher                  nothing is copied for it, so thousands cost little
"""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from explorer.index.feed import KEPT_EVENTS, FeedEvent
from explorer.web.problems import Problem

TAKEN_AT_ONCE = 100
AWAY_AFTER_S = 3.0
"""How long the feed must be away before those who watch are told."""


@dataclass(eq=False, slots=True, kw_only=True)
class Watcher:
    """One stream: the last event that it is past, what it wants, and the flag that there is something for it.

    `keys` are match keys of CIDs; None: of any. An event that may bear on every CID is for everybody.
    """

    types: frozenset[str]
    keys: frozenset[bytes] | None
    place: int
    review_id: str | None = None
    """The one review that it wants, then nothing else. Its client may see that review."""
    all_reviews: bool = False
    """Whether it wants every review, and nothing else. Its client may see them all."""
    is_gone: Callable[[], bool] = lambda: False
    """Whether its client has hung up, which it may not have noticed yet."""
    must_reset: bool = False
    is_doubted: bool = True
    """Whether its client may have lost its access since that was looked at, as before it was listed here."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, event: FeedEvent) -> bool:
        """Whether an event is for this one."""
        if event.review_id is not None:
            return self.all_reviews or event.review_id == self.review_id
        if self.review_id is not None or self.all_reviews:
            return False
        if event.type not in self.types:
            return False
        return self.keys is None or event.piece is None or not self.keys.isdisjoint(event.keys)


class Broadcast:
    """The kept events, in order, and the watchers. It is an `Audience` of the feed."""

    def __init__(self, *, kept: int = KEPT_EVENTS) -> None:
        self._kept = kept
        self._log: list[FeedEvent] = []
        self._ids: list[int] = []
        self._floor: int | None = None  # the id before the oldest in the log, where it is known
        self._watchers: set[Watcher] = set()
        self._by_key: dict[bytes, set[Watcher]] = defaultdict(set)
        self._of_all: set[Watcher] = set()
        self._by_review: dict[str, set[Watcher]] = defaultdict(set)
        self._of_all_reviews: set[Watcher] = set()
        self._ready = asyncio.Event()
        self._absence: asyncio.TimerHandle | None = None
        self.is_away = False
        self.silent_since: datetime | None = None
        self.closed = False

    @property
    def position(self) -> int | None:
        """The id of the newest event, 0 before the first; None while the feed can't be read."""
        return self.newest if self._ready.is_set() else None

    @property
    def newest(self) -> int:
        """The id of the newest event that was read; 0 before the first."""
        return self._ids[-1] if self._ids else self._floor or 0

    def count(self) -> int:
        """How many clients watch."""
        return sum(not watcher.is_gone() for watcher in self._watchers)

    async def ready(self, timeout_s: float) -> None:
        """Returns once the feed is read. Raises the problem `database_unavailable` when it isn't in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError as error:
            raise Problem("database_unavailable", "The feed of events cannot be read at the moment.") from error

    def begin(self, kept: Sequence[FeedEvent]) -> None:
        """Goes on with what the feed holds now. Where that doesn't join on, every watcher begins anew."""
        ids = [event.id for event in kept]
        fresh = bisect_right(ids, self.newest)
        if self._floor is None and not self._ids:
            self._replace(kept, ids)
        elif (self.newest == 0 and fresh == 0) or (fresh and ids[fresh - 1] == self.newest):
            self.add(kept[fresh:])
        else:
            self._replace(kept, ids)
        self._ready.set()
        self._be_away(False)

    def _replace(self, kept: Sequence[FeedEvent], ids: list[int]) -> None:
        self._log, self._ids, self._floor = list(kept), ids, None if ids else 0
        for watcher in self._watchers:
            watcher.must_reset = True

    def add(self, events: Sequence[FeedEvent]) -> None:
        """Appends events and wakes those who want one of them."""
        self._log += events
        self._ids += [event.id for event in events]
        if len(self._log) > 2 * self._kept:
            self._floor = self._ids[-self._kept - 1]
            del self._log[: -self._kept], self._ids[: -self._kept]
        for event in events:
            self._wake(self._concerned(event))

    def _concerned(self, event: FeedEvent) -> set[Watcher]:
        if event.review_id is not None:
            return self._of_all_reviews | self._by_review.get(event.review_id, set())
        return self._watchers if event.piece is None else self._watchers_of(event.keys)

    def _watchers_of(self, keys: frozenset[bytes]) -> set[Watcher]:
        return self._of_all.union(*(self._by_key[key] for key in keys if key in self._by_key))

    def lose(self) -> None:
        """The feed can't be read for now; if that lasts, the watchers are told."""
        self._ready.clear()
        if self._absence is None:
            self._absence = asyncio.get_running_loop().call_later(AWAY_AFTER_S, self._be_away, True)

    def _be_away(self, is_away: bool) -> None:
        if self._absence is not None:
            self._absence.cancel()
            self._absence = None
        self.is_away = is_away
        self._wake(self._watchers)

    def be_silent(self, since: datetime | None) -> None:
        """Tells the watchers since when nobody knows what the chain does; None: it is known again."""
        self.silent_since = since
        self._wake(self._watchers)

    def doubt(self) -> None:
        """Somebody's access has ended: has every stream of reviews look whether its client's still holds."""
        watchers = self._of_all_reviews.union(*self._by_review.values())
        for watcher in watchers:
            watcher.is_doubted = True
        self._wake(watchers)

    def close(self) -> None:
        """Ends every stream."""
        self.closed = True
        self._wake(self._watchers)

    def _wake(self, watchers: set[Watcher]) -> None:
        for watcher in watchers:
            watcher.woken.set()

    @contextmanager
    def watching(self, watcher: Watcher) -> Iterator[None]:
        """Tells the watcher of what comes, as long as the context lasts."""
        self._watchers.add(watcher)
        self._enlist(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)
            self._strike_off(watcher)

    def widen(self, watcher: Watcher, keys: frozenset[bytes]) -> None:
        """Has a watcher of a CID be told of more keys."""
        self._strike_off(watcher)
        watcher.keys = (watcher.keys or frozenset()) | keys
        self._enlist(watcher)

    def _enlist(self, watcher: Watcher) -> None:
        if watcher.all_reviews:
            self._of_all_reviews.add(watcher)
        elif watcher.review_id is not None:
            self._by_review[watcher.review_id].add(watcher)
        elif watcher.keys is None:
            self._of_all.add(watcher)
        for key in watcher.keys or ():
            self._by_key[key].add(watcher)

    def _strike_off(self, watcher: Watcher) -> None:
        self._of_all.discard(watcher)
        self._of_all_reviews.discard(watcher)
        if watcher.review_id is not None:
            self._by_review[watcher.review_id].discard(watcher)
            if not self._by_review[watcher.review_id]:
                del self._by_review[watcher.review_id]
        for key in watcher.keys or ():
            self._by_key[key].discard(watcher)
            if not self._by_key[key]:
                del self._by_key[key]

    def knows(self, event_id: int) -> bool:
        """Whether everything after that event is still here."""
        at = bisect_right(self._ids, event_id)
        return event_id == self._floor or (at > 0 and self._ids[at - 1] == event_id)

    def reset(self, watcher: Watcher) -> None:
        """Puts a watcher behind the newest event."""
        watcher.must_reset, watcher.place = False, self.newest

    def take(self, watcher: Watcher) -> list[FeedEvent]:
        """The next events for a watcher, which goes past them; none: it has seen all, or must be reset."""
        if watcher.place != self.newest and not self.knows(watcher.place):
            watcher.must_reset = True
        if watcher.must_reset:
            return []
        found = []
        for at in range(bisect_right(self._ids, watcher.place), len(self._log)):
            watcher.place = self._ids[at]
            if watcher.wants(self._log[at]):
                found.append(self._log[at])
                if len(found) == TAKEN_AT_ONCE:
                    break
        return found
