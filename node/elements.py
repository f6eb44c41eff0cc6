"""What the actors' params and returns are made of: one `Element` for each kind of value, from CBOR and back.

An element reads what `cbor.decode` gave and writes what `cbor.encode` takes. Whatever it is given, it answers
with a value or with ParamsError. `tuples` puts elements together to records.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from node import cbor
from node.address import Address, address_from_bytes
from node.bitfield import BitField, bitfield_from_bytes
from node.cid import Cid
from node.errors import CborError, FilecoinError, ParamsError, excerpt
from node.signature import Signature, signature_from_bytes

_UINT64_MAX = 2**64 - 1
_INT64_MAX = 2**63 - 1

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Element(Generic[T]):
    """A kind of value and how it stands in CBOR."""

    due: str
    """What it is, for errors: "an address"."""
    read: Callable[[object], T]
    write: Callable[[T], object]

    def from_bytes(self, raw: bytes) -> T:
        """The value of CBOR bytes; ParamsError where they hold no such value."""
        try:
            value = cbor.decode(raw)
        except CborError as error:
            raise ParamsError(f"{self.due} is due: {error}") from error
        return self.read(value)

    def to_bytes(self, value: T) -> bytes:
        """The CBOR bytes of a value; ParamsError where it has none."""
        try:
            return cbor.encode(self.write(value))
        except CborError as error:
            raise ParamsError(str(error)) from error


class _Nothing(Element[None]):
    """No bytes at all: the params of a method without params, the return of one without a return value."""

    __slots__ = ()

    def from_bytes(self, raw: bytes) -> None:
        if raw:
            raise ParamsError(f"no bytes at all are due, not {excerpt(raw)}")

    def to_bytes(self, value: None) -> bytes:
        del value
        return b""


def _refuse(due: str, value: object) -> NoReturn:
    raise ParamsError(f"{due} is due, not {excerpt(value)}")


def _plain(kind: type[T], due: str) -> Element[T]:
    """An element whose value is the CBOR value."""

    def check(value: object) -> T:
        return value if type(value) is kind else _refuse(due, value)

    return Element(due, check, check)


def _integer(least: int, greatest: int, due: str) -> Element[int]:
    def check(value: object) -> int:
        return value if type(value) is int and least <= value <= greatest else _refuse(due, value)

    return Element(due, check, check)


def _packed(due: str, unpack: Callable[[bytes], T], pack: Callable[[T], bytes]) -> Element[T]:
    """An element that stands in CBOR as a byte string."""

    def read(value: object) -> T:
        if not isinstance(value, bytes):
            _refuse(f"{due} in bytes", value)
        try:
            return unpack(value)
        except FilecoinError as error:
            raise ParamsError(f"{due} is due: {error}") from error

    def write(value: T) -> bytes:
        try:
            return pack(value)
        except FilecoinError as error:
            raise ParamsError(f"{due} is due: {error}") from error

    return Element(due, read, write)


NOTHING: Element[None] = _Nothing("nothing", lambda _: None, lambda _: None)
BOOLEAN = _plain(bool, "true or false")
BYTES = _plain(bytes, "a byte string")
TEXT = _plain(str, "a text")
LINK = _plain(Cid, "a CID")
UINT = _integer(0, _UINT64_MAX, "an integer from 0 to 2^64-1")
INT = _integer(-_INT64_MAX - 1, _INT64_MAX, "an integer of 64 bits")
BIG_INTEGER = _packed("a big integer", cbor.bigint_from_bytes, cbor.bigint_to_bytes)
"""An amount. Contracts pad theirs to 32 bytes, which is read, but written without the zeros."""
ADDRESS: Element[Address] = _packed("an address", address_from_bytes, Address.to_bytes)
SIGNATURE: Element[Signature] = _packed("a signature", signature_from_bytes, Signature.to_bytes)
BIT_FIELD: Element[BitField] = _packed("a bit field", bitfield_from_bytes, BitField.to_bytes)


def list_of(element: Element[T]) -> Element[tuple[T, ...]]:
    """A list of any length."""

    def read(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            _refuse(f"a list of {element.due}", value)
        return tuple(map(element.read, value))

    def write(values: tuple[T, ...]) -> object:
        return [element.write(value) for value in values]

    return Element(f"a list, each item {element.due}", read, write)


def optional(element: Element[T]) -> Element[T | None]:
    """An element, or null."""

    def read(value: object) -> T | None:
        return None if value is None else element.read(value)

    def write(value: T | None) -> object:
        return None if value is None else element.write(value)

    return Element(f"{element.due} or null", read, write)


def either(first: Element[A], second: Element[B], *, is_second: Callable[[A | B], bool]) -> Element[A | B]:
    """Two forms of one thing: the first that fits is read; `is_second` tells values apart for writing."""

    def read(value: object) -> A | B:
        try:
            return first.read(value)
        except ParamsError as first_error:
            try:
                return second.read(value)
            except ParamsError:
                # What the usual form lacks says more than what the rarer one does.
                raise first_error from None

    def write(value: A | B) -> object:
        return second.write(value) if is_second(value) else first.write(value)  # type: ignore[arg-type]

    return Element(f"{first.due} or {second.due}", read, write)


LABEL = either(TEXT, BYTES, is_second=lambda value: isinstance(value, bytes))
"""A deal's label: a text, or bytes that need not be one."""
