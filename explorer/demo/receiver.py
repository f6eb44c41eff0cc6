"""A receiver of alerts, as a notary would run one: it believes what is signed with its secret, and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from aiohttp import web

from explorer.alerts.standard_webhooks import is_genuine
from explorer.demo.narrating import PATIENCE_S
from explorer.errors import FilplusError

LOCAL = ip_network("127.0.0.0/8")
"""Where it listens: the one network whose webhooks the demo allows."""
_LARGEST_ALERT_BYTES = 4 << 20


@dataclass(slots=True)
class Receiver:
    """Keeps what arrived and is genuine, each message once by its id."""

    url: str
    secret: str = ""
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        """204 for a genuine message, 401 for any other."""
        body = await request.read()
        received = {name.lower(): value for name, value in request.headers.items()}
        if not self.secret or not is_genuine(self.secret, received, body, now=datetime.now(UTC)):
            return web.Response(status=401)
        async with self.arrived:
            self.messages.setdefault(received["webhook-id"], json.loads(body))
            self.arrived.notify_all()
        return web.Response(status=204)

    async def expect(self, message_type: str, review_id: str) -> str:
        """The webhook-id of the alert of that type about a review, as soon as it is here; FilplusError if it isn't."""
        try:
            async with asyncio.timeout(PATIENCE_S), self.arrived:
                return await self.arrived.wait_for(lambda: self._find(message_type, review_id))
        except TimeoutError:
            raise FilplusError(f"no genuine alert {message_type} about {review_id} within {PATIENCE_S:g} s") from None

    def _find(self, message_type: str, review_id: str) -> str:
        """The webhook-id of such an alert; empty where none is here."""
        for webhook_id, message in self.messages.items():
            if message["type"] == message_type and message["data"]["id"] == review_id:
                return webhook_id
        return ""


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine, as long as the context lasts."""
    receiver = Receiver("")
    app = web.Application(client_max_size=_LARGEST_ALERT_BYTES)
    app.router.add_post("/alerts", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/alerts"
        yield receiver
    finally:
        await runner.cleanup()
