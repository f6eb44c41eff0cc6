"""The feed in memory."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from explorer.index.feed import FeedEvent
from explorer.web.broadcast import TAKEN_AT_ONCE, Broadcast, Watcher
from explorer.web.problems import Problem

A, B, PAYLOAD = b"a" * 32, b"b" * 32, b"\x12\x20" + b"p" * 32


def event(number: int, *, kind: str = "cid", piece: bytes | None = A, others: tuple[bytes, ...] = ()) -> FeedEvent:
    keys = frozenset() if piece is None else frozenset({piece, *others})
    return FeedEvent(number, datetime(2026, 1, 1, tzinfo=UTC), kind, piece, {}, keys)


def watcher(*keys: bytes, place: int = 0, **changes: Any) -> Watcher:
    options = {"types": frozenset({"head", "cid", "import"}), "keys": frozenset(keys) or None, "place": place}
    return Watcher(**{**options, **changes})


def begun(*events: FeedEvent, kept: int = 100) -> Broadcast:
    made = Broadcast(kept=kept)
    made.begin(list(events))
    return made


async def test_only_those_are_woken_whom_an_event_is_for() -> None:
    broadcast = begun()
    ones = [watcher(A), watcher(B), watcher(PAYLOAD), watcher()]
    with (
        broadcast.watching(ones[0]),
        broadcast.watching(ones[1]),
        broadcast.watching(ones[2]),
        broadcast.watching(ones[3]),
    ):
        for events, woken in (
            ([event(1)], [True, False, False, True]),
            ([event(2, piece=B, others=(PAYLOAD,))], [False, True, True, True]),
            ([event(3, kind="import", piece=None)], [True, True, True, True]),
        ):
            for one in ones:
                one.woken.clear()
            broadcast.add(events)
            assert [one.woken.is_set() for one in ones] == woken
        assert [[found.id for found in broadcast.take(one)] for one in ones] == [[1, 3], [2, 3], [2, 3], [1, 2, 3]]
    assert broadcast.count() == 0
    assert broadcast._by_key == {}


async def test_only_those_are_woken_who_may_see_a_review() -> None:
    broadcast = begun()
    one, other, every = (watcher(review_id="rev_1"), watcher(review_id="rev_2"), watcher(all_reviews=True))
    cid = watcher()
    with (
        broadcast.watching(one),
        broadcast.watching(other),
        broadcast.watching(every),
        broadcast.watching(cid),
    ):
        for number, review_id in enumerate(["rev_1", "rev_2", "rev_3"], start=1):
            for watching in (one, other, every, cid):
                watching.woken.clear()
            broadcast.add([replace(event(number, piece=None), review_id=review_id)])
            woken = [watching.woken.is_set() for watching in (one, other, every, cid)]
            assert woken == [review_id == "rev_1", review_id == "rev_2", True, False]
        broadcast.add([event(4)])
        taken = [[found.id for found in broadcast.take(watching)] for watching in (one, other, every, cid)]
        assert taken == [[1], [2], [1, 2, 3], [4]]
    assert broadcast._by_review == {}


async def test_a_watcher_goes_past_what_it_does_not_want() -> None:
    broadcast = begun(event(1), event(2, kind="head", piece=None))
    one = watcher(B, types=frozenset({"cid"}))
    one.place = 1
    assert broadcast.take(one) == []
    assert one.place == 2


async def test_only_a_known_place_can_be_gone_on_from() -> None:
    broadcast = begun(event(5), event(7))
    assert [number for number in range(10) if broadcast.knows(number)] == [5, 7]
    assert [number for number in range(3) if begun().knows(number)] == [0]


async def test_the_log_stays_small_and_who_falls_off_it_is_reset() -> None:
    broadcast = begun(kept=10)
    slow = watcher()
    for number in range(1, 100):
        broadcast.add([event(number)])
    assert len(broadcast._log) <= 20
    assert broadcast.take(slow) == []
    assert slow.must_reset
    broadcast.reset(slow)
    broadcast.add([event(100)])
    assert [found.id for found in broadcast.take(slow)] == [100]


async def test_the_place_before_the_oldest_that_is_kept_is_known() -> None:
    broadcast = begun(kept=10)
    broadcast.add([event(number) for number in range(1, 31)])
    assert broadcast.knows(20)
    assert not broadcast.knows(19)


async def test_not_too_much_is_taken_at_once() -> None:
    broadcast = begun(*map(event, range(1, 2 * TAKEN_AT_ONCE)), kept=1000)
    one = watcher(place=1)
    assert len(broadcast.take(one)) == TAKEN_AT_ONCE
    assert len(broadcast.take(one)) == TAKEN_AT_ONCE - 2


@pytest.mark.parametrize(
    ("kept", "resets", "got"),
    [([1, 2, 3], False, [3]), ([2, 3], False, [3]), ([3, 4], True, []), ([1], True, []), ([], True, [])],
)
async def test_beginning_again_joins_on_or_resets(kept: list[int], resets: bool, got: list[int]) -> None:
    broadcast = begun(event(1), event(2))
    one = watcher(place=2)
    with broadcast.watching(one):
        broadcast.lose()
        broadcast.begin([event(number) for number in kept])
        assert ([found.id for found in broadcast.take(one)], one.must_reset) == (got, resets)


async def test_a_feed_that_is_not_read_is_a_problem() -> None:
    with pytest.raises(Problem, match="cannot be read"):
        await Broadcast().ready(0.01)


async def test_widening_tells_of_more() -> None:
    broadcast = begun()
    one = watcher(PAYLOAD)
    with broadcast.watching(one):
        broadcast.widen(one, frozenset({B}))
        broadcast.add([event(1, piece=B)])
        assert one.woken.is_set()
        assert len(broadcast.take(one)) == 1


async def test_those_who_hung_up_do_not_count() -> None:
    broadcast = begun()
    with broadcast.watching(watcher()), broadcast.watching(watcher(is_gone=lambda: True)):
        assert broadcast.count() == 1
