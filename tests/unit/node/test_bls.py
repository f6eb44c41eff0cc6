"""BLS signatures against those that a Lotus node made with the same keys."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.actors.market import ClientDealProposal, PublishStorageDealsParams
from node.address import Address, parse_address
from node.bls import bls_holds, bls_sign, public_key, secret_from_seed
from node.errors import SecretKeyError, SignatureError, UnverifiableSignature
from node.message import SignedMessage, parse_signed_message, signing_bytes
from node.signature import BLS, Signature
from node.signing import SecretKey, address_of_key, secret_key_from_bytes, sign, sign_message, verify, verify_message

RECORDINGS = Path(__file__).parents[2] / "recordings" / "lotus"
FOLDERS = sorted(one.name for one in RECORDINGS.iterdir() if one.is_dir())
# Public vectors of the ciphersuite: the order of the curve, and the number before it, in Filecoin's byte order.
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


def keys() -> dict[Address, SecretKey]:
    """The recorded devnet's throwaway BLS keys."""
    accounts = json.loads((RECORDINGS / "accounts.json").read_text()).values()
    return {
        parse_address(one["address"]): secret_key_from_bytes(base64.b64decode(one["private_key_b64"]), BLS)
        for one in accounts
        if one["key_type"] == "bls"
    }


def calls(folder: str) -> Iterator[tuple[str, Any, Any]]:
    """Method, params and result of each recorded answer."""
    with (RECORDINGS / folder / "calls.ndjson").open() as lines:
        for line in lines:
            call = json.loads(line)
            request, response = call.get("request"), call.get("response")
            if isinstance(request, dict) and isinstance(response, dict) and response.get("result") is not None:
                yield request.get("method"), request.get("params"), response["result"]


def signed_by_wallets() -> list[SignedMessage]:
    """Every message that a recorded node signed with a BLS key, each once."""
    documents = (
        result
        for folder in FOLDERS
        for method, _, result in calls(folder)
        if method in {"Filecoin.WalletSignMessage", "Filecoin.MpoolPushMessage"} and result["Signature"]["Type"] == BLS
    )
    return list(dict.fromkeys(parse_signed_message(one, check_cid=False) for one in documents))


def published_deals(folder: str) -> Iterator[ClientDealProposal]:
    """Every deal in a message to the market that a recorded node signed or took."""
    for method, params, _ in calls(folder):
        message = params[0] if method == "Filecoin.MpoolPushMessage" else None
        message = params[1] if method == "Filecoin.WalletSignMessage" else message
        if isinstance(message, dict) and message.get("To") == "f05" and message.get("Method") == 4:
            yield from PublishStorageDealsParams.from_bytes(base64.b64decode(message["Params"])).deals


KEYS = keys()
SIGNED = signed_by_wallets()
KEY = next(iter(KEYS.values()))


def test_the_keys_are_those_of_their_addresses() -> None:
    assert len(KEYS) == 5
    for address, key in KEYS.items():
        assert address_of_key(key) == address


def test_the_messages_of_a_node_are_verified_and_made_again_to_the_byte() -> None:
    made_again = 0
    for signed in SIGNED:
        verify_message(signed)
        key = KEYS.get(signed.message.sender)
        if key is not None:
            assert sign_message(key, signed.message) == signed
            made_again += 1
    assert made_again > 3


def test_deals_that_a_node_signed_are_signed_the_same() -> None:
    checked = 0
    for folder in FOLDERS:
        for deal in published_deals(folder):
            if deal.client_signature.kind == BLS:
                data, signer = deal.proposal.to_bytes(), deal.proposal.client
                verify(deal.client_signature, data, signer=signer)
                assert sign(KEYS[signer], data) == deal.client_signature
                checked += 1
    assert checked


@pytest.mark.parametrize("place", [0, 1, 47, 48, 95])
def test_a_changed_signature_is_refused(place: int) -> None:
    signed = SIGNED[0]
    raw = bytearray(signed.signature.data)
    raw[place] ^= 1
    with pytest.raises(SignatureError, match="is not f3"):
        verify_message(replace(signed, signature=Signature(BLS, bytes(raw))))


def test_a_changed_message_and_another_signer_are_refused() -> None:
    signed = SIGNED[0]
    with pytest.raises(SignatureError):
        verify_message(replace(signed, message=replace(signed.message, nonce=signed.message.nonce + 1)))
    other = next(address for address in KEYS if address != signed.message.sender)
    with pytest.raises(SignatureError):
        verify(signed.signature, signing_bytes(signed.message), signer=other)


@pytest.mark.parametrize(
    "data", [b"", bytes(65), bytes(95), bytes(97), bytes(96), b"\xff" * 96, b"\xc0" + bytes(95), b"\x80" + bytes(95)]
)
def test_bytes_that_are_no_signature_are_refused(data: bytes) -> None:
    with pytest.raises(SignatureError) as raised:
        verify(Signature(BLS, data), b"data", signer=address_of_key(KEY))
    assert not isinstance(raised.value, UnverifiableSignature)


@pytest.mark.parametrize("public", [bytes(48), b"\xff" * 48, b"\xc0" + bytes(47), b"\x80" + bytes(47), b""])
def test_bytes_that_are_no_public_key_verify_nothing(public: bytes) -> None:
    assert not bls_holds(public, b"data", sign(KEY, b"data").data)


def test_long_data_is_signed_and_verified() -> None:
    data = bytes(range(256)) * 20
    signature = bls_sign(KEY.raw, data)
    assert bls_holds(public_key(KEY.raw), data, signature)
    assert not bls_holds(public_key(KEY.raw), data + b"\0", signature)


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), bytes(32), ORDER.to_bytes(32, "little"), b"\xff" * 32])
def test_bytes_that_are_no_key_are_refused(raw: bytes) -> None:
    with pytest.raises(SecretKeyError) as raised:
        secret_key_from_bytes(raw, BLS)
    assert not raw or raw.hex() not in str(raised.value)


def test_the_greatest_key_signs() -> None:
    greatest = secret_key_from_bytes((ORDER - 1).to_bytes(32, "little"), BLS)
    verify(sign(greatest, b"data"), b"data", signer=address_of_key(greatest))


def test_keys_from_seeds_are_keys_and_differ() -> None:
    made = {secret_from_seed(bytes([number]) * 32) for number in range(3)}
    assert len(made) == 3
    assert secret_from_seed(bytes(32)) in made
    assert all(secret_key_from_bytes(one, BLS).kind == BLS for one in made)


def test_a_key_is_never_shown() -> None:
    assert repr(KEY) == "SecretKey()"


def test_the_interpreters_recursion_limit_stays() -> None:
    """The library raises it so far that nested JSON would crash the process."""
    program = (
        "import sys; from node.bls import bls_sign; before = sys.getrecursionlimit();"
        "bls_sign(b'\\1' * 31 + b'\\0', b'data'); assert sys.getrecursionlimit() == before"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_signing_deep_down_the_stack_works() -> None:
    def deep(levels: int) -> bytes:
        return bls_sign(KEY.raw, b"data") if levels == 0 else deep(levels - 1)

    assert deep(500) == bls_sign(KEY.raw, b"data")


def test_the_library_is_not_loaded_until_it_is_needed() -> None:
    program = (
        "import sys, node.signing, node.sim.rpc.dispatch, pipeline.program;"
        "from node.sim.chain import SimulatedChain; SimulatedChain().mine();"
        "assert 'py_ecc' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
