"""What a node says that fails by itself: it is behind, it forks first, it is of another network."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from node.cid import Cid, parse_cid
from node.message import block_cid
from node.sim.blocks import link
from node.sim.chain import HeadChange
from node.sim.faults import FaultKind
from node.sim.rpc.chain_methods import change_documents
from node.sim.rpc.methods import Node

_OTHER_NETWORK = "anothernet"
_STALE_EPOCHS = 10
_NOTIFY = "Filecoin.ChainNotify"


def from_behind(node: Node) -> AbstractContextManager[None]:
    """Has reads within see what a node would that is some tipsets behind."""
    return node.chain.looking_from(node.chain.canon.ancestor(_STALE_EPOCHS))


def fork_first(node: Node) -> None:
    """Has the chain fork. What it tells of that is struck by no fault: else one fork would follow another for ever."""
    node.faults.is_playing = True
    try:
        node.chain.fork(1)
    finally:
        node.faults.is_playing = False


def of_another_network(name: str, answer: object) -> object:
    """The answer as a node of another network gives it, where it tells the network."""
    if name == "Filecoin.StateNetworkName":
        return _OTHER_NETWORK
    if name == "Filecoin.StateGetNetworkParams" and isinstance(answer, dict):
        return {**answer, "NetworkName": _OTHER_NETWORK, "Eip155ChainID": 1, "GenesisTimestamp": 0}
    if name in {"eth_chainId", "Filecoin.EthChainId"}:
        return "0x1"
    return "1" if name in {"net_version", "Filecoin.NetVersion"} else answer


def struck_value(node: Node, name: str, value: object, fault: FaultKind | None) -> object:
    """A value of a channel as a failing node tells it. ChainNotify of a node that is behind names its older head."""
    if fault == "fork":
        fork_first(node)
    if fault == "stale" and name == _NOTIFY:
        with from_behind(node):
            return change_documents(node, [HeadChange("current", node.chain.head)])
    return _with_other_cids(value) if fault == "network" and name == _NOTIFY else value


def _with_other_cids(value: object) -> object:
    """The value with every CID another: each network has its own tipsets, which follow from each other too."""
    if isinstance(value, list):
        return [_with_other_cids(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get("/"), str):
        return link(_other_cid(parse_cid(value["/"])))
    return {key: _with_other_cids(one) for key, one in value.items()}


def _other_cid(cid: Cid) -> Cid:
    return block_cid(_OTHER_NETWORK.encode() + cid.to_bytes())
