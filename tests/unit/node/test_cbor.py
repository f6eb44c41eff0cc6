import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cbor import bigint_from_bytes, bigint_to_bytes, decode, encode
from node.cid import Cid, parse_cid
from node.errors import CborError
from tests.unit.node.strategies import QUICK, cids

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**64), 2**64 - 1),
        st.binary(max_size=40),
        st.text(max_size=10),
        cids,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


# RFC 8949 appendix A, and values of mainnet's events.
@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1bffffffffffffffff", 2**64 - 1),
        ("20", -1),
        ("3bffffffffffffffff", -(2**64)),
        ("f4", False),
        ("f6", None),
        ("40", b""),
        ("6449455446", "IETF"),
        ("83010203", [1, 2, 3]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("1a053d0338", 87884600),
        ("65636c61696d", "claim"),
    ],
)
def test_values_of_the_rfc(raw: str, value: object) -> None:
    assert decode(bytes.fromhex(raw)) == value
    assert encode(value).hex() == raw


def test_a_cid_is_tag_42() -> None:
    raw = bytes.fromhex("d82a5828000181e203922020478606f8ef11bcf1ad258dbd82eac8b10b36b23adc0c74c38deef6c66871c426")
    cid = parse_cid("baga6ea4seaqepbqg7dxrdphrvusy3pmc5lelcczwwi5nydduyog655wgnby4ijq")
    assert decode(raw) == cid
    assert encode(cid) == raw


def test_map_keys_are_written_shortest_first() -> None:
    assert encode({"bb": 1, "c": 2, "a": 3}).hex() == "a361610361630262626201"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("", id="nothing"),
        pytest.param("0000", id="something behind"),
        pytest.param("1800", id="long zero"),
        pytest.param("1b0000000000000001", id="long one"),
        pytest.param("9fff", id="indefinite array"),
        pytest.param("5f4100ff", id="indefinite bytes"),
        pytest.param("bfff", id="indefinite map"),
        pytest.param("a2616101616102", id="key twice"),
        pytest.param("a2616201616102", id="keys out of order"),
        pytest.param("a10101", id="key no text"),
        pytest.param("a1416101", id="key of bytes"),
        pytest.param("f93c00", id="half float"),
        pytest.param("fb3ff0000000000000", id="float"),
        pytest.param("f97e00", id="not a number"),
        pytest.param("f7", id="undefined"),
        pytest.param("f0", id="simple value"),
        pytest.param("6180", id="no UTF-8"),
        pytest.param("63eda080", id="surrogate"),
        pytest.param("c11a514b67b0", id="date"),
        pytest.param("c249010000000000000000", id="big number"),
        pytest.param("d81c80", id="shared reference"),
        pytest.param("d8236161", id="regular expression"),
        pytest.param("d9d9f700", id="self-described"),
        pytest.param("dbffffffffffffffff00", id="largest tag"),
        pytest.param("d82a4100", id="no CID"),
        pytest.param("d82a4101", id="CID without 00"),
        pytest.param("d82a00", id="CID no bytes"),
        pytest.param("5bffffffffffffffff", id="huge bytes"),
        pytest.param("7bffffffffffffffff", id="huge text"),
        pytest.param("9bffffffffffffffff", id="huge array"),
        pytest.param("bbffffffffffffffff", id="huge map"),
        pytest.param("5a7fffffff00", id="two gigabytes"),
        pytest.param("81" * 100_000 + "00", id="deep arrays"),
        pytest.param("a16161" * 100_000 + "00", id="deep maps"),
        pytest.param("d82a" * 100_000 + "00", id="deep tags"),
        pytest.param("ff", id="break"),
        pytest.param("1c", id="reserved"),
    ],
)
def test_what_is_no_dag_cbor_is_refused_briefly(raw: str) -> None:
    with pytest.raises(CborError) as raised:
        decode(bytes.fromhex(raw))
    assert len(str(raised.value)) < 500


def deep_list() -> list[object]:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [1.0, 2**64, -(2**64) - 1, "\ud800", {1: 2}, {b"a": 1}, object(), float("nan"), bytearray(b"a"), {1, 2}, [1.5]],
)
def test_what_dag_cbor_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(CborError):
        encode(value)


def test_a_deep_list_is_refused() -> None:
    with pytest.raises(CborError, match="deeper"):
        encode(deep_list())


@given(values)
@QUICK
def test_values_come_back(value: object) -> None:
    raw = encode(value)
    assert decode(raw) == value
    assert encode(decode(raw)) == raw


@given(
    st.one_of(
        st.binary(max_size=40),
        st.builds(lambda cid, at, byte: encode(cid)[:at] + byte, cids, st.integers(0, 45), st.binary(max_size=3)),
    )
)
@QUICK
def test_any_bytes_are_a_value_or_refused(raw: bytes) -> None:
    try:
        value = decode(raw)
    except CborError:
        return
    assert encode(value) == raw


# AddVerifiedClient of 1 TiB, and the balance in the event of calibration 1467665.
@pytest.mark.parametrize(("raw", "value"), [("", 0), ("00010000000000", 2**40), ("00e8d4a51000", 10**12), ("0101", -1)])
def test_token_amounts(raw: str, value: int) -> None:
    assert bigint_from_bytes(bytes.fromhex(raw)) == value
    assert bigint_to_bytes(value).hex() == raw


def test_a_contract_pads_its_amounts() -> None:
    assert bigint_from_bytes(bytes(33)) == 0
    assert bigint_from_bytes(b"\0" + (2**40).to_bytes(32, "big")) == 2**40


@pytest.mark.parametrize("raw", [b"\x02\x01", b"\xff", b"\0" * 130])
def test_what_is_no_token_amount_is_refused(raw: bytes) -> None:
    with pytest.raises(CborError, match="no big integer"):
        bigint_from_bytes(raw)


def test_an_amount_beyond_the_chain_is_refused() -> None:
    assert bigint_from_bytes(bigint_to_bytes(2**1024 - 1)) == 2**1024 - 1
    with pytest.raises(CborError, match="128 bytes"):
        bigint_to_bytes(2**1024)


@given(st.integers(-(2**200), 2**200))
@QUICK
def test_amounts_come_back(value: int) -> None:
    assert bigint_from_bytes(bigint_to_bytes(value)) == value


@given(st.binary(max_size=140))
@QUICK
def test_any_bytes_are_an_amount_or_refused(raw: bytes) -> None:
    try:
        value = bigint_from_bytes(raw)
    except CborError:
        return
    assert bigint_from_bytes(bigint_to_bytes(value)) == value


def test_a_cid_of_any_sort_is_decoded_from_a_chain() -> None:
    broken = Cid(1, 0x55, 0x1011, b"\x80")
    assert decode(encode(broken)) == broken
