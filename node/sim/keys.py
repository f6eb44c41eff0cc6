"""The keys that the node holds: real ones of both kinds, f1 and f3, each derived from the chain's seed or imported.

An account that comes to be by its id alone (of an imported record, of an order that names it) has a key too that
follows from the seed and the id, so that the wallet signs for it; it is not listed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from node.address import PROTOCOL_BLS, PROTOCOL_SECP256K1, Address
from node.bls import SIGNATURE_BYTES as BLS_SIGNATURE_BYTES
from node.bls import secret_from_seed
from node.errors import SignatureError
from node.message import Message, SignedMessage, signing_bytes
from node.signature import BLS, SECP256K1, Signature
from node.signing import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    SecretKey,
    address_of_key,
    secret_key_from_bytes,
    sign,
    verify,
)


def check_signature(signature: Signature, data: bytes, *, signer: Address) -> None:
    """Returns where the key of an f1 or f3 address made the signature; SignatureError where not."""
    verify(signature, data, signer=signer)


def is_signed_by(address: Address, signature_data: bytes, data: bytes) -> bool:
    """Whether the signature, given without its kind, is the address's."""
    kind = BLS if address.protocol == PROTOCOL_BLS else SECP256K1
    try:
        check_signature(Signature(kind, signature_data), data, signer=address)
    except SignatureError:
        return False
    return True


def derived_secret(seed: int, name: str) -> bytes:
    """A secret of 32 bytes that follows from the chain's seed and a name."""
    return blake2b(f"{seed}/{name}".encode(), digest_size=KEY_BYTES, person=b"sim-secret").digest()


def derived_key(seed: int, name: str, kind: int = SECP256K1) -> SecretKey:
    """A key that follows from the chain's seed and a name."""
    secret = derived_secret(seed, name)
    return secret_key_from_bytes(secret_from_seed(secret) if kind == BLS else secret, kind)


def account_key(seed: int, actor_id: int) -> SecretKey:
    """The key of an account that came to be by its id alone."""
    return derived_key(seed, f"account/{actor_id}")


def trusted_signature(address: Address) -> Signature:
    """What stands in for the signature of a message that the chain itself orders for somebody whose key it lacks."""
    if address.protocol == PROTOCOL_SECP256K1:
        return Signature(SECP256K1, bytes(SIGNATURE_BYTES))
    return Signature(BLS, bytes(BLS_SIGNATURE_BYTES))


@dataclass(slots=True)
class Wallet:
    """The node's keys by their addresses."""

    seed: int = 0
    keys: dict[Address, SecretKey] = field(default_factory=dict, repr=False)
    default: Address | None = None
    """Whose funds are spent where nobody is named."""
    made: int = 0
    """How many keys were asked for: each is derived from its number."""

    def __contains__(self, address: Address) -> bool:
        return address in self.keys

    def __iter__(self) -> Iterator[Address]:
        """The addresses, in the order of their texts."""
        return iter(sorted(self.keys, key=str))

    def add(self, key: SecretKey) -> Address:
        """Adds a key; its address."""
        address = address_of_key(key)
        self.keys[address] = key
        return address

    def add_secp256k1(self, raw: bytes) -> Address:
        """Adds a secp256k1 key of 32 bytes; its f1 address."""
        return self.add(secret_key_from_bytes(raw))

    def add_bls(self, raw: bytes) -> Address:
        """Adds a BLS key of 32 bytes, little-endian; its f3 address."""
        return self.add(secret_key_from_bytes(raw, BLS))

    def make(self, kind: int) -> Address:
        """Makes a key that nobody else has; its address. The first of a wallet without a default becomes that."""
        self.made += 1
        address = self.add(derived_key(self.seed, f"wallet/{self.made}", kind))
        self.default = self.default or address
        return address

    def remove(self, address: Address) -> None:
        """Forgets a key, and that it was the default."""
        self.keys.pop(address, None)
        if self.default == address:
            self.default = None

    def clear(self) -> None:
        """Forgets all keys."""
        self.keys.clear()
        self.default = None

    def key_of_account(self, address: Address, actor_id: int | None) -> SecretKey | None:
        """The key of an address, by its actor's id too where it came to be by that; None where it is not known."""
        held = self.keys.get(address)
        if held is not None or actor_id is None or address.protocol != PROTOCOL_SECP256K1:
            return held
        derived = account_key(self.seed, actor_id)
        return derived if address_of_key(derived) == address else None

    def sign(self, address: Address, data: bytes) -> Signature:
        """The address's signature over the data; KeyError where the node does not hold its key."""
        return sign(self.keys[address], data)

    def sign_message(self, signer: Address, message: Message) -> SignedMessage:
        """The message, signed by the key of `signer`; KeyError as in `sign`."""
        return SignedMessage(message, self.sign(signer, signing_bytes(message)))
