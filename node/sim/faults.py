"""Faults that a test orders for coming requests: some the node plays by itself, some its transport has to.

stale     answers from an older head         garbage   the body is no JSON
fork      the chain forks first              429       too many requests
network   another network's name, version    hang      no answer for as long as the client waits
lost      MpoolPush says yes, keeps nothing   cut       the answer ends in its middle
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

FaultKind = Literal["stale", "fork", "network", "garbage", "429", "hang", "cut", "lost"]
KINDS: tuple[FaultKind, ...] = ("stale", "fork", "network", "garbage", "429", "hang", "cut", "lost")
TRANSPORT_KINDS: frozenset[str] = frozenset({"garbage", "429", "hang", "cut"})
ALWAYS = -1


@dataclass(slots=True)
class Fault:
    """One order: which methods, what, for which share of the requests, and how many times (-1: always)."""

    methods: frozenset[str]
    """Full names; none for all methods but the chain's own."""
    kind: FaultKind
    share: float = 1.0
    left: int = ALWAYS
    seen: int = 0

    def document(self) -> dict[str, object]:
        """The order as `Sim.Fault` answers it."""
        return {"methods": sorted(self.methods), "kind": self.kind, "share": self.share, "count": self.left}


@dataclass(frozen=True, slots=True)
class FaultAction:
    """What the transport is to do with a request instead of, or with, its answer."""

    kind: FaultKind


@dataclass(slots=True)
class Faults:
    """The orders that stand."""

    seed: int = 0
    orders: list[Fault] = field(default_factory=list)
    is_playing: bool = False
    """Whether what happens on the chain now is itself a fault's doing."""

    def add(self, methods: Iterable[str], kind: FaultKind, *, share: float = 1.0, count: int = ALWAYS) -> Fault:
        """Adds an order. A count of 0 ends all orders of that kind for those methods."""
        wanted = frozenset(methods)
        fault = Fault(wanted, kind, share, count)
        if count == 0:
            self.orders = [one for one in self.orders if (one.kind, one.methods) != (kind, wanted)]
        else:
            self.orders.append(fault)
        return fault

    def clear(self) -> None:
        """Ends all orders."""
        self.orders.clear()

    def take(self, method: str) -> FaultKind | None:
        """The fault of a request to a method, which counts it; None for most. The chain's own methods have none.

        Channels are struck by the server that holds their socket (node.devnet.channels): it asks by the channel's
        method, once when it is opened and once before each frame.
        """
        if method.startswith("Sim."):
            return None
        for fault in self.orders:
            if (not fault.methods or method in fault.methods) and self._strikes(fault):
                if fault.left > 0:
                    fault.left -= 1
                self.orders = [one for one in self.orders if one.left]
                return fault.kind
        return None

    def _strikes(self, fault: Fault) -> bool:
        """Whether this request is in the fault's share: the same in every run of the same seed."""
        fault.seen += 1
        drawn = blake2b(f"{self.seed}/{fault.kind}/{fault.seen}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn, "big") < fault.share * 2**64
