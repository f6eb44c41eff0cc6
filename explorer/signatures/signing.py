"""Signing by a terminal notary's key, which is an f1 and a 0x address at once: only texts of ours, as their signer.

What is no text of ours is never signed, so that no signature of such a key can be anything else than what it says.
"""

from coincurve import PrivateKey

from explorer.signatures.errors import WrongKey
from explorer.signatures.ethereum import eth_address_of_key, personal_digest
from explorer.signatures.facts import Facts, PublisherProof
from explorer.signatures.texts import facts_of
from explorer.signatures.verify import sign_text
from node.address import PROTOCOL_DELEGATED, Address
from node.signature import SECP256K1
from node.signing import SecretKey, address_of_key


def signer_of(facts: Facts) -> Address:
    """Who signs a text of these facts."""
    return facts.publisher if isinstance(facts, PublisherProof) else facts.signer


def addresses_of(key: SecretKey) -> tuple[Address, ...]:
    """Every address that a key signs texts as: f1 and f410 of a secp256k1 key, f3 of a BLS key."""
    if key.kind != SECP256K1:
        return (address_of_key(key),)
    public = PrivateKey(key.raw).public_key.format(compressed=False)
    return (address_of_key(key), eth_address_of_key(public))


def sign_own_text(key: SecretKey, text: str) -> str:
    """The signature under a text of ours, in the envelope of its signer's kind of address.

    MalformedText where the text is none of ours, WrongKey where the key is not its signer's.
    """
    signer = signer_of(facts_of(text))
    own = addresses_of(key)
    if signer not in own:
        raise WrongKey(f"the text is to be signed by {signer}, the key is that of {' and '.join(map(str, own))}")
    if signer.protocol != PROTOCOL_DELEGATED:
        return sign_text(key, text)
    signature = PrivateKey(key.raw).sign_recoverable(personal_digest(text.encode("ascii")), hasher=None)
    return "0x" + (signature[:64] + bytes([27 + signature[64]])).hex()
