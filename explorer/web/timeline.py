"""The timeline of a verdict: one bar per claim or deal, in percent of the shown range.

start        certain end        end
  |===============|-------------|           | the asked epoch
"""

from dataclasses import dataclass

from explorer.web.evidence import Span
from explorer.web.formats import EpochClock

EPOCHS_PER_YEAR = 1_051_920
_AHEAD_EPOCHS = 6 * EPOCHS_PER_YEAR
_MIN_WIDTH = 0.6
_MAX_BARS = 60
_MAX_TICKS = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One record's bar. `solid` is the certain part, `faint` what may follow; `cut` when it goes on past the edge."""

    span: Span
    left: float
    solid: float
    faint: float
    cut: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis: the first moment of a year."""

    left: float
    year: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything the template draws. `hidden` counts the bars left out."""

    bars: list[Bar]
    ticks: list[Tick]
    asked: float | None
    asked_epoch: int | None
    hidden: int


@dataclass(frozen=True, slots=True)
class _Axis:
    first: int
    last: int

    def percent(self, epoch: int) -> float:
        share = (min(max(epoch, self.first), self.last) - self.first) / (self.last - self.first)
        return round(share * 100, 2)


def timeline_of(spans: list[Span], *, asked_epoch: int | None, clock: EpochClock | None) -> Timeline | None:
    """The timeline of the spans and the asked epoch; None when there is nothing to draw."""
    if not spans:
        return None
    axis = _axis(spans, asked_epoch)
    bars = [_bar(span, axis) for span in spans[:_MAX_BARS]]
    asked = None if asked_epoch is None else axis.percent(asked_epoch)
    return Timeline(bars, _ticks(axis, clock), asked, asked_epoch, len(spans) - len(bars))


def _axis(spans: list[Span], asked_epoch: int | None) -> _Axis:
    """From the first start to the last end, at most six years past the asked epoch: some ends are absurd."""
    starts, ends = [s.start_epoch for s in spans], [s.end_epoch for s in spans]
    if asked_epoch is not None:
        starts.append(asked_epoch)
        ends = [min(end, asked_epoch + _AHEAD_EPOCHS) for end in ends] + [asked_epoch]
    first, last = min(starts), max(*ends, min(starts) + 1)
    margin = max(1, (last - first) // 50)
    return _Axis(first - margin, last + margin)


def _bar(span: Span, axis: _Axis) -> Bar:
    left = min(axis.percent(span.start_epoch), 100 - _MIN_WIDTH)
    middle, right = axis.percent(span.certain_end_epoch), axis.percent(span.end_epoch)
    solid = max(_MIN_WIDTH, middle - left) if span.end_known else 0.0
    return Bar(span, left, round(solid, 2), round(max(0.0, right - left - solid), 2), span.end_epoch > axis.last)


def _ticks(axis: _Axis, clock: EpochClock | None) -> list[Tick]:
    """The starts of years inside the range, thinned until they can be read."""
    if clock is None:
        return []
    first, last = clock.time_of(axis.first), clock.time_of(axis.last)
    if first is None or last is None:
        return []
    years = [
        first.replace(year=y, month=1, day=1, hour=0, minute=0, second=0) for y in range(first.year + 1, last.year + 1)
    ]
    step = -(-len(years) // _MAX_TICKS) or 1
    span_s = (last - first).total_seconds()
    return [Tick(round((y - first).total_seconds() / span_s * 100, 2), y.year) for y in years[::step]]
