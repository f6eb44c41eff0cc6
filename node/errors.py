"""Every error that this package raises.

* FilecoinError (a ValueError)
  + AddressError
  + CidError
  + CborError
  + EventError
    - ForeignEvent
    - UnknownEventType
  + NetworkError
  + RecordError
  + AmountError
  + ParamsError
    - UnknownMethod
  + MessageError
  + SignatureError
    - UnverifiableSignature
  + SecretKeyError
"""

_SHOWN_CHARS = 80


class FilecoinError(ValueError):
    """Something that claims to be Filecoin's is not what it claims to be."""


class AddressError(FilecoinError):
    """A text or bytes that are no Filecoin address."""


class CidError(FilecoinError):
    """A text or bytes that are no CID."""


class CborError(FilecoinError):
    """Bytes that are no DAG-CBOR, or a value that DAG-CBOR cannot hold."""


class EventError(FilecoinError):
    """An actor event of ours that cannot be understood."""


class ForeignEvent(EventError):
    """An event of an EVM contract, or of an actor that cannot have sent it: to be passed over."""


class UnknownEventType(EventError):
    """An actor event with a `$type` that FIP-0083 does not list: a newer network, perhaps."""


class NetworkError(FilecoinError):
    """A network, an epoch or a time that is not known or does not exist."""


class RecordError(FilecoinError):
    """A deal, claim or allocation that cannot be taken; `reason` is a short, stable, snake_case word for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["RecordError"], tuple[str, str]]:
        return type(self), (self.reason, self.detail)


class AmountError(FilecoinError):
    """A text that is no amount of attoFIL or DataCap, or DataCap tokens that are no whole bytes."""


class ParamsError(FilecoinError):
    """Params or a return value that are not what an actor's method takes or gives."""


class UnknownMethod(ParamsError):
    """A method number that is not known of that actor."""


class MessageError(FilecoinError):
    """A message, signed message or receipt that cannot be taken."""


class SignatureError(FilecoinError):
    """A signature that is none, or that does not hold."""


class UnverifiableSignature(SignatureError):
    """A signature that may hold, but cannot be verified here: delegated, or of a signer whose key is not known."""


class SecretKeyError(FilecoinError):
    """Bytes that are no private key, or a key that is not the sender's. The message never shows a key."""


def excerpt(value: object) -> str:
    """The value as an error message shows it: its repr, at most about 80 characters of a long one."""
    if isinstance(value, str | bytes | bytearray) and len(value) > _SHOWN_CHARS:
        return f"{value[: _SHOWN_CHARS - 20]!r}… ({len(value)} long)"
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    if value is None or isinstance(value, str | bytes | bytearray | int | float):
        return repr(value)
    return f"a value of type {type(value).__name__}"
