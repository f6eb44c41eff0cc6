"""Filecoin.State…: actors, notaries, clients, and what the network is."""

from collections.abc import Mapping
from typing import Any

from node.actors import verifreg
from node.actors.dispatch import ActorKind, method_of
from node.address import PROTOCOL_BLS, PROTOCOL_SECP256K1, Address, actor_address
from node.cid import Cid
from node.errors import ParamsError, UnknownMethod
from node.methods import Method
from node.sim.blocks import TipsetKey, link
from node.sim.codes import KNOWN_VERSIONS, code_of, code_texts, kind_of_code, manifest_text
from node.sim.errors import RpcFault, failure
from node.sim.hamt import hamt_order
from node.sim.rpc.documents import actor_document, base64_text
from node.sim.rpc.go_json import encoded_params, go_document
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import ADDRESS, BYTES, CID, DOCUMENT, TIPSET_KEY, UINT64, BadParam
from node.sim.rpc.state_parts import state_document
from node.sim.state import Actor
from node.tokens import TOKENS_PER_BYTE

KIND_OF_ACTOR: dict[str, ActorKind] = {
    "account": "account",
    "datacap": "datacap",
    "init": "init",
    "storagemarket": "market",
    "storageminer": "miner",
    "multisig": "multisig",
    "verifiedregistry": "verifreg",
}
_ENCODABLE: dict[str, type[Any]] = {
    "AddVerifier": verifreg.AddVerifierParams,
    "AddVerifiedClient": verifreg.AddVerifiedClientParams,
}


def known_method(actor: Actor | None, number: int) -> Method[Any, Any] | None:
    """The method of an actor by its number, None where it is not known."""
    kind = None if actor is None else KIND_OF_ACTOR.get(actor.kind)
    if kind is None:
        return None
    try:
        return method_of(kind, number)
    except UnknownMethod:
        return None


def network_name(node: Node) -> object:
    """The network's name."""
    return node.chain.options.network_name


def network_version(node: Node, key: TipsetKey) -> object:
    """The network version of a tipset's epoch."""
    return node.chain.version_at(node.tipset(key).height)


def lookup_id(node: Node, address: Address, key: TipsetKey) -> object:
    """The f0 address of an actor; an f0 address is not looked up."""
    return node.text(actor_address(node.actor_id(address, node.state(key))))


def lookup_robust(node: Node, address: Address, key: TipsetKey) -> object:
    """The address of an actor that stays through reorgs."""
    actor = node.state(key).actor(address)
    if actor is None or actor.address is None:
        raise failure(f"Address {node.text(address)} not found")
    return node.text(actor.address)


def account_key(node: Node, address: Address, key: TipsetKey) -> object:
    """The key's address of an account."""
    if address.protocol in {PROTOCOL_SECP256K1, PROTOCOL_BLS}:
        return node.text(address)
    state = node.state(key)
    actor = state.actor(address)
    if actor is None:
        raise failure(f"failed to find actor: {node.text(address)}")
    if actor.kind != "account" or actor.address is None:
        text = f"actor code is not account: {actor.kind}"
        raise failure(f"failed to get account actor state for {node.text(address)}: {text}")
    return node.text(actor.address)


def get_actor(node: Node, address: Address, key: TipsetKey) -> object:
    """An actor's entry in the state."""
    state = node.state(key)
    return actor_document(node.actor(address, state), state.version, node.prefix)


def read_state(node: Node, address: Address, key: TipsetKey) -> object:
    """An actor's own state, its parts as links."""
    state = node.state(key)
    try:
        actor = node.actor(address, state)
    except RpcFault as fault:
        raise failure(f"getting actor: {fault.message}") from fault
    return {
        "Balance": str(actor.balance_attofil),
        "Code": link(code_of(actor.kind, state.version)),
        "State": state_document(node, state, state.actor_id(address) or 0, actor),
    }


