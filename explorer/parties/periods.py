"""Months as stretches of epochs; thirty days at a time where no clock tells the months. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from node.network import EPOCH_SECONDS, Network, time_of_epoch

EPOCHS_PER_PERIOD = 86_400
"""Thirty days."""
MOST_PERIODS = 1_200
"""A hundred years: an absurd epoch must not make an absurd table."""


@dataclass(frozen=True, slots=True)
class Period:
    """A month, `2024-03`; without a clock the stretch from an epoch on."""

    from_epoch: int
    month: str | None


def periods_through(network: Network, epoch: int) -> tuple[Period, ...]:
    """The periods from the first epoch through `epoch`, the latest ones if there are too many."""
    last = time_of_epoch(network, epoch)
    if network.genesis_time is None or last is None:
        starts = range(0, max(epoch, 0) + 1, EPOCHS_PER_PERIOD)[-MOST_PERIODS:]
        return tuple(Period(start, None) for start in starts)
    first = datetime.fromtimestamp(network.genesis_time, UTC)
    months = range(_number(first), _number(last) + 1)[-MOST_PERIODS:]
    return tuple(_month(network.genesis_time, number) for number in months)


def first_epochs(periods: Sequence[Period]) -> list[int]:
    """Where each period begins."""
    return [period.from_epoch for period in periods]


def _number(moment: datetime) -> int:
    return moment.year * 12 + moment.month - 1


def _month(genesis_time: int, number: int) -> Period:
    begin = datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
    from_epoch = -((genesis_time - int(begin.timestamp())) // EPOCH_SECONDS)
    return Period(max(from_epoch, 0), f"{begin:%Y-%m}")
