import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.varint import MAX_UVARINT, read_uvarint, uvarint_bytes
from tests.unit.node.strategies import QUICK, int63


# multiformats/unsigned-varint README, and the largest one.
@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (255, "ff01"),
        (300, "ac02"),
        (16384, "808001"),
        (MAX_UVARINT, "ff" * 8 + "7f"),
    ],
)
def test_varints_of_the_specification(value: int, encoded: str) -> None:
    assert uvarint_bytes(value).hex() == encoded
    assert read_uvarint(bytes.fromhex(encoded)) == (value, len(encoded) // 2)


@pytest.mark.parametrize(
    "encoded", ["", "80", "8000", "ac0280"[:2], "ff" * 9 + "01", "80" * 9 + "01", "81808080808080808000"]
)
def test_cut_long_and_padded_varints_are_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="varint"):
        read_uvarint(bytes.fromhex(encoded))


@pytest.mark.parametrize("value", [-1, 2**63])
def test_values_beyond_a_varint_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="varint"):
        uvarint_bytes(value)


@given(int63, st.binary(max_size=5), st.binary(max_size=5))
@QUICK
def test_a_varint_is_read_where_it_stands(value: int, before: bytes, behind: bytes) -> None:
    encoded = uvarint_bytes(value)
    assert read_uvarint(before + encoded + behind, len(before)) == (value, len(before) + len(encoded))


@given(st.binary(max_size=12))
@QUICK
def test_what_is_read_is_the_shortest_form(raw: bytes) -> None:
    try:
        value, end = read_uvarint(raw)
    except ValueError:
        return
    assert uvarint_bytes(value) == raw[:end]
