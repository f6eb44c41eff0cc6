"""Webhooks over HTTP, at the running program: what an operator's script and a stranger get."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from standardwebhooks.webhooks import Webhook
from yarl import URL

from explorer.alerts.endpoints import TYPES
from explorer.alerts.outbox import enqueue
from explorer.follow.disputing import DISPUTED
from explorer.reviews.life import Effect
from explorer.web.contract import Contract
from tests.integration.alerts.receiver import answering, receiving, well
from tests.integration.alerts.served import Service, service
from tests.patience import until

CONTRACT = Contract.load(public_url="http://filplus.test", version="0")
OPERATIONS = {
    name: found for name, found in CONTRACT.operations.items() if found.path.startswith(("/webhooks", "/deliveries"))
}


@dataclass
class Operator:
    """Asks a running service with a key, and holds every answer against the contract."""

    session: aiohttp.ClientSession
    url: str
    served: Service
    key: str | None = None

    async def ask(self, operation_id: str, status: int, /, *, query: str = "", body: Any = None, **path: Any) -> Any:
        """The answer's document, which has that status."""
        operation = OPERATIONS[operation_id]
        address = URL(self.url + operation.path.format(**path) + query, encoded=True)
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        async with self.session.request(operation.method, address, json=body, headers=headers) as answer:
            raw = await answer.read()
            assert answer.status == status, raw
            if not raw:
                return None
            document = json.loads(raw)
            schema = CONTRACT.response_schema(operation_id, status, answer.content_type)
            assert schema is not None
            CONTRACT.validator(schema).validate(document)
            if "Link" in answer.headers:
                document["link"] = answer.headers["Link"]
            return document


@asynccontextmanager
async def operator(dsn: str, data_dir: Path, *, scope: str = "admin", **environment: str) -> AsyncIterator[Operator]:
    """An operator of a running service, with a key of that scope."""
    with service(dsn, data_dir, **environment) as served:
        served.start()
        url = await served.answers()
        made = await asyncio.to_thread(served.program, "--json", "cluster", "add", "ops", "--scope", scope)
        async with aiohttp.ClientSession() as session:
            yield Operator(session, url, served, json.loads(made.stdout)["key"])


async def test_from_adding_to_removing(dsn: str, data_dir: Path, pool: asyncpg.Pool) -> None:
    async with operator(dsn, data_dir) as one, receiving() as receiver:
        added = await one.ask("postWebhook", 201, body={"url": receiver.url, "types": ["review.decided"]})
        which = added["id"]
        assert set(added) == {"id", "url", "types", "secret"}
        listed = await one.ask("getWebhooks", 200)
        assert [row["id"] for row in listed["webhooks"]] == [which]
        assert added["secret"] not in json.dumps(listed)
        test = await one.ask("postWebhookTest", 202, id=which)
        await until(lambda: receiver.taken)
        received = receiver.taken[0]
        assert Webhook(added["secret"]).verify(received.body, received.headers)["type"] == "webhook.test"
        await until(lambda: states(pool, {"delivered"}))
        log = await one.ask("getDelivery", 200, id=test["id"])
        assert [attempt["status"] for attempt in log["attempts"]] == [204]
        await one.ask("postDeliveryReplay", 202, id=test["id"])
        await until(lambda: len(receiver.taken) == 2)
        assert receiver.taken[1].id == received.id
        rotated = await one.ask("postWebhookRotate", 200, id=which)
        assert rotated["secret"] != added["secret"]
        await one.ask("postWebhookRotate", 200, id=which, body={"overlap_hours": 0})
        await one.ask("deleteWebhook", 204, id=which)
        await one.ask("getWebhook", 404, id=which)
        audited = await pool.fetch("SELECT action, facts FROM audit.entries WHERE subject = $1 ORDER BY seq", which)
        assert [row["action"] for row in audited] == [
            *("webhook.added", "webhook.replayed", "webhook.rotated", "webhook.rotated", "webhook.removed")
        ]
        assert not any(secret in one.served.log() for secret in (added["secret"], rotated["secret"], one.key or ""))
        assert not any(added["secret"] in str(row) for row in audited)


async def states(pool: asyncpg.Pool, wanted: set[str]) -> bool:
    """Whether the deliveries are in those states and no other."""
    return {row["state"] for row in await pool.fetch("SELECT state::text FROM alerts.deliveries")} == wanted


