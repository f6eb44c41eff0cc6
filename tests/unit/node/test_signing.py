import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.address import parse_address
from node.errors import SecretKeyError, SignatureError, UnverifiableSignature
from node.message import SignedMessage, block_cid, parse_signed_message, signing_bytes
from node.signature import (
    BLS,
    DELEGATED,
    SECP256K1,
    Signature,
    parse_signature,
    signature_document,
    signature_from_bytes,
)
from node.signing import (
    SecretKey,
    address_of_key,
    recover_address,
    secret_key_from_bytes,
    sign,
    sign_message,
    verify,
    verify_message,
)
from tests.unit.node.records import signatures
from tests.unit.node.strategies import QUICK, json_values
from tests.unit.node.test_message import BLS as BLS_MESSAGE
from tests.unit.node.test_message import GRANT

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# The devnet's throwaway key of notary1, who signed GRANT.
NOTARY = secret_key_from_bytes(base64.b64decode("PreuDDxIvjNddoOTxOfeAmiZwvSXdM56pj0zHOFKSJI="))
NOTARY_ADDRESS = parse_address("f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy")
OTHER_ADDRESS = parse_address("f1msintbslqlwlfrnuhegmvrbcdzdfjgi722uc37a")

keys = st.integers(1, ORDER - 1).map(lambda number: secret_key_from_bytes(number.to_bytes(32, "big")))


def test_a_key_has_its_address() -> None:
    assert address_of_key(NOTARY) == NOTARY_ADDRESS


# Zondax/filecoin-signing-tools, their test of a signature: libsecp256k1 with the nonce of RFC 6979.
def test_signatures_are_the_bytes_of_other_implementations() -> None:
    key = secret_key_from_bytes(bytes.fromhex("b6e3f4e621e89656ed1f3a34023e8204a9f3416fdf6f4ba57f9a4c8971a91341"))
    raw = "884300e9075501f7c7cd6e87ca5cc5782b259c389f46f52617569c00420001404200010040"
    signature = sign(key, block_cid(bytes.fromhex(raw)).to_bytes())
    assert signature.data.hex() == (
        "8808dead9bd0d6953e7519f8a7ffd07eac98313f645c792664146b7727e33d78"
        "2b6a3c803949c5520cb73869a003e59f173f0f9326fd2d8825e1a1d9df59afb201"
    )


def test_a_message_of_a_node_is_verified() -> None:
    signed = parse_signed_message(GRANT)
    verify_message(signed)
    verify_message(signed, signer=NOTARY_ADDRESS)


def test_a_message_is_signed_with_its_senders_key() -> None:
    message = parse_signed_message(GRANT).message
    signed = sign_message(NOTARY, message)
    assert signed == sign_message(NOTARY, message)
    assert signed.signature.kind == SECP256K1
    verify_message(signed)
    with pytest.raises(SecretKeyError, match="is from f1msint"):
        sign_message(NOTARY, replace(message, sender=OTHER_ADDRESS))


def test_a_changed_message_is_refused() -> None:
    signed = parse_signed_message(GRANT)
    changes: list[dict[str, object]] = [
        {"nonce": 17},
        {"params": b""},
        {"method": 3},
        {"gas_premium_attofil": 1},
        {"to": NOTARY_ADDRESS},
    ]
    for change in changes:
        with pytest.raises(SignatureError, match="is not f1v2yk"):
            verify_message(replace(signed, message=replace(signed.message, **change)))  # type: ignore[arg-type]
    with pytest.raises(SignatureError):
        verify_message(signed, signer=OTHER_ADDRESS)


def test_what_cannot_be_verified_here_is_told_apart() -> None:
    signed = parse_signed_message(GRANT)
    bls = parse_signed_message(BLS_MESSAGE)
    ethereum = replace(signed.message, sender=parse_address("0x" + "11" * 20))
    by_id = replace(signed.message, sender=parse_address("f0100"))
    for unverifiable in (
        replace(signed, message=ethereum, signature=Signature(DELEGATED, bytes(65))),
        replace(signed, message=by_id),
        replace(
            signed, message=replace(signed.message, sender=parse_address("f2souupn5wd5pm3nygx7bz6o6rikr5gsitbk7cq6q"))
        ),
    ):
        with pytest.raises(UnverifiableSignature):
            verify_message(unverifiable)
    with pytest.raises(UnverifiableSignature):
        recover_address(bls.signature, b"")


