"""Token buckets: how much somebody may ask for. In this process alone, and in bounded memory."""

import math
from collections import OrderedDict
from dataclasses import dataclass, field

_ONE = 1 - 1e-6
"""Clocks are subtracted as floats: who waits as long as was said has one again."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, then so many a minute."""

    burst: int
    per_minute: float

    @property
    def window_s(self) -> int:
        """In how many seconds an empty bucket is full again."""
        return math.ceil(self.burst * 60 / self.per_minute)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking. `left` after it; `full_in_s` until all is there again, `next_in_s` until one more is.

    `policy` says whose bucket it is: that of a key, or of a session.
    """

    policy: str
    rate: Rate
    allowed: bool
    left: int
    full_in_s: int
    next_in_s: int


@dataclass(slots=True)
class Buckets:
    """One bucket a name. Beyond `most` names, who has not asked for longest is forgotten: its bucket is full again."""

    rate: Rate
    policy: str = "key"
    most: int = 10_000
    _levels: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, name: str, now_s: float) -> Taken:
        """Takes one, where one is left. `now_s` is a clock that never goes back."""
        level = self._level(name, now_s)
        allowed = level >= _ONE
        level = max(0.0, level - allowed)
        self._levels[name] = (level, now_s)
        self._levels.move_to_end(name)
        if len(self._levels) > self.most:
            self._levels.popitem(last=False)
        return self._taken(level, allowed=allowed)

    def look(self, name: str, now_s: float) -> Taken:
        """What taking one would give, without taking it."""
        level = self._level(name, now_s)
        return self._taken(level, allowed=level >= _ONE)

    def _level(self, name: str, now_s: float) -> float:
        level, at_s = self._levels.get(name, (float(self.rate.burst), now_s))
        return min(float(self.rate.burst), level + max(0.0, now_s - at_s) * self.rate.per_minute / 60)

    def _taken(self, level: float, *, allowed: bool) -> Taken:
        a_second = self.rate.per_minute / 60
        full_in_s = math.ceil((self.rate.burst - level) / a_second)
        next_in_s = 0 if level >= _ONE else max(1, math.ceil((1 - level) / a_second))
        return Taken(self.policy, self.rate, allowed, int(level), full_in_s, next_in_s)
