"""What waits to be done, as `GET /status` tells everybody: how much and since when, not of whom."""

from aiohttp import web

from explorer.reviews.queue import load_queue
from explorer.web.keys import REVIEWS, WEBHOOKS
from explorer.web.ports import Document


async def load_queues(app: web.Application) -> Document | None:
    """The property `queues` of a Status; None for a service without reviews."""
    desk, webhooks = app[REVIEWS], app[WEBHOOKS]
    if desk is None or webhooks is None:
        return None
    return {"reviews": await load_queue(desk), "alerts": await webhooks.queue()}
