"""What happens around every handler.

observe: id, time, metrics, log
  answer_problems: whatever is raised becomes a problem, as JSON or as a page
    keep_limits: long addresses, large headers, the time an answer may take, OPTIONS
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from explorer.errors import FilplusError
from explorer.web import headers
from explorer.web.access import GUARDED, is_open_to_other_sites
from explorer.web.caching import NO_STORE, encoded, page_answer
from explorer.web.forms import words_written
from explorer.web.keys import CONFIG, CONTRACT, METRICS, RENDERER
from explorer.web.metrics import route_of
from explorer.web.negotiation import prefers_page
from explorer.web.problems import RETRY_AFTER_S, Problem, problem_document, problem_from_error

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)

_READING = frozenset({"GET", "HEAD"})
_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    417: "expectation_failed",
}


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives the request its id, then counts, times and logs the answer."""
    request[headers.REQUEST_ID] = headers.request_id_from(request.headers.get("X-Request-ID"))
    metrics = request.app[METRICS]
    started = time.perf_counter()
    with metrics.in_flight.track_inprogress():
        response = await handler(request)
    seconds = time.perf_counter() - started
    metrics.answered(request, response.status, seconds)
    log.debug(
        "http_answered",
        request_id=request[headers.REQUEST_ID],
        method=request.method,
        route=route_of(request),
        status=response.status,
        duration_ms=round(seconds * 1000, 1),
    )
    return response


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every exception into a problem. Redirects pass, a cancelled request stays cancelled."""
    cause: Exception | None = None
    try:
        return await handler(request)
    except Problem as found:
        problem = found
    except FilplusError as error:
        problem, cause = problem_from_error(error, value=_value_of(request)), error
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = _problem_from_http(request, error)
    except Exception as error:  # noqa: BLE001  (the border: the person gets a problem, the log the traceback)
        problem, cause = Problem("internal_error", "The service failed to answer."), error
    written = await words_written(request) if prefers_page(request) else ""
    return problem_response(request, problem, cause=cause, written=written)


def _value_of(request: web.Request) -> str | None:
    return next(iter(request.match_info.values()), None)


def _problem_from_http(request: web.Request, error: web.HTTPException) -> Problem:
    """The problem for what the server itself refuses."""
    code = _CODES.get(error.status, "bad_request")
    if code == "method_not_allowed":
        allow = error.headers.get("Allow", "")
        detail = f"{request.method} is not a method of {request.path}; it has {allow}."
        return Problem(code, detail, request.method, headers={"Allow": allow})
    if code == "not_found":
        return Problem(code, f"There is no page {request.path}.", request.path)
    return Problem(code, f"The request was refused: {error.reason}.")


def problem_response(
    request: web.Request, problem: Problem, *, cause: Exception | None = None, written: str = ""
) -> web.Response:
    """The problem as an answer, in the manner that the request prefers; logged, and never cached.

    `written` is what came in a form; a page gives it back.
    """
    status = problem.kind.status
    _log_problem(request, problem, cause)
    request.app[METRICS].refused(problem.code)
    config = request.app[CONFIG]
    document = problem_document(problem, request_id=request[headers.REQUEST_ID], public_url=config.public_url)
    extra = {"Cache-Control": NO_STORE, **problem.headers}
    if status == 503:
        extra["Retry-After"] = str(RETRY_AFTER_S)
    if prefers_page(request):
        is_search = request.method in _READING
        text = request.app[RENDERER].page(
            "problem.html",
            problem=document,
            q=_sought(request) if is_search else "",
            wait_s=extra.get("Retry-After"),
            is_search=is_search,
            written=written,
            back=_page_at(request),
        )
        return page_answer(request, text, cache_control=NO_STORE, status=status, headers=extra)
    named = {"Content-Type": "application/problem+json", **extra}
    return web.Response(status=status, body=encoded(document), headers=named)


def _sought(request: web.Request) -> str:
    """What the person looked for: the search's text, or the CID or number of the address."""
    return request.query.get("q") or _value_of(request) or ""


def _page_at(request: web.Request) -> str | None:
    """Where the page is that a refused form came from: at the form's own address, if anywhere."""
    resource = request.match_info.route.resource
    if request.method in _READING or resource is None:
        return None
    page = request.app[CONTRACT].operation_at(resource.canonical, "GET")
    return request.path if page is not None and page.has_page else None


def _log_problem(request: web.Request, problem: Problem, cause: Exception | None) -> None:
    facts = {
        "request_id": request[headers.REQUEST_ID],
        "method": request.method,
        "route": route_of(request),
        "status": problem.kind.status,
        "code": problem.code,
    }
    if problem.code == "internal_error":
        log.error("http_failed", **facts, exc_info=cause)
    elif problem.kind.status >= 500:
        log.warning("http_unavailable", **facts, reason=str(cause or problem))
    else:
        log.info("http_refused", **facts)


@web.middleware
async def keep_limits(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what is too long, answers OPTIONS, and ends what takes too long."""
    limits = request.app[CONFIG].limits
    if len(request.raw_path) > limits.request_line_bytes:
        raise Problem("uri_too_long", f"An address may have {limits.request_line_bytes} bytes.", request.raw_path)
    if sum(len(name) + len(value) for name, value in request.raw_headers) > limits.header_bytes:
        raise Problem("headers_too_large", f"The headers may have {limits.header_bytes} bytes in all.")
    if request.method == "OPTIONS":
        return await _options(request)
    try:
        async with asyncio.timeout(limits.answer_timeout_s):
            return await handler(request)
    except TimeoutError as error:
        raise Problem("timeout", f"There was no answer within {limits.answer_timeout_s:g} s.") from error


async def _options(request: web.Request) -> web.Response:
    """The methods of the address; scripts of other sites are told of those that need no credential."""
    refusal = request.match_info.http_exception
    if refusal is None or refusal.status != 405:
        raise web.HTTPNotFound
    methods = refusal.headers["Allow"].split(",")
    open_methods = [method for method in methods if await is_open_to_other_sites(request, method)]
    if not open_methods:
        request[GUARDED] = True
    told = headers.preflight_headers(*(", ".join(sorted({*some, "OPTIONS"})) for some in (methods, open_methods)))
    return web.Response(status=204, headers=told)
