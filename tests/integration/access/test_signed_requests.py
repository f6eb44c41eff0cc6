"""Requests that a cluster signs, over HTTP: taken once, by whoever holds the key, over this body, for this explorer."""

import asyncio
import io
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg
import orjson
import pytest

from explorer.access.clusters import revoke_cluster, rotate_key
from explorer.access.keys import thumbprint
from tests.clusters import CHECKOUT
from tests.integration.access.serving import Got, Signer, World, bearer, open_world

BODY = orjson.dumps({"text": "hello"})
PATH = "/reviews/rev_1/comments"


@dataclass
class Signing:
    """A world, and a cluster in it that signs."""

    world: World
    signer: Signer
    base: str

    async def post(self, headers: dict[str, str], body: bytes | io.BytesIO = BODY, path: str = PATH) -> Got:
        """The answer to a signed POST."""
        return await self.world.ask("POST", path, data=body, headers={"Content-Type": "application/json", **headers})

    def signed(self, **options: str | timedelta) -> dict[str, str]:
        """The headers of a good POST."""
        return self.signer.headers("POST", self.base + PATH, BODY, **options)  # type: ignore[arg-type]


@pytest.fixture
async def signing(world: World) -> Signing:
    """A cluster that signs its requests."""
    signer = Signer()
    await world.add("berlin", public_key=signer.public_key)
    return Signing(world, signer, world.url)


async def test_a_signed_get_is_recognised(signing: Signing) -> None:
    got = await signing.world.ask("GET", "/me", headers=signing.signer.headers("GET", signing.base + "/me"))
    assert (got.status, got.document["name"]) == (200, "berlin")
    again = signing.signer.headers("GET", signing.base + "/reviews?limit=5")
    assert (await signing.world.ask("GET", "/reviews?limit=5", headers=again)).status == 200
    assert (await signing.world.ask("GET", "/reviews?limit=6", headers=again)).code == "refused_signature"


async def test_a_signed_post_is_taken_once(signing: Signing) -> None:
    headers = signing.signed()
    assert (await signing.post(headers)).status == 404
    got = await signing.post(headers)
    assert (got.status, got.code) == (401, "replayed_signature")
    assert (await signing.post(signing.signed())).status == 404


async def test_of_many_at_once_one_is_taken(signing: Signing) -> None:
    headers = signing.signed()
    statuses = [got.status for got in await asyncio.gather(*(signing.post(headers) for _ in range(12)))]
    assert sorted(statuses) == [401] * 11 + [404]


async def test_another_body_address_method_or_key_is_refused(signing: Signing) -> None:
    for got in (
        await signing.post(signing.signed(), body=BODY + b" "),
        await signing.post(signing.signed(), body=b""),
        await signing.post(signing.signed(), path="/reviews/rev_2/comments"),
        await signing.world.ask("GET", "/me", headers=signing.signer.headers("POST", signing.base + "/me")),
        await signing.world.ask("GET", "/me", headers=signing.signer.headers("GET", "https://other.example/me")),
        await signing.post(signing.signed(age=timedelta(minutes=6))),
        await signing.post(signing.signed(age=timedelta(minutes=-6))),
    ):
        assert (got.status, got.code) == (401, "refused_signature")
        assert got.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_key_of_nobodys_is_unknown_and_a_forged_name_is_refused(signing: Signing) -> None:
    stranger = Signer()
    headers = stranger.headers("GET", signing.base + "/me")
    assert (await signing.world.ask("GET", "/me", headers=headers)).code == "unknown_key"
    forged = headers["Signature-Input"].replace(thumbprint(stranger.public_key), thumbprint(signing.signer.public_key))
    got = await signing.world.ask("GET", "/me", headers={**headers, "Signature-Input": forged})
    assert got.code == "refused_signature"


async def test_a_bearer_key_is_no_signer(signing: Signing) -> None:
    made = await signing.world.add("paris")
    headers = signing.signer.headers("GET", signing.base + "/me")
    named = headers["Signature-Input"].replace(thumbprint(signing.signer.public_key), str(made.key)[:12])
    got = await signing.world.ask("GET", "/me", headers={**headers, "Signature-Input": named})
    assert got.code == "unknown_key"
    both = {**bearer(made.key), **headers}
    assert (await signing.world.ask("GET", "/me", headers=both)).code == "repeated_credentials"


async def test_rotated_and_revoked_keys(signing: Signing, pool: asyncpg.Pool) -> None:
    newer = Signer()
    async with pool.acquire() as connection:
        await rotate_key(connection, "berlin", public_key=newer.public_key, overlap=timedelta())
        old = await signing.world.ask("GET", "/me", headers=signing.signer.headers("GET", signing.base + "/me"))
        assert old.code == "ended_key"
        new = signing.signer, newer
        assert (
            await signing.world.ask("GET", "/me", headers=new[1].headers("GET", signing.base + "/me"))
        ).status == 200
        await revoke_cluster(connection, "berlin")
    gone = await signing.world.ask("GET", "/me", headers=newer.headers("GET", signing.base + "/me"))
    assert gone.code == "ended_key"


async def test_strangers_can_not_make_bodies_be_read(signing: Signing) -> None:
    """A body that is too large is refused by its size only to who is known."""
    large = b"x" * (5 * 1024 * 1024)
    stranger = Signer().headers("POST", signing.base + PATH, large)
    assert (await signing.post(stranger, body=io.BytesIO(large))).code == "unknown_key"
    known = signing.signer.headers("POST", signing.base + PATH, large)
    assert (await signing.post(known, body=io.BytesIO(large))).code == "body_too_large"


@pytest.fixture
async def behind_proxy(dsn: str, data_dir: Path, pool: asyncpg.Pool) -> AsyncIterator[Signing]:
    """An explorer that others see at another address than the one where it listens."""
    public_url = "https://Filplus.Example/explorer"
    async with open_world(dsn, data_dir, pool, public_url=public_url) as world:
        signer = Signer()
        await world.add("berlin", public_key=signer.public_key)
        yield Signing(world, signer, public_url.lower())


async def test_what_is_signed_is_the_public_address(behind_proxy: Signing) -> None:
    headers = behind_proxy.signer.headers("GET", behind_proxy.base + "/me")
    assert (await behind_proxy.world.ask("GET", "/me", headers=headers)).status == 200
    inside = behind_proxy.signer.headers("GET", behind_proxy.world.url + "/me")
    assert (await behind_proxy.world.ask("GET", "/me", headers=inside)).code == "refused_signature"


async def test_the_documented_shell_lines_sign_what_is_taken(signing: Signing, tmp_path: Path) -> None:
    """openssl signs, curl sends: nothing of ours."""
    text = (CHECKOUT / "docs" / "cluster-developer.md").read_text()
    (script,) = re.findall(r"```sh\n(DIGEST=.*?)```", text, re.DOTALL)
    (tmp_path / "cluster.pem").write_text(signing.signer.key.export_key(format="PEM"))
    (tmp_path / "body").write_bytes(BODY)
    names = {"BODY": "body", "URL": signing.base + PATH, "KEYID": thumbprint(signing.signer.public_key)}
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euc", script, cwd=tmp_path, env={**os.environ, **names}, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await shell.communicate()
    assert shell.returncode == 0
    assert orjson.loads(printed)["status"] == 404, printed
