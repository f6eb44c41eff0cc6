"""The parts that an application holds, by typed key."""

from typing import Any

from aiohttp import web

from explorer.access.actors import Actor
from explorer.reviews.desk import Desk
from explorer.web.broadcast import Broadcast
from explorer.web.config import WebConfig
from explorer.web.contract import Contract
from explorer.web.metrics import HttpMetrics
from explorer.web.ports import AuditLog, Index, Parties, SignIn, Views, Webhooks
from explorer.web.rendering import Renderer

INDEX: web.AppKey[Index] = web.AppKey("index", Index)
CONFIG = web.AppKey("config", WebConfig)
CONTRACT = web.AppKey("contract", Contract)
METRICS = web.AppKey("metrics", HttpMetrics)
DOCS: web.AppKey[dict[str, Any]] = web.AppKey("docs", dict)
BROADCAST = web.AppKey("broadcast", Broadcast)
RENDERER = web.AppKey("renderer", Renderer)

ACTOR: web.RequestKey[Actor | None] = web.RequestKey("ACTOR", Actor)
"""Who asks, on every request: what the middleware of `access.py` recognised; None for an anonymous one."""
SIGN_IN: web.AppKey[SignIn | None] = web.AppKey("sign_in", SignIn)
REVIEWS: web.AppKey[Desk | None] = web.AppKey("reviews", Desk)
PARTIES: web.AppKey[Parties | None] = web.AppKey("parties", Parties)
VIEWS: web.AppKey[Views | None] = web.AppKey("views", Views)
AUDIT: web.AppKey[AuditLog | None] = web.AppKey("audit", AuditLog)
WEBHOOKS: web.AppKey[Webhooks | None] = web.AppKey("webhooks", Webhooks)
