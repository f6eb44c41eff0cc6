"""What a method of the node is: its name, its parameters, who may call it, and the function that answers.

`Node` is what those functions are given: the chain and the node's settings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from node.address import Address
from node.sim.blocks import Tipset, TipsetKey
from node.sim.chain import SimulatedChain
from node.sim.errors import ACTOR_NOT_FOUND, RpcFault, UnknownTipset, failure
from node.sim.faults import Faults
from node.sim.mempool import lookup_text
from node.sim.rpc.params import Param
from node.sim.rpc.tokens import Tokens
from node.sim.state import Actor, State

Permission = Literal["read", "write", "sign", "admin"]
ALL_PERMISSIONS: frozenset[str] = frozenset({"read", "write", "sign", "admin"})


@dataclass(slots=True)
class Node:
    """The node that answers: the chain, and what its owner has switched on."""

    chain: SimulatedChain
    tokens: Tokens
    faults: Faults = field(default_factory=Faults)
    events_enabled: bool = True
    eth_enabled: bool = True
    subscriptions: int = 0
    """How many of Ethereum's, and of its filters, were opened: each is named after its number."""
    eth_filters: dict[str, Any] = field(default_factory=dict)
    """Ethereum's filters by their names."""

    @property
    def prefix(self) -> str:
        """The network letter of addresses."""
        return self.chain.options.address_prefix

    def text(self, address: Address) -> str:
        """An address as this network prints it."""
        return address.to_text(self.prefix)

    def tipset(self, key: TipsetKey) -> Tipset:
        """The tipset of a key, the head's for none; RpcFault where it is not stored."""
        try:
            return self.chain.tipset_of_key(key)
        except UnknownTipset as error:
            raise failure(
                f"loading tipset {_key_text(key)}: get block {error}: ipld: could not find {error}"
            ) from error

    def state(self, key: TipsetKey) -> State:
        """What is read at a tipset, at the head for no key."""
        return self.chain.state_at(self.tipset(key))

    def actor(self, address: Address, state: State) -> Actor:
        """The actor of an address; RpcFault where there is none, as most methods word it."""
        actor = state.actor(address)
        if actor is None:
            raise failure(lookup_text(self.text(address)))
        return actor

    def actor_id(self, address: Address, state: State) -> int:
        """The id that an address stands for, an f0 address unchecked; RpcFault code 11 where there is none."""
        actor_id = state.actor_id(address)
        if actor_id is None:
            raise RpcFault(ACTOR_NOT_FOUND, "actor not found")
        return actor_id


def _key_text(key: TipsetKey) -> str:
    return "{" + ",".join(str(cid) for cid in key) + "}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer that is not there yet: `retry` gives it, or this again, once the chain has grown."""

    retry: Callable[[], object]


@dataclass(frozen=True, slots=True)
class RpcMethod:
    """One method. `answer` takes the node and the read parameters."""

    name: str
    answer: Callable[..., Any]
    params: tuple[Param[Any], ...] = ()
    permission: Permission = "read"
    optional: int = 0
    """How many parameters at the end may be left out."""
    takes: str = ""
    """The names of its parameters, of the chain's own methods."""


def methods_by_name(groups: Sequence[Sequence[RpcMethod]]) -> dict[str, RpcMethod]:
    """The methods of all groups by their full names."""
    return {method.name: method for group in groups for method in group}


def lotus(
    name: str, answer: Callable[..., Any], *params: Param[Any], permission: Permission = "read", optional: int = 0
) -> RpcMethod:
    """A method of Lotus' own namespace."""
    return RpcMethod(f"Filecoin.{name}", answer, params, permission, optional)
