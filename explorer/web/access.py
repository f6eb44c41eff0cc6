"""Who may do what: before any handler runs, by what `openapi.json` says of the operation.

no `security`           everybody; credentials are not even looked at
ways in, {} among them  everybody, and who brings credentials is recognised
ways in                 only by one of them: else 401 without a good credential, 403 with one that isn't enough
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from explorer.access.actors import Actor
from explorer.web.buckets import Taken
from explorer.web.caching import PRIVATE
from explorer.web.contract import Operation, Requirement
from explorer.web.credentials import BearerKey, RequestSignature, SessionToken, read_credential
from explorer.web.doorkeeper import DOORKEEPER, RATE, Doorkeeper
from explorer.web.keys import ACTOR, CONTRACT
from explorer.web.negotiation import prefers_page
from explorer.web.problems import Problem, unauthorized

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SCHEME_OF: Final[dict[type, str]] = {
    BearerKey: "clusterKey",
    RequestSignature: "requestSignature",
    SessionToken: "notarySession",
}

_TO_SIGN_IN: Final = frozenset({"credentials_missing", "ended_session"})
_LONGEST_WAY: Final = 500
_READING: Final = frozenset({"GET", "HEAD"})
_OF_OLD_COOKIES: Final = frozenset({"ended_session", "too_many_requests"})

GUARDED: web.RequestKey[bool] = web.RequestKey("GUARDED", bool)
"""Whether the answer is for the one who asks alone: no cache may keep it, and no other site's script read it.

There only where the operation has ways in.
"""


@web.middleware
async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Puts who asks into `request[ACTOR]`, and lets only those go on who may."""
    request[ACTOR] = None
    operation = operation_at(request)
    if operation is None or not operation.security:
        return await handler(request)
    request[GUARDED] = not _is_public(operation, request.method)
    doorkeeper = request.app[DOORKEEPER]
    try:
        request[ACTOR] = await _admitted(doorkeeper, request, operation)
    except Problem as problem:
        doorkeeper.refused(problem.code)
        if problem.code in _TO_SIGN_IN and _is_page_of_notaries(request, operation):
            operation.read_query(request.query)
            return web.Response(status=303, headers={"Location": sign_in_address(request.path_qs)})
        raise
    if request[ACTOR] is None:
        del request[GUARDED]  # what anybody may have is nobody's secret
    return await handler(request)


def sign_in_address(leads_to: str) -> str:
    """Where a person signs in, to be led on to a page of ours, unless its address is very long."""
    return f"/sign-in?{urlencode({'next': leads_to})}" if len(leads_to) <= _LONGEST_WAY else "/sign-in"


def _is_page_of_notaries(request: web.Request, operation: Operation) -> bool:
    has_door = any(way.scheme == "notarySession" for way in operation.security)
    return has_door and operation.has_page and request.method in _READING and prefers_page(request)


def operation_at(request: web.Request) -> Operation | None:
    """The contract's operation of the request; None where its address has none."""
    resource = request.match_info.route.resource
    return None if resource is None else request.app[CONTRACT].operation_at(resource.canonical, request.method)


async def _admitted(doorkeeper: Doorkeeper, request: web.Request, operation: Operation) -> Actor | None:
    credential = read_credential(request)
    if credential is None:
        if operation.is_open:
            return None
        raise unauthorized("credentials_missing", f"This needs {_ways_in(operation.security)}.")
    request[GUARDED] = True
    try:
        actor = await doorkeeper.recognise(request, credential)
    except Problem as problem:
        if operation.is_open and isinstance(credential, SessionToken) and _is_of_old_cookie(request, problem):
            return None  # a browser sends the cookie by itself
        raise
    _demand_allowed(operation, _SCHEME_OF[type(credential)], actor)
    return actor


def _is_of_old_cookie(request: web.Request, problem: Problem) -> bool:
    """Whether the problem is that of a cookie that means nobody. Who is known and sends too much is told so."""
    is_of_known = RATE in request and request.method not in _READING
    return problem.code in _OF_OLD_COOKIES and not is_of_known


def _demand_allowed(operation: Operation, scheme: str, actor: Actor) -> None:
    """Returns where one of the ways in is for this kind of credential and asks for no scope that it lacks."""
    ways = [way for way in operation.security if way.scheme == scheme]
    if any(way.scopes <= actor.scopes for way in ways):
        return
    raise Problem("scope_missing", f"{actor.name} may not do that: it needs {_ways_in(operation.security)}.")


def _ways_in(security: Sequence[Requirement]) -> str:
    """The ways in as words: `a key with the scope reviews:read, or a notary's session`."""
    scopes = sorted({" and ".join(sorted(way.scopes)) for way in security if way.scheme != "notarySession"})
    words = [f"a key with the scope {scope}" if scope else "a key" for scope in scopes]
    if any(way.scheme == "notarySession" for way in security):
        words.append("a notary's session")
    return ", or ".join(words)


def _is_public(operation: Operation, method: str) -> bool:
    """Whether any site's script may have what it is without credentials."""
    return not operation.security or (operation.is_open and method in ("GET", "HEAD"))


async def is_open_to_other_sites(request: web.Request, method: str) -> bool:
    """Whether a script of another site may use the request's address with that method, without any credential."""
    operation = await _operation_asked(request, method)
    return operation is None or _is_public(operation, method)


async def _operation_asked(request: web.Request, method: str) -> Operation | None:
    """The operation at the request's address, which it itself, being OPTIONS, doesn't name."""
    for resource in request.app.router.resources():
        _, methods = await resource.resolve(request)
        if method in methods:
            return request.app[CONTRACT].operation_at(resource.canonical, method)
    return None


def guard(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Adds the rate to an answer, and keeps one that is for its asker alone from caches and other sites' scripts."""
    if (taken := request.get(RATE)) is not None:
        response.headers.update(rate_headers(taken))
    if GUARDED in request:
        response.headers["Vary"] = "Accept, Authorization, Cookie, Signature-Input"
    if request.get(GUARDED):
        response.headers["Cache-Control"] = PRIVATE
        response.headers.popall("Access-Control-Allow-Origin", None)


def rate_headers(taken: Taken) -> dict[str, str]:
    """A bucket as draft-ietf-httpapi-ratelimit-headers-10 says it: its size, and in how long it fills up."""
    policy = f'"{taken.policy}";q={taken.rate.burst};w={taken.rate.window_s}'
    return {"RateLimit-Policy": policy, "RateLimit": f'"{taken.policy}";r={taken.left};t={taken.full_in_s}'}
