"""Which method a number is, actor by actor.

An address tells its actor only for the singletons. Whether another one is a miner, a multisig or an account, a
node knows by the actor's code.
"""

from typing import Any, Literal

from node.actors import accounts, datacap, market, miner, multisig, old_market, verifreg
from node.address import Address
from node.errors import UnknownMethod, excerpt
from node.methods import Method
from node.singletons import DATACAP, INIT, MARKET, VERIFIED_REGISTRY

ActorKind = Literal["account", "datacap", "init", "market", "miner", "multisig", "verifreg"]

_METHODS: dict[ActorKind, tuple[Method[Any, Any], ...]] = {
    "account": accounts.ACCOUNT_METHODS,
    "datacap": datacap.METHODS,
    "init": accounts.INIT_METHODS,
    "market": market.METHODS + old_market.METHODS,
    "miner": miner.METHODS,
    "multisig": multisig.METHODS,
    "verifreg": verifreg.METHODS,
}
_BY_NUMBER: dict[tuple[ActorKind, int], Method[Any, Any]] = {
    (actor, number): method for actor, methods in _METHODS.items() for method in methods for number in method.numbers
}
_SINGLETONS: dict[Address, ActorKind] = {
    DATACAP: "datacap",
    INIT: "init",
    MARKET: "market",
    VERIFIED_REGISTRY: "verifreg",
}


def methods_of(actor: ActorKind) -> tuple[Method[Any, Any], ...]:
    """Every method of an actor that is known here, those of the past too."""
    return _METHODS[actor]


def method_of(actor: ActorKind, number: int) -> Method[Any, Any]:
    """The actor's method of that number, native or exported; UnknownMethod where none is known."""
    method = _BY_NUMBER.get((actor, number))
    if method is None:
        raise UnknownMethod(f"no method {excerpt(number)} of the actor {actor} is known")
    return method


def actor_at(address: Address) -> ActorKind | None:
    """The singleton at an address, f01, f05, f06 or f07; None for every other address."""
    return _SINGLETONS.get(address)
