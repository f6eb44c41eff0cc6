"""The guard against being sent inwards (SSRF): nothing that an address says makes us connect to a private network.

    text ─► endpoint_url      what can be told from its spelling, in a module of its own
    name ─► GuardedResolver   refused if any of its answers isn't permitted
    dial ─► socket_factory    sees the final address of every attempt: literals, and each answer as it is used

The last sees everything, so a name whose answer changes between two looks gains nothing. The second is needed since
a connection to a name with mixed answers would otherwise simply go on to the next. No proxy, no redirect, no reuse.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from explorer.alerts.addresses import Policy, parse_address
from explorer.alerts.endpoint_url import remedy_of
from explorer.alerts.errors import AddressRefused

TIMEOUT_S: Final = 20.0
CONNECT_TIMEOUT_S: Final = 10.0
MOST_CONNECTIONS: Final = 1024


@dataclass(frozen=True, slots=True)
class Guard:
    """What connections of one kind may be opened; `plain` are those without TLS."""

    policy: Policy
    plain: bool

    def demand(self, host: str, port: int) -> None:
        """AddressRefused unless a connection may be opened to that address."""
        address = parse_address(host)
        if address is None or not self.policy.permits(address, port, plain=self.plain):
            raise AddressRefused(f"refused to connect to {host}: {remedy_of(address, port, plain=self.plain)}")

    def socket(self, info: Any) -> socket.socket:
        """A socket for one attempt at connecting, of getaddrinfo's row about it; AddressRefused instead of one."""
        family, kind, protocol, _, (host, port, *_) = info
        self.demand(host, port)
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """Answers as another resolver does, but with AddressRefused where any of the answers isn't permitted."""

    def __init__(self, inner: AbstractResolver, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The answers, if a connection may be opened to each of them."""
        answers = await self._inner.resolve(host, port, family)
        for answer in answers:
            self._guard.demand(answer["host"], answer["port"] or port)
        return answers

    async def close(self) -> None:
        """Closes the other resolver."""
        await self._inner.close()


def guarded_session(
    guard: Guard, *, resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver, ssl: Any = True
) -> aiohttp.ClientSession:
    """A session that opens no connection but what the guard permits. Call it with `allow_redirects=False`.

    Through a proxy the guard would see nothing but the proxy, so the environment's are not used.
    """
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(resolver(), guard),
        socket_factory=guard.socket,
        use_dns_cache=False,
        force_close=True,
        limit=MOST_CONNECTIONS,
        ssl=ssl,
    )
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
    )
