"""The chain that the settings name, opened: one node or several, or a simulated chain of this process's own."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from explorer.errors import FollowError
from explorer.follow.lag import real_time_of
from explorer.follow.pace import DEFAULT_PACE, Pace
from explorer.follow.witnesses import NamedChain
from explorer.ground.settings import Settings
from node.cid import Cid
from node.devnet.serving import serving
from node.lotus.client import LotusChain
from node.lotus.endpoint import split_tokens
from node.lotus.expected import Expected
from node.lotus.opening import open_lotus_chain
from node.sim.chain import SimulatedChain
from node.sim.genesis import Imported
from node.sim.options import Options
from node.sim.rpc.dispatch import open_node

BLOCK_TIME_S = 4.0
"""How often a simulated chain of our own mines."""
STALE_AFTER_S = 600.0
"""A head older than twenty epochs is of a node that isn't synced, where the network keeps real time."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """The chain that an index followed before, and since when."""

    genesis_cid: Cid
    start_epoch: int


@dataclass(frozen=True, slots=True)
class OpenChain:
    """An open chain: all nodes as one, and each by itself, to be asked as a witness."""

    chain: LotusChain
    nodes: Sequence[NamedChain]
    """Each node by itself, the preferred one first."""
    simulated_url: str | None = None
    """Where the simulated chain of this process answers; None where the chain is somebody else's."""

    @property
    def witnesses(self) -> Sequence[NamedChain]:
        """The nodes but the preferred one."""
        return self.nodes[1:]


def has_chain(settings: Settings) -> bool:
    """Whether there is a chain to follow: a node's URL, or a simulated network."""
    return bool(settings.chain_urls) or settings.network.name == "simulated"


@asynccontextmanager
async def open_chain(
    settings: Settings, *, followed: Followed | None = None, imported: Imported | None = None, pace: Pace = DEFAULT_PACE
) -> AsyncIterator[OpenChain]:
    """The chain of the settings; no node is asked yet. ChainError for addresses that can't be a node's.

    A chain other than the one that was `followed` before is refused. `imported` is what a simulated chain of our own
    starts from.
    """
    async with AsyncExitStack() as stack:
        urls, simulated_url = settings.chain_urls, None
        if not urls:
            simulated_url = await stack.enter_async_context(_own_chain(settings, imported))
            urls = (simulated_url,)
        chain = await stack.enter_async_context(
            open_lotus_chain(
                urls,
                tokens=split_tokens(settings.chain_token) if settings.chain_token else (),
                expected=_expected(settings, followed),
                limits=pace.limits,
                retries=pace.retries,
                stale_after_s=STALE_AFTER_S if real_time_of(settings.network) else None,
            )
        )
        yield OpenChain(chain, [(name, chain.on(name)) for name in chain.nodes], simulated_url)


def _expected(settings: Settings, followed: Followed | None) -> Expected:
    if followed is None:
        return Expected(settings.network)
    return Expected(settings.network, followed.genesis_cid, followed.start_epoch)


@asynccontextmanager
async def _own_chain(settings: Settings, imported: Imported | None) -> AsyncIterator[str]:
    """A simulated chain, served on a free port of this machine; its address."""
    node = open_node(SimulatedChain(Options(imported=imported)), admin_token=settings.chain_token)
    bound = _free_port()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/rpc/v1"
    async with serving(node, bound, block_time_s=BLOCK_TIME_S):
        _log.info("simulated_chain", url=url, epoch=node.chain.head.height)
        yield url


def _free_port() -> socket.socket:
    """A free port of this machine, listened at; FollowError where there is none to be had."""
    try:
        return socket.create_server(("127.0.0.1", 0))
    except OSError as error:
        raise FollowError(
            f"the simulated chain can't listen at a free port of 127.0.0.1: {error}. Free some, or name a node in "
            "FILPLUS_CHAIN_URL"
        ) from error
