"""Records as actors write them: a CBOR array, one item for each field, in the order of the fields.

A record is a frozen dataclass over `CborTuple`; the fields' types say how each item is written:

    @dataclass(frozen=True, slots=True)
    class GetClaimsParams(CborTuple):
        provider_id: Uint
        claim_ids: tuple[Uint, ...]
"""

from dataclasses import fields
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from node.address import Address
from node.bitfield import BitField
from node.cid import Cid
from node.elements import (
    ADDRESS,
    BIG_INTEGER,
    BIT_FIELD,
    BOOLEAN,
    BYTES,
    INT,
    LABEL,
    LINK,
    SIGNATURE,
    TEXT,
    UINT,
    Element,
    list_of,
    optional,
)
from node.errors import FilecoinError, ParamsError, excerpt
from node.signature import Signature

Uint = Annotated[int, UINT]
"""An unsigned integer: ids, sizes in bytes, sector numbers."""
Int = Annotated[int, INT]
"""A signed integer of 64 bits: epochs and lengths in epochs, gas."""
Amount = Annotated[int, BIG_INTEGER]
"""A big integer: attoFIL, bytes of DataCap, tokens of DataCap."""
Label = Annotated[str | bytes, LABEL]
"""A deal's label."""

_ELEMENTS: dict[object, Element[Any]] = {
    Address: ADDRESS,
    BitField: BIT_FIELD,
    Cid: LINK,
    Signature: SIGNATURE,
    bool: BOOLEAN,
    bytes: BYTES,
    str: TEXT,
}


class CborTuple:
    """The base of every record."""

    __slots__ = ()
    FAULT: ClassVar[type[FilecoinError]] = ParamsError
    """What is raised for bytes that are no such record, and for a record that has no bytes."""

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """The record of its CBOR bytes; `FAULT` where they are none."""
        try:
            return tuple_of(cls).from_bytes(raw)
        except ParamsError as error:
            raise cls.FAULT(str(error)) from error

    def to_bytes(self) -> bytes:
        """The CBOR bytes; `FAULT` where a field is out of range."""
        try:
            return tuple_of(type(self)).to_bytes(self)
        except ParamsError as error:
            raise self.FAULT(str(error)) from error


Record = TypeVar("Record", bound=CborTuple)
_RECORDS: dict[type[CborTuple], Element[Any]] = {}


def tuple_of(kind: type[Record]) -> Element[Record]:
    """The element of a record: for records within records, and for the params of a method."""
    element: Element[Record] | None = _RECORDS.get(kind)
    if element is None:
        element = _RECORDS[kind] = _make_element(kind)
    return element


def _make_element(kind: type[Record]) -> Element[Record]:
    elements = _elements(kind)
    due = f"{kind.__name__} of {len(elements)} items"

    def read(value: object) -> Record:
        if not isinstance(value, list) or len(value) != len(elements):
            raise ParamsError(f"{due} is due, not {_shape(value)}")
        return kind(
            **{name: _at(kind, name, elements[name].read, item) for name, item in zip(elements, value, strict=True)}
        )

    def write(record: Record) -> object:
        return [_at(kind, name, element.write, getattr(record, name)) for name, element in elements.items()]

    return Element(due, read, write)


def _elements(kind: type[CborTuple]) -> dict[str, Element[Any]]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: _element_of(hints[field.name]) for field in fields(kind)}  # type: ignore[arg-type]


def _element_of(hint: Any) -> Element[Any]:
    """The element of a field's type; TypeError for a type that has none, which is a mistake in this package."""
    if hint in _ELEMENTS:
        return _ELEMENTS[hint]
    if get_origin(hint) is Annotated:
        return next(extra for extra in get_args(hint)[1:] if isinstance(extra, Element))
    if get_origin(hint) is tuple:
        return list_of(_element_of(get_args(hint)[0]))
    if get_origin(hint) in {UnionType, Union}:
        (inner,) = [part for part in get_args(hint) if part is not NoneType]
        return optional(_element_of(inner))
    if isinstance(hint, type) and issubclass(hint, CborTuple):
        return tuple_of(hint)
    raise TypeError(f"a field of type {hint!r} has no place in a CBOR tuple")


def _at(kind: type[CborTuple], name: str, convert: Any, value: object) -> Any:
    """The converted item; its error says where it stands."""
    try:
        return convert(value)
    except ParamsError as error:
        raise ParamsError(f"{kind.__name__}.{name}: {error}") from error


def _shape(value: object) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else excerpt(value)
