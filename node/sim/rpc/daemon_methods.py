"""What clients ask a node at their start, beside `node_methods`: who it is, where it listens, its chain's weight."""

from uuid import UUID

from node.sim.blocks import TipsetKey
from node.sim.errors import failure
from node.sim.keys import derived_secret
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.node_methods import VERSION, peer_id
from node.sim.rpc.params import TEXT, TIPSET_KEY


def session(node: Node) -> object:
    """What stays the same for as long as the node runs: it follows from the chain's seed."""
    return str(UUID(bytes=derived_secret(node.chain.options.seed, "session")[:16], version=4))


def listens_on(node: Node) -> object:
    """Where other nodes reach this one: nowhere."""
    return {"ID": peer_id(node), "Addrs": []}


def agent_version(node: Node, peer: str) -> object:
    """A peer's program; this node knows none but itself."""
    if peer != peer_id(node):
        raise failure("item not found")
    return VERSION


def tipset_weight(node: Node, key: TipsetKey) -> object:
    """The weight of the chain that ends with a tipset."""
    return str(node.tipset(key).weight)


METHODS = (
    lotus("Session", session),
    lotus("NetAddrsListen", listens_on),
    lotus("NetAgentVersion", agent_version, TEXT),
    lotus("ChainTipSetWeight", tipset_weight, TIPSET_KEY),
)
