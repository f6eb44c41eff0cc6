"""The chain's own keys: real secp256k1 ones (f1), and stand-ins for BLS (f3).

A BLS key of the chain is a secret of 32 bytes, as a wallet exports it, under a given f3 address, or under one
that is derived from the secret and is no point of the curve. Its signature is a keyed hash of the address and the data:
only the chain's own can be made and verified, every other BLS signature is refused. Nobody outside can tell it
from a real one without the pairing.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from node.address import PROTOCOL_BLS, PROTOCOL_SECP256K1, Address
from node.errors import SignatureError
from node.message import Message, SignedMessage, signing_bytes
from node.signature import BLS, SECP256K1, Signature
from node.signing import KEY_BYTES, SecretKey, address_of_key, secret_key_from_bytes, sign, verify

_BLS_SIGNATURE_BYTES = 96
_BLS_KEY_BYTES = 48
_BLS_SIGNING_KEY = b"the simulated chain's own BLS keys"


def bls_address(secret: bytes) -> Address:
    """The f3 address that stands for a secret."""
    return Address(PROTOCOL_BLS, blake2b(secret, digest_size=_BLS_KEY_BYTES, person=b"sim-bls-address").digest())


def bls_signature(address: Address, data: bytes) -> Signature:
    """The chain's own signature for an f3 address over the data."""
    first = blake2b(address.to_bytes() + data, digest_size=64, key=_BLS_SIGNING_KEY).digest()
    second = blake2b(first, digest_size=_BLS_SIGNATURE_BYTES - 64, key=_BLS_SIGNING_KEY).digest()
    return Signature(BLS, first + second)


def check_signature(signature: Signature, data: bytes, *, signer: Address) -> None:
    """Returns where the key of an f1 or f3 address made the signature; SignatureError where not."""
    if signer.protocol == PROTOCOL_BLS and signature.kind == BLS:
        if not hmac.compare_digest(signature.data, bls_signature(signer, data).data):
            raise SignatureError("bls signature failed to verify")
        return
    verify(signature, data, signer=signer)


def is_signed_by(address: Address, signature_data: bytes, data: bytes) -> bool:
    """Whether the signature, given without its kind, is the address's."""
    kind = SECP256K1 if address.protocol == PROTOCOL_SECP256K1 else BLS
    try:
        check_signature(Signature(kind, signature_data), data, signer=address)
    except SignatureError:
        return False
    return True


@dataclass(slots=True)
class Wallet:
    """The keys that the node holds: of f1 addresses a secret key, of f3 addresses that it may sign for them."""

    secp256k1: dict[Address, SecretKey] = field(default_factory=dict, repr=False)
    bls: set[Address] = field(default_factory=set)

    def __contains__(self, address: Address) -> bool:
        return address in self.secp256k1 or address in self.bls

    def __iter__(self) -> Iterator[Address]:
        """The addresses, in the order of their texts."""
        return iter(sorted((*self.secp256k1, *self.bls), key=str))

    def add_secp256k1(self, raw: bytes) -> Address:
        """Adds a key of 32 bytes; its f1 address."""
        key = secret_key_from_bytes(raw)
        address = address_of_key(key)
        self.secp256k1[address] = key
        return address

    def add_bls(self, address: Address) -> None:
        """Lets the node sign for an f3 address."""
        self.bls.add(address)

    def sign(self, address: Address, data: bytes) -> Signature:
        """The address's signature over the data; KeyError where the node does not hold its key."""
        if address in self.bls:
            return bls_signature(address, data)
        return sign(self.secp256k1[address], data)

    def sign_message(self, signer: Address, message: Message) -> SignedMessage:
        """The message, signed by the key of `signer`; KeyError as in `sign`."""
        return SignedMessage(message, self.sign(signer, signing_bytes(message)))


def derived_secret(seed: int, name: str) -> bytes:
    """A secret of 32 bytes that follows from the chain's seed and a name."""
    return blake2b(f"{seed}/{name}".encode(), digest_size=KEY_BYTES, person=b"sim-secret").digest()
