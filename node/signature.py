"""Signatures as messages and params carry them: a kind and its bytes. Making and verifying them is in `signing`."""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from node.errors import SignatureError, excerpt

SECP256K1 = 1
"""Of f1 addresses: r, s and the recovery id, 65 bytes."""
BLS = 2
"""Of f3 addresses: 96 bytes."""
DELEGATED = 3
"""Of f410 addresses, over an Ethereum transaction: 65 bytes."""

KIND_NAMES = {SECP256K1: "secp256k1", BLS: "BLS", DELEGATED: "delegated"}


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of one of the known kinds. Its bytes can be any: that they fit shows when it is verified."""

    kind: int
    data: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """The kind's byte and the data, as messages and params have it."""
        return bytes([self.kind]) + self.data


def signature_from_bytes(raw: bytes) -> Signature:
    """The signature of its binary form; SignatureError for no bytes and for an unknown kind."""
    if not raw or raw[0] not in KIND_NAMES:
        raise SignatureError(f"{excerpt(raw)} is no signature: a first byte 01, 02 or 03 is due")
    return Signature(raw[0], raw[1:])


def parse_signature(document: object) -> Signature:
    """The signature of a node's JSON, `{"Type": 1, "Data": base64}`; SignatureError where it is none."""
    if not isinstance(document, Mapping):
        raise SignatureError(f"{excerpt(document)} is no signature; an object with Type and Data is due")
    kind, data = document.get("Type"), document.get("Data")
    if type(kind) is not int or kind not in KIND_NAMES:
        raise SignatureError(f"Type of a signature: 1, 2 or 3 is due, not {excerpt(kind)}")
    if not isinstance(data, str):
        raise SignatureError(f"Data of a signature: base64 is due, not {excerpt(data)}")
    try:
        return Signature(kind, binascii.a2b_base64(data, strict_mode=True))
    except ValueError as error:
        raise SignatureError(f"Data of a signature, {excerpt(data)}, is no base64: {error}") from error


def signature_document(signature: Signature) -> dict[str, object]:
    """The signature as a node prints it."""
    data = binascii.b2a_base64(signature.data, newline=False).decode("ascii")
    return {"Type": signature.kind, "Data": data}
