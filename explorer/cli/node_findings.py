"""What `filplus check` says of the nodes that the settings name."""

from collections.abc import AsyncIterator

from explorer.cli.findings import Finding
from explorer.follow.opening import open_chain
from explorer.ground.settings import Settings
from node.chain.errors import ChainError
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
    except ChainError as error:
        yield Finding("node", "fails", str(error), "see FILPLUS_CHAIN_URL in docs/operator.md")


def _without_node(settings: Settings) -> Finding:
    if settings.network.name == "simulated":
        return Finding("node", "note", "none is set: filplus serve runs a simulated chain inside")
    return Finding("node", "note", "none is set: answers come from what was imported")


async def _finding(chain: LotusChain, found: NodeCapabilities) -> Finding:
    try:
        head, version = await chain.head(), await chain.node_version()
    except ChainError as error:
        return Finding("node", "fails", str(error), "see that it runs, and FILPLUS_CHAIN_URL and FILPLUS_CHAIN_TOKEN")
    lacking = [one for one in found.capabilities if one.offered is False]
    fact = f"{found.node}: {version.text}, head at epoch {head.epoch}"
    if not lacking:
        return Finding("node", "ok", fact)
    reasons = "; ".join(f"{one.name}: {one.reason}" for one in lacking)
    settings = dict.fromkeys(setting for one in lacking for setting in one.settings)
    remedy = f"switch on {', '.join(settings)}" if settings else ""
    needed = any(one.name in _NEEDED for one in lacking)
    return Finding("node", "fails" if needed else "note", f"{fact}; it lacks {reasons}", remedy)
