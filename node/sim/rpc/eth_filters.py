"""eth_newFilter and its kin: what a client asks for again and again instead of subscribing.

There are no contracts, hence no logs and no transactions of Ethereum's own: only blocks are ever new.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from node.sim.blocks import Tipset, tipset_key_cid
from node.sim.changes import changes_between
from node.sim.errors import failure
from node.sim.rpc.eth_blocks import latest
from node.sim.rpc.eth_transactions import hash_text
from node.sim.rpc.methods import Node

_MOST_FILTERS = 100
_MEMBERS = {"address", "topics", "fromBlock", "toBlock", "blockHash"}


@dataclass(slots=True)
class EthFilter:
    """A filter: of logs, of blocks or of transactions that wait, and up to which block its changes were told."""

    kind: Literal["logs", "blocks", "transactions"]
    told: Tipset


def check_logs_filter(wanted: object) -> None:
    """Returns where a value is a filter of logs; RpcFault where not."""
    if not isinstance(wanted, Mapping):
        raise failure("a filter of logs is an object")
    for name, value in wanted.items():
        if name not in _MEMBERS:
            raise failure(f"a filter of logs has no {name!r}")
        if value is not None and not _fits(name, value):
            raise failure(f"{name} of a filter of logs: cannot be {value!r}")


def _fits(name: str, value: object) -> bool:
    if name == "topics":
        return isinstance(value, list) and all(one is None or _are_texts(one) for one in value)
    return _are_texts(value) if name == "address" else isinstance(value, str)


def _are_texts(value: object) -> bool:
    """Whether a value is one text in hex, or a list of such."""
    listed = value if isinstance(value, list) else [value]
    return all(isinstance(one, str) and one.startswith("0x") for one in listed)


def new_logs_filter(node: Node, wanted: object) -> object:
    """A filter of contracts' logs, by the name that it is asked for by."""
    check_logs_filter(wanted)
    return _add(node, "logs")


def new_block_filter(node: Node) -> object:
    """A filter of blocks, by the name that it is asked for by."""
    return _add(node, "blocks")


def new_transaction_filter(node: Node) -> object:
    """A filter of Ethereum's transactions that wait, by the name that it is asked for by."""
    return _add(node, "transactions")


def _add(node: Node, kind: Literal["logs", "blocks", "transactions"]) -> str:
    if len(node.eth_filters) >= _MOST_FILTERS:
        raise failure("maximum number of filters registered")
    node.subscriptions += 1
    source = f"{node.chain.options.seed}/{node.subscriptions}".encode()
    name = "0x" + blake2b(source, digest_size=16, person=b"eth-filter").hexdigest().ljust(64, "0")
    node.eth_filters[name] = EthFilter(kind, latest(node))
    return name


def _filter_of(node: Node, name: str) -> EthFilter:
    found: EthFilter | None = node.eth_filters.get(name)
    if found is None:
        raise failure("filter not found")
    return found


def filter_changes(node: Node, name: str) -> object:
    """What is new since a filter was asked last: the hashes of blocks, those of a fork's too."""
    found, now = _filter_of(node, name), latest(node)
    changes = changes_between(node.chain.store, found.told, now)
    found.told = now
    applied = [change.tipset for change in changes if change.kind == "apply"]
    return [hash_text(tipset_key_cid(tipset.key)) for tipset in applied] if found.kind == "blocks" else []


def filter_logs(node: Node, name: str) -> object:
    """Every log of a filter: none."""
    if _filter_of(node, name).kind != "logs":
        raise failure("filter not found")
    return []


def uninstall_filter(node: Node, name: str) -> object:
    """Forgets a filter; whether there was one."""
    return node.eth_filters.pop(name, None) is not None
