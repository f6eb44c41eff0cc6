"""Parameters as Lotus checks them: each kind reads one JSON value, or says what Go's decoder says of it."""

import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from node.address import Address, parse_address
from node.cid import Cid, parse_cid
from node.errors import AddressError, CidError
from node.message import Message, SignedMessage
from node.signature import KIND_NAMES, Signature
from node.sim.blocks import TipsetKey
from node.sim.errors import failure

T = TypeVar("T")
UNDEFINED = Address(255, b"")
"""What stands for an address that a message does not name."""


class BadParam(Exception):
    """A JSON value that is no parameter of its kind; the text is what Go's decoder says."""


@dataclass(frozen=True, slots=True)
class Param(Generic[T]):
    """A kind of parameter, by the name that Lotus' errors give it."""

    go_type: str
    read: Callable[[object], T]


def _kind_of(value: object) -> str:
    """Go's name of a JSON value's kind."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _refuse(value: object, go_type: str) -> NoReturn:
    raise BadParam(f"json: cannot unmarshal {_kind_of(value)} into Go value of type {go_type}")


def _read_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _refuse(value, "string")


def _read_flag(value: object) -> bool:
    if value is None:
        return False
    return value if isinstance(value, bool) else _refuse(value, "bool")


def _integer(go_type: str, least: int, greatest: int) -> Param[int]:
    def read(value: object) -> int:
        if value is None:
            return 0
        if type(value) is not int:
            _refuse(value, go_type)
        if not least <= value <= greatest:
            raise BadParam(f"json: cannot unmarshal number {value} into Go value of type {go_type}")
        return value

    return Param(go_type, read)


def read_address(value: object) -> Address:
    """An address; `UNDEFINED` for an empty text."""
    if not isinstance(value, str):
        _refuse("" if value is None else value, "string")
    if value in {"", "<empty>"}:
        return UNDEFINED
    try:
        address = parse_address(value)
    except AddressError as error:
        raise BadParam(_address_fault(value, str(error))) from error
    if value[:2].lower() == "0x":
        raise BadParam("unknown address network")
    return address


def _address_fault(text: str, reason: str) -> str:
    if len(text) < 3 or len(text) > 115:
        return "invalid address length"
    if text[0] not in "ft":
        return "unknown address network"
    if text[1] not in "01234":
        return "unknown address protocol"
    return "invalid address checksum" if "checksum" in reason else "invalid address payload"


def read_cid(value: object) -> Cid | None:
    """The CID of a link; None for null, which Lotus takes for an empty one."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        target = 'struct { CidTarget string "json:\\"/\\"" }'
        raise BadParam(f"invalid cid: json: cannot unmarshal {_kind_of(value)} into Go value of type {target}")
    text = value.get("/")
    if not isinstance(text, str) or not text:
        raise BadParam("invalid cid: CID is missing")
    try:
        return parse_cid(text)
    except CidError as error:
        raise BadParam(f"invalid cid: invalid cid: {_cid_fault(text)}") from error


def _cid_fault(text: str) -> str:
    """What Go says of a text that is no CID, where its first letter is that of a multibase and where not."""
    if len(text) < 2:
        return "cid too short"
    if text[0] == "b":
        return f"invalid cid: expected 1 as the cid version number, got: {_first_byte(text)}"
    return "selected encoding not supported"


def _first_byte(text: str) -> int:
    """The first byte of what an unpadded base32 text decodes to."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    values = [letters.find(letter) for letter in text[1:3].lower().ljust(2, "a")]
    return (max(values[0], 0) << 3 | max(values[1], 0) >> 2) & 0xFF


def read_tipset_key(value: object) -> TipsetKey:
    """A tipset's key; nothing for the head."""
    if value is None:
        return ()
    if not isinstance(value, list):
        _refuse(value, "[]cid.Cid")
    return tuple(cid for cid in map(read_cid, value) if cid is not None)


def read_amount(value: object) -> int:
    """A big integer: a decimal text, a number, or nothing for 0."""
    if value is None or value == "":
        return 0
    if type(value) is int:
        return value
    if not isinstance(value, str):
        _refuse(value, "string")
    try:
        return int(value)
    except ValueError as error:
        raise BadParam("failed to parse bigint string") from error


