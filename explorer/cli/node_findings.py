"""What `filplus check` says of the nodes that the settings name."""

from collections.abc import AsyncIterator

from explorer.cli.findings import Finding
from explorer.follow.finality import settled_below
from explorer.follow.opening import OpenChain, open_chain
from explorer.follow.witnesses import disputes_of
from explorer.ground.settings import Settings
from node.chain.errors import ChainError, WrongNetwork
from node.lotus.capabilities import NodeCapabilities
from node.lotus.client import LotusChain

_NEEDED = frozenset({"head_changes", "actor_events"})
"""Without these a node can't be followed tipset by tipset."""


async def node_findings(settings: Settings) -> AsyncIterator[Finding]:
    """One finding for each node, or one that says that there is none."""
    if not settings.chain_urls:
        yield _without_node(settings)
        return
    try:
        async with open_chain(settings) as opened:
            for found in await opened.chain.capabilities():
                yield await _finding(opened.chain.on(found.node), found)
            async for finding in _dispute_findings(opened):
                yield finding
    except ChainError as error:
        yield Finding("node", "fails", str(error), "see FILPLUS_CHAIN_URL in docs/operator.md")


def _without_node(settings: Settings) -> Finding:
    if settings.network.name == "simulated":
        return Finding("node", "note", "none is set: filplus serve runs a simulated chain inside")
    return Finding("node", "note", "none is set: answers come from what was imported")


async def _dispute_findings(opened: OpenChain) -> AsyncIterator[Finding]:
    """The other nodes that have another tipset where the first that can be asked has a final one."""
    try:
        settled = await settled_below(opened.chain, await opened.chain.head())
        disputes = await disputes_of(settled.final, opened.witnesses)
    except ChainError:
        return  # which node fails, and why, is said of each
    for one in disputes:
        fact = f"{one.node}: disputes the final tipset at epoch {one.height}: {one.detail}"
        yield Finding(
            "node", "fails", fact, "nothing more becomes final while both are set: find out which one is wrong"
        )


def _named(node: str, error: ChainError) -> str:
    """The error, with the node before it."""
    text = str(error)
    return text if text.startswith(f"{node}: ") else f"{node}: {text}"


def _remedy(error: ChainError) -> str:
    if isinstance(error, WrongNetwork):
        return "name a node of this network in FILPLUS_CHAIN_URL"
    return "see that it runs, and FILPLUS_CHAIN_URL and FILPLUS_CHAIN_TOKEN"


async def _finding(chain: LotusChain, found: NodeCapabilities) -> Finding:
    try:
        head, version = await chain.head(), await chain.node_version()
    except ChainError as error:
        return Finding("node", "fails", _named(found.node, error), _remedy(error))
    lacking = [one for one in found.capabilities if one.offered is False]
    fact = f"{found.node}: {version.text}, head at epoch {head.epoch}"
    if not lacking:
        return Finding("node", "ok", fact)
    reasons = "; ".join(f"{one.name}: {one.reason}" for one in lacking)
    settings = dict.fromkeys(setting for one in lacking for setting in one.settings)
    remedy = f"switch on {', '.join(settings)}" if settings else ""
    needed = any(one.name in _NEEDED for one in lacking)
    return Finding("node", "fails" if needed else "note", f"{fact}; it lacks {reasons}", remedy)
