"""The service about itself: status, limits, version, health, metrics, and its description."""

from aiohttp import web
from prometheus_client import generate_latest

from explorer.errors import DatabaseError
from explorer.web import asking, pages
from explorer.web.caching import HEAD_MAX_AGE_S, MAX_AGE_S, NO_STORE, cacheable, json_answer, max_age, page_answer
from explorer.web.headers import timed
from explorer.web.keys import CONFIG, CONTRACT, DOCS, INDEX, RENDERER
from explorer.web.negotiation import HTML, representation
from explorer.web.problems import KINDS, Problem
from explorer.web.public_limits import public_limits
from explorer.web.queues import load_queues

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def get_status(request: web.Request) -> web.StreamResponse:
    """`GET /status`."""
    wants = representation(request)
    asking.read_request(request, "getStatus")
    live = pages.live_view(request, {"types": "head,import"})
    with timed(request, "index"):
        status = {**await request.app[INDEX].status(), "queues": await load_queues(request.app)}
    if wants == HTML:
        return await pages.status_page(request, status, live)
    return json_answer(request, status, cache_control=max_age(HEAD_MAX_AGE_S))


async def get_config(request: web.Request) -> web.StreamResponse:
    """`GET /config`: every public limit. Reads have no rate."""
    asking.read_request(request, "getConfig")
    return json_answer(request, public_limits(request.app[CONFIG]), cache_control=max_age(MAX_AGE_S))


async def get_version(request: web.Request) -> web.StreamResponse:
    """`GET /version`."""
    asking.read_request(request, "getVersion")
    config = request.app[CONFIG]
    document = {"version": config.version, "commit": config.commit, "network": config.network}
    return json_answer(request, document, cache_control=max_age(MAX_AGE_S))


async def get_health(request: web.Request) -> web.StreamResponse:
    """`GET /healthz`: the process answers, whatever the database does."""
    asking.read_request(request, "getHealth")
    return json_answer(request, {"status": "ok"}, cache_control=NO_STORE)


async def get_readiness(request: web.Request) -> web.StreamResponse:
    """`GET /readyz`: 200 once the database answers, else 503."""
    asking.read_request(request, "getReadiness")
    try:
        await request.app[INDEX].ping()
    except (DatabaseError, OSError) as error:
        raise Problem("database_unavailable", "The service cannot reach its database at the moment.") from error
    return json_answer(request, {"status": "ready"}, cache_control=NO_STORE)


async def get_metrics(request: web.Request) -> web.StreamResponse:
    """`GET /metrics`: the registry as Prometheus text."""
    asking.read_request(request, "getMetrics")
    body = generate_latest(request.app[CONFIG].registry)
    return cacheable(request, body, content_type=_METRICS_TYPE, cache_control=NO_STORE)


async def get_contract(request: web.Request) -> web.StreamResponse:
    """`GET /openapi.json`."""
    asking.read_request(request, "getContract")
    return json_answer(request, request.app[CONTRACT].document, cache_control=max_age(MAX_AGE_S))


async def get_docs(request: web.Request) -> web.StreamResponse:
    """`GET /docs`: the description to read, from the same file."""
    asking.read_request(request, "getDocs")
    text = request.app[RENDERER].page("docs.html", **request.app[DOCS], problem_kinds=KINDS)
    return page_answer(request, text, cache_control=max_age(MAX_AGE_S))
