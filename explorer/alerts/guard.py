"""The guard against being sent inwards (SSRF): nothing that an address says makes us connect to a private network.

    text ─► endpoint_url      what can be told from its spelling
    name ─► GuardedResolver   refused if any of its answers isn't permitted
    dial ─► socket_factory    sees the final address of every attempt: literals, and each answer as it is used

The last sees everything, so a name whose answer changes between two looks gains nothing. The second is needed since
a connection to a name with mixed answers would otherwise simply go on to the next. No proxy, no redirect, no reuse.
"""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from explorer.alerts.addresses import PORTS, Address, Policy, is_public, parse_address
from explorer.alerts.errors import AddressRefused, UrlRefused

LONGEST_URL: Final = 2000
TIMEOUT_S: Final = 20.0
CONNECT_TIMEOUT_S: Final = 10.0
MOST_CONNECTIONS: Final = 1024

_AUTHORITY: Final = re.compile(r"[/?]+")
_USERINFO: Final = re.compile(r"(?<=//)[^/?#\s]*@")
_LOOPBACK: Final = ip_address("127.0.0.1")


def endpoint_url(text: str, policy: Policy) -> str:
    """The address, as it will be called; UrlRefused where its spelling shows that nothing may be sent there.

    Names are not looked up here: what they stand for is judged each time a connection is opened.
    """
    if len(text) > LONGEST_URL:
        raise _refused(text, f"write it in at most {LONGEST_URL} characters")
    if not text.isascii():
        raise _refused(text, "write its name as punycode (xn--…), so that it shows which letters are meant")
    if not text.isprintable() or " " in text or "\\" in text:
        raise _refused(text, "write it without spaces, backslashes and control characters")
    try:
        url = URL(text)
        host, port = url.host or "", url.port
    except ValueError as error:
        raise _refused(text, f"{error}: write https://host/path") from error
    if url.scheme not in {"https", "http"} or not host or port is None:
        raise _refused(text, "write https://host/path")
    if "@" in _AUTHORITY.split(text)[1] or "#" in text:
        raise _refused(text, "write it without user, password and #: messages are signed, receivers check that")
    _demand_host(text, host, port, plain=url.scheme == "http", policy=policy)
    return str(url)


def _demand_host(text: str, host: str, port: int, *, plain: bool, policy: Policy) -> None:
    address = _LOOPBACK if _is_localhost(host) else parse_address(host)
    if address is not None:
        if not policy.permits(address, port, plain=plain):
            raise _refused(text, _remedy(address, port, plain=plain))
        return
    if "%" in host or _ends_in_a_number(host):
        raise _refused(text, "write an address in its usual form, 192.0.2.1")
    # What a name stands for isn't known yet; without a range of the operator's own there is nothing it could be.
    if not policy.allowed and (plain or port not in PORTS):
        raise _refused(text, _remedy(None, port, plain=plain))


def _is_localhost(host: str) -> bool:
    """Whether the name never means anything but this machine (RFC 6761)."""
    return host.rstrip(".").lower().rpartition(".")[2] == "localhost"


def _ends_in_a_number(host: str) -> bool:
    """Whether programs exist that read the name as an IPv4 address: 127.1, 0x7f000001, 0177.0.0.1, 2130706433."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    digits = last.removeprefix("0x")
    return last.isdigit() or (last != digits and all(char in "0123456789abcdef" for char in digits))


def _remedy(address: Address | None, port: int, *, plain: bool) -> str:
    """What is wrong first, and who could allow it."""
    if address is not None and not is_public(address):
        return f"{address} is no public address; only FILPLUS_WEBHOOK_ALLOW opens others"
    if plain:
        return "write https; plain http is only for ranges that FILPLUS_WEBHOOK_ALLOW names"
    return f"port {port} is only for ranges that FILPLUS_WEBHOOK_ALLOW names; use 443 or 8443"


def _refused(text: str, remedy: str) -> UrlRefused:
    """The error, which shows no password."""
    covered = _USERINFO.sub("***@", text)
    shown = covered if len(covered) <= 200 else f"{covered[:200]}…"
    return UrlRefused(f"{shown!r} is no address for alerts: {remedy}", value=shown)


@dataclass(frozen=True, slots=True)
class Guard:
    """What connections of one kind may be opened; `plain` are those without TLS."""

    policy: Policy
    plain: bool

    def demand(self, host: str, port: int) -> None:
        """AddressRefused unless a connection may be opened to that address."""
        address = parse_address(host)
        if address is None or not self.policy.permits(address, port, plain=self.plain):
            raise AddressRefused(f"refused to connect to {host}: {_remedy(address, port, plain=self.plain)}")

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
