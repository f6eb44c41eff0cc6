"""The service about itself: status, limits, version, health, metrics, and its description."""

from aiohttp import web
from prometheus_client import generate_latest

from explorer.errors import DatabaseError
from explorer.index.feed import KEPT_EVENTS, KEPT_FOR
from explorer.web import asking, pages
from explorer.web.caching import HEAD_MAX_AGE_S, MAX_AGE_S, NO_STORE, cacheable, json_answer, max_age, page_answer
from explorer.web.headers import timed
from explorer.web.keys import CONFIG, CONTRACT, DOCS, INDEX, RENDERER
from explorer.web.negotiation import HTML, representation
from explorer.web.problems import KINDS, Problem

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def get_status(request: web.Request) -> web.StreamResponse:
    """`GET /status`."""
    wants = representation(request)
    asking.read_request(request, "getStatus")
    live = pages.live_view(request, {"types": "head,import"})
    with timed(request, "index"):
        status = await request.app[INDEX].status()
    if wants == HTML:
        return await pages.status_page(request, status, live)
    return json_answer(request, status, cache_control=max_age(HEAD_MAX_AGE_S))


async def get_config(request: web.Request) -> web.StreamResponse:
    """`GET /config`: every public limit. Reads have no rate."""
    asking.read_request(request, "getConfig")
    config = request.app[CONFIG]
    limits = config.limits
    document = {
        "network": config.network,
        "public_url": config.public_url,
        "limits": {
            "cids_per_request": limits.cids_per_request,
            "body_bytes": limits.body_bytes,
            "evidence_page_size": limits.page_size,
            "evidence_page_size_max": limits.page_size_max,
            "request_line_bytes": limits.request_line_bytes,
            "header_bytes": limits.header_bytes,
            "body_timeout_seconds": limits.body_timeout_s,
            "answer_timeout_seconds": limits.answer_timeout_s,
            "event_streams": limits.event_streams,
            "event_heartbeat_seconds": limits.event_heartbeat_s,
            "event_write_timeout_seconds": limits.event_write_timeout_s,
            "events_kept": KEPT_EVENTS,
            "events_kept_seconds": KEPT_FOR.total_seconds(),
        },
        "cache": {"head_max_age_seconds": HEAD_MAX_AGE_S, "max_age_seconds": MAX_AGE_S},
        "rates": {"reads": None},
    }
    return json_answer(request, document, cache_control=max_age(MAX_AGE_S))


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
