"""The application: the contract's routes with their handlers, and what surrounds them."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from explorer.reviews.desk import Desk
from explorer.web import (
    api,
    audit_log,
    me,
    notary_pages,
    operations,
    pages,
    parties,
    publisher_pages,
    review_decisions,
    review_forms,
    reviews,
    saved_views,
    searching,
    sign_in_pages,
    signing_in,
    streams,
    webhook_admin,
)
from explorer.web.access import guard, let_in
from explorer.web.assets import Assets
from explorer.web.broadcast import Broadcast
from explorer.web.config import WebConfig
from explorer.web.contract import Contract
from explorer.web.docs import docs_view
from explorer.web.doorkeeper import DOORKEEPER, Doorkeeper
from explorer.web.downloads import DOWNLOADS, Downloads
from explorer.web.headers import REQUEST_ID, common_headers, decorate, request_id_from
from explorer.web.idempotency import answer_once
from explorer.web.keys import (
    AUDIT,
    BROADCAST,
    CONFIG,
    CONTRACT,
    DOCS,
    INDEX,
    METRICS,
    PARTIES,
    RENDERER,
    REVIEWS,
    SIGN_IN,
    VIEWS,
    WEBHOOKS,
)
from explorer.web.metrics import HttpMetrics
from explorer.web.middleware import answer_problems, keep_limits, observe, problem_response
from explorer.web.ports import Access, AuditLog, Index, Parties, SignIn, Views, Webhooks
from explorer.web.present import PRESENT, Present, know_present
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
    "getClient": parties.get_client,
    "getClientTable": parties.get_client_table,
    "getProvider": parties.get_provider,
    "getProviderTable": parties.get_provider_table,
    "getAllocator": parties.get_allocator,
    "getEvents": streams.stream_events,
    "getReviews": reviews.get_reviews,
    "postReview": reviews.post_review,
    "getReview": reviews.get_review,
    "postReviewForm": review_forms.post_review_form,
    "postReviewResults": reviews.post_results,
    "postReviewComment": reviews.post_comment,
    "postReviewWithdrawal": reviews.post_withdrawal,
    "postReviewReopening": reviews.post_reopening,
    "getPublisherProof": reviews.get_publisher_proof,
    "postPublisherProof": reviews.post_publisher_proof,
    "getApproval": review_decisions.get_approval,
    "postDecision": review_decisions.post_decision,
    "getStatus": operations.get_status,
    "getConfig": operations.get_config,
    "getVersion": operations.get_version,
    "getHealth": operations.get_health,
    "getReadiness": operations.get_readiness,
    "getMetrics": operations.get_metrics,
    "getSignIn": sign_in_pages.get_sign_in,
    "postSignInForm": sign_in_pages.post_sign_in,
    "postSignOutForm": sign_in_pages.post_sign_out,
    "getNotary": notary_pages.get_notary,
    "getPublisher": publisher_pages.get_publisher,
    "getViews": saved_views.get_views,
    "postViewForm": saved_views.post_views,
    "getNonce": signing_in.get_nonce,
    "postSignature": signing_in.post_signature,
    "postSignOut": signing_in.post_sign_out,
    "getMe": me.get_me,
    "postSignOutEverywhere": me.post_sign_out_everywhere,
    "getAudit": audit_log.get_audit,
    "getWebhooks": webhook_admin.list_webhooks,
    "postWebhook": webhook_admin.add_webhook,
    "getWebhook": webhook_admin.get_webhook,
    "deleteWebhook": webhook_admin.remove_webhook,
    "postWebhookTest": webhook_admin.test_webhook,
    "postWebhookRotate": webhook_admin.rotate_webhook,
    "postWebhookEnable": webhook_admin.enable_webhook,
    "getWebhookDeliveries": webhook_admin.list_deliveries,
    "getDelivery": webhook_admin.get_delivery,
    "postDeliveryReplay": webhook_admin.replay_delivery,
    "getContract": operations.get_contract,
    "getDocs": operations.get_docs,
}
"""The handler of each operation of `openapi.json`. A missing or a surplus one stops the start."""

_CID_PATTERN = "(?:ipfs://|/ipfs/)?[^/]+"
"""What stands for a CID in an address: one segment, or an IPFS address whose slashes nobody encoded."""


def make_app(
    index: Index,
    *,
    config: WebConfig,
    broadcast: Broadcast | None = None,
    access: Access | None = None,
    sign_in: SignIn | None = None,
    audit: AuditLog | None = None,
    reviews_desk: Desk | None = None,
    webhooks: Webhooks | None = None,
    parties_known: Parties | None = None,
    views: Views | None = None,
) -> web.Application:
    """The explorer's HTTP application over an index. It opens nothing: `listening.answering` starts it.

    Somebody has to fill the broadcast: without one, `GET /events` says that the feed can't be read. Without `access`
    nobody is known: what isn't open to everybody is closed.
    """
    contract = Contract.load(public_url=config.public_url, version=config.version)
    assets = Assets.load()
    around = [observe, answer_problems, keep_limits, know_present, let_in, answer_once]
    app = web.Application(middlewares=around, client_max_size=config.limits.body_bytes)
    app[INDEX], app[CONFIG], app[CONTRACT] = index, config, contract
    app[METRICS], app[PRESENT] = HttpMetrics(config.registry), Present(index)
    app[RENDERER] = Renderer(config, assets, app[PRESENT])
    app[BROADCAST] = Broadcast() if broadcast is None else broadcast
    app[DOORKEEPER] = Doorkeeper(access, config)
    app[SIGN_IN], app[AUDIT] = sign_in, audit
    app[WEBHOOKS], app[VIEWS] = webhooks, views
    app[PARTIES], app[DOWNLOADS] = parties_known, Downloads()
    app[REVIEWS] = reviews_desk
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
        path = found.path.replace("{cid}", f"{{cid:{_CID_PATTERN}}}")
        for name in ("id", "address", "table"):
            path = path.replace(f"{{{name}}}", f"{{{name}:[^/]+}}")  # braces too
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
        guard(request, response)

    app.on_response_prepare.append(on_prepare)