async def test_410_is_enabled_and_pages_follow_one_another(dsn: str, data_dir: Path, pool: asyncpg.Pool) -> None:
    async with operator(dsn, data_dir) as one, receiving(answering(410)) as receiver:
        which = (await one.ask("postWebhook", 201, body={"url": receiver.url}))["id"]
        await one.ask("postWebhookTest", 202, id=which)
        await until(lambda: states(pool, {"dead"}))
        assert (await one.ask("getWebhook", 200, id=which))["state"] == "disabled"
        await one.ask("postWebhookTest", 409, id=which)
        async with pool.acquire() as connection, connection.transaction():
            meanwhile = await enqueue(connection, "review.requested", "r1", {"id": "r1"})
        assert (await one.ask("getWebhook", 200, id=which))["pending"] == 1
        receiver.behaviour = well
        assert (await one.ask("postWebhookEnable", 200, id=which))["state"] == "up"
        await until(lambda: [received.id for received in receiver.taken] == [meanwhile])
        for _ in range(4):
            await one.ask("postWebhookTest", 202, id=which)
        found, query = [], "?limit=2"
        while True:
            page = await one.ask("getWebhookDeliveries", 200, id=which, query=query)
            found += [row["id"] for row in page["deliveries"]]
            if page["next_cursor"] is None:
                assert "link" not in page
                break
            assert page["next_cursor"] in page["link"]
            query = f"?limit=2&cursor={page['next_cursor']}"
        assert found == [6, 5, 4, 3, 2, 1]
        dead = await one.ask("getWebhookDeliveries", 200, id=which, query="?state=dead")
        assert [row["id"] for row in dead["deliveries"]] == [1]


@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("reviews:write", 403)])
async def test_nobody_else_is_let_in(dsn: str, data_dir: Path, scope: str | None, status: int) -> None:
    async with operator(dsn, data_dir, scope=scope or "admin") as stranger:
        if scope is None:
            stranger.key = None
        for operation_id in OPERATIONS:
            await stranger.ask(operation_id, status, id=1, body={"url": "https://notary.example/"})


URLS = [
    *("http://notary.example/", "https://10.0.0.1/", "https://169.254.169.254/", "https://[::ffff:10.0.0.1]/"),
    *("https://notary.example:22/", "https://user:geheim@notary.example/", "https://n\u043etary.example/", "ftp://a/"),
    *("https://10.1/", "https://0xa000001/", "https://\u2460\u2461\u2466.0.0.1/", "https://a b/", "\u0000", "x" * 3000),
]


async def test_bad_requests_are_refused_and_say_why(dsn: str, data_dir: Path) -> None:
    async with operator(dsn, data_dir, FILPLUS_WEBHOOK_ALLOW="") as one:
        for url in URLS:
            problem = await one.ask("postWebhook", 422, body={"url": url})
            assert problem["code"] == "url_refused"
            assert "no address for alerts: " in problem["detail"]
            assert "geheim" not in json.dumps(problem)
        for body in ({}, [], {"url": 1}, {"url": "https://a.example/", "types": ["webhook.test"]}, {"url": "", "x": 1}):
            await one.ask("postWebhook", 400, body=body)
        for text in ("wh_unknown", "%2e%2e", "wh_%F0%9F%92%A9"):
            await one.ask("deleteWebhook", 404, id=text)
        await one.ask("getWebhook", 400, id="%00")
        await one.ask("postDeliveryReplay", 404, id=2**63 - 1)
        await one.ask("postDeliveryReplay", 400, id=2**63)
        added = await one.ask("postWebhook", 201, body={"url": "https://notary.example/hook"})
        for needless in ({"x": 1}, [], "x", 0):
            for operation_id in ("postWebhookTest", "postWebhookEnable", "deleteWebhook"):
                refused = await one.ask(operation_id, 400, id=added["id"], body=needless)
                assert (refused["code"], "takes no body" in refused["detail"]) == ("malformed_body", True)
            await one.ask("postDeliveryReplay", 400, id=1, body=needless)
        await one.ask("postWebhookEnable", 200, id=added["id"], body={})
        await one.ask("postWebhook", 409, body={"url": "https://notary.example/hook"})
        await one.ask("getWebhookDeliveries", 400, id=added["id"], query="?cursor=x")
        for hours in (-1, 721, "24", 1e400):
            await one.ask("postWebhookRotate", 400, id=added["id"], body={"overlap_hours": hours})


def test_the_contract_names_the_types_that_there_are() -> None:
    schemas = CONTRACT.document["components"]["schemas"]
    assert tuple(schemas["WebhookRequest"]["properties"]["types"]["items"]["enum"]) == TYPES
    assert {DISPUTED, *Effect} <= set(TYPES)


def test_every_operation_is_for_operators() -> None:
    for operation in OPERATIONS.values():
        assert not operation.is_open
        assert all(way.scopes == {"admin"} for way in operation.security)
