"""Which seeds a soak tries, and for how long."""

import os
import random
import time
from collections.abc import Callable, Iterator
from itertools import count


def first_seed() -> int:
    """SEED where one is given, else any."""
    return int(os.environ.get("SEED") or random.randrange(10**6))


def soaked_seeds(
    say_seed: Callable[[int], None], *, most: int | None = None, minutes: float | None = None
) -> Iterator[int]:
    """Seed after seed, each said: at most so many, and none after MINUTES (else `minutes`), but for the first."""
    first, given = first_seed(), os.environ.get("MINUTES")
    budget_minutes = float(given) if given else minutes
    until = None if budget_minutes is None else time.monotonic() + 60 * budget_minutes
    for seed in count(first):
        is_over = until is not None and time.monotonic() >= until
        if seed > first and (is_over or seed - first == most):
            return
        say_seed(seed)
        yield seed
