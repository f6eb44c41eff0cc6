"""Which network a node must be of, before anything that it says counts."""

from dataclasses import dataclass, replace

from node.chain.errors import WrongNetwork
from node.chain.results import NetworkIdentity
from node.cid import Cid
from node.network import Network

# What nodes call their networks: mainnet's genesis says testnetnet, and some nodes go on saying so.
_NODE_NAMES = {
    "mainnet": frozenset({"mainnet", "testnetnet"}),
    "calibration": frozenset({"calibrationnet", "calibnet", "calibration"}),
    "simulated": frozenset({"simulated"}),
}
_REMEDY = "name the right node in FILPLUS_CHAIN_URL, or its network in FILPLUS_NETWORK"
_TAKEN_NAMES = frozenset().union(*_NODE_NAMES.values())


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of the network beforehand. None: not known, anything will do."""

    network: Network | None = None
    genesis_cid: Cid | None = None
    """Where the network's genesis was written down already: a devnet is known by nothing else."""
    since_epoch: int | None = None
    """From which epoch on the chain of that genesis was followed."""

    def check(self, identity: NetworkIdentity) -> None:
        """Returns where the identity is that of the network, and raises WrongNetwork where it is not."""
        if self.network is not None:
            self._check_network(self.network, identity)
        if self.genesis_cid is not None and identity.genesis_cid != self.genesis_cid:
            raise WrongNetwork(
                f"the node's genesis is {identity.genesis_cid}, not {self.genesis_cid}: it is on another chain than the"
                f" one followed{self._since}; name the right node in FILPLUS_CHAIN_URL, or start with an empty database"
                " or FILPLUS_DATA_DIR"
            )

    def _check_network(self, network: Network, identity: NetworkIdentity) -> None:
        if not _is_name_of(network, identity.name):
            raise WrongNetwork(f"the node is of network {identity.name!r}, not of {network.name}; {_REMEDY}")
        if network.genesis_time not in {None, identity.genesis_time}:
            theirs, ours = identity.genesis_time, network.genesis_time
            raise WrongNetwork(f"the node's genesis was at {theirs}, not at {ours} as {network.name}'s; {_REMEDY}")

    @property
    def _since(self) -> str:
        return "" if self.since_epoch is None else f" since epoch {self.since_epoch}"


def _is_name_of(network: Network, name: str) -> bool:
    """Whether a node of the network may call it so; a devnet's may have any name but one that is somebody else's."""
    names = _NODE_NAMES.get(network.name)
    return name not in _TAKEN_NAMES if names is None else name in names


class Gate:
    """Lets nodes in that are of the expected network, and all of the same: the first one sets the genesis."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected

    @property
    def is_settled(self) -> bool:
        """Whether the genesis is known, so that no node sets it any more."""
        return self._expected.genesis_cid is not None

    def admit(self, identity: NetworkIdentity) -> None:
        """Returns where the node may be used, and raises WrongNetwork where it may not."""
        self._expected.check(identity)
        self._expected = replace(self._expected, genesis_cid=identity.genesis_cid)
