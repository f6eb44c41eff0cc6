"""Who is let in: by its token, and by the page that it is.

A browser sends any page's requests to any server that it reaches, this machine's own too, and names the page's origin
in a header. Pages of others are refused, unless they show a token. The server's own pages are those of an address or
of localhost: another name may be one that its owner points here.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from node.sim.rpc.tokens import Tokens

_UNAUTHORIZED = web.HTTPUnauthorized.status_code


def permissions_of(tokens: Tokens, request: web.Request) -> frozenset[str] | web.Response:
    """What the request's sender may do, by the token in its header or its query; or the refusal that it gets."""
    authorization = request.headers.get("Authorization")
    if not authorization and request.query.get("token"):
        authorization = f"Bearer {request.query['token']}"
    permissions = tokens.permissions(authorization)
    if permissions is None:
        return web.Response(status=_UNAUTHORIZED)
    if not authorization and _is_foreign(request):
        text = "403 Forbidden: a page of another origin has to show a token\n"
        return web.Response(status=403, text=text, headers={"X-Content-Type-Options": "nosniff"})
    return permissions


def _is_foreign(request: web.Request) -> bool:
    """Whether a page of another server sends the request."""
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    page = urlsplit(origin)
    return page.netloc.lower() != request.host.lower() or not _is_local_name(page.hostname or "")


def _is_local_name(name: str) -> bool:
    """Whether nobody can point a name at other servers."""
    if name == "localhost":
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
