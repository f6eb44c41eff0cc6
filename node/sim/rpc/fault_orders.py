"""Sim.Fault: orders of faults. A mistake in one is refused: an order that never strikes would make a test pass."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from node.sim.errors import failure
from node.sim.faults import ALWAYS, KINDS, FaultKind
from node.sim.rpc.methods import Node, RpcMethod
from node.sim.rpc.params import ANY

_MOST_FAULTS = 1_000
_MEMBERS = ("methods", "kind", "share", "count")
_SHAPE = '{"methods": ["Filecoin.ChainHead"], "kind": "429", "share": 1, "count": 1}'


@dataclass(frozen=True, slots=True)
class _Order:
    """An order as it was read."""

    methods: list[str]
    kind: FaultKind
    share: float
    count: int


def fault_method(known: Callable[[], Collection[str]]) -> RpcMethod:
    """Sim.Fault, for a node that serves methods and channels of those names."""

    def fault(node: Node, order: object) -> object:
        """Orders a fault for coming requests; null ends them all. The orders that stand."""
        if order is None:
            node.faults.clear()
            return []
        read = _read(order, known())
        if len(node.faults.orders) >= _MOST_FAULTS:
            raise failure(f"{_MOST_FAULTS} faults stand already: Sim.Fault(null) ends them all")
        node.faults.add(read.methods, read.kind, share=read.share, count=read.count)
        return [one.document() for one in node.faults.orders]

    return RpcMethod("Sim.Fault", fault, (ANY,), "admin", takes="fault")


def _read(order: object, known: Collection[str]) -> _Order:
    if not isinstance(order, Mapping):
        raise failure(f"a fault is due, or null to end all of them: write {_SHAPE}")
    for name in order:
        if name not in _MEMBERS:
            raise failure(f"a fault has no {name!r}: its members are {', '.join(_MEMBERS)}")
    return _Order(
        _read_methods(order.get("methods"), known),
        _read_kind(order.get("kind")),
        _read_share(order.get("share", 1)),
        _read_count(order.get("count", ALWAYS)),
    )


def _read_kind(value: object) -> FaultKind:
    kind = next((one for one in KINDS if one == value), None)
    if kind is None:
        raise failure(f"kind of a fault: one of {', '.join(KINDS)} is due, not {value!r}")
    return kind


def _read_share(value: Any) -> float:
    if type(value) not in {int, float} or not 0 <= value <= 1:
        raise failure(f"share of a fault: a number from 0 to 1 is due, not {value!r}")
    return float(value)


def _read_count(value: Any) -> int:
    if type(value) is not int or value < ALWAYS:
        raise failure(f"count of a fault: how many requests, {ALWAYS} for no end or 0 to end it is due, not {value!r}")
    return int(value)


def _read_methods(value: object, known: Collection[str]) -> list[str]:
    listed = [] if value is None else value
    if not isinstance(listed, list):
        raise failure('methods of a fault: a list is due, as ["Filecoin.ChainHead"]; an empty one means all of them')
    return [_read_method(name, known) for name in listed]


def _read_method(value: object, known: Collection[str]) -> str:
    """A method's full name, of one given without its namespace too."""
    name = value if isinstance(value, str) else ""
    full = name if "." in name or "_" in name else f"Filecoin.{name}"
    if full.startswith("Sim."):
        raise failure(f"methods of a fault: {full} is the simulated chain's own, and those never fail")
    if full not in known:
        near = get_close_matches(full, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise failure(f"methods of a fault: {value!r} is no method of this chain{hint}")
    return full
