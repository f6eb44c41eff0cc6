"""Token buckets, against what they promise."""

from hypothesis import given
from hypothesis import strategies as st

from explorer.web.buckets import Buckets, Rate

SIXTY = Rate(burst=100, per_minute=60)


def test_a_burst_then_one_a_second() -> None:
    buckets = Buckets(SIXTY)
    assert [buckets.take("a", 5.0).allowed for _ in range(101)] == [True] * 100 + [False]
    assert not buckets.take("a", 5.9).allowed
    assert buckets.take("a", 6.0).allowed
    assert not buckets.take("a", 6.0).allowed
    assert buckets.take("b", 6.0).allowed


def test_it_says_what_is_left_and_when_there_is_more() -> None:
    buckets = Buckets(SIXTY)
    taken = buckets.take("a", 0.0)
    assert (taken.left, taken.full_in_s, taken.next_in_s) == (99, 1, 0)
    for _ in range(99):
        taken = buckets.take("a", 0.0)
    assert (taken.left, taken.full_in_s, taken.next_in_s) == (0, 100, 1)
    assert SIXTY.window_s == 100


def test_looking_takes_nothing() -> None:
    buckets = Buckets(Rate(burst=1, per_minute=1))
    assert all(buckets.look("a", 0.0).allowed for _ in range(5))
    buckets.take("a", 0.0)
    assert buckets.look("a", 0.0).next_in_s == 60


def test_memory_is_bounded() -> None:
    """Who has not asked for longest is forgotten, and has a full bucket again."""
    buckets = Buckets(SIXTY, most=10)
    for number in range(1000):
        buckets.take(str(number), 0.0)
    assert [buckets.look(str(number), 0.0).left for number in (0, 989, 990, 999)] == [100, 100, 99, 99]


@given(
    rate=st.builds(Rate, burst=st.integers(1, 20), per_minute=st.integers(1, 600)),
    steps=st.lists(st.floats(0, 30, allow_nan=False), max_size=80),
)
def test_never_more_than_the_burst_and_what_came_since(rate: Rate, steps: list[float]) -> None:
    """In any stretch of time, however it is cut, at most the burst and its minutes' worth are allowed."""
    buckets, now, allowed = Buckets(rate), 0.0, []
    for step in steps:
        now += step
        taken = buckets.take("a", now)
        if taken.allowed:
            allowed.append(now)
        else:
            assert buckets.look("a", now + taken.next_in_s).allowed
    for first, began in enumerate(allowed):
        for last in range(first, len(allowed)):
            promised = rate.burst + (allowed[last] - began) * rate.per_minute / 60
            assert last - first + 1 <= promised + 1e-4


def test_a_clock_that_goes_back_gives_nothing() -> None:
    buckets = Buckets(Rate(burst=1, per_minute=60))
    assert buckets.take("a", 10.0).allowed
    assert not buckets.take("a", 0.0).allowed
    assert not buckets.take("a", 0.5).allowed
