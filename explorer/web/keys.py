"""The parts that an application holds, by typed key."""

from typing import Any

from aiohttp import web

from explorer.web.broadcast import Broadcast
from explorer.web.config import WebConfig
from explorer.web.contract import Contract
from explorer.web.metrics import HttpMetrics
from explorer.web.ports import Index
from explorer.web.rendering import Renderer

INDEX: web.AppKey[Index] = web.AppKey("index", Index)
CONFIG = web.AppKey("config", WebConfig)
CONTRACT = web.AppKey("contract", Contract)
METRICS = web.AppKey("metrics", HttpMetrics)
DOCS: web.AppKey[dict[str, Any]] = web.AppKey("docs", dict)
BROADCAST = web.AppKey("broadcast", Broadcast)
RENDERER = web.AppKey("renderer", Renderer)
