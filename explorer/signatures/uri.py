"""Texts by the grammar of RFC 3986: URIs, the authority in them, and the characters of a path.

The grammar is that of the RFC's appendix A, without the relative references. It says what may be written, not what
exists: any scheme is taken, and a host that is no IP address is any registered name.
"""

import ipaddress
import re

_UNRESERVED = r"A-Za-z0-9\-._~"
_SUB_DELIMS = r"!$&'()*+,;="
_ESCAPE = r"%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@]|{_ESCAPE})"
_SCHEME = r"[A-Za-z][A-Za-z0-9+\-.]*"
_USERINFO = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:]|{_ESCAPE})*"
_REG_NAME = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}]|{_ESCAPE})*"
_IP_FUTURE = rf"[vV][0-9A-Fa-f]+\.[{_UNRESERVED}{_SUB_DELIMS}:]+"
_IP_LITERAL = rf"\[(?P<ip6>[0-9A-Fa-f:.]+)\]|\[{_IP_FUTURE}\]"

_AUTHORITY = re.compile(rf"(?:(?P<userinfo>{_USERINFO})@)?(?P<host>{_IP_LITERAL}|{_REG_NAME})(?::[0-9]*)?", re.ASCII)
_URI = re.compile(
    rf"{_SCHEME}:"
    rf"(?://(?P<authority>[^/?#]*)(?:/{_PCHAR}*)*|/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?|{_PCHAR}+(?:/{_PCHAR}*)*|)"
    rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?",
    re.ASCII,
)
_SCHEME_ALONE = re.compile(_SCHEME, re.ASCII)
_PCHARS = re.compile(rf"{_PCHAR}*", re.ASCII)
_STATEMENT = re.compile(rf"[{_UNRESERVED}{_SUB_DELIMS}:/?#\[\]@ ]*", re.ASCII)


def is_scheme(text: str) -> bool:
    """Whether the text is the scheme of a URI."""
    return _SCHEME_ALONE.fullmatch(text) is not None


def is_authority(text: str) -> bool:
    """Whether the text is `[userinfo@]host[:port]`; the host may be empty, as in `file:///`."""
    parts = _AUTHORITY.fullmatch(text)
    return parts is not None and (parts["ip6"] is None or _is_ip6(parts["ip6"]))


def host_of(authority: str) -> str:
    """The host of an authority, an IPv6 address in its brackets; empty where it has none or is no authority."""
    parts = _AUTHORITY.fullmatch(authority)
    return parts["host"] if parts is not None else ""


def is_uri(text: str) -> bool:
    """Whether the text is a URI, with its scheme."""
    parts = _URI.fullmatch(text)
    return parts is not None and (parts["authority"] is None or is_authority(parts["authority"]))


def is_path_text(text: str) -> bool:
    """Whether the text holds only characters of a path segment (`pchar`)."""
    return _PCHARS.fullmatch(text) is not None


def is_statement(text: str) -> bool:
    """Whether the text holds only reserved and unreserved characters and spaces: no line break, quote or percent."""
    return _STATEMENT.fullmatch(text) is not None


def _is_ip6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
