"""Open streams and pages are told since when no node is heard, and when one is again."""

from datetime import UTC, datetime

from explorer.web.broadcast import Broadcast, Watcher

SINCE = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


async def test_everybody_who_watches_is_woken_when_silence_begins_and_ends() -> None:
    broadcast = Broadcast()
    broadcast.begin([])
    watchers = [Watcher(types=frozenset({"head"}), keys=keys, place=0) for keys in (None, frozenset({b"key"}))]
    with broadcast.watching(watchers[0]), broadcast.watching(watchers[1]):
        for since in (SINCE, None):
            for one in watchers:
                one.woken.clear()
            broadcast.be_silent(since)
            assert broadcast.silent_since == since
            assert all(one.woken.is_set() for one in watchers)
