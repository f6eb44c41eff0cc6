"""The Filecoin envelope: what is taken, and what older tools sign that isn't."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.signatures.errors import ForgedSignature, WrongKey, WrongScheme
from explorer.signatures.frc0102 import envelope, sign_data, verify_data
from node.address import Address, actor_address, parse_address
from node.message import Message, signing_bytes
from node.signature import BLS, SECP256K1, Signature, signature_from_bytes
from node.signing import address_of_key, secret_key_from_bytes, sign
from tests.unit.signatures.builders import NOTARY, NOTARY_0X, NOTARY_BLS, NOTARY_F1, NOTARY_F3, OTHER_F1
from tests.unit.signatures.oracles import eth_keys_sign

VECTORS = json.loads((Path(__file__).parent / "vectors" / "frc0102.json").read_text())
RECORDINGS = Path(__file__).parents[2] / "recordings" / "lotus"
TEXT = b"FIL+ explorer: decision on a review\nReview: 1"
CID = bytes.fromhex("0171a0e40220")


@pytest.mark.parametrize(("text", "due"), VECTORS["envelopes"].items())
def test_the_envelope_is_the_one_of_lotus(text: str, due: str) -> None:
    assert envelope(text.encode()) == due.encode()


@pytest.mark.parametrize("case", VECTORS["bare"], ids=lambda case: case["signature"][:10])
def test_a_published_bare_signature_is_ours_but_not_taken(case: dict[str, Any]) -> None:
    key = secret_key_from_bytes(base64.b64decode(case["key"]), BLS if case.get("bls") else SECP256K1)
    signer, data = address_of_key(key), case["data"].encode()
    signature = signature_from_bytes(bytes.fromhex(case["signature"]))
    assert str(signer) == case.get("address", str(signer))
    # The same key over the same bytes gives what the other library published; so the keys and curves agree.
    assert sign(key, data) == signature
    with pytest.raises(ForgedSignature if case.get("bls") else WrongScheme):
        verify_data(signature, data, signer)
    verify_data(sign_data(key, data), data, signer)


@settings(max_examples=10)
@given(st.binary(max_size=200))
def test_what_eth_keys_signs_holds_and_is_what_we_sign(data: bytes) -> None:
    theirs = eth_keys_sign(NOTARY.raw, envelope(data))
    verify_data(signature_from_bytes(bytes.fromhex(theirs)), data, NOTARY_F1)
    assert sign_data(NOTARY, data).to_bytes().hex() == theirs


def test_a_recorded_answer_of_wallet_sign_is_of_the_bare_bytes() -> None:
    found = 0
    for line in (RECORDINGS / "03-reads-errors-events-nv28" / "calls.ndjson").read_text().splitlines():
        call = json.loads(line)
        if call["n"].endswith("-WalletSign") and "result" in call["response"]:
            signer, data = call["request"]["params"]
            signature = Signature(SECP256K1, base64.b64decode(call["response"]["result"]["Data"]))
            with pytest.raises(WrongScheme, match="bare"):
                verify_data(signature, base64.b64decode(data), parse_address(signer))
            found += 1
    assert found


@pytest.mark.parametrize(
    ("signed", "scheme"),
    [
        (TEXT, "bare"),
        (CID + hashlib.blake2b(TEXT, digest_size=32).digest(), "CID"),
        (b"Filecoin Sign Bytes:\n" + TEXT, "older Ledger tag"),
        (CID + hashlib.blake2b(b"Filecoin Sign Bytes:\n" + TEXT, digest_size=32).digest(), "older Ledger tag"),
        (b"\x19Filecoin Signed Message:\n" + len(TEXT).to_bytes(4, "big") + TEXT, "four bytes"),
    ],
)
def test_another_scheme_is_named_and_refused(signed: bytes, scheme: str) -> None:
    with pytest.raises(WrongScheme, match=scheme):
        verify_data(sign(NOTARY, signed), TEXT, NOTARY_F1)


def test_a_signed_message_of_the_chain_is_no_signed_text() -> None:
    """Login must never be fed with what moves DataCap: neither as the text nor as the signature."""
    message = Message(
        to=actor_address(6),
        sender=NOTARY_F1,
        nonce=0,
        value_attofil=0,
        gas_limit=1,
        gas_fee_cap_attofil=1,
        gas_premium_attofil=1,
        method=4,
        params=b"",
    )
    with pytest.raises(WrongScheme):
        verify_data(sign(NOTARY, signing_bytes(message)), signing_bytes(message), NOTARY_F1)
    assert not envelope(TEXT).startswith((CID, b"\x8a"))


@pytest.mark.parametrize("signer", [NOTARY_0X, actor_address(1234), Address(2, bytes(20))], ids=str)
def test_addresses_that_cannot_sign(signer: Address) -> None:
    with pytest.raises(WrongScheme, match="cannot sign"):
        verify_data(sign_data(NOTARY, TEXT), TEXT, signer)


def test_another_key_is_named() -> None:
    with pytest.raises(WrongKey, match=str(NOTARY_F1)) as refused:
        verify_data(sign_data(NOTARY, TEXT), TEXT, OTHER_F1)
    assert refused.value.recovered == str(NOTARY_F1)


@pytest.mark.parametrize("size", [0, 64, 66])
def test_a_truncated_signature_is_refused(size: int) -> None:
    with pytest.raises(ForgedSignature, match="65 bytes"):
        verify_data(Signature(SECP256K1, bytes(size)), TEXT, NOTARY_F1)


def test_a_bls_signature_holds_over_its_text_alone() -> None:
    signature = sign_data(NOTARY_BLS, TEXT)
    verify_data(signature, TEXT, NOTARY_F3)
    with pytest.raises(ForgedSignature):
        verify_data(signature, TEXT + b"1", NOTARY_F3)
    with pytest.raises(ForgedSignature):
        verify_data(Signature(BLS, signature.data[:-1]), TEXT, NOTARY_F3)
    with pytest.raises(ForgedSignature):
        verify_data(sign_data(NOTARY, TEXT), TEXT, NOTARY_F3)
    # The point at infinity is the sum of nothing, and no signature.
    with pytest.raises(ForgedSignature):
        verify_data(Signature(BLS, b"\xc0" + bytes(95)), TEXT, Address(3, b"\xc0" + bytes(47)))
