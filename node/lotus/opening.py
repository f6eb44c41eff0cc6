"""Opens a `LotusChain` over URLs, as the settings name them."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Final

import aiohttp
import structlog

from node.chain.errors import BadEndpoint
from node.lotus.client import LotusChain
from node.lotus.endpoint import Endpoint, parse_endpoint
from node.lotus.expected import Expected, Gate
from node.lotus.health import Clock, Node
from node.lotus.http import HttpTransport
from node.lotus.http_answer import redirect_text
from node.lotus.limits import Limits, Retries
from node.lotus.pool import NodePool, Sleep
from node.lotus.transport import Transport
from node.lotus.watching import Watch

STALLED_AFTER_S: Final = 150.0
"""Five block times: of that many null rounds in a row mainnet has seen none."""
_EITHER = "ft"

_log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_lotus_chain(
    urls: Sequence[str],
    *,
    tokens: Sequence[str | None] = (),
    expected: Expected | None = None,
    limits: Limits | None = None,
    retries: Retries | None = None,
    stale_after_s: float | None = None,
    stalled_after_s: float | None = STALLED_AFTER_S,
) -> AsyncIterator[LotusChain]:
    """A chain over the nodes at these URLs, the preferred one first: those of FILPLUS_CHAIN_URL.

    `tokens` (`split_tokens` of FILPLUS_CHAIN_TOKEN) go with the URLs in order, and none to those beyond the last: one
    node's token is none of another's business. A URL never holds one: BadEndpoint for a URL with a user, a password
    or a query, for one that cannot be a node's, and where there is none. A token that would go unencrypted to a
    public host is sent, and warned of.

    `expected` is the network that each node must prove before it is used. A head older than `stale_after_s` doesn't
    count; a node that is followed is left when its head hasn't moved for `stalled_after_s` while one is beyond it.
    No node is asked yet.
    """
    if len(tokens) > len(urls):
        raise BadEndpoint(f"there are {len(tokens)} tokens for {len(urls)} nodes; see FILPLUS_CHAIN_TOKEN")
    endpoints = [parse_endpoint(url, token=token) for url, token in zip_longest(urls, tokens)]
    warn_of_open_tokens(endpoints)
    limits = limits or Limits()
    async with _session(limits) as session:
        transports = [HttpTransport(session, endpoint, limits=limits) for endpoint in numbered(endpoints)]
        yield lotus_chain(
            transports,
            expected=expected,
            retries=retries,
            stale_after_s=stale_after_s,
            stalled_after_s=stalled_after_s,
        )


def lotus_chain(
    transports: Sequence[Transport],
    *,
    expected: Expected | None = None,
    retries: Retries | None = None,
    stale_after_s: float | None = None,
    stalled_after_s: float | None = None,
    clock: Clock = time.monotonic,
    wall_clock: Callable[[], datetime] = utc_now,
    sleep: Sleep = asyncio.sleep,
    draw: Callable[[], float] = random.random,
) -> LotusChain:
    """A chain over any transports, the preferred one first. Whoever made them closes them."""
    if not transports:
        raise BadEndpoint("there is no node's address; set FILPLUS_CHAIN_URL")
    retries = retries or Retries()
    nodes = tuple(Node(transport, retries, clock) for transport in transports)
    gate = None if expected is None else Gate(expected)
    network = None if expected is None else expected.network
    # A devnet's own nodes print t as well as f, depending on how they were built.
    fixed = network is not None and network.genesis_time is not None
    return LotusChain(
        NodePool(nodes, gate, retries, sleep, draw),
        prefix="f" if network is None else network.address_prefix,
        record_prefixes=network.address_prefix if network is not None and fixed else _EITHER,
        watch=Watch(stalled_after_s=stalled_after_s, stale_after_s=stale_after_s, wall_clock=wall_clock),
    )


@asynccontextmanager
async def _session(limits: Limits) -> AsyncIterator[aiohttp.ClientSession]:
    """A session that keeps no cookies, reads no proxy settings, follows nobody elsewhere, and leaves all waiting to
    the transport."""
    at_redirects = aiohttp.TraceConfig()
    at_redirects.on_request_redirect.append(_refuse_redirect)
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.timeout_s),
        trace_configs=[at_redirects],
    ) as session:
        yield session


async def _refuse_redirect(_session: object, _context: object, params: aiohttp.TraceRequestRedirectParams) -> None:
    """The library follows a redirect when it opens a websocket, and cannot be told not to."""
    raise BadEndpoint(redirect_text(params.response.status))


def warn_of_open_tokens(endpoints: Sequence[Endpoint]) -> None:
    """Logs each node whose token goes over plain HTTP through networks that are not its owner's."""
    for endpoint in endpoints:
        if endpoint.token is not None and endpoint.is_plain and not endpoint.is_private:
            remedy = "write https into FILPLUS_CHAIN_URL, or reach the node through a tunnel"
            _log.warning("token_unencrypted", node=endpoint.name, remedy=remedy)


def numbered(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """The endpoints with names that tell them apart: a host that stands twice gets #2, #3 and so on."""
    seen: dict[str, int] = {}
    named = []
    for endpoint in endpoints:
        seen[endpoint.name] = seen.get(endpoint.name, 0) + 1
        count = seen[endpoint.name]
        named.append(endpoint if count == 1 else replace(endpoint, name=f"{endpoint.name}#{count}"))
    return named
