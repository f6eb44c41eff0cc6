"""Addresses: `f0…` (actor id), `f1…` (secp256k1 key), `f2…` (actor), `f3…` (BLS key), `f4…` (delegated), and `0x…`.

The same account can have several; only a node can tell (StateLookupID, StateAccountKey).
"""

import hashlib
import re
from dataclasses import dataclass

from node.errors import AddressError, excerpt
from node.multibase import decode_base32, encode_base32
from node.varint import MAX_UVARINT, read_uvarint, uvarint_bytes

PROTOCOL_ID = 0
PROTOCOL_SECP256K1 = 1
PROTOCOL_ACTOR = 2
PROTOCOL_BLS = 3
PROTOCOL_DELEGATED = 4
ETH_NAMESPACE = 10
"""The actor id of the Ethereum address manager: `f410f…` is an Ethereum address."""

_PAYLOAD_BYTES = {PROTOCOL_SECP256K1: 20, PROTOCOL_ACTOR: 20, PROTOCOL_BLS: 48}
_MAX_SUBADDRESS_BYTES = 54
_CHECKSUM_BYTES = 4
_MAX_TEXT_CHARS = 128
_MASKED_ID_PREFIX = b"\xff" + bytes(11)
_TEXT = re.compile(r"[ft](?:0(0|[1-9][0-9]{0,18})|([123])([a-z2-7]+)|4(0|[1-9][0-9]{0,18})f([a-z2-7]+))", re.ASCII)
_ETH_TEXT = re.compile(r"0[xX]([0-9a-fA-F]{40})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """An address without its network: `f01` and `t01` are equal. The payload is what follows the protocol byte."""

    protocol: int
    payload: bytes

    @property
    def actor_id(self) -> int | None:
        """The actor's id of an f0 address, else None."""
        return read_uvarint(self.payload)[0] if self.protocol == PROTOCOL_ID else None

    def to_bytes(self) -> bytes:
        """The binary form, as messages and the state have it."""
        return bytes([self.protocol]) + self.payload

    def to_text(self, prefix: str = "f") -> str:
        """The text with the network's prefix, `f` or `t`."""
        if self.protocol == PROTOCOL_ID:
            return f"{prefix}0{self.actor_id}"
        if self.protocol == PROTOCOL_DELEGATED:
            namespace, at = read_uvarint(self.payload)
            return f"{prefix}4{namespace}f{encode_base32(self.payload[at:] + _checksum(self.to_bytes()))}"
        return f"{prefix}{self.protocol}{encode_base32(self.payload + _checksum(self.to_bytes()))}"

    def to_eth(self) -> str | None:
        """The `0x…` form in lower case: of f410, and of f0 (a masked id); None for the other protocols."""
        if self.protocol == PROTOCOL_ID:
            return "0x" + (_MASKED_ID_PREFIX + read_uvarint(self.payload)[0].to_bytes(8, "big")).hex()
        if self.protocol != PROTOCOL_DELEGATED:
            return None
        namespace, at = read_uvarint(self.payload)
        raw = self.payload[at:]
        # An f410 over a masked id would come back as f0, another address.
        is_eth = namespace == ETH_NAMESPACE and len(raw) == 20 and not raw.startswith(_MASKED_ID_PREFIX)
        return "0x" + raw.hex() if is_eth else None

    def __str__(self) -> str:
        return self.to_text()


def _checksum(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=_CHECKSUM_BYTES).digest()


def actor_address(actor_id: int) -> Address:
    """The f0 address of an actor's id, 0 to 2^63-1."""
    if not 0 <= actor_id <= MAX_UVARINT:
        raise AddressError(f"actor id {excerpt(actor_id)} is not within 0 to 2^63-1")
    return Address(PROTOCOL_ID, uvarint_bytes(actor_id))


def address_from_secp256k1_key(public_key: bytes) -> Address:
    """The f1 address of an uncompressed public key: 65 bytes that begin with 04."""
    if len(public_key) != 65 or public_key[0] != 4:
        raise AddressError(f"public key {excerpt(public_key)} is not the uncompressed one: 04 and 64 bytes")
    return Address(PROTOCOL_SECP256K1, hashlib.blake2b(public_key, digest_size=20).digest())


def address_from_bytes(raw: bytes) -> Address:
    """The address of its binary form; AddressError where it is none."""
    if not raw:
        raise AddressError("no bytes at all are no address")
    address = Address(raw[0], raw[1:])
    fault = _fault_of(address)
    if fault is not None:
        raise AddressError(f"{excerpt(raw)} is no binary address: {fault}")
    return address


def _fault_of(address: Address) -> str | None:
    """What is wrong with an address taken from outside, None if nothing is."""
    payload = address.payload
    if address.protocol in _PAYLOAD_BYTES:
        due = _PAYLOAD_BYTES[address.protocol]
        return None if len(payload) == due else f"its payload has {len(payload)} bytes, not {due}"
    if address.protocol not in {PROTOCOL_ID, PROTOCOL_DELEGATED}:
        return f"there is no protocol {address.protocol}"
    try:
        _, at = read_uvarint(payload)
    except ValueError as error:
        return str(error)
    if address.protocol == PROTOCOL_ID:
        return None if at == len(payload) else f"{len(payload) - at} bytes follow its id"
    length = len(payload) - at
    return None if length <= _MAX_SUBADDRESS_BYTES else f"its subaddress has {length} bytes, more than 54"


def parse_address(text: str) -> Address:
    """The address that a text names, `f…`, `t…` or `0x…`; AddressError where it names none.

    Only the one spelling that a node prints: lower case, no leading zeros in numbers (Lotus itself
    reads f001 as f01, but never writes it), a checksum that fits. Of `0x…` any case is taken.
    """
    if len(text) > _MAX_TEXT_CHARS:
        raise AddressError(f"{excerpt(text)} is no address: no address has more than {_MAX_TEXT_CHARS} characters")
    eth = _ETH_TEXT.fullmatch(text)
    if eth is not None:
        return _address_from_eth(bytes.fromhex(eth[1]), text)
    parts = _TEXT.fullmatch(text)
    if parts is None:
        raise AddressError(f"{excerpt(text)} is no address; write it as f0…, f1…, f2…, f3…, f4…f… or 0x… in lower case")
    actor_id, protocol, body, namespace, subaddress = parts.groups()
    if actor_id is not None:
        return actor_address(int(actor_id))
    if protocol is not None:
        return _checked(int(protocol), b"", body, text)
    if int(namespace) > MAX_UVARINT:
        raise AddressError(f"{excerpt(text)} is no address: its namespace is beyond 2^63-1")
    return _checked(PROTOCOL_DELEGATED, uvarint_bytes(int(namespace)), subaddress, text)


def _checked(protocol: int, head: bytes, body: str, text: str) -> Address:
    """The address of protocol, namespace and base32 of payload and checksum; AddressError where they don't agree."""
    try:
        decoded = decode_base32(body.encode("ascii"))
    except ValueError as error:
        raise AddressError(f"{excerpt(text)} is no address: {error}") from error
    address = Address(protocol, head + decoded[:-_CHECKSUM_BYTES])
    if len(decoded) < _CHECKSUM_BYTES or decoded[-_CHECKSUM_BYTES:] != _checksum(address.to_bytes()):
        raise AddressError(f"{excerpt(text)} is no address: its checksum does not fit; look for a mistyped letter")
    fault = _fault_of(address)
    if fault is not None:
        raise AddressError(f"{excerpt(text)} is no address: {fault}")
    return address


def _address_from_eth(raw: bytes, text: str) -> Address:
    """f0 for a masked id, else f410. The checksum hidden in the case of the letters (EIP-55) is not verified: it
    needs keccak-256, which Python does not bring."""
    if not raw.startswith(_MASKED_ID_PREFIX):
        return Address(PROTOCOL_DELEGATED, uvarint_bytes(ETH_NAMESPACE) + raw)
    actor_id = int.from_bytes(raw[len(_MASKED_ID_PREFIX) :], "big")
    if actor_id > MAX_UVARINT:
        raise AddressError(f"{excerpt(text)} is no address: the actor id in it is beyond 2^63-1")
    return actor_address(actor_id)


def text_prefix(text: str) -> str | None:
    """The network's letter of an address text, `f` or `t`; None for `0x…` and for what is no address at first sight."""
    return text[0] if text[:1] in {"f", "t"} else None


def parse_actor_id(text: str) -> int:
    """The actor id of `f0…` or `t0…`, fast; AddressError for every other text."""
    digits = text[2:]
    if text[:2] in {"f0", "t0"} and digits.isascii() and digits.isdigit() and len(digits) <= 19:
        actor_id = int(digits)
        if actor_id <= MAX_UVARINT and (digits[0] != "0" or digits == "0"):
            return actor_id
    raise AddressError(f"{excerpt(text)} is no actor id; write it as f0 and digits")
