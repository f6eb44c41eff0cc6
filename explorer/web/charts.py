"""Charts as numbers for the templates to draw: columns and bars, in percent of their space. Pure.

DataCap by month, a column each:      ended ░
                                      active █
"""

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.web.ports import Document

_LEAST = 0.5
"""So much of the space even a small amount takes, so that it can be seen."""
_WIDEST = 10.0
"""So much of the space a column takes at most: a few months are no slabs."""
_MOST_MARKS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One month. `active` and `ended` are heights in percent; active stands below."""

    month: Document
    left: float
    width: float
    active: float
    ended: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of the axis, where a year begins."""

    left: float
    text: str


@dataclass(frozen=True, slots=True)
class MonthChart:
    """Everything the template draws."""

    columns: list[Column]
    marks: list[Mark]
    most_bytes: int
    total_bytes: int
    active_bytes: int


def month_chart(months: Sequence[Document]) -> MonthChart | None:
    """The chart of a table of months; None when there is nothing to draw."""
    most = max((int(month["bytes"]) for month in months), default=0)
    if not most:
        return None
    width = min(100 / len(months), _WIDEST)
    columns = [_column(month, place * width, width, most) for place, month in enumerate(months)]
    return MonthChart(
        columns,
        _marks(months, width),
        most,
        sum(int(month["bytes"]) for month in months),
        sum(int(month["active_bytes"]) for month in months),
    )


def _column(month: Document, left: float, width: float, most: int) -> Column:
    active = int(month["active_bytes"])
    gap = min(width / 5, 0.4)
    heights = (_height(active, most), _height(int(month["bytes"]) - active, most))
    return Column(month, round(left + gap / 2, 3), round(width - gap, 3), *heights)


def _height(amount: int, most: int) -> float:
    return round(max(_LEAST, amount / most * 100), 2) if amount else 0.0


def _marks(months: Sequence[Document], width: float) -> list[Mark]:
    """The first month, and the Januaries, thinned until they can be read; epochs where there are no months."""
    named = [(place, _mark_text(month)) for place, month in enumerate(months) if _is_marked(place, month)]
    step = -(-len(named) // _MOST_MARKS)
    return [Mark(round(place * width, 2), text) for place, text in named[::step]]


def _is_marked(place: int, month: Document) -> bool:
    return month["month"] is None or place == 0 or month["month"].endswith("-01")


def _mark_text(month: Document) -> str:
    name = month["month"]
    if name is None:
        return str(month["from_epoch"])
    return str(name[:4] if name.endswith("-01") else name)


def widths(amounts: Sequence[int]) -> list[float]:
    """How long each bar is, in percent of the longest."""
    most = max(amounts, default=0)
    return [_height(amount, most) if most else 0.0 for amount in amounts]
