"""The session's cookie, and whose page a request comes from.

By https the cookie is `__Host-filplus-session`: Secure, of this host alone, for every path. By plain http, which only
this machine's own addresses may use, it is `filplus-session` without Secure, since not every browser keeps the other
there. Scripts never see it, and no other site's page sends it (SameSite=Strict). What is more than read is refused
where the browser doesn't say that it comes from a page of ours.
"""

from aiohttp import web

from explorer.access.origin import Origin, origin_of
from explorer.access.sessions import LONGEST
from explorer.web.keys import CONFIG
from explorer.web.problems import Problem

SECURE_NAME = "__Host-filplus-session"
LOCAL_NAME = "filplus-session"
_OWN_SITES = frozenset({"same-origin", "none"})
"""What browsers say of requests of our own pages, and of those that a person began outside of any page."""


def session_token(request: web.Request) -> str | None:
    """The session's token that the browser sent; None without one."""
    return request.cookies.get(_name(_origin(request))) or None


def set_session(request: web.Request, response: web.Response, token: str) -> None:
    """Gives the browser the token of a new session."""
    origin = _origin(request)
    response.set_cookie(
        _name(origin),
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=origin.is_https,
        httponly=True,
        samesite="Strict",
    )


def drop_session(request: web.Request, response: web.Response) -> None:
    """Has the browser forget its session's token."""
    origin = _origin(request)
    response.del_cookie(_name(origin), path="/", secure=origin.is_https, httponly=True, samesite="Strict")


def demand_own_page(request: web.Request) -> None:
    """Returns where a request with a cookie comes from a page of ours. Raises the problem `cross_site`.

    Browsers say so in Sec-Fetch-Site, older ones in Origin; who says neither is refused.
    """
    if not _said_own(request):
        raise _foreign(request)


def refuse_other_pages(request: web.Request) -> None:
    """Returns unless a browser says that another site's page sends this. Raises the problem `cross_site`.

    For what needs no cookie, so that programs, which say nothing, may send it too.
    """
    if _said_own(request) is False:
        raise _foreign(request)


def _said_own(request: web.Request) -> bool | None:
    """Whether the browser says that the request is one of our pages'; None where it says nothing."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in _OWN_SITES
    origin = request.headers.get("Origin")
    return None if origin is None else origin == str(_origin(request))


def _foreign(request: web.Request) -> Problem:
    said = request.headers.get("Origin") or request.headers.get("Sec-Fetch-Site")
    return Problem("cross_site", "The request doesn't come from a page of this explorer.", said)


def _origin(request: web.Request) -> Origin:
    return origin_of(request.app[CONFIG].public_url)


def _name(origin: Origin) -> str:
    return SECURE_NAME if origin.is_https else LOCAL_NAME
