"""The queue's charts: lengths add up, and the words say the same."""

from typing import Any

import pytest

from explorer.web.queue_charts import age_bars, deadline_words, week_columns


def age(reviews: int, soon: int = 0, following: int = 0) -> dict[str, Any]:
    return {"age": "1 to 6 hours", "reviews": reviews, "soon": soon, "next": following}


def week(approved: int = 0, rejected: int = 0, expired: int = 0) -> dict[str, Any]:
    return {"week": "2026-11-23", "approved": approved, "rejected": rejected, "expired": expired}


def test_nothing_that_waits_or_ended_draws_nothing() -> None:
    assert age_bars([age(0), age(0)]) == []
    assert week_columns([week(), week()]) == []


def test_bars_are_parts_of_the_longest_and_even_one_of_many_is_seen() -> None:
    longest, short, none = age_bars([age(1_000, soon=250), age(1), age(0)])
    assert (longest.calm, longest.soon) == (75.0, 25.0)
    assert longest.words == "1,000 reviews, 250 with the deadline within a day"
    assert (short.calm, short.soon, short.words) == (1.0, 0.0, "1 review")
    assert (none.calm, none.soon, none.words) == (0.0, 0.0, "none")


@pytest.mark.parametrize(
    ("ages", "words"),
    [
        ([age(1)], "1 open review waits; no deadline is within a day"),
        ([age(2), age(3, soon=1)], "5 open reviews wait; 1 deadline within a day"),
        ([age(2, soon=2, following=1)], "2 open reviews wait; 2 deadlines within a day, 1 of them within the hour"),
    ],
)
def test_the_words_tell_how_near_deadlines_are(ages: list[dict[str, Any]], words: str) -> None:
    assert deadline_words(ages) == words


def test_a_columns_parts_stand_on_one_another() -> None:
    columns = week_columns([week(approved=5, rejected=3, expired=2), week(expired=1)])
    parts = [(part.outcome, part.top, part.height) for part in columns[0].parts]
    assert parts == [("approved", 50.0, 50.0), ("rejected", 20.0, 30.0), ("expired", 0.0, 20.0)]
    assert [(part.outcome, part.top, part.height) for part in columns[1].parts] == [("expired", 90.0, 10.0)]
    assert columns[0].left + columns[0].width < columns[1].left
