"""A service that takes reviews: real database, real HTTP, an index in memory, and a clock that the test turns."""

import asyncio
import io
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest
from prometheus_client import CollectorRegistry

from explorer.access.actors import Actor, ActorKind
from explorer.access.clusters import add_cluster
from explorer.access.endings import EndingsWatch
from explorer.access.notaries import add_notary
from explorer.access.service import AccessService
from explorer.access.sessions import begin_session
from explorer.audit.service import AuditService
from explorer.ground.supervision import Supervisor
from explorer.index.feed_watch import FeedWatch
from explorer.index.networks import claim_network
from explorer.parties.service import PartyService
from explorer.reviews.desk import Desk
from explorer.signatures.verify import sign_text
from explorer.web.app import make_app
from explorer.web.broadcast import Broadcast
from explorer.web.buckets import Rate
from explorer.web.config import Limits, WebConfig
from explorer.web.contract import Contract
from explorer.web.listening import answering
from node.address import Address
from node.network import NETWORKS
from node.signing import SecretKey
from tests.e2e.conftest import Client, Got
from tests.e2e.fake_index import FakeIndex
from tests.integration.reviews.requests import job
from tests.unit.signatures.builders import (
    NOTARY,
    NOTARY_0X,
    NOTARY_F1,
    OTHER,
    OTHER_F1,
    PUBLISHER,
    secret,
)
from tests.unit.signatures.oracles import personal_sign

PUBLIC_URL = "https://filplus.test"
CONTRACT = Contract.load(public_url=PUBLIC_URL, version="0")
OPERATOR = Actor(ActorKind.OPERATOR, "operator", "the operator")
KEYS: dict[Address, SecretKey | bytes] = {NOTARY_F1: NOTARY, OTHER_F1: OTHER, NOTARY_0X: secret("notary")}


def signature_of(signer: Address | SecretKey | bytes, text: str) -> str:
    """A text signed by a notary's address, or by a key: bytes are the key of a 0x signer."""
    key = KEYS[signer] if isinstance(signer, Address) else signer
    return "0x" + personal_sign(key, text).hex() if isinstance(key, bytes) else sign_text(key, text)


@dataclass
class World:
    """The service, its clock, and who is known to it."""

    pool: asyncpg.Pool
    desk: Desk
    client: Client
    keys: dict[str, str] = field(default_factory=dict)
    cookies: dict[Address, str] = field(default_factory=dict)
    now: datetime | None = None

    async def ask(self, method: str, path: str, body: Any = None, *, key: str | None = "eu", **options: Any) -> Got:
        """One request by a cluster, or by nobody for None; or by the notary of `session`."""
        headers: dict[str, str] = dict(options.pop("headers", {}))
        session: Address | None = options.pop("session", None)
        if session is not None:
            headers |= {"Cookie": f"__Host-filplus-session={self.cookies[session]}", "Origin": PUBLIC_URL}
        elif key is not None:
            headers["Authorization"] = f"Bearer {self.keys[key]}"
        if body is not None:
            options["data"] = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
            headers.setdefault("Content-Type", "application/json")
        got = await self.client.ask(method, path, headers=headers, **options)
        demand_fit(method, path, got)
        return got

    async def report(self, *, key: str = "eu", **changes: Any) -> dict[str, Any]:
        """A new review."""
        got = await self.ask("POST", "/reviews", job(**changes), key=key)
        assert got.status == 201, got.body
        return document(got)

    async def proven(self, **changes: Any) -> dict[str, Any]:
        """A new review with its publisher's proof."""
        review = await self.report(**changes)
        return await self.prove(review)

    async def prove(self, review: Mapping[str, Any]) -> dict[str, Any]:
        """The review with its publisher's proof."""
        path = f"/reviews/{review['id']}/publisher-proof"
        text = document(await self.ask("GET", path))["message"]
        got = await self.ask("POST", path, {"message": text, "signature": sign_text(PUBLISHER, text)})
        assert got.status == 200, got.body
        return document(got)

    async def text(self, review: Mapping[str, Any], signer: Address = NOTARY_F1, decision: str = "approve") -> str:
        """The text by which a notary decides."""
        path = f"/reviews/{review['id']}/approval?decision={decision}&address={signer}"
        got = await self.ask("GET", path, key=None)
        assert got.status == 200, got.body
        return str(document(got)["message"])

    async def send(self, review: Mapping[str, Any], message: str, signature: str, **changes: Any) -> Got:
        """A signed decision sent by nobody in particular."""
        said = {"decision": "approve", "comment": "fine", "message": message, "signature": signature} | changes
        return await self.ask("POST", f"/reviews/{review['id']}/decisions", said, key=None)

    async def decide(self, review: Mapping[str, Any], signer: Address = NOTARY_F1, decision: str = "approve") -> Got:
        """A notary's decision, all the way."""
        text = await self.text(review, signer, decision)
        return await self.send(review, text, signature_of(signer, text), decision=decision)

    async def show(self, review: Mapping[str, Any], *, key: str = "eu") -> dict[str, Any]:
        """The review as it is now."""
        return document(await self.ask("GET", f"/reviews/{review['id']}", key=key))

    async def told(self) -> list[tuple[str, str]]:
        """The alerts in the outbox, type and subject, the oldest first."""
        rows = await self.pool.fetch("SELECT type, subject_id FROM alerts.messages ORDER BY id")
        return [tuple(row) for row in rows]

    async def audited(self, review_id: str) -> list[str]:
        """What the audit log says was done with a review."""
        rows = await self.pool.fetch("SELECT action FROM audit.entries WHERE subject = $1 ORDER BY seq", review_id)
        return [row["action"] for row in rows]


