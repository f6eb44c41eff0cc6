import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NetworkError
from node.network import (
    MAX_EPOCH,
    NETWORKS,
    epoch_at_time,
    network_named,
    parse_epoch,
    time_of_epoch,
)
from tests.unit.node.strategies import QUICK

MAINNET = NETWORKS["mainnet"]


def test_mainnet_began_at_its_known_genesis() -> None:
    assert time_of_epoch(MAINNET, 0) == datetime(2020, 8, 24, 22, 0, tzinfo=UTC)


# lotus params_mainnet.go and params_calibnet.go give heights and UTC times of these upgrades.
@pytest.mark.parametrize(
    ("network", "epoch", "time"),
    [
        ("mainnet", 3855360, datetime(2024, 4, 24, 14, 0, tzinfo=UTC)),
        ("calibration", 1427974, datetime(2024, 3, 11, 14, 0, tzinfo=UTC)),
        ("calibration", 4097613, datetime(2026, 9, 24, 12, 59, 30, tzinfo=UTC)),
    ],
)
def test_upgrades_fall_on_their_announced_times(network: str, epoch: int, time: datetime) -> None:
    assert time_of_epoch(NETWORKS[network], epoch) == time
    assert epoch_at_time(NETWORKS[network], time) == epoch


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NetworkError, match=r"'main'.*mainnet, calibration, devnet, simulated"):
        network_named("main")


def test_networks_are_found_by_name() -> None:
    assert all(network_named(name).name == name for name in NETWORKS)


@pytest.mark.parametrize("epoch", [-1, -MAX_EPOCH, MAX_EPOCH, 10**30, 265_000_000_000])
def test_absurd_epochs_have_no_time(epoch: int) -> None:
    assert time_of_epoch(MAINNET, epoch) is None


def test_the_last_epoch_of_year_9999_still_has_a_time() -> None:
    last = epoch_at_time(MAINNET, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert time_of_epoch(MAINNET, last) == datetime(9999, 12, 31, 23, 59, 30, tzinfo=UTC)
    assert time_of_epoch(MAINNET, last + 1) is None


def test_an_epoch_lasts_until_the_next_begins() -> None:
    begin = datetime(2020, 8, 24, 22, 0, 30, tzinfo=UTC)
    assert epoch_at_time(MAINNET, begin - timedelta(microseconds=1)) == 0
    assert epoch_at_time(MAINNET, begin) == 1
    assert epoch_at_time(MAINNET, begin + timedelta(seconds=29, microseconds=999_999)) == 1


def test_time_zones_are_honoured() -> None:
    assert epoch_at_time(MAINNET, datetime(2020, 8, 25, 0, 0, tzinfo=timezone(timedelta(hours=2)))) == 0


@pytest.mark.parametrize("time", [datetime(2020, 8, 24, 21, 59, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_times_before_genesis_are_refused(time: datetime) -> None:
    with pytest.raises(NetworkError, match="before the genesis of mainnet"):
        epoch_at_time(MAINNET, time)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(NetworkError, match="time zone"):
        epoch_at_time(MAINNET, datetime(2024, 1, 1))  # noqa: DTZ001


def test_a_devnet_has_no_known_clock() -> None:
    assert time_of_epoch(NETWORKS["devnet"], 5) is None
    with pytest.raises(NetworkError, match="genesis time of devnet is not known"):
        epoch_at_time(NETWORKS["devnet"], datetime(2024, 1, 1, tzinfo=UTC))


@given(st.integers(0, 2**31))
@QUICK
def test_epochs_come_back_from_their_times(epoch: int) -> None:
    time = time_of_epoch(MAINNET, epoch)
    assert time is not None
    assert epoch_at_time(MAINNET, time) == epoch


@given(st.integers(0, MAX_EPOCH))
@QUICK
def test_epochs_come_back_from_their_text(epoch: int) -> None:
    assert parse_epoch(str(epoch)) == epoch


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+1", "-1", "1_0", "1.0", "1e3", "0x1", "٣", "1\n", "1\0", str(2**63), "9" * 10_000]
)
def test_what_is_no_epoch_is_refused(text: str) -> None:
    with pytest.raises(NetworkError, match="no chain height") as raised:
        parse_epoch(text)
    assert len(str(raised.value)) < 250


@given(st.text(max_size=30))
@QUICK
def test_any_text_is_an_epoch_or_refused(text: str) -> None:
    with contextlib.suppress(NetworkError):
        assert 0 <= parse_epoch(text) <= MAX_EPOCH
