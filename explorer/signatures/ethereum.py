"""Ethereum's part: checksums of addresses (EIP-55), `personal_sign` (EIP-191), and who signed.

keccak-256, from pycryptodome, is the hash before the SHA-3 standard, which hashlib doesn't have. A signature is r, s
and v, 65 bytes; v is 27 or 28, and 0 or 1 of some hardware wallets. The high s is taken, as some signers make it:
nothing may depend on a signature's bytes being the only ones, and `canonical_eth_signature` gives the form to be kept.
"""

import re

from coincurve import PublicKey
from Crypto.Hash import keccak

from explorer.signatures.errors import ForgedSignature, UnsayableFact, WrongKey, WrongScheme
from node.address import ETH_NAMESPACE, PROTOCOL_DELEGATED, Address
from node.varint import uvarint_bytes

SIGNATURE_BYTES = 65
_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_RECOVERY_IDS = {0: 0, 1: 1, 27: 0, 28: 1}


def keccak256(data: bytes) -> bytes:
    """The 32 bytes of keccak-256."""
    return keccak.new(digest_bits=256, data=data).digest()


def checksummed(raw: bytes) -> str:
    """The `0x…` text of 20 bytes, the checksum in the case of its letters (EIP-55)."""
    digits = raw.hex()
    marks = keccak256(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) >= 8 else digit for digit, mark in zip(digits, marks, strict=False)
    )


def is_checksummed(text: str) -> bool:
    """Whether the text is an address with its checksum. All lower or all upper case is none, unless by chance."""
    return _HEX_ADDRESS.fullmatch(text) is not None and checksummed(bytes.fromhex(text[2:])) == text


def eth_text(address: Address) -> str:
    """The checksummed `0x…` of an f410 address; UnsayableFact for every other."""
    plain = address.to_eth() if address.protocol == PROTOCOL_DELEGATED else None
    if plain is None:
        raise UnsayableFact(f"{address} is no Ethereum address; f410f… or 0x… is due")
    return checksummed(bytes.fromhex(plain[2:]))


def eth_address(raw: bytes) -> Address:
    """The f410 address of an Ethereum account's 20 bytes."""
    return Address(PROTOCOL_DELEGATED, uvarint_bytes(ETH_NAMESPACE) + raw)


def eth_address_of_key(public_key: bytes) -> Address:
    """The f410 address of an uncompressed public key, 65 bytes: the end of its keccak-256."""
    return eth_address(keccak256(public_key[1:])[12:])


def personal_digest(data: bytes) -> bytes:
    """What `personal_sign` signs of the data: keccak-256 of it in EIP-191's envelope, version 0x45."""
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(data)).encode("ascii") + data)


def recover_eth_address(signature: bytes, digest: bytes) -> Address:
    """The f410 address whose key made the signature over the digest; ForgedSignature where none could have made it.

    For almost every signature there is some address: the answer means nothing until it is compared.
    """
    recovery_id = _recovery_id(signature)
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([recovery_id]), digest, hasher=None)
    # The library raises the bare Exception where recovery fails.
    except Exception as error:
        raise ForgedSignature("the signature is of no key: its r, s or v is out of range") from error
    return eth_address_of_key(key.format(compressed=False))


def verify_personal(signature: bytes, data: bytes, signer: Address) -> None:
    """Returns where the signer, an f410 address, signed the data by `personal_sign`.

    WrongScheme: the signer signed the bare data. WrongKey: another key signed. ForgedSignature: none did.
    """
    recovered = recover_eth_address(signature, personal_digest(data))
    if recovered == signer:
        return
    if _recovers_to(signer, signature, keccak256(data)):
        raise WrongScheme(f"{signer} signed the bare text; sign it by personal_sign (EIP-191)")
    raise WrongKey(
        f"the signature is not {signer}'s over this text; over this text it would be {recovered}'s", str(recovered)
    )


def canonical_eth_signature(signature: bytes) -> bytes:
    """The one form of a signature to be kept: its low s, v as 27 or 28."""
    rs, recovery_id = low_s(signature[:64], _recovery_id(signature))
    return rs + bytes([27 + recovery_id])


def low_s(rs: bytes, recovery_id: int) -> tuple[bytes, int]:
    """r and s, 64 bytes, and the recovery id of the same signature with the low s."""
    s = int.from_bytes(rs[32:], "big")
    if not 0 < s < _ORDER:
        raise ForgedSignature("the signature is of no key: its s is out of range")
    if s > _ORDER // 2:
        s, recovery_id = _ORDER - s, recovery_id ^ 1
    return rs[:32] + s.to_bytes(32, "big"), recovery_id


def _recovers_to(signer: Address, signature: bytes, digest: bytes) -> bool:
    try:
        return recover_eth_address(signature, digest) == signer
    except ForgedSignature:
        return False


def _recovery_id(signature: bytes) -> int:
    if len(signature) != SIGNATURE_BYTES:
        raise ForgedSignature(f"an Ethereum signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    recovery_id = _RECOVERY_IDS.get(signature[64])
    if recovery_id is None:
        raise ForgedSignature(f"the last byte of an Ethereum signature, v, is 27 or 28, not {signature[64]}")
    return recovery_id