def test_a_sender_named_by_its_id_is_verified_against_its_key() -> None:
    message = replace(parse_signed_message(GRANT).message, sender=parse_address("f0100"))
    signed = SignedMessage(message, sign(NOTARY, signing_bytes(message)))
    verify_message(signed, signer=NOTARY_ADDRESS)
    with pytest.raises(SignatureError, match="over this data it would be"):
        verify_message(signed, signer=OTHER_ADDRESS)


def test_nobody_signs_in_the_name_of_another_key() -> None:
    message = replace(parse_signed_message(GRANT).message, sender=OTHER_ADDRESS)
    forged = SignedMessage(message, sign(NOTARY, signing_bytes(message)))
    for signer in (None, NOTARY_ADDRESS, OTHER_ADDRESS):
        with pytest.raises(SignatureError):
            verify_message(forged, signer=signer)


@pytest.mark.parametrize("kind", [BLS, DELEGATED])
def test_a_signature_of_another_kind_is_refused(kind: int) -> None:
    with pytest.raises(SignatureError, match="secp256k1") as raised:
        verify(Signature(kind, bytes(96)), b"", signer=NOTARY_ADDRESS)
    assert not isinstance(raised.value, UnverifiableSignature)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\0", bytes(64), bytes(66), bytes(96)),
        pytest.param(bytes(65), id="zero"),
        pytest.param(b"\xff" * 64 + b"\0", id="beyond the order"),
        pytest.param(b"\1" * 64 + b"\x04", id="recovery id 4"),
        pytest.param(b"\1" * 64 + b"\x1b", id="recovery id 27, as Ethereum writes it"),
        pytest.param(b"\1" * 64 + b"\xff", id="recovery id 255"),
    ],
)
def test_bytes_that_are_no_signature_are_refused(data: bytes) -> None:
    with pytest.raises(SignatureError):
        recover_address(Signature(SECP256K1, data), b"data")
    with pytest.raises(SignatureError):
        verify(Signature(SECP256K1, data), b"data", signer=NOTARY_ADDRESS)


def test_a_signature_with_the_high_s_holds_as_on_chain() -> None:
    low = sign(NOTARY, b"data").data
    s = int.from_bytes(low[32:64], "big")
    assert s <= ORDER // 2
    high = low[:32] + (ORDER - s).to_bytes(32, "big") + bytes([low[64] ^ 1])
    verify(Signature(SECP256K1, high), b"data", signer=NOTARY_ADDRESS)


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_bytes_that_are_no_key_are_refused(raw: bytes) -> None:
    with pytest.raises(SecretKeyError) as raised:
        secret_key_from_bytes(raw)
    assert not raw or raw.hex() not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_key_is_never_shown() -> None:
    assert repr(NOTARY) == str(NOTARY) == f"{NOTARY}" == "SecretKey()"
    assert SecretKey(NOTARY.raw) == NOTARY


@given(keys, st.binary(max_size=80))
@QUICK
def test_what_a_key_signs_is_its_own(key: SecretKey, data: bytes) -> None:
    signature = sign(key, data)
    verify(signature, data, signer=address_of_key(key))
    assert recover_address(signature, data) == address_of_key(key)
    with pytest.raises(SignatureError):
        verify(signature, data + b"\0", signer=address_of_key(key))


@given(st.binary(min_size=65, max_size=65), st.binary(max_size=8))
@QUICK
def test_any_signature_is_of_some_address_or_refused(data: bytes, signed: bytes) -> None:
    for raw in (data, data[:64] + bytes([data[64] % 4])):
        try:
            address = recover_address(Signature(SECP256K1, raw), signed)
        except SignatureError:
            continue
        verify(Signature(SECP256K1, raw), signed, signer=address)


@given(signatures)
@QUICK
def test_signatures_come_back(signature: Signature) -> None:
    assert signature_from_bytes(signature.to_bytes()) == signature
    assert parse_signature(signature_document(signature)) == signature


@given(st.one_of(json_values, st.fixed_dictionaries({"Type": json_values, "Data": json_values})))
@QUICK
def test_any_document_is_a_signature_or_refused(document: object) -> None:
    try:
        signature = parse_signature(document)
    except SignatureError:
        return
    assert parse_signature(signature_document(signature)) == signature


@pytest.mark.parametrize("raw", [b"", b"\0", b"\x04" + bytes(65), b"\xff"])
def test_a_signature_of_no_known_kind_is_refused(raw: bytes) -> None:
    with pytest.raises(SignatureError):
        signature_from_bytes(raw)
