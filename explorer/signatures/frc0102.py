"""FRC-0102: the envelope in which Filecoin keys sign a text that is no message of the chain.

    0x19 "Filecoin Signed Message:\\n" length-in-decimal text

An f1 key signs blake2b-256 of the envelope, an f3 key the envelope itself, as `lotus wallet sign` does since it knows
the FRC, MetaMask's Filecoin snap, and the Ledger app for personal messages. The first byte can begin neither a CID nor
a message's CBOR, so such a signature moves nothing on the chain; that is why nothing else is taken here.
"""

import hashlib

from explorer.signatures.errors import ForgedSignature, WrongKey, WrongScheme
from node.address import PROTOCOL_BLS, PROTOCOL_SECP256K1, Address
from node.errors import SignatureError
from node.signature import SECP256K1, Signature
from node.signing import SecretKey, recover_address, sign, verify

_PREFIX = b"\x19Filecoin Signed Message:\n"
_LEDGER_RAW_PREFIX = b"Filecoin Sign Bytes:\n"
_CID_PREFIX = bytes.fromhex("0171a0e40220")
"""Of DAG-CBOR under blake2b-256: how every message's CID begins."""


def envelope(data: bytes) -> bytes:
    """The data in its envelope."""
    return _PREFIX + str(len(data)).encode("ascii") + data


def sign_data(key: SecretKey, data: bytes) -> Signature:
    """The key's signature over the data in its envelope."""
    return sign(key, envelope(data))


def verify_data(signature: Signature, data: bytes, signer: Address) -> None:
    """Returns where the signer, an f1 or f3 address, signed the data in its envelope.

    WrongScheme: the signer signed these data, but in another way, or is of a kind that cannot sign. WrongKey: another
    f1 key signed. ForgedSignature: nobody did. A BLS signature takes half a second the first time.
    """
    if signer.protocol not in {PROTOCOL_SECP256K1, PROTOCOL_BLS}:
        raise WrongScheme(f"{signer} cannot sign a text; an f1, f3 or 0x address can")
    if signature.kind == SECP256K1 and signer.protocol == PROTOCOL_SECP256K1:
        _verify_secp256k1(signature, data, signer)
        return
    try:
        verify(signature, envelope(data), signer=signer)
    except SignatureError as error:
        raise ForgedSignature(str(error)) from error


def _verify_secp256k1(signature: Signature, data: bytes, signer: Address) -> None:
    recovered = _recovered(signature, envelope(data))
    if recovered == signer:
        return
    for scheme, signed in _other_schemes(data):
        if _recovers_to(signer, signature, signed):
            raise WrongScheme(f"{signer} signed {scheme}; sign the text in the envelope of FRC-0102")
    raise WrongKey(
        f"the signature is not {signer}'s over this text; over this text it would be {recovered}'s", str(recovered)
    )


def _other_schemes(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """What else a wallet may have signed of the data, by name: only to say so, none of it is taken."""
    ledger_raw = _LEDGER_RAW_PREFIX + data
    return (
        ("the bare text (lotus wallet sign --raw)", data),
        ("the text as the CID of a message", _message_cid(data)),
        ("the text under the older Ledger tag `Filecoin Sign Bytes`", ledger_raw),
        ("the text under the older Ledger tag `Filecoin Sign Bytes`", _message_cid(ledger_raw)),
        ("the text with its length as four bytes (an older Ledger app)", _PREFIX + len(data).to_bytes(4, "big") + data),
    )


def _message_cid(data: bytes) -> bytes:
    return _CID_PREFIX + hashlib.blake2b(data, digest_size=32).digest()


def _recovered(signature: Signature, data: bytes) -> Address:
    try:
        return recover_address(signature, data)
    except SignatureError as error:
        raise ForgedSignature(str(error)) from error


def _recovers_to(signer: Address, signature: Signature, data: bytes) -> bool:
    try:
        return recover_address(signature, data) == signer
    except SignatureError:
        return False
