"""What can be told of an address for alerts from its spelling; `explorer.alerts.guard` judges the connections."""

import re
from ipaddress import ip_address
from typing import Final

from yarl import URL

from explorer.alerts.addresses import PORTS, Address, Policy, is_public, parse_address
from explorer.alerts.errors import UrlRefused

LONGEST_URL: Final = 2000

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


def is_judged_later(url: str) -> bool:
    """Whether only what the name stands for tells if anything may be sent to that address, which was taken."""
    parts = URL(url)
    host = parts.host or ""
    is_name = not _is_localhost(host) and parse_address(host) is None
    return is_name and (parts.scheme == "http" or parts.port not in PORTS)


def _demand_host(text: str, host: str, port: int, *, plain: bool, policy: Policy) -> None:
    address = _LOOPBACK if _is_localhost(host) else parse_address(host)
    if address is not None:
        if not policy.permits(address, port, plain=plain):
            raise _refused(text, remedy_of(address, port, plain=plain))
        return
    if "%" in host or _ends_in_a_number(host):
        raise _refused(text, "write an address in its usual form, 192.0.2.1")
    # What a name stands for isn't known yet; without a range of the operator's own there is nothing it could be.
    if not policy.allowed and (plain or port not in PORTS):
        raise _refused(text, remedy_of(None, port, plain=plain))


def _is_localhost(host: str) -> bool:
    """Whether the name never means anything but this machine (RFC 6761)."""
    return host.rstrip(".").lower().rpartition(".")[2] == "localhost"


def _ends_in_a_number(host: str) -> bool:
    """Whether programs exist that read the name as an IPv4 address: 127.1, 0x7f000001, 0177.0.0.1, 2130706433."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    digits = last.removeprefix("0x")
    return last.isdigit() or (last != digits and all(char in "0123456789abcdef" for char in digits))


def remedy_of(address: Address | None, port: int, *, plain: bool) -> str:
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
