"""What a node offers, asked without making it work: its settings, its version or a gateway before it may lack much.

Nothing heavy is asked for: a tipset's key that is none is refused before a state of gigabytes is looked at.

    offered       a value; params that make no sense; a channel that HTTP cannot carry
    not offered   the method is missing (a gateway, another kind of node); a module is disabled; the token may not
    not known     everything else: no answer, an error that tells nothing
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from node.chain.errors import BadRequest, ChainError, MethodMissing, ModuleDisabled, PermissionMissing
from node.lotus import decoding
from node.lotus.faults import error_of
from node.lotus.health import Node
from node.lotus.pool import NodePool
from node.lotus.transport import Call, RpcFault

CapabilityName = Literal[
    "head_changes",
    "actor_events",
    "actor_event_stream",
    "eth_rpc",
    "all_claims",
    "all_allocations",
    "all_deals",
    "api_v2",
]

_NO_KEY: Final = "no tipset's key"
_HEAD: Final = Call("Filecoin.ChainHead")
_NO_CHANNEL: Final = "no out channel support"
# A module that needs another one.
_NEEDED_TOO: Final[Mapping[str, str]] = {
    "Events.EnableActorEventsAPI": "ChainIndexer.EnableIndexer",
    "Fevm.EnableEthRPC": "ChainIndexer.EnableIndexer",
}


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a node offers or not."""

    name: CapabilityName
    offered: bool | None
    """None: not known."""
    reason: str = ""
    """Why not, and what to do about it; empty where it is offered."""
    settings: tuple[str, ...] = ()
    """The node's settings that switch it on, as its configuration names them."""


@dataclass(frozen=True, slots=True)
class NodeCapabilities:
    """What one node offers."""

    node: str
    capabilities: tuple[Capability, ...]

    def __getitem__(self, name: CapabilityName) -> Capability:
        """The capability of that name."""
        return next(each for each in self.capabilities if each.name == name)


async def capabilities_of(node: Node, pool: NodePool) -> NodeCapabilities:
    """What the node offers now; what was remembered of methods that it lacks is not looked at."""
    try:
        await pool.prove(node)
        document = await node.call(_HEAD)
        epoch = node.decoded(_HEAD.method, lambda: decoding.tipset(document)).epoch
    except ChainError as error:
        return NodeCapabilities(node.name, tuple(Capability(name, None, str(error)) for name in _probes(0)))
    found = {name: await _asked(node, name, call) for name, call in _probes(epoch).items()}
    found["actor_event_stream"] = _both(found["actor_event_stream"], found["actor_events"])
    return NodeCapabilities(node.name, tuple(found.values()))


def _probes(epoch: int) -> dict[CapabilityName, Call]:
    """What is asked for each capability."""
    return {
        "head_changes": Call("Filecoin.ChainNotify"),
        "actor_events": Call("Filecoin.GetActorEventsRaw", ({"fromHeight": epoch, "toHeight": epoch},)),
        "actor_event_stream": Call("Filecoin.SubscribeActorEventsRaw", ({},)),
        "eth_rpc": Call("eth_chainId"),
        "all_claims": Call("Filecoin.StateGetAllClaims", (_NO_KEY,)),
        "all_allocations": Call("Filecoin.StateGetAllAllocations", (_NO_KEY,)),
        "all_deals": Call("Filecoin.StateMarketDeals", (_NO_KEY,)),
        "api_v2": Call("Filecoin.ChainGetTipSet", ({"tag": "latest"},), version=2),
    }


async def _asked(node: Node, name: CapabilityName, call: Call) -> Capability:
    try:
        await node.transport.call(call)
    except RpcFault as fault:
        capability = _of_fault(name, call, fault)
    except ChainError as error:
        return Capability(name, None, str(error))
    else:
        capability = Capability(name, True)
    if capability.offered:
        node.missing.pop(call.title, None)
    return capability


def _of_fault(name: CapabilityName, call: Call, fault: RpcFault) -> Capability:
    """What a node's error answer says about the capability."""
    if _NO_CHANNEL in fault.message:
        return Capability(name, True)
    error = error_of(fault, call.title)
    if isinstance(error, BadRequest):
        return Capability(name, True)
    if isinstance(error, ModuleDisabled):
        return _disabled(name, error.setting)
    if isinstance(error, MethodMissing):
        return Capability(name, False, f"{error}; a full node has it, a lotus-gateway or another kind of node may not")
    if isinstance(error, PermissionMissing):
        return Capability(name, False, f"{error}; set a token in FILPLUS_CHAIN_TOKEN that may {error.permission}")
    return Capability(name, None, str(error))


def _disabled(name: CapabilityName, setting: str) -> Capability:
    settings = tuple(dict.fromkeys(each for each in (setting, _NEEDED_TOO.get(setting)) if each))
    named = " and ".join(f"{each} = true (or {_environment_name(each)}=true)" for each in settings)
    return Capability(name, False, f"switched off; set {named} in the node's config.toml and restart it", settings)


def _environment_name(setting: str) -> str:
    """The variable by which Lotus takes a setting: `Fevm.EnableEthRPC` is LOTUS_FEVM_ENABLEETHRPC."""
    return f"LOTUS_{setting.replace('.', '_').upper()}"


def _both(one: Capability, other: Capability) -> Capability:
    """The capability that needs both: the first one's where that is not offered, else why the other is not."""
    if not one.offered or other.offered:
        return one
    return Capability(one.name, other.offered, other.reason, other.settings)