def list_actors(node: Node, key: TipsetKey) -> object:
    """Every actor's f0 address, in the order of the state tree."""
    by_key = {actor_address(actor_id).to_bytes(): actor_address(actor_id) for actor_id in node.state(key).actors}
    return [node.text(by_key[raw]) for raw in hamt_order(by_key)]


def verifier_status(node: Node, address: Address, key: TipsetKey) -> object:
    """A notary's allowance in bytes; null for everybody else."""
    state = node.state(key)
    allowance = state.registry.verifiers.get(node.actor_id(address, state))
    return None if allowance is None else str(allowance)


def client_status(node: Node, address: Address, key: TipsetKey) -> object:
    """A client's DataCap in bytes; null for everybody who has none."""
    state = node.state(key)
    tokens = state.token.balances.get(node.actor_id(address, state))
    return None if tokens is None else str(tokens // TOKENS_PER_BYTE)


def root_key(node: Node, key: TipsetKey) -> object:
    """The registry's root."""
    return node.text(actor_address(node.state(key).registry.root_id))


def _checked_version(version: int) -> int:
    if version not in KNOWN_VERSIONS:
        raise failure("invalid network version")
    return version


def code_cids(node: Node, version: int) -> object:
    """The code of each actor at a network version."""
    del node
    return {kind: {"/": text} for kind, text in code_texts(_checked_version(version)).items()}


def manifest_cid(node: Node, version: int) -> object:
    """The list of the codes at a network version."""
    del node
    return {"/": manifest_text(_checked_version(version))}


def decode_params(node: Node, address: Address, number: int, raw: bytes, key: TipsetKey) -> object:
    """A message's params in JSON."""
    state = node.state(key)
    actor = state.actor(address)
    if actor is None:
        raise failure(f"getting actor: {node.text(address)}: actor not found")
    method = known_method(actor, number)
    if method is None:
        raise failure(f"no method found for {number} in actor {code_of(actor.kind, state.version)}")
    try:
        return go_document(method.params.from_bytes(raw), node.prefix)
    except ParamsError as error:
        raise failure(f"unmarshaling types: {error}") from error


def encode_params(node: Node, code: Cid | None, number: int, document: Mapping[str, object]) -> object:
    """Params in JSON as a message has them."""
    del node
    kind = None if code is None else kind_of_code(code)
    method = known_method(None if kind is None else Actor(kind), number)
    if method is None or method.name not in _ENCODABLE:
        raise failure(f"no method found for {number} in actor {code}")
    try:
        return base64_text(encoded_params(method, _ENCODABLE[method.name], document))
    except BadParam as error:
        raise failure(f"decoding params: {error}") from error


METHODS = (
    lotus("StateNetworkName", network_name),
    lotus("StateNetworkVersion", network_version, TIPSET_KEY),
    lotus("StateLookupID", lookup_id, ADDRESS, TIPSET_KEY),
    lotus("StateLookupRobustAddress", lookup_robust, ADDRESS, TIPSET_KEY),
    lotus("StateAccountKey", account_key, ADDRESS, TIPSET_KEY),
    lotus("StateGetActor", get_actor, ADDRESS, TIPSET_KEY),
    lotus("StateReadState", read_state, ADDRESS, TIPSET_KEY),
    lotus("StateListActors", list_actors, TIPSET_KEY),
    lotus("StateVerifierStatus", verifier_status, ADDRESS, TIPSET_KEY),
    lotus("StateVerifiedClientStatus", client_status, ADDRESS, TIPSET_KEY),
    lotus("StateVerifiedRegistryRootKey", root_key, TIPSET_KEY),
    lotus("StateActorCodeCIDs", code_cids, UINT64),
    lotus("StateActorManifestCID", manifest_cid, UINT64),
    lotus("StateDecodeParams", decode_params, ADDRESS, UINT64, BYTES, TIPSET_KEY),
    lotus("StateEncodeParams", encode_params, CID, UINT64, DOCUMENT),
)
