"""What the node says of itself and of the network: versions, parameters, peers, tokens."""

from node.cid import Cid
from node.network import EPOCH_SECONDS
from node.sim.errors import failure
from node.sim.rpc.documents import base64_text
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import EPOCH, FLAG, TEXT, TEXTS, TIPSET_KEY

VERSION = "v1.36.2-dev+simulated"
_API_VERSION = 131840
_API_VERSION_0 = 66816
_PRECOMMIT_DELAY = 150
_MIN_POWER = "10995116277760"
_CIRCULATING = "421002257201491867286691285"
_PEER_ID = "12D3KooWSimu1atedChainNode1111111111111111111111111"
_UPGRADES = (
    *(("Smoke", 51000), ("Breeze", 41280), ("Ignition", 94000), ("Liftoff", 148888), ("Assembly", -1)),
    *(("Refuel", 130800), ("Tape", 140760), ("Kumquat", 170000)),
)
_LATER_UPGRADES = (
    *(("Calico", 265200), ("Persian", 272400), ("Orange", 336458), ("Claus", 343200), ("Trust", 550321)),
    *(("Norwegian", 665280), ("Turbo", 712320), ("Hyperdrive", 892800), ("Chocolate", 1231620)),
    *(("OhSnap", 1594680), ("Skyr", 1960320), ("Shark", 2383680), ("Hygge", 2683348), ("Lightning", 2809800)),
    *(("Thunder", 2870280), ("Watermelon", 3469380), ("Dragon", 3855360), ("Phoenix", 3855480)),
    *(("Waffle", 4154640), ("Tuktuk", 4461240), ("Teep", 4878840), ("Tock", 5138040), ("GoldenWeek", 5348280)),
    *(("FireHorse", 6052800), ("Xx", 9999999999)),
)
_TAMPING = {"BreezeGasTampingDuration": 120}


def version(node: Node) -> object:
    """The node's version."""
    return _version_document(node)


def _version_document(node: Node) -> dict[str, object]:
    del node
    return {"Version": VERSION, "APIVersion": _API_VERSION, "BlockDelay": EPOCH_SECONDS, "Agent": "lotus"}


def version_0(node: Node) -> object:
    """The node's version as the oldest API tells it."""
    return {**_version_document(node), "APIVersion": _API_VERSION_0}


def network_params(node: Node) -> object:
    """The network's parameters. As on a devnet, the upgrade heights are mainnet's; the version itself decides."""
    options = node.chain.options
    heights = {f"Upgrade{name}Height": height for name, height in _UPGRADES}
    later = {f"Upgrade{name}Height": height for name, height in _LATER_UPGRADES}
    return {
        "NetworkName": options.network_name,
        "BlockDelaySecs": EPOCH_SECONDS,
        "ConsensusMinerMinPower": _MIN_POWER,
        "PreCommitChallengeDelay": _PRECOMMIT_DELAY,
        "ForkUpgradeParams": {**heights, **_TAMPING, **later},
        "Eip155ChainID": options.chain_id,
        "GenesisTimestamp": options.genesis_time,
    }


def net_version(node: Node) -> object:
    """The chain's id as a text."""
    return str(node.chain.options.chain_id)


def circulating_supply(node: Node, key: tuple[Cid, ...]) -> object:
    """How many attoFIL are in circulation: a constant."""
    del node, key
    return _CIRCULATING


def beacon_entry(node: Node, epoch: int) -> object:
    """The randomness of an epoch."""
    tipset = node.chain.canon.after(epoch)
    if tipset is None:
        raise failure(f"epoch {epoch} is beyond the head")
    beacon = tipset.blocks[0].beacon
    number, data = beacon[max(len(beacon) - 1 - (tipset.height - epoch), 0)]
    return {"Round": number, "Data": base64_text(data)}


def auth_new(node: Node, permissions: list[str]) -> object:
    """A token with some permissions, in base64 as Go prints bytes."""
    return base64_text(node.tokens.make(permissions).encode())


def auth_verify(node: Node, token: str) -> object:
    """A token's permissions."""
    allowed = node.tokens.verify(token)
    if allowed is None:
        raise failure("JWT Verification failed: jwt: HMAC verification failed")
    return allowed


def peers(node: Node) -> object:
    """The node's peers: none."""
    del node
    return []


def peer_id(node: Node) -> object:
    """The node's own id."""
    del node
    return _PEER_ID


def sync_state(node: Node) -> object:
    """What is being synced: nothing."""
    return {"ActiveSyncs": [], "VMApplied": len(node.chain.store.executions)}


def node_status(node: Node, with_chain: bool) -> object:
    """How the node is."""
    del with_chain
    return {
        "SyncStatus": {"Epoch": node.chain.head.height, "Behind": 0},
        "PeerStatus": {"PeersToPublishMsgs": 0, "PeersToPublishBlocks": 0},
        "ChainStatus": {"BlocksPerTipsetLast100": 0, "BlocksPerTipsetLastFinality": 0},
    }


METHODS = (
    lotus("Version", version),
    lotus("NetVersion", net_version),
    lotus("StateGetNetworkParams", network_params),
    lotus("StateCirculatingSupply", circulating_supply, TIPSET_KEY),
    lotus("StateGetBeaconEntry", beacon_entry, EPOCH),
    lotus("AuthNew", auth_new, TEXTS, permission="admin"),
    lotus("AuthVerify", auth_verify, TEXT),
    lotus("NetPeers", peers),
    lotus("ID", peer_id),
    lotus("SyncState", sync_state),
    lotus("NodeStatus", node_status, FLAG),
)
OLDEST = (lotus("Version", version_0),)
"""What /rpc/v0 answers otherwise."""
