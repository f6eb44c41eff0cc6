"""Checksums and `personal_sign` against published examples and eth-account."""

import pytest
from coincurve import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.signatures.errors import ForgedSignature, UnsayableFact, WrongKey, WrongScheme
from explorer.signatures.ethereum import (
    canonical_eth_signature,
    checksummed,
    eth_address,
    eth_text,
    is_checksummed,
    keccak256,
    personal_digest,
    recover_eth_address,
    verify_personal,
)
from node.address import actor_address, parse_address
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F1, secret
from tests.unit.signatures.oracles import Account, personal_sign

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# The test cases of EIP-55.
EIP55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


def test_keccak_is_not_sha3() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize("text", EIP55)
def test_checksums_of_the_standard(text: str) -> None:
    assert checksummed(bytes.fromhex(text[2:])) == text
    assert is_checksummed(text)
    assert not is_checksummed(text.swapcase().replace("X", "x"))


@given(st.binary(min_size=20, max_size=20).filter(lambda raw: raw[0] != 0xFF))
def test_0x_and_f410_are_one_address(raw: bytes) -> None:
    address = eth_address(raw)
    assert parse_address(eth_text(address)) == parse_address(str(address)) == address


@pytest.mark.parametrize("address", [NOTARY_F1, actor_address(1234)], ids=str)
def test_other_addresses_have_no_0x(address: object) -> None:
    with pytest.raises(UnsayableFact, match="no Ethereum address"):
        eth_text(address)  # type: ignore[arg-type]


@settings(max_examples=30)
@given(st.binary(min_size=32, max_size=32).filter(lambda raw: 0 < int.from_bytes(raw, "big") < ORDER), st.text())
def test_what_eth_account_signs_is_recovered(key: bytes, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    signature = personal_sign(key, text)
    signer = recover_eth_address(signature, personal_digest(text.encode()))
    assert eth_text(signer) == Account.from_key(key).address
    assert canonical_eth_signature(signature) == signature


@pytest.mark.parametrize("v", range(256))
def test_only_four_recovery_bytes_are_taken(v: int) -> None:
    signature = personal_sign(secret("notary"), "hello")
    altered = signature[:64] + bytes([v])
    if v in {signature[64], signature[64] - 27}:
        verify_personal(altered, b"hello", NOTARY_0X)
        assert canonical_eth_signature(altered) == signature
    else:
        with pytest.raises(WrongKey if v in {0, 1, 27, 28} else ForgedSignature):
            verify_personal(altered, b"hello", NOTARY_0X)


def test_the_high_s_holds_and_is_kept_as_the_low_one() -> None:
    signature = personal_sign(secret("notary"), "hello")
    high = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + high.to_bytes(32, "big") + bytes([55 - signature[64]])
    verify_personal(twin, b"hello", NOTARY_0X)
    assert twin != signature == canonical_eth_signature(twin)


@pytest.mark.parametrize("size", [0, 1, 64, 66, 130])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ForgedSignature, match=f"65 bytes, not {size}"):
        verify_personal(bytes(size), b"hello", NOTARY_0X)


@pytest.mark.parametrize("part", [bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32])
@pytest.mark.parametrize("at", [0, 32])
def test_numbers_beyond_the_curve_are_refused(part: bytes, at: int) -> None:
    signature = personal_sign(secret("notary"), "hello")
    with pytest.raises(ForgedSignature):
        verify_personal(signature[:at] + part + signature[at + 32 :], b"hello", NOTARY_0X)


def test_every_altered_byte_is_refused() -> None:
    signature = personal_sign(secret("notary"), "hello")
    for at in range(65):
        for flip in (1, 0x80):
            altered = signature[:at] + bytes([signature[at] ^ flip]) + signature[at + 1 :]
            with pytest.raises((WrongKey, ForgedSignature)):
                verify_personal(altered, b"hello", NOTARY_0X)


def test_the_bare_text_signed_is_another_scheme() -> None:
    raw = PrivateKey(secret("notary")).sign_recoverable(keccak256(b"hello"), hasher=None)
    with pytest.raises(WrongScheme, match="bare text"):
        verify_personal(raw, b"hello", NOTARY_0X)
