"""Webhooks, for whoever holds a key of scope `admin`: who is told, what was delivered, and delivering it again.

The middleware of `access.py` has let in only those before any of this runs.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from explorer.alerts.endpoints import OVERLAP
from explorer.web import asking
from explorer.web.caching import NO_STORE, PRIVATE, encoded, json_answer
from explorer.web.keys import WEBHOOKS
from explorer.web.ports import Document, Webhooks
from explorer.web.problems import Problem


async def list_webhooks(request: web.Request) -> web.StreamResponse:
    """`GET /webhooks`."""
    asking.read_request(request, "getWebhooks")
    return json_answer(request, await _webhooks(request).webhooks(), cache_control=PRIVATE)


async def add_webhook(request: web.Request) -> web.StreamResponse:
    """`POST /webhooks`: the one answer that shows the secret."""
    asking.read_request(request, "postWebhook")
    wanted = await asking.read_body(request, "postWebhook")
    added = await _webhooks(request).add(wanted["url"], wanted.get("types"), actor=asking.actor_of(request))
    return _answer(added, status=201, Location=f"/webhooks/{added['id']}")


async def get_webhook(request: web.Request) -> web.StreamResponse:
    """`GET /webhooks/{id}`."""
    asked = asking.read_request(request, "getWebhook")
    return json_answer(request, await _webhooks(request).webhook(asked["id"]), cache_control=PRIVATE)


async def remove_webhook(request: web.Request) -> web.StreamResponse:
    """`DELETE /webhooks/{id}`."""
    asked = asking.read_request(request, "deleteWebhook")
    await asking.demand_no_body(request)
    await _webhooks(request).remove(asked["id"], actor=asking.actor_of(request))
    return web.Response(status=204, headers={"Cache-Control": NO_STORE})


async def test_webhook(request: web.Request) -> web.StreamResponse:
    """`POST /webhooks/{id}/test`: a message is on its way."""
    asked = asking.read_request(request, "postWebhookTest")
    await asking.demand_no_body(request)
    delivery = await _webhooks(request).test(asked["id"])
    return _answer(delivery, status=202, Location=f"/deliveries/{delivery['id']}")


async def rotate_webhook(request: web.Request) -> web.StreamResponse:
    """`POST /webhooks/{id}/rotate`: the new secret, shown this once. The body may be left out."""
    asked = asking.read_request(request, "postWebhookRotate")
    wanted = await asking.read_body(request, "postWebhookRotate") if request.body_exists else {}
    overlap = timedelta(hours=wanted["overlap_hours"]) if "overlap_hours" in wanted else OVERLAP
    return _answer(await _webhooks(request).rotate(asked["id"], overlap, actor=asking.actor_of(request)))


async def enable_webhook(request: web.Request) -> web.StreamResponse:
    """`POST /webhooks/{id}/enable`."""
    asked = asking.read_request(request, "postWebhookEnable")
    await asking.demand_no_body(request)
    return _answer(await _webhooks(request).enable(asked["id"], actor=asking.actor_of(request)))


async def list_deliveries(request: web.Request) -> web.StreamResponse:
    """`GET /webhooks/{id}/deliveries`."""
    asked = asking.read_request(request, "getWebhookDeliveries")
    page = await _webhooks(request).deliveries(
        asked["id"], state=asked["state"], cursor=asked["cursor"], limit=asked["limit"]
    )
    links = {"Link": f'<{_next_address(page, asked)}>; rel="next"'} if page["next_cursor"] else {}
    return json_answer(request, page, cache_control=PRIVATE, headers=links)


def _next_address(page: Document, asked: dict[str, Any]) -> str:
    chosen = {"state": asked["state"]} if asked["state"] else {}
    query = urlencode({**chosen, "limit": asked["limit"], "cursor": page["next_cursor"]})
    return f"/webhooks/{quote(asked['id'], safe='')}/deliveries?{query}"


async def get_delivery(request: web.Request) -> web.StreamResponse:
    """`GET /deliveries/{id}`: with every attempt."""
    asked = asking.read_request(request, "getDelivery")
    return json_answer(request, await _webhooks(request).delivery(asked["id"]), cache_control=PRIVATE)


async def replay_delivery(request: web.Request) -> web.StreamResponse:
    """`POST /deliveries/{id}/replay`."""
    asked = asking.read_request(request, "postDeliveryReplay")
    await asking.demand_no_body(request)
    delivery = await _webhooks(request).replay(asked["id"], actor=asking.actor_of(request))
    return _answer(delivery, status=202, Location=f"/deliveries/{delivery['id']}")


def _webhooks(request: web.Request) -> Webhooks:
    found = request.app[WEBHOOKS]
    if found is None:
        raise Problem("not_found", "This service administers no webhooks.", request.path)
    return found


def _answer(document: Document, *, status: int = 200, **headers: str) -> web.Response:
    """An answer that nobody may keep: it may hold a secret."""
    named = {"Content-Type": "application/json", "Cache-Control": NO_STORE, **headers}
    return web.Response(status=status, body=encoded(document), headers=named)
