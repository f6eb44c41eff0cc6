"""Where a node listens, and the token that it wants. A token goes into a header and nowhere else."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from node.chain.errors import BadEndpoint

_HTTP_OF = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_WS_OF = {"http": "ws", "https": "wss"}
# Names that only resolve inside: by RFC 6761 and 6762, and as containers and clusters call their hosts.
_PRIVATE_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa")
_PATH_OF_VERSION_1 = "/rpc/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A node's address. `name` is host and port alone: a path can hold a provider's key."""

    name: str
    http_url: str = field(repr=False)
    websocket_url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def is_plain(self) -> bool:
        """Whether what is sent there can be read on the way."""
        return self.http_url.startswith("http:")

    @property
    def is_private(self) -> bool:
        """Whether the host is this machine or one of its owner's network, as far as its name tells."""
        host = urlsplit(self.http_url).hostname or ""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return "." not in host.rstrip(".") or host.rstrip(".").endswith(_PRIVATE_DOMAINS)
        return address.is_loopback or address.is_private or address.is_link_local

    def url_of(self, version: int) -> str | None:
        """Where that version of the API is; None where the address doesn't tell: it must end in /rpc/v1."""
        if version == 1:
            return self.http_url
        bare = self.http_url.removesuffix(_PATH_OF_VERSION_1)
        return None if bare == self.http_url else f"{bare}/rpc/v{version}"

    def headers(self) -> dict[str, str]:
        """What every request bears."""
        bearer = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return {"Accept": "application/json", "Accept-Encoding": "identity", **bearer}


def parse_endpoint(url: str, *, token: str | None = None) -> Endpoint:
    """The endpoint of a URL such as `http://127.0.0.1:1234/rpc/v1`; BadEndpoint, which never shows more than the host.

    `ws` and `wss` are taken as `http` and `https`: both are used. User names, passwords and query strings are refused,
    as they would show in logs.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise BadEndpoint("the node's address is no URL; write it as http://host:1234/rpc/v1") from None
    _refuse_odd(parts)
    scheme = _HTTP_OF[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    place = f"{host}:{port}" if port else host
    path = parts.path or "/"
    return Endpoint(
        name=place,
        http_url=f"{scheme}://{place}{path}",
        websocket_url=f"{_WS_OF[scheme]}://{place}{path}",
        token=_checked_token(token, place),
    )


def split_tokens(text: str | None) -> tuple[str | None, ...]:
    """The tokens of FILPLUS_CHAIN_TOKEN, comma-separated, in the order of the nodes: a single one is the first node's.

    An empty place is a node without: `,abc` is the second one's.
    """
    if text is None or not text.strip():
        return ()
    return tuple(part.strip() or None for part in text.split(","))


def _refuse_odd(parts: SplitResult) -> None:
    if parts.scheme not in _HTTP_OF or not parts.hostname:
        raise BadEndpoint("the node's address is no http or websocket URL; write it as http://host:1234/rpc/v1")
    if parts.username is not None or parts.password is not None:
        raise BadEndpoint(f"the address of node {parts.hostname} holds a user or password; set the token apart from it")
    if parts.query or parts.fragment:
        raise BadEndpoint(f"the address of node {parts.hostname} holds a query; set the token apart from it")


def _checked_token(token: str | None, place: str) -> str | None:
    """The token without blanks around it; BadEndpoint where it cannot stand in a header."""
    if token is None or not token.strip():
        return None
    bare = token.strip()
    if not bare.isascii() or not bare.isprintable() or " " in bare:
        raise BadEndpoint(f"the token of node {place} holds blanks or other odd characters")
    return bare
