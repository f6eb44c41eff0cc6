"""Where a node listens, and the token that it wants. A token goes into a header and nowhere else."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from node.chain.errors import BadEndpoint

_HTTP_OF = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_WS_OF = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A node's address. `name` is host and port alone: a path can hold a provider's key."""

    name: str
    http_url: str = field(repr=False)
    websocket_url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

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