def demand_fit(method: str, path: str, got: Got) -> None:
    """Every answer fits the contract."""
    template = re.sub(r"^(/reviews/)[^/]+", r"\1{id}", path.partition("?")[0])
    template = re.sub(r"^(/publishers/)[^/]+", r"\1{address}", template)
    operation = CONTRACT.operation_at(template, method)
    if operation is None or got.status == 304 or not got.body:
        return
    media_type = got.headers["Content-Type"].partition(";")[0]
    schema = CONTRACT.response_schema(operation.operation_id, got.status, media_type)
    assert schema is not None, (operation.operation_id, got.status, media_type, got.body[:200])
    CONTRACT.validator(schema).validate(got.body.decode() if media_type == "text/html" else orjson.loads(got.body))


def document(got: Got) -> Any:
    """An answer's JSON."""
    return orjson.loads(got.body)


def code(got: Got) -> tuple[int, str]:
    """A refusal's status and code."""
    return got.status, document(got)["code"]


_UNPACED = Rate(burst=1_000_000, per_minute=1_000_000)


@asynccontextmanager
async def opened_world(
    pool: asyncpg.Pool,
    index: FakeIndex,
    broadcast: Broadcast | None = None,
    *,
    heartbeat_s: float = 15.0,
    parties: PartyService | None = None,
    session_rate: Rate = _UNPACED,
) -> AsyncIterator[World]:
    """A world whose service answers as long as the context lasts; `parties` know whose an address is."""
    async with pool.acquire() as connection:
        await claim_network(connection, "mainnet")
        keys = {name: (await add_cluster(connection, name, by=OPERATOR)).key or "" for name in ("eu", "us")}
        notaries = [
            await add_notary(connection, address, name, by=OPERATOR)
            for address, name in ((NOTARY_F1, "Ada"), (OTHER_F1, "Ben"), (NOTARY_0X, "Ada's other address"))
        ]
        cookies = {one.address: await begin_session(connection, one) for one in notaries}
    clock: list[World] = []
    desk = Desk(
        pool=pool,
        network=NETWORKS["mainnet"],
        public_url=PUBLIC_URL,
        index=index,
        quorum_bytes=1 << 50,
        now=lambda: clock[0].now,
    )
    limits = Limits(key_rate=_UNPACED, session_rate=session_rate, event_heartbeat_s=heartbeat_s)
    config = WebConfig(network="mainnet", public_url=PUBLIC_URL, version="0", limits=limits)
    app = make_app(
        index,
        config=config,
        broadcast=broadcast,
        access=AccessService(pool),
        audit=AuditService(pool),
        reviews_desk=desk,
        parties_known=parties,
    )
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with answering(app, bound), aiohttp.ClientSession() as session:
            world = World(pool, desk, Client(session, url), keys, cookies)
            clock.append(world)
            yield world


@pytest.fixture
def index() -> FakeIndex:
    """The index that reviews ask."""
    return FakeIndex()


@pytest.fixture
async def world(pool: asyncpg.Pool, index: FakeIndex) -> AsyncIterator[World]:
    """A world."""
    async with opened_world(pool, index) as opened:
        yield opened


@pytest.fixture
async def watched(dsn: str, pool: asyncpg.Pool, index: FakeIndex) -> AsyncIterator[World]:
    """A world whose streams of events are fed, with a heartbeat each hour."""
    broadcast, stop = Broadcast(), asyncio.Event()
    loops = {"feed": FeedWatch(dsn, broadcast).run, "endings": EndingsWatch(dsn, broadcast.doubt).run}
    feeding = asyncio.create_task(Supervisor(loops, registry=CollectorRegistry()).run(stop))
    try:
        async with opened_world(pool, index, broadcast, heartbeat_s=3600) as opened:
            yield opened
    finally:
        stop.set()
        await feeding
