"""Signing with secp256k1 (f1) and BLS (f3) keys, and verifying what they signed.

A secp256k1 key signs blake2b-256 of the data, a BLS key the data itself: of a message its CID's bytes, of a deal
proposal its CBOR. A secp256k1 signature is r, s and the recovery id, 65 bytes; ours have the low s and the nonce of
RFC 6979, so that the same data gives the same bytes. Lotus mixes randomness into its own, so the same message signed
twice by a node has two signatures; of BLS ones there is only one.

Delegated (f410) signatures are recognised and kept, but not verified: UnverifiableSignature.
"""

import hashlib
from dataclasses import dataclass, field

from coincurve import PrivateKey, PublicKey

from node.address import (
    PROTOCOL_BLS,
    PROTOCOL_DELEGATED,
    PROTOCOL_SECP256K1,
    Address,
    address_from_secp256k1_key,
)
from node.bls import SIGNATURE_BYTES as BLS_SIGNATURE_BYTES
from node.bls import bls_holds, bls_sign, public_key, secret_number
from node.errors import SecretKeyError, SignatureError, UnverifiableSignature
from node.message import Message, SignedMessage, signing_bytes
from node.signature import BLS, DELEGATED, KIND_NAMES, SECP256K1, Signature

KEY_BYTES = 32
SIGNATURE_BYTES = 65

_KIND_OF_PROTOCOL = {PROTOCOL_SECP256K1: SECP256K1, PROTOCOL_BLS: BLS, PROTOCOL_DELEGATED: DELEGATED}


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A private key, made by `secret_key_from_bytes`. Its text never shows it."""

    raw: bytes = field(repr=False)
    kind: int = field(default=SECP256K1, repr=False)
    """SECP256K1 or BLS: what it signs by."""


def secret_key_from_bytes(raw: bytes, kind: int = SECP256K1) -> SecretKey:
    """The key of 32 bytes, as a node's wallet exports them (in base64); SecretKeyError where they are none.

    A BLS key's bytes are in little-endian order, a secp256k1 key's in big-endian.
    """
    if kind == BLS:
        secret_number(raw)
        return SecretKey(raw, BLS)
    if kind != SECP256K1:
        raise SecretKeyError(f"keys of {KIND_NAMES.get(kind, 'unknown')} signatures are not known here")
    if len(raw) != KEY_BYTES:
        raise SecretKeyError(f"a private key has {KEY_BYTES} bytes, not {len(raw)}")
    try:
        PrivateKey(raw)
    except ValueError:
        # The library's error is not kept, it could show the key.
        raise SecretKeyError("these 32 bytes are no private key: they are zero or beyond the curve's order") from None
    return SecretKey(raw)


def address_of_key(key: SecretKey) -> Address:
    """The f1 or f3 address of a key."""
    if key.kind == BLS:
        return Address(PROTOCOL_BLS, public_key(key.raw))
    return address_from_secp256k1_key(PrivateKey(key.raw).public_key.format(compressed=False))


def sign(key: SecretKey, data: bytes) -> Signature:
    """The key's signature over the data, as WalletSign makes it; always the same for the same data."""
    if key.kind == BLS:
        return Signature(BLS, bls_sign(key.raw, data))
    return Signature(SECP256K1, PrivateKey(key.raw).sign_recoverable(_digest(data), hasher=None))


def sign_message(key: SecretKey, message: Message) -> SignedMessage:
    """The message, signed; SecretKeyError where its sender is not the key's address."""
    address = address_of_key(key)
    if message.sender != address:
        raise SecretKeyError(f"the key is that of {address}, the message is from {message.sender}")
    return SignedMessage(message, sign(key, signing_bytes(message)))


def recover_address(signature: Signature, data: bytes) -> Address:
    """The f1 address whose key made the signature over the data; SignatureError where none could have made it.

    For every data there is some address, so the answer means nothing until it is compared. A signature with the
    high s is taken, as the chain takes it: two signatures that differ can be of one key over one data.
    """
    if signature.kind != SECP256K1:
        raise UnverifiableSignature(f"a {_name(signature)} signature does not show whose it is")
    if len(signature.data) != SIGNATURE_BYTES:
        raise SignatureError(f"a secp256k1 signature has {SIGNATURE_BYTES} bytes, not {len(signature.data)}")
    try:
        public_key = PublicKey.from_signature_and_message(signature.data, _digest(data), hasher=None)
    # The library raises the bare Exception where recovery fails.
    except Exception as error:
        raise SignatureError("the signature is of no key: its r, s or recovery id is out of range") from error
    return address_from_secp256k1_key(public_key.format(compressed=False))


def verify(signature: Signature, data: bytes, *, signer: Address) -> None:
    """Returns where the signature over the data is the signer's, and raises where it is not.

    SignatureError: it does not hold. UnverifiableSignature: it is a delegated one, or the signer is named by an id
    or as an actor (f0, f2), and only a node knows its key (StateAccountKey).
    """
    kind = _KIND_OF_PROTOCOL.get(signer.protocol)
    if kind is None:
        raise UnverifiableSignature(f"{signer} is no key's address; ask a node for that first (StateAccountKey)")
    if signature.kind != kind:
        raise SignatureError(f"a {_name(signature)} signature is none of {signer}, which signs by {KIND_NAMES[kind]}")
    if kind == BLS:
        _verify_bls(signature, data, signer)
        return
    recovered = recover_address(signature, data)
    if recovered != signer:
        raise SignatureError(
            f"the signature is not {signer}'s over this data; over this data it would be {recovered}'s"
        )


def _verify_bls(signature: Signature, data: bytes, signer: Address) -> None:
    if len(signature.data) != BLS_SIGNATURE_BYTES:
        raise SignatureError(f"a BLS signature has {BLS_SIGNATURE_BYTES} bytes, not {len(signature.data)}")
    if not bls_holds(signer.payload, data, signature.data):
        raise SignatureError(f"the signature is not {signer}'s over this data")


def verify_message(signed: SignedMessage, *, signer: Address | None = None) -> None:
    """Returns where the message is signed by its sender, and raises as `verify` does where it is not.

    `signer` is the key's address of a sender that the message names by its id; of a sender that is a key's address
    itself it can be no other.
    """
    sender = signed.message.sender
    if sender.protocol == PROTOCOL_DELEGATED:
        raise UnverifiableSignature(f"the signature of {sender} is over an Ethereum transaction")
    if signer is not None and sender.protocol in _KIND_OF_PROTOCOL and signer != sender:
        raise SignatureError(f"the message is from {sender}, so {signer} cannot sign it")
    verify(signed.signature, signing_bytes(signed.message), signer=signer or sender)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def _name(signature: Signature) -> str:
    return KIND_NAMES[signature.kind]
