from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from explorer.parties.periods import EPOCHS_PER_PERIOD, MOST_PERIODS, first_epochs, periods_through
from node.network import network_named, time_of_epoch

MAINNET = network_named("mainnet")
CLOCKLESS = network_named("devnet")


@given(st.integers(0, 8_000_000))
def test_each_epoch_lies_in_the_month_of_its_time(epoch: int) -> None:
    last = periods_through(MAINNET, epoch)[-1]
    moment = time_of_epoch(MAINNET, epoch)
    assert moment is not None
    assert last.month == f"{moment:%Y-%m}"
    assert last.from_epoch <= epoch
    before = time_of_epoch(MAINNET, last.from_epoch - 1)
    assert before is None or f"{before:%Y-%m}" != last.month


def test_months_follow_one_another_from_the_first_epoch_on() -> None:
    periods = periods_through(MAINNET, 4_900_000)
    assert [one.month for one in periods[:6]] == ["2020-08", "2020-09", "2020-10", "2020-11", "2020-12", "2021-01"]
    assert first_epochs(periods)[:2] == [0, 20_400]
    assert first_epochs(periods) == sorted(set(first_epochs(periods)))


def test_a_month_that_begins_between_two_epochs_begins_with_the_later() -> None:
    odd = replace(MAINNET, genesis_time=1_598_306_401)
    assert first_epochs(periods_through(odd, 30_000)) == [0, 20_400]


def test_without_a_clock_periods_are_thirty_days() -> None:
    periods = periods_through(CLOCKLESS, 2 * EPOCHS_PER_PERIOD)
    assert [(one.from_epoch, one.month) for one in periods] == [(0, None), (86_400, None), (172_800, None)]


def test_absurd_epochs_make_no_absurd_table() -> None:
    for network in (MAINNET, CLOCKLESS):
        periods = periods_through(network, 2**62)
        assert len(periods) == MOST_PERIODS
        assert periods[-1].from_epoch <= 2**62
