"""An explorer in this process over a database of the test's own, and those who ask it."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from yarl import URL

from explorer.access.actors import OPERATOR, Scope
from explorer.access.clusters import NewKeys, add_cluster
from explorer.access.keys import thumbprint
from explorer.access.notaries import add_notary
from explorer.access.sessions import begin_session
from explorer.ground.setting_values import parse_listen
from explorer.ground.settings import Settings
from explorer.serving import running_explorer
from node.address import parse_address
from tests.patience import PATIENCE_S

NOTARY = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"


@dataclass(frozen=True, slots=True)
class Got:
    """An answer, read to its end, or to the beginning of a stream."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str | None:
        """The problem's code; None where the answer is none."""
        return str(self.document["code"]) if self.headers.get("Content-Type") == "application/problem+json" else None


@dataclass(slots=True)
class World:
    """A running explorer, its database, and a client that keeps no cookies and adds nothing."""

    url: str
    pool: asyncpg.Pool
    own_pool: asyncpg.Pool
    """The explorer's."""
    session: aiohttp.ClientSession = field(repr=False)

    async def add(self, name: str, *scopes: Scope, public_key: bytes | None = None) -> NewKeys:
        """A cluster of the usual scopes, or of these."""
        async with self.pool.acquire() as connection:
            return await add_cluster(
                connection, name, scopes or (Scope.WRITE, Scope.READ), public_key=public_key, bearer=True
            )

    async def sign_in(self, address: str = NOTARY) -> str:
        """The token of a notary's session."""
        async with self.pool.acquire() as connection, connection.transaction():
            notary = await add_notary(connection, parse_address(address), "Ada", by=OPERATOR)
            return await begin_session(connection, notary)

    async def ask(self, method: str, path: str, *, session: aiohttp.ClientSession | None = None, **options: Any) -> Got:
        """The answer to a request; the path goes as it is written."""
        url = URL(self.url + path, encoded=True)
        async with (session or self.session).request(method, url, allow_redirects=False, **options) as answer:
            is_stream = answer.content_type == "text/event-stream"
            return Got(answer.status, answer.headers, b"" if is_stream else await answer.read())

    async def get(self, path: str, key: str | None = None, **headers: str) -> Got:
        """The answer to a GET with a key."""
        return await self.ask("GET", path, headers={**bearer(key), **headers})


def bearer(key: str | None) -> dict[str, str]:
    """The header that brings a key."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def cookie(token: str) -> dict[str, str]:
    """The headers of a page of our own, by plain http on this machine."""
    return {"Cookie": f"filplus-session={token}", "Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def open_world(dsn: str, data_dir: Path, pool: asyncpg.Pool, **changes: Any) -> AsyncIterator[World]:
    """An explorer that answers, and does all that it does by itself, as long as the context lasts."""
    settings = Settings(data_dir=data_dir, database_url=dsn, listen=parse_listen("127.0.0.1:0"))
    async with (
        running_explorer(replace(settings, **changes)) as running,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers={"User-Agent"}) as session,
    ):
        stop = asyncio.Event()
        running_loops = asyncio.create_task(running.run(stop))
        world = World(running.url, pool, running.pool, session)
        try:
            await _until_fed(world)
            yield world
        finally:
            stop.set()
            await running_loops


async def _until_fed(world: World) -> None:
    """Returns once the stream of events has begun."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if (await world.get("/events")).status == 200:
                return
            await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Signer:
    """A cluster that signs its requests."""

    key: ECC.EccKey = field(default_factory=lambda: ECC.generate(curve="Ed25519"))

    @property
    def public_key(self) -> bytes:
        raw: bytes = self.key.public_key().export_key(format="raw")
        return raw

    def headers(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        *,
        nonce: str | None = None,
        age: timedelta = timedelta(),
        covered: str = '"@method" "@target-uri"',
    ) -> dict[str, str]:
        """The headers of a signed request, written here once more by the RFC, apart from what judges them."""
        headers = {}
        lines = [f'"@method": {method}', f'"@target-uri": {url}']
        if body is not None:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers = {"Content-Digest": f"sha-256=:{digest}:", "Content-Type": "application/json"}
            covered += ' "content-digest"'
            lines.append(f'"content-digest": sha-256=:{digest}:')
        created = int((datetime.now(UTC) - age).timestamp())
        nonce = secrets.token_hex(8) if nonce is None else nonce
        parameters = f'({covered});created={created};keyid="{thumbprint(self.public_key)}";nonce="{nonce}"'
        lines.append(f'"@signature-params": {parameters}')
        signature = eddsa.new(self.key, "rfc8032").sign("\n".join(lines).encode())
        signature_text = base64.b64encode(signature).decode()
        return {**headers, "Signature-Input": f"sig1={parameters}", "Signature": f"sig1=:{signature_text}:"}
