"""Every actor's methods, by Lotus' name of the actor and the method's number."""

from collections.abc import Iterable
from typing import Any

from node.methods import Method
from node.sim.actors import accounts, claims, datacap, deal_queries, deals, miner, multisig, notaries
from node.sim.machine import Handler, Handlers


def _by_number(methods: Iterable[tuple[Method[Any, Any], Handler]]) -> Handlers:
    return {number: (method, handler) for method, handler in methods for number in method.numbers}


HANDLERS: dict[str, Handlers] = {
    "account": _by_number(accounts.ACCOUNT),
    "init": _by_number(accounts.INIT),
    "verifiedregistry": _by_number((*notaries.METHODS, *claims.METHODS)),
    "datacap": _by_number(datacap.METHODS),
    "storagemarket": _by_number((*deals.METHODS, *deal_queries.METHODS)),
    "multisig": _by_number(multisig.METHODS),
    "storageminer": _by_number(miner.METHODS),
}
