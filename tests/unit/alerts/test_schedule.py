"""The state machine of deliveries and endpoints."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.alerts.schedule import (
    DELAYS_S,
    DOWN_AFTER,
    GIVE_UP_AFTER_S,
    HOUR_S,
    JITTER,
    LONGEST_HOLD_S,
    PROBE_S,
    REFUSALS,
    REFUSED_FOR_S,
    Delivery,
    Endpoint,
    Outcome,
    delay_s,
    hold_asked_s,
    outcome_of_status,
    plan,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHANCES = st.floats(0, 1, exclude_max=True)
DELIVERIES = st.builds(
    Delivery, st.integers(0, 5000), st.integers(0, 5000), st.floats(0, 10 * GIVE_UP_AFTER_S, allow_nan=False)
)
ENDPOINTS = st.builds(Endpoint, st.integers(0, 5000), st.booleans())
HOLDS = st.none() | st.floats(1, LONGEST_HOLD_S)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, Outcome.DELIVERED) for status in (200, 201, 202, 204, 299)),
        *((status, Outcome.TRANSIENT) for status in (408, 425, 429, 500, 502, 503, 504, 599, 999, 100)),
        *((status, Outcome.REFUSED) for status in (300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 413, 422)),
        (410, Outcome.GONE),
    ],
)
def test_what_statuses_mean(status: int, outcome: Outcome) -> None:
    assert outcome_of_status(status) is outcome


def test_first_retries_after_5_and_30_seconds_and_then_growing() -> None:
    delays = [delay_s(tries, lambda: 0.5) for tries in range(20)]
    assert delays[:2] == [5, 30]
    assert all(later >= earlier for earlier, later in pairwise(delays))
    assert delays[-1] == max(DELAYS_S)


@given(st.integers(0, 100), CHANCES)
def test_jitter_stays_within_its_share(tries: int, number: float) -> None:
    middle = delay_s(tries, lambda: 0.5)
    assert middle * (1 - JITTER) <= delay_s(tries, lambda: number) < middle * (1 + JITTER) + 1e-9


@given(st.sampled_from(Outcome), DELIVERIES, ENDPOINTS, CHANCES, HOLDS)
def test_every_attempt_ends_in_exactly_one_way(
    outcome: Outcome, delivery: Delivery, endpoint: Endpoint, number: float, asked_s: float | None
) -> None:
    made = plan(outcome, delivery, endpoint, chance=lambda: number, asked_s=asked_s)
    ways = [outcome is Outcome.DELIVERED, made.due_in_s is not None, made.dead_reason is not None]
    assert sum(ways) == 1
    assert (made.failures == 0) == (outcome is Outcome.DELIVERED)
    assert (made.disabled_reason is not None) == (outcome is Outcome.GONE)
    assert made.recovered == (outcome is Outcome.DELIVERED and endpoint.is_down)
    assert made.probe_in_s is None or 0 < made.probe_in_s <= PROBE_S
    assert made.hold_s is None or made.hold_s <= LONGEST_HOLD_S
    if made.due_in_s is not None:
        assert 1 <= made.due_in_s <= DELAYS_S[-1] * (1 + JITTER)


@given(st.sampled_from([Outcome.TRANSIENT, Outcome.REFUSED]), DELIVERIES, ENDPOINTS)
def test_no_message_is_given_up_before_its_time(outcome: Outcome, delivery: Delivery, endpoint: Endpoint) -> None:
    made = plan(outcome, delivery, endpoint, chance=lambda: 0.5)
    if made.dead_reason is None:
        assert delivery.tried_for_s < GIVE_UP_AFTER_S
    elif outcome is Outcome.TRANSIENT:
        assert delivery.tried_for_s >= GIVE_UP_AFTER_S >= 72 * HOUR_S
    else:
        assert delivery.tried_for_s >= min(REFUSED_FOR_S, GIVE_UP_AFTER_S)
        assert made.refusals >= REFUSALS or delivery.tried_for_s >= GIVE_UP_AFTER_S


def tried_until_dead(outcome: Outcome, number: float) -> tuple[int, float]:
    """Attempts and seconds from the first to the last, at an endpoint that takes everything else."""
    tries, refusals, at, first = 0, 0, 0.0, None
    while True:
        tried_for_s = 0.0 if first is None else at - first
        made = plan(outcome, Delivery(tries, refusals, tried_for_s), Endpoint(), chance=lambda: number)
        first = at if first is None else first
        tries, refusals = tries + 1, made.refusals
        if made.due_in_s is None:
            return tries, at - first
        at += made.due_in_s


@given(CHANCES)
def test_a_message_that_alone_fails_is_tried_for_72_hours_and_more(number: float) -> None:
    tries, seconds = tried_until_dead(Outcome.TRANSIENT, number)
    assert 72 * HOUR_S <= seconds <= GIVE_UP_AFTER_S + DELAYS_S[-1] * (1 + JITTER)
    assert 20 <= tries <= 60


@given(CHANCES)
def test_a_message_that_alone_is_refused_is_given_up_the_same_day(number: float) -> None:
    tries, seconds = tried_until_dead(Outcome.REFUSED, number)
    assert tries >= REFUSALS
    assert REFUSED_FOR_S <= seconds <= 24 * HOUR_S


@given(st.lists(st.sampled_from(Outcome), max_size=40), CHANCES)
def test_an_endpoint_is_down_from_the_third_failure_in_a_row_until_a_delivery(
    outcomes: list[Outcome], number: float
) -> None:
    endpoint, in_a_row = Endpoint(), 0
    for outcome in outcomes:
        made = plan(outcome, Delivery(), endpoint, chance=lambda: number)
        in_a_row = 0 if outcome is Outcome.DELIVERED else in_a_row + 1
        assert (made.probe_in_s is not None) == (in_a_row >= DOWN_AFTER)
        endpoint = Endpoint(made.failures, made.probe_in_s is not None)


@pytest.mark.parametrize(
    ("status", "text", "seconds"),
    [
        (429, None, 30),
        (429, "120", 120),
        (503, "7", 7),
        (503, None, None),
        (503, "0", 1),
        (503, "-5", None),
        (503, "86400", LONGEST_HOLD_S),
        (503, "999999999999", LONGEST_HOLD_S),
        (503, "9" * 400, None),
        (503, "٣", None),
        (503, format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (503, format_datetime(NOW - timedelta(days=9000), usegmt=True), 1),
        (429, "soon", 30),
        (503, "Mon, 99 Foo 9999 99:99:99 GMT", None),
        (500, " 20 ", 20),
        (400, "20", None),
        (200, "20", None),
        (410, "20", None),
    ],
)
def test_retry_after_is_honoured_within_bounds(status: int, text: str | None, seconds: float | None) -> None:
    assert hold_asked_s(status, text, now=NOW) == seconds


@given(st.text())
def test_any_retry_after_can_be_read(text: str) -> None:
    seconds = hold_asked_s(503, text, now=NOW)
    assert seconds is None or 1 <= seconds <= LONGEST_HOLD_S


def test_who_asks_for_patience_gets_it_and_nothing_else_grows() -> None:
    made = plan(Outcome.TRANSIENT, Delivery(tries=7), Endpoint(failures=9), chance=lambda: 0.5, asked_s=2)
    assert (made.due_in_s, made.hold_s, made.probe_in_s) == (2, 2, 2)
