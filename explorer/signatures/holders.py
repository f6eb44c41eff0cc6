"""Which addresses one key has, as its signature shows: who holds an f1 address and who a 0x one may be the same.

a secp256k1 key ─► its public key, recovered from the signature ─► f1… and f410f…
a BLS key       ─► f3… only
"""

import hashlib

from coincurve import PublicKey

from explorer.signatures.ethereum import eth_address_of_key, personal_digest
from explorer.signatures.frc0102 import envelope
from node.address import PROTOCOL_BLS, PROTOCOL_DELEGATED, Address, address_from_secp256k1_key


def addresses_of_key(text: str, signature: str, *, signer: Address) -> frozenset[Address]:
    """Every address of the key that made the signature. It must have been verified, and be spelled canonically."""
    if signer.protocol == PROTOCOL_BLS:
        return frozenset({signer})
    raw, data = bytes.fromhex(signature.removeprefix("0x")), text.encode("ascii")
    if signer.protocol == PROTOCOL_DELEGATED:
        compact, digest = raw[:64] + bytes([raw[64] - 27]), personal_digest(data)
    else:
        compact, digest = raw[1:], hashlib.blake2b(envelope(data), digest_size=32).digest()
    key = PublicKey.from_signature_and_message(compact, digest, hasher=None).format(compressed=False)
    return frozenset({signer, address_from_secp256k1_key(key), eth_address_of_key(key)})
