import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.address import (
    Address,
    actor_address,
    address_from_bytes,
    address_from_secp256k1_key,
    parse_actor_id,
    parse_address,
    text_prefix,
)
from node.errors import AddressError
from tests.unit.node.strategies import QUICK, addresses, int63, near_texts

# go-address address_test.go.
PUBLIC_KEY = bytes.fromhex(
    "049402fac37e6432a416a3a0ca5426b5185ab3b24f6134efa25ce487c82d2e4e13"
    "bf452511e0d2245421f8613bc10d72fa216666a96c3bc13920d3ff233fd0bc05"
)
SECP_TEXT = "f15ihq5ibzwki2b4ep2f46avlkrqzhpqgtga7pdrq"
BLS_TEXT = "t3vvmn62lofvhjd2ugzca6sof2j2ubwok6cj4xxbfzz4yuxfkgobpihhd2thlanmsh3w2ptld2gqkn2jvlss4a"
# fidlabs/filecoin-address-python tests.
ETH_TEXT = "0x351F3A0FAfc8fF97d5359f793A0e5d5206D9BB0D"
DELEGATED_TEXT = "t410fguptud5pzd7zpvjvt54tuds5kidntoyn3oivr6y"


def test_an_f1_address_is_the_hash_of_its_key() -> None:
    assert address_from_secp256k1_key(PUBLIC_KEY).to_text() == SECP_TEXT


@pytest.mark.parametrize("key", [b"", PUBLIC_KEY[:-1], b"\x02" + PUBLIC_KEY[1:33], b"\x02" + PUBLIC_KEY[1:]])
def test_only_an_uncompressed_key_makes_an_address(key: bytes) -> None:
    with pytest.raises(AddressError, match="uncompressed"):
        address_from_secp256k1_key(key)


def test_both_networks_write_the_same_address() -> None:
    assert parse_address("t" + SECP_TEXT[1:]) == parse_address(SECP_TEXT)
    assert parse_address(BLS_TEXT).to_text("t") == BLS_TEXT
    assert (text_prefix(SECP_TEXT), text_prefix("t01"), text_prefix(ETH_TEXT), text_prefix("")) == (
        "f",
        "t",
        None,
        None,
    )


def test_an_ethereum_address_is_f410() -> None:
    assert parse_address(ETH_TEXT) == parse_address(DELEGATED_TEXT)
    assert parse_address(DELEGATED_TEXT).to_eth() == ETH_TEXT.lower()
    assert parse_address(ETH_TEXT.upper()) == parse_address(ETH_TEXT.lower())


def test_a_masked_id_is_f0() -> None:
    assert parse_address("0xff00000000000000000000000000000000000064") == actor_address(100)
    assert actor_address(100).to_eth() == "0xff00000000000000000000000000000000000064"


def test_a_masked_id_beyond_63_bits_is_refused() -> None:
    with pytest.raises(AddressError, match="beyond"):
        parse_address("0xff0000000000000000000000" + "f" * 16)


def test_an_f410_over_a_masked_id_has_no_ethereum_form() -> None:
    assert Address(4, b"\x0a\xff" + bytes(19)).to_eth() is None
    assert Address(4, b"\x0b" + bytes(20)).to_eth() is None
    assert parse_address(SECP_TEXT).to_eth() is None


def test_binary_addresses_of_the_registry() -> None:
    # AddVerifiedClient params: f1d2xrzcslx7xlbbylc5c3d5lvandqw4iwl6epxba.
    raw = bytes.fromhex("011eaf1c8a4bbfeeb0870b1745b1f57503470b7116")
    assert address_from_bytes(raw).to_text() == "f1d2xrzcslx7xlbbylc5c3d5lvandqw4iwl6epxba"
    assert address_from_bytes(bytes.fromhex("00ea1a")).actor_id == 3434


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "f",
            "f0",
            "f1",
            "t2",
            "0x",
            "f0 1",
            "f0-1",
            "f0٣",
            "f01\n",
            " f01",
            "f01\0",
            "F01",
            "f5aaaa",
            "a01",
            "f4",
            "f4f",
            "f410f",
        ),
        *("f001", "f00000", "f01_0", f"f0{2**63}", "f0" + "9" * 19, "f0" + "1" * 5000),
        SECP_TEXT[:-1],
        SECP_TEXT.upper(),
        SECP_TEXT[:-1] + "r",
        SECP_TEXT.replace("5", "6"),
        "f2" + SECP_TEXT[2:],
        BLS_TEXT + "aaaaaaaa",
        DELEGATED_TEXT.replace("410f", "411f"),
        DELEGATED_TEXT.replace("410f", "4010f"),
        f"f4{2**63}f" + DELEGATED_TEXT[5:],
        ETH_TEXT[:-1],
        ETH_TEXT + "0",
        "0x" + "g" * 40,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError) as raised:
        parse_address(text)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "raw",
    ["", "00", "0080", "008000", "000001", "01", "02" + "00" * 21, "03" + "00" * 47, "0400" + "00" * 55, "05", "ff00"],
)
def test_what_is_no_binary_address_is_refused(raw: str) -> None:
    with pytest.raises(AddressError):
        address_from_bytes(bytes.fromhex(raw))


@pytest.mark.parametrize("actor_id", [-1, 2**63])
def test_actor_ids_have_63_bits(actor_id: int) -> None:
    with pytest.raises(AddressError):
        actor_address(actor_id)


@given(addresses, st.sampled_from("ft"))
@QUICK
def test_addresses_come_back_from_bytes_and_text(address: Address, prefix: str) -> None:
    assert address_from_bytes(address.to_bytes()) == address
    assert parse_address(address.to_text(prefix)) == address
    assert text_prefix(address.to_text(prefix)) == prefix


@given(addresses)
@QUICK
def test_ethereum_forms_come_back(address: Address) -> None:
    eth = address.to_eth()
    assert eth is None or parse_address(eth) == address


@given(
    st.one_of(
        st.binary(max_size=70), st.builds(lambda p, rest: bytes([p]) + rest, st.integers(0, 5), st.binary(max_size=60))
    )
)
@QUICK
def test_any_bytes_are_an_address_or_refused(raw: bytes) -> None:
    try:
        address = address_from_bytes(raw)
    except AddressError:
        return
    assert address.to_bytes() == raw


@given(st.one_of(st.text(), near_texts))
@QUICK
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert address.to_text(text_prefix(text) or "f") == text or text.startswith("0")


@given(addresses, st.integers(0, 90), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
@QUICK
def test_one_changed_letter_never_gives_another_address_with_a_checksum(address: Address, at: int, letter: str) -> None:
    text = address.to_text()
    changed = text[: 3 + at] + letter + text[4 + at :]
    if address.protocol in {1, 2, 3} and changed != text:
        with pytest.raises(AddressError):
            parse_address(changed)


@given(int63, st.sampled_from("ft"))
@QUICK
def test_actor_ids_come_back_from_text(actor_id: int, prefix: str) -> None:
    assert parse_actor_id(f"{prefix}0{actor_id}") == actor_id
    assert parse_address(f"{prefix}0{actor_id}").actor_id == actor_id


@given(st.one_of(st.text(), near_texts, st.text("0123456789").map(lambda digits: "f0" + digits)))
@QUICK
def test_the_fast_reader_of_ids_agrees_with_the_careful_one(text: str) -> None:
    try:
        slow = parse_address(text).actor_id if text[:2] in {"f0", "t0"} else None
    except AddressError:
        slow = None
    try:
        assert parse_actor_id(text) == slow
    except AddressError:
        assert slow is None
