"""The second version of the API (/rpc/v2): tipsets by tag, by height below an anchor, or by key."""

from collections.abc import Mapping

from node.address import Address, actor_address
from node.sim.blocks import Tipset
from node.sim.errors import failure
from node.sim.rpc.chain_methods import tipset_at
from node.sim.rpc.documents import actor_document
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import ADDRESS, ANY, read_tipset_key
from node.sim.rules import CHAIN_FINALITY, SAFE_DEPTH


def _deep(node: Node, depth: int) -> Tipset:
    """The tipset that many epochs below the head, the genesis where the chain is shorter."""
    head = node.chain.head
    return tipset_at(node, max(head.height - depth, 0), head)


def select_tipset(node: Node, selector: object) -> Tipset:
    """The tipset that a selector names; RpcFault where it names none, or several."""
    named = selector if isinstance(selector, Mapping) else {}
    given = [name for name in ("key", "tag", "height") if named.get(name) is not None]
    if len(given) != 1:
        text = "exactly one tipset selection criteria must be specified"
        raise failure(f"validating selector: {text}, found: {len(given)}")
    if given == ["key"]:
        return node.tipset(read_tipset_key(named["key"]))
    return _by_tag(node, named["tag"]) if given == ["tag"] else _by_height(node, named["height"])


def _by_tag(node: Node, tag: object) -> Tipset:
    if tag == "latest":
        return node.chain.head
    if tag in ("finalized", "safe"):
        return _deep(node, CHAIN_FINALITY if tag == "finalized" else SAFE_DEPTH)
    raise failure(f"unknown tipset tag: {tag}")


def _by_height(node: Node, height: object) -> Tipset:
    """By height, below the finalized tipset unless another anchor is named."""
    wanted = height if isinstance(height, Mapping) else {}
    anchor = wanted.get("anchor")
    start = _by_tag(node, "finalized") if anchor is None else select_tipset(node, anchor)
    at = wanted.get("at")
    if type(at) is not int:
        raise failure("validating selector: height selector must have a height")
    found = tipset_at(node, at, start)
    if found.height != at and not wanted.get("previous"):
        above = [one for one in node.chain.store.ancestors(start) if one.height >= at]
        return above[-1]
    return found


def get_tipset(node: Node, selector: object) -> object:
    """The tipset that a selector names."""
    return select_tipset(node, selector).document(node.prefix)


def finality_status(node: Node) -> object:
    """What is final, and by which rule: here by depth alone."""
    return {
        "ecFinalityThresholdDepth": -1,
        "ecFinalizedTipSet": None,
        "f3FinalizedTipSet": None,
        "finalizedTipSet": _by_tag(node, "finalized").document(node.prefix),
        "head": node.chain.head.document(node.prefix),
    }


def get_actor(node: Node, address: Address, selector: object) -> object:
    """An actor's entry at a tipset."""
    state = node.chain.state_at(select_tipset(node, selector))
    return actor_document(node.actor(address, state), state.version, node.prefix)


def get_id(node: Node, address: Address, selector: object) -> object:
    """The f0 address of an actor at a tipset."""
    state = node.chain.state_at(select_tipset(node, selector))
    return node.text(actor_address(node.actor_id(address, state)))


METHODS = (
    lotus("ChainGetTipSet", get_tipset, ANY),
    lotus("ChainGetTipSetFinalityStatus", finality_status),
    lotus("StateGetActor", get_actor, ADDRESS, ANY),
    lotus("StateGetID", get_id, ADDRESS, ANY),
)
