"""Messages: what a sender asks an actor to do, signed or not; in CBOR, in a node's JSON, and by their CIDs.

{"Version": 0, "To": "f06", "From": "f1…", "Nonce": 16, "Value": "0", "GasLimit": 13316946,
 "GasFeeCap": "136969", "GasPremium": "100227", "Method": 4, "Params": base64 or null, "CID": {"/": "bafy2bz…"}}

{"Message": {…}, "Signature": {"Type": 1, "Data": base64}, "CID": {"/": "bafy2bz…"}}
"""

import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from node.address import PROTOCOL_DELEGATED, Address, parse_address
from node.cid import CODEC_DAG_CBOR, HASH_BLAKE2B_256, Cid, parse_cid
from node.errors import AddressError, AmountError, CidError, FilecoinError, MessageError, SignatureError, excerpt
from node.signature import BLS, Signature, parse_signature, signature_document
from node.tokens import parse_amount
from node.tuples import Amount, CborTuple, Int, Uint

_UINT64_MAX = 2**64 - 1
_INT64_MAX = 2**63 - 1


def block_cid(raw: bytes) -> Cid:
    """The CID by which the chain links to CBOR bytes: dag-cbor, blake2b-256."""
    return Cid(1, CODEC_DAG_CBOR, HASH_BLAKE2B_256, hashlib.blake2b(raw, digest_size=32).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(CborTuple):
    """A message without its signature. Bytes that are none, and values out of range, are a MessageError."""

    FAULT: ClassVar[type[FilecoinError]] = MessageError
    version: Uint = 0
    to: Address
    sender: Address
    nonce: Uint
    value_attofil: Amount = 0
    gas_limit: Int = 0
    gas_fee_cap_attofil: Amount = 0
    gas_premium_attofil: Amount = 0
    method: Uint
    params: bytes = b""


@dataclass(frozen=True, slots=True)
class SignedMessage(CborTuple):
    """A message and its sender's signature, which is not verified by being here."""

    FAULT: ClassVar[type[FilecoinError]] = MessageError
    message: Message
    signature: Signature


def message_cid(message: Message) -> Cid:
    """The CID of the message without its signature."""
    return block_cid(message.to_bytes())


def signing_bytes(message: Message) -> bytes:
    """The bytes that an f1 or f3 sender signs: those of the message's CID.

    MessageError for a delegated sender: it signs an Ethereum transaction.
    """
    if message.sender.protocol == PROTOCOL_DELEGATED:
        raise MessageError(f"{message.sender} signs an Ethereum transaction, not a message")
    return message_cid(message).to_bytes()


def signed_message_cid(signed: SignedMessage) -> Cid:
    """The CID under which a block lists the message: with BLS that of the message alone, since blocks aggregate."""
    return message_cid(signed.message) if signed.signature.kind == BLS else block_cid(signed.to_bytes())


def parse_message(document: object, *, check_cid: bool = True) -> Message:
    """The message of a node's JSON; MessageError where it is none, or its CID another one's.

    `Version` and `Params` may be absent. Clients send stale CIDs, which a node passes over: `check_cid=False`.
    """
    if not isinstance(document, Mapping):
        raise MessageError(f"{excerpt(document)} is no message; an object with To, From, Nonce and so on is due")
    message = Message(
        version=_parse_integer(document, "Version", 0, _UINT64_MAX, absent=0),
        to=_parse_address(document, "To"),
        sender=_parse_address(document, "From"),
        nonce=_parse_integer(document, "Nonce", 0, _UINT64_MAX),
        value_attofil=_parse_amount(document, "Value"),
        gas_limit=_parse_integer(document, "GasLimit", -_INT64_MAX - 1, _INT64_MAX),
        gas_fee_cap_attofil=_parse_amount(document, "GasFeeCap"),
        gas_premium_attofil=_parse_amount(document, "GasPremium"),
        method=_parse_integer(document, "Method", 0, _UINT64_MAX),
        params=parse_bytes(document, "Params"),
    )
    if check_cid and document.get("CID") is not None:
        _check_cid(document, message_cid(message))
    return message


def parse_signed_message(document: object, *, check_cid: bool = True) -> SignedMessage:
    """The signed message of a node's JSON; MessageError where it is none, or a CID in it another one's."""
    if not isinstance(document, Mapping):
        raise MessageError(f"{excerpt(document)} is no signed message; an object with Message and Signature is due")
    message = parse_message(document.get("Message"), check_cid=check_cid)
    try:
        signature = parse_signature(document.get("Signature"))
    except SignatureError as error:
        raise MessageError(str(error)) from error
    signed = SignedMessage(message, signature)
    if check_cid and document.get("CID") is not None:
        _check_cid(document, signed_message_cid(signed))
    return signed


def message_document(message: Message, *, prefix: str = "f") -> dict[str, object]:
    """The message as a node of the network with that address prefix prints it, keys in a node's order."""
    return {
        "Version": message.version,
        "To": message.to.to_text(prefix),
        "From": message.sender.to_text(prefix),
        "Nonce": message.nonce,
        "Value": str(message.value_attofil),
        "GasLimit": message.gas_limit,
        "GasFeeCap": str(message.gas_fee_cap_attofil),
        "GasPremium": str(message.gas_premium_attofil),
        "Method": message.method,
        "Params": bytes_text(message.params),
        "CID": {"/": message_cid(message).to_text()},
    }


def signed_message_document(signed: SignedMessage, *, prefix: str = "f") -> dict[str, object]:
    """The signed message as a node prints it, and as MpoolPush takes it."""
    return {
        "Message": message_document(signed.message, prefix=prefix),
        "Signature": signature_document(signed.signature),
        "CID": {"/": signed_message_cid(signed).to_text()},
    }


def parse_bytes(document: Mapping[str, object], name: str) -> bytes:
    """The bytes of base64 in `document[name]`, nothing where it is null or absent; MessageError for anything else."""
    text = document.get(name)
    if text is None:
        return b""
    if not isinstance(text, str):
        raise MessageError(f"{name}: base64 or null is due, not {excerpt(text)}")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise MessageError(f"{name}: {excerpt(text)} is no base64: {error}") from error


def bytes_text(raw: bytes) -> str | None:
    """The bytes as a node prints them: base64, or null for none."""
    return binascii.b2a_base64(raw, newline=False).decode("ascii") if raw else None


def _parse_integer(
    document: Mapping[str, object], name: str, least: int, greatest: int, *, absent: int | None = None
) -> int:
    value = document.get(name, absent)
    if type(value) is not int or not least <= value <= greatest:
        raise MessageError(f"{name}: an integer from {least} to {greatest} is due, not {excerpt(value)}")
    return value


def _parse_amount(document: Mapping[str, object], name: str) -> int:
    try:
        return parse_amount(document.get(name))
    except AmountError as error:
        raise MessageError(f"{name}: {error}") from error


def _parse_address(document: Mapping[str, object], name: str) -> Address:
    text = document.get(name)
    if not isinstance(text, str):
        raise MessageError(f"{name}: an address is due, not {excerpt(text)}")
    try:
        return parse_address(text)
    except AddressError as error:
        raise MessageError(f"{name}: {error}") from error


def parse_link(link: object, name: str) -> Cid:
    """The CID of a link `{"/": "bafy2bz…"}`; MessageError where it is none."""
    text = link.get("/") if isinstance(link, Mapping) else None
    if not isinstance(text, str):
        raise MessageError(f'{name}: a link {{"/": "bafy2bz…"}} is due, not {excerpt(link)}')
    try:
        return parse_cid(text)
    except CidError as error:
        raise MessageError(f"{name}: {error}") from error


def _check_cid(document: Mapping[str, object], cid: Cid) -> None:
    claimed = parse_link(document["CID"], "CID")
    if claimed != cid:
        raise MessageError(f"CID {claimed} is not that of the message, {cid}: one of the two was changed")