def read_bytes(value: object) -> bytes:
    """Bytes in base64."""
    if value is None:
        return b""
    if not isinstance(value, str):
        _refuse(value, "[]uint8")
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise BadParam("illegal base64 data at input byte 0") from error


_UINT64 = _integer("uint64", 0, 2**64 - 1)
_INT64 = _integer("int64", -(2**63), 2**63 - 1)


def _member(document: Mapping[str, object], name: str) -> object:
    """A member by its name in any case, as Go finds it."""
    if name in document:
        return document[name]
    return next((value for key, value in document.items() if key.lower() == name.lower()), None)


def read_message(value: object) -> Message | None:
    """A message; whatever is left out is zero, the CID is not looked at."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        _refuse(value, "types.RawMessage")
    return Message(
        version=_UINT64.read(_member(value, "Version")),
        to=read_address(_member(value, "To") or ""),
        sender=read_address(_member(value, "From") or ""),
        nonce=_UINT64.read(_member(value, "Nonce")),
        value_attofil=read_amount(_member(value, "Value")),
        gas_limit=_INT64.read(_member(value, "GasLimit")),
        gas_fee_cap_attofil=read_amount(_member(value, "GasFeeCap")),
        gas_premium_attofil=read_amount(_member(value, "GasPremium")),
        method=_UINT64.read(_member(value, "Method")),
        params=read_bytes(_member(value, "Params")),
    )


def require_addresses(message: Message | None) -> Message:
    """The message where it names both its parties; RpcFault where not."""
    if message is None or message.to == UNDEFINED:
        raise failure("message not valid for block inclusion: 'To' address cannot be empty")
    if message.sender == UNDEFINED:
        raise failure("message not valid for block inclusion: 'From' address cannot be empty")
    return message


def read_signed_message(value: object) -> SignedMessage | None:
    """A signed message, with no signature where it has none. RpcFault where it names no parties."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        _refuse(value, "types.RawSignedMessage")
    message = require_addresses(read_message(_member(value, "Message") or {}))
    return SignedMessage(message, read_signature(_member(value, "Signature") or {}))


def read_signature(value: object) -> Signature:
    """A signature of a known kind."""
    if not isinstance(value, Mapping):
        _refuse(value, "crypto.Signature")
    kind = _INT64.read(_member(value, "Type"))
    if kind not in KIND_NAMES:
        raise failure(f"signature verification failed: invalid signature type: {kind}")
    return Signature(kind, read_bytes(_member(value, "Data")))


def _document(value: object) -> Mapping[str, object]:
    if value is None:
        return {}
    return value if isinstance(value, Mapping) else _refuse(value, "map[string]interface {}")


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    return [_read_text(item) for item in value] if isinstance(value, list) else _refuse(value, "[]string")


def _addresses(value: object) -> list[Address]:
    if value is None:
        return []
    return [read_address(item) for item in value] if isinstance(value, list) else _refuse(value, "[]address.Address")


ADDRESS = Param("address.Address", read_address)
ADDRESSES = Param("[]address.Address", _addresses)
AMOUNT = Param("big.Int", read_amount)
ANY: Param[object] = Param("interface {}", lambda value: value)
BYTES = Param("[]uint8", read_bytes)
CID = Param("cid.Cid", read_cid)
DOCUMENT = Param("map[string]interface {}", _document)
EPOCH = _integer("abi.ChainEpoch", -(2**63), 2**63 - 1)
FLAG = Param("bool", _read_flag)
FLOAT: Param[object] = Param("float64", lambda value: value)
INT64 = _INT64
MESSAGE = Param("types.Message", read_message)
SIGNATURE = Param("crypto.Signature", read_signature)
SIGNED_MESSAGE = Param("types.SignedMessage", read_signed_message)
TEXT = Param("string", _read_text)
TEXTS = Param("[]string", _texts)
TIPSET_KEY = Param("types.TipSetKey", read_tipset_key)
UINT64 = _UINT64
