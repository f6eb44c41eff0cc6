"""The application: the contract's routes with their handlers, and what surrounds them."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from explorer.web import api, operations, pages, searching, streams
from explorer.web.assets import Assets
from explorer.web.broadcast import Broadcast
from explorer.web.config import WebConfig
from explorer.web.contract import Contract
from explorer.web.docs import docs_view
from explorer.web.headers import REQUEST_ID, common_headers, decorate, request_id_from
from explorer.web.keys import BROADCAST, CONFIG, CONTRACT, DOCS, INDEX, METRICS, RENDERER
from explorer.web.metrics import HttpMetrics
from explorer.web.middleware import answer_problems, keep_limits, observe, problem_response
from explorer.web.ports import Index
from explorer.web.problems import Problem
from explorer.web.rendering import Renderer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HANDLERS: Mapping[str, Handler] = {
    "getHome": pages.home_page,
    "getSearch": searching.search,
    "getVerdict": api.get_verdict,
    "getCid": api.get_cid,
    "postVerdicts": api.post_verdicts,
    "getDeal": api.get_deal,
    "getClaim": api.get_claim,
    "getAllocation": api.get_allocation,
    "getEvents": streams.stream_events,
    "getStatus": operations.get_status,
    "getConfig": operations.get_config,
    "getVersion": operations.get_version,
    "getHealth": operations.get_health,
    "getReadiness": operations.get_readiness,
    "getMetrics": operations.get_metrics,
    "getContract": operations.get_contract,
    "getDocs": operations.get_docs,
}
"""The handler of each operation of `openapi.json`. A missing or a surplus one stops the start."""

_CID_PATTERN = "(?:ipfs://|/ipfs/)?[^/]+"
"""What stands for a CID in an address: one segment, or an IPFS address whose slashes nobody encoded."""


def make_app(index: Index, *, config: WebConfig, broadcast: Broadcast | None = None) -> web.Application:
    """The explorer's HTTP application over an index. It opens nothing: `listening.answering` starts it.

    Somebody has to fill the broadcast: without one, `GET /events` says that the feed can't be read.
    """
    contract = Contract.load(public_url=config.public_url, version=config.version)
    assets = Assets.load()
    app = web.Application(middlewares=[observe, answer_problems, keep_limits], client_max_size=config.limits.body_bytes)
    app[INDEX], app[CONFIG], app[CONTRACT] = index, config, contract
    app[METRICS], app[RENDERER] = HttpMetrics(config.registry), Renderer(config, assets)
    app[BROADCAST] = Broadcast() if broadcast is None else broadcast
    app.on_shutdown.append(_end_streams)
    app[DOCS] = docs_view(contract, public_url=config.public_url)
    _add_routes(app, contract)
    app.router.add_get("/static/{name}", assets.serve, expect_handler=_expect)
    _decorate_answers(app, config)
    return app


def _add_routes(app: web.Application, contract: Contract) -> None:
    if set(contract.operations) != set(HANDLERS):
        differing = sorted(set(contract.operations) ^ set(HANDLERS))
        raise RuntimeError(f"openapi.json and the handlers differ: {', '.join(differing)}")
    for found in contract.operations.values():
        handler = HANDLERS[found.operation_id]
        path = found.path.replace("{cid}", f"{{cid:{_CID_PATTERN}}}").replace("{id}", "{id:[^/]+}")  # braces too
        if found.method == "get":
            app.router.add_get(path, handler, expect_handler=_expect)
        else:
            app.router.add_route(found.method, path, handler, expect_handler=_expect)


async def _end_streams(app: web.Application) -> None:
    app[BROADCAST].close()


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """Lets an announced body come, unless it is too large. Refuses every other expectation."""
    request[REQUEST_ID] = request_id_from(request.headers.get("X-Request-ID"))
    if request.headers["Expect"].lower() != "100-continue":
        detail = "This service only knows the expectation 100-continue."
        return problem_response(request, Problem("expectation_failed", detail, request.headers["Expect"]))
    if (request.content_length or 0) <= request.app[CONFIG].limits.body_bytes:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    return None


def _decorate_answers(app: web.Application, config: WebConfig) -> None:
    common = common_headers(config)

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        decorate(request, response, common)

    app.on_response_prepare.append(on_prepare)
