"""Charts of the queue as numbers for the templates to draw: how long reviews wait, how they ended week by week.

less than an hour ████████████░░   a bar for each age, those with their deadline near behind the others
week by week      a column each: approved below, then rejected, then expired
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from explorer.access.actors import Actor
from explorer.reviews import trends
from explorer.reviews.desk import Desk
from explorer.web.formats import plural
from explorer.web.ports import Document

OUTCOMES: Final = ("approved", "rejected", "expired")
_GAP: Final = 1.6
_LEAST: Final = 1.0
_MARKED: Final = 3
"""Each third week has its date below."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An age. `calm` and `soon` are lengths in percent of the longest bar; `words` says the same."""

    age: str
    calm: float
    soon: float
    words: str


@dataclass(frozen=True, slots=True)
class Part:
    """How some of a week's reviews ended, from `top` on, both in percent of the tallest column."""

    outcome: str
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """A week; `mark` is its date where it is written below."""

    week: Document
    left: float
    width: float
    mark: str | None
    parts: list[Part]


async def queue_charts(desk: Desk, actor: Actor) -> dict[str, Any]:
    """What `_queue_age.html` draws, over the reviews that the actor may see; lists are empty where there is nothing."""
    ages, weeks = await asyncio.gather(trends.load_ages(desk, actor), trends.load_weeks(desk, actor))
    return {
        "bars": age_bars(ages),
        "waiting": deadline_words(ages),
        "columns": week_columns(weeks),
        "weeks": [week for week in weeks if any(week[outcome] for outcome in OUTCOMES)],
        "totals": {outcome: sum(week[outcome] for week in weeks) for outcome in OUTCOMES},
    }


def age_bars(ages: Sequence[Document]) -> list[Bar]:
    """A bar for each age; none where nothing waits."""
    most = max((one["reviews"] for one in ages), default=0)
    return [_bar(one, most) for one in ages] if most else []


def _bar(one: Document, most: int) -> Bar:
    calm = one["reviews"] - one["soon"]
    soon = f", {one['soon']:,} with the deadline within a day" if one["soon"] else ""
    words = plural(one["reviews"], "review") + soon if one["reviews"] else "none"
    return Bar(one["age"], _length(calm, most), _length(one["soon"], most), words)


def _length(number: int, most: int) -> float:
    return max(_LEAST, round(number / most * 100, 2)) if number else 0.0


def deadline_words(ages: Sequence[Document]) -> str:
    """How many wait, and how near their deadlines are, as a sentence without its full stop."""
    total, soon, following = (sum(one[name] for one in ages) for name in ("reviews", "soon", "next"))
    waits = f"{plural(total, 'open review')} {'waits' if total == 1 else 'wait'}"
    if not soon:
        return f"{waits}; no deadline is within a day"
    within = f", {following:,} of them within the hour" if following else ""
    return f"{waits}; {plural(soon, 'deadline')} within a day{within}"


def week_columns(weeks: Sequence[Document]) -> list[Column]:
    """A column for each week; none where nothing has ended in any."""
    most = max((sum(week[outcome] for outcome in OUTCOMES) for week in weeks), default=0)
    if not most:
        return []
    width = 100 / len(weeks)
    return [
        Column(
            week,
            round(place * width + _GAP / 2, 2),
            round(width - _GAP, 2),
            week["week"][5:] if place % _MARKED == 0 else None,
            _parts(week, most),
        )
        for place, week in enumerate(weeks)
    ]


def _parts(week: Document, most: int) -> list[Part]:
    """The parts of a column from below upwards."""
    parts, top = [], 100.0
    for outcome in OUTCOMES:
        if week[outcome]:
            height = _length(week[outcome], most)
            top -= height
            parts.append(Part(outcome, round(max(0.0, top), 2), height))
    return parts
