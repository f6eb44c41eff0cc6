import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import AmountError
from node.tokens import ATTOFIL_PER_FIL, TOKENS_PER_BYTE, datacap_bytes, datacap_tokens, parse_amount
from tests.unit.node.strategies import QUICK


@pytest.mark.parametrize(
    ("text", "amount"), [("0", 0), ("1", 1), ("-1", -1), ("1099511627776", 2**40), (str(2**1024 - 1), 2**1024 - 1)]
)
def test_amounts_are_decimal_strings(text: str, amount: int) -> None:
    assert parse_amount(text) == amount
    assert str(amount) == text


@pytest.mark.parametrize(
    "text",
    [
        *(None, 5, 5.0, True, [], b"5"),
        *("", " 5", "5 ", "5\n", "+5", "05", "-0", "--5", "-", "1e3", "0x5", "1_000", "5.0", "٣", "½", "NaN"),
        *("9" * 311, "9" * 100_000),
    ],
)
def test_what_is_no_amount_is_refused_briefly(text: object) -> None:
    with pytest.raises(AmountError) as raised:
        parse_amount(text)
    assert len(str(raised.value)) < 200


@given(st.integers(-(2**1000), 2**1000))
@QUICK
def test_amounts_come_back(amount: int) -> None:
    assert parse_amount(str(amount)) == amount
    assert datacap_bytes(datacap_tokens(amount)) == amount


def test_datacap_is_counted_in_whole_bytes() -> None:
    # The amount of a transfer of 32 GiB on mainnet at 2683348.
    assert datacap_tokens(2**35) == 34359738368 * 10**18
    assert ATTOFIL_PER_FIL == TOKENS_PER_BYTE == 10**18
    for tokens in (1, 10**18 - 1, 10**18 + 1, -1):
        with pytest.raises(AmountError, match="whole bytes"):
            datacap_bytes(tokens)
