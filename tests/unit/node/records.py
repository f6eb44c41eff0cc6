"""Hypothesis strategies for every record of messages and actors, made from the types of its fields."""

import inspect
from dataclasses import fields
from types import ModuleType, NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from node import message
from node.actors import (
    accounts,
    allocations,
    batch,
    datacap,
    market,
    miner,
    multisig,
    old_market,
    receiver,
    sectors,
    verifreg,
)
from node.address import Address
from node.bitfield import BitField, bitfield_of
from node.cid import Cid
from node.elements import BIG_INTEGER, INT, UINT, Element
from node.signature import Signature
from node.tuples import CborTuple
from tests.unit.node.strategies import addresses, cids

MODULES: tuple[ModuleType, ...] = (
    *(accounts, allocations, batch, datacap, market, miner, multisig, old_market, receiver, sectors, verifreg),
    message,
)

signatures = st.builds(Signature, st.sampled_from([1, 2, 3]), st.binary(max_size=96))
bit_fields = st.sets(st.integers(0, 2**40), max_size=5).map(bitfield_of)
_PLAIN: dict[object, st.SearchStrategy[Any]] = {
    Address: addresses,
    BitField: bit_fields,
    Cid: cids,
    Signature: signatures,
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    str: st.text(max_size=8),
}
_INTEGERS: dict[Element[Any], st.SearchStrategy[int]] = {
    UINT: st.integers(0, 2**64 - 1),
    INT: st.integers(-(2**63), 2**63 - 1),
    BIG_INTEGER: st.integers(-(2**100), 2**100),
}


def record_types() -> list[type[CborTuple]]:
    """Every record there is, in the order of the modules."""
    return [
        kind
        for module in MODULES
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, CborTuple) and kind is not CborTuple and kind.__module__ == module.__name__
    ]


def records_of(kind: type[CborTuple]) -> st.SearchStrategy[CborTuple]:
    """Any record of a type."""
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{field.name: _values_of(hints[field.name]) for field in fields(kind)})  # type: ignore[arg-type]


def _values_of(hint: Any) -> st.SearchStrategy[Any]:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _INTEGERS[parts[1]] if parts[1] in _INTEGERS else _values_of_union(parts[0])
    if origin is tuple:
        return st.lists(_values_of(parts[0]), max_size=2).map(tuple)
    if NoneType in parts:
        return st.none() | _values_of(next(part for part in parts if part is not NoneType))
    return records_of(hint)


def _values_of_union(hint: Any) -> st.SearchStrategy[Any]:
    """Those of a label, text or bytes, and of a provider, an id or an address."""
    return st.one_of(_INTEGERS[UINT] if part is int else _PLAIN[part] for part in get_args(hint))


any_record = st.sampled_from(record_types()).flatmap(records_of)
