"""How far behind the index is: by the heads that nodes tell, and by the clock where the network keeps one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.follow.lag import GRACE_EPOCHS, RealTime, lag_epochs, real_time_of
from node.network import network_named

EPOCHS = st.integers(0, 10**7)


@pytest.mark.parametrize("name", ["devnet", "simulated"])
def test_other_networks_have_a_pace_of_their_own(name: str) -> None:
    assert real_time_of(network_named(name)) is None


def test_the_clock_of_mainnet_counts_epochs_of_30_s() -> None:
    clock = real_time_of(network_named("mainnet"))
    assert clock is not None
    genesis = datetime.fromtimestamp(clock.genesis_time, UTC)
    assert [clock.epoch_at(genesis + timedelta(seconds=seconds)) for seconds in (0, 29, 30, 3000)] == [0, 0, 1, 100]


@given(EPOCHS, EPOCHS)
def test_without_a_clock_the_head_decides_while_it_is_heard(index: int, head: int) -> None:
    assert lag_epochs(index, head, is_heard=True, clock_epoch=None) == max(head - index, 0)
    assert lag_epochs(index, head, is_heard=False, clock_epoch=None) is None


@given(EPOCHS, EPOCHS | st.none(), EPOCHS, st.booleans())
def test_a_clock_is_never_believed_less_than_a_node(index: int, head: int | None, now: int, is_heard: bool) -> None:
    lag = lag_epochs(index, head, is_heard=is_heard, clock_epoch=now)
    assert lag is not None
    assert lag >= now - GRACE_EPOCHS - index
    assert lag >= (head or 0) - index
    assert lag >= 0


def test_an_empty_index_and_a_node_that_told_nothing_have_no_lag() -> None:
    assert lag_epochs(None, 5, is_heard=True, clock_epoch=9) is None
    assert lag_epochs(5, None, is_heard=True, clock_epoch=None) is None


def test_the_lag_grows_with_the_clock_though_the_node_stands_still() -> None:
    clock = RealTime(0)
    lags = [
        lag_epochs(10, 10, is_heard=False, clock_epoch=clock.epoch_at(datetime.fromtimestamp(30 * epoch, UTC)))
        for epoch in (10, 12, 13, 22)
    ]
    assert lags == [0, 0, 1, 10]
