import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node.bitfield import BitField, bitfield_from_bytes, bitfield_of
from node.errors import ParamsError
from tests.unit.node.strategies import QUICK


# Devnet and mainnet: the valid deals in the returns of PublishStorageDeals, all of 1, of 5, and of 18. The others by
# hand after the format's description.
@pytest.mark.parametrize(
    ("raw", "members"),
    [
        ("", []),
        ("0c", [0]),
        ("b4", range(5)),
        ("4402", range(18)),
        ("18", [1]),
        ("94", [0, 1, 2, 3]),
        ("b002", [5]),
        ("742c05", [0, 1, 2, 8, 9]),
    ],
)
def test_sets_of_real_returns(raw: str, members: list[int]) -> None:
    field = bitfield_from_bytes(bytes.fromhex(raw))
    assert list(field) == list(members)
    assert field == bitfield_of(members)
    assert field.to_bytes().hex() == raw


def test_a_long_run_is_held_without_its_members() -> None:
    field = BitField(((7, 2**62),))
    again = bitfield_from_bytes(field.to_bytes())
    assert again == field
    assert again.count == 2**62
    assert (6 in again, 7 in again, 2**62 + 6 in again, 2**62 + 7 in again) == (False, True, True, False)
    assert len(field.to_bytes()) < 16


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("00", id="zeros"),
        pytest.param("0400", id="a zero byte behind"),
        pytest.param("01", id="version 1"),
        pytest.param("03", id="version 3"),
        pytest.param("04", id="nothing set"),
        pytest.param("1c", id="an unset run at the end"),
        pytest.param("34", id="one as a short run"),
        pytest.param("a4", id="five as a long run"),
        pytest.param("14", id="a run of nothing"),
        pytest.param("e4ffffffffffffffffffff", id="a varint that never ends"),
        pytest.param("e4ffffffffffffffffff7f", id="a run beyond 2^64"),
        pytest.param("ff" * 100, id="ones"),
    ],
)
def test_other_encodings_are_refused(raw: str) -> None:
    with pytest.raises(ParamsError) as raised:
        bitfield_from_bytes(bytes.fromhex(raw))
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("runs", [((5, 0),), ((5, -1),), ((5, 1), (6, 1)), ((5, 2), (1, 1)), ((2**64 - 1, 1),)])
def test_runs_that_are_none_are_refused(runs: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ParamsError):
        BitField(runs).to_bytes()
    with pytest.raises(ParamsError):
        bitfield_of([5, -1])


@given(st.sets(st.one_of(st.integers(0, 60), st.integers(0, 2**63))))
@QUICK
def test_sets_come_back(members: set[int]) -> None:
    field = bitfield_of(members)
    assert list(field) == sorted(members)
    assert field.count == len(members)
    assert bitfield_from_bytes(field.to_bytes()) == field


@given(st.binary(max_size=40))
@example(b"\x04" + bytes(39))
@QUICK
def test_any_bytes_are_a_set_or_refused(raw: bytes) -> None:
    try:
        field = bitfield_from_bytes(raw)
    except ParamsError:
        return
    assert field.to_bytes() == raw
