"""The loop over a real database: nothing is missed or told twice, whatever becomes of the connection."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from explorer.ground import notified
from explorer.index import feed_watch
from explorer.index.feed import FeedEvent
from explorer.web.broadcast import Broadcast, Watcher
from tests.integration.feed.conftest import tell, watching
from tests.patience import PATIENCE_S, until


class Recorder:
    """An audience that remembers."""

    def __init__(self) -> None:
        self.begun: list[list[int]] = []
        self.heard: list[FeedEvent] = []
        self.losses = 0

    def begin(self, kept: Sequence[FeedEvent]) -> None:
        self.begun.append([event.id for event in kept])

    def add(self, events: Sequence[FeedEvent]) -> None:
        self.heard += events

    def lose(self) -> None:
        self.losses += 1

    @property
    def ids(self) -> list[int]:
        return [event.id for event in self.heard]


async def cut(pool: asyncpg.Pool) -> None:
    """Ends the watch's connection from the other side."""
    await pool.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'filplus feed'")


async def test_what_is_kept_comes_first_and_what_is_new_without_waiting_for_a_round(
    pool: asyncpg.Pool, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_watch, "ROUND_S", 3600.0)
    await tell(pool, 3)
    heard = Recorder()
    async with watching(dsn, heard):
        await until(lambda: heard.begun == [[1, 2, 3]])
        await tell(pool, 2500)
        await until(lambda: len(heard.heard) == 2500)
    assert heard.ids == list(range(4, 2504))
    assert heard.losses == 1


async def test_a_lost_connection_is_made_again(pool: asyncpg.Pool, dsn: str) -> None:
    heard = Recorder()
    async with watching(dsn, heard):
        await until(lambda: heard.begun == [[]])
        await cut(pool)
        await until(lambda: heard.losses == 1)
        await tell(pool, 2)
        await until(lambda: len(heard.begun) == 2)
        await tell(pool)
        await until(lambda: heard.ids[-1:] == [3])
    assert heard.begun[1] in ([1, 2], [])


async def test_a_word_that_got_lost_is_made_up_for(
    pool: asyncpg.Pool, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_watch, "ROUND_S", 0.1)
    await pool.execute("DROP TRIGGER grew ON explorer.feed")
    heard = Recorder()
    async with watching(dsn, heard):
        await until(lambda: heard.begun == [[]])
        await tell(pool)
        await until(lambda: heard.ids == [1])


async def test_heads_bear_how_far_the_index_is_behind(pool: asyncpg.Pool, dsn: str) -> None:
    heard = Recorder()
    async with watching(dsn, heard, lag_of=lambda epoch: 110 - epoch):
        await until(lambda: heard.begun == [[]])
        await pool.execute("INSERT INTO explorer.feed (type, data) VALUES ('head', '{\"epoch\": 100}')")
        await until(lambda: len(heard.heard) == 1)
    assert heard.heard[0].data == {"epoch": 100, "lag_epochs": 10}


async def test_watchers_go_on_after_the_database_was_away(pool: asyncpg.Pool, dsn: str) -> None:
    broadcast = Broadcast()
    watcher = Watcher(types=frozenset({"cid"}), keys=None, place=0)
    async with watching(dsn, broadcast):
        await broadcast.ready(5)
        with broadcast.watching(watcher):
            await tell(pool)
            await until(lambda: broadcast.position == 1)
            await cut(pool)
            await until(lambda: broadcast.position is None)
            await tell(pool, 2)
            await until(lambda: broadcast.position == 3)
            assert [event.id for event in broadcast.take(watcher)] == [1, 2, 3]
            assert not watcher.must_reset


async def test_a_feed_that_begins_anew_resets_the_watchers(pool: asyncpg.Pool, dsn: str) -> None:
    broadcast = Broadcast()
    watcher = Watcher(types=frozenset({"cid"}), keys=None, place=0)
    async with watching(dsn, broadcast):
        await broadcast.ready(5)
        with broadcast.watching(watcher):
            await tell(pool, 5)
            await until(lambda: broadcast.position == 5)
            await pool.execute("TRUNCATE explorer.feed RESTART IDENTITY")
            await tell(pool, 2)
            await cut(pool)
            await until(lambda: broadcast.position == 2)
            assert broadcast.take(watcher) == []
            assert watcher.must_reset


async def test_a_database_that_stays_away_is_told_after_a_while(
    dsn: str, monkeypatch: pytest.MonkeyPatch, pool: asyncpg.Pool
) -> None:
    monkeypatch.setattr("explorer.web.broadcast.AWAY_AFTER_S", 0.1)
    monkeypatch.setattr(notified, "PAUSES_S", (1.0,))
    broadcast = Broadcast()
    async with watching(dsn, broadcast):
        await broadcast.ready(5)
        await cut(pool)
        await until(lambda: broadcast.is_away)
        await until(lambda: not broadcast.is_away)


async def test_cancelling_it_is_quick(dsn: str) -> None:
    heard = Recorder()
    async with asyncio.timeout(PATIENCE_S):
        async with watching(dsn, heard):
            await until(lambda: heard.begun == [[]])
