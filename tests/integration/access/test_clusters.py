"""Clusters over the database: what is kept of a key, what rotation and revocation do, and that it is all on record."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from explorer.access.actors import Scope
from explorer.access.clusters import (
    add_cluster,
    list_clusters,
    parse_scopes,
    revoke_cluster,
    revoke_key,
    rotate_key,
)
from explorer.access.errors import (
    ClusterRevoked,
    ClusterUnknown,
    KeyUnknown,
    NameRefused,
    NoBearerKey,
    PublicKeyRefused,
    ScopesRefused,
)
from explorer.access.keys import hash_of, is_key, thumbprint
from explorer.access.service import AccessService
from explorer.index.networks import claim_network
from tests.integration.access.serving import Signer

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
async def connection(pool: asyncpg.Pool) -> asyncpg.Connection:  # type: ignore[misc]
    """A connection to a database that holds a network."""
    async with pool.acquire() as opened:
        await claim_network(opened, "mainnet")
        yield opened


async def actions(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    """What the audit log says was done, to what."""
    return [tuple(row) for row in await connection.fetch("SELECT action, subject FROM audit.entries ORDER BY seq")]


async def test_of_a_key_only_its_hash_is_kept(connection: asyncpg.Connection) -> None:
    made = await add_cluster(connection, "berlin", now=NOW)
    assert made.key is not None
    assert is_key(made.key)
    assert made.key not in repr(made)
    assert await connection.fetchval("SELECT secret_hash FROM access.keys") == hash_of(made.key)
    secret = made.key[12:]
    tables = await connection.fetch("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables")
    for (table,) in tables:
        if not table.startswith("pg_catalog"):
            rows = await connection.fetch(f"SELECT t::text FROM {table} AS t")
            assert all(secret not in str(row) for row in rows), table


async def test_a_cluster_is_listed_with_its_keys(connection: asyncpg.Connection) -> None:
    signer = Signer()
    made = await add_cluster(connection, "berlin", (Scope.READ,), public_key=signer.public_key, bearer=True, now=NOW)
    (row,) = await list_clusters(connection)
    assert (row.id, row.name, row.created_at, row.revoked_at) == (made.id, "berlin", NOW, None)
    assert {(key.kind, key.id, key.scopes) for key in row.keys} == {
        ("bearer", str(made.key)[:12], ("reviews:read",)),
        ("ed25519", thumbprint(signer.public_key), ("reviews:read",)),
    }
    assert await actions(connection) == [("cluster.added", made.id)]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0b", "\u202eevil", "x" * 101, "clu_1", "a\ud800"])
async def test_names_that_can_not_be_read_are_refused(connection: asyncpg.Connection, name: str) -> None:
    with pytest.raises(NameRefused):
        await add_cluster(connection, name)
    assert await list_clusters(connection) == []


async def test_a_name_is_given_out_once(connection: asyncpg.Connection) -> None:
    await add_cluster(connection, "berlin")
    for _ in range(2):
        with pytest.raises(NameRefused, match="another name"):
            await add_cluster(connection, "berlin")
        await revoke_cluster(connection, "berlin")


async def test_of_two_at_once_with_one_name_one_is_added(connection: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    async def once() -> str:
        async with pool.acquire() as other:
            return (await add_cluster(other, "berlin")).id

    made = await asyncio.gather(*(once() for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in made) == 1
    assert all(isinstance(one, str | NameRefused) for one in made)
    assert len(await actions(connection)) == 1


async def test_one_public_key_is_one_clusters(connection: asyncpg.Connection) -> None:
    signer = Signer()
    await add_cluster(connection, "berlin", public_key=signer.public_key)
    with pytest.raises(PublicKeyRefused):
        await add_cluster(connection, "paris", public_key=signer.public_key)
    with pytest.raises(PublicKeyRefused):
        await rotate_key(connection, "berlin", public_key=signer.public_key)
    assert [row.name for row in await list_clusters(connection)] == ["berlin"]
    assert len(await actions(connection)) == 1


async def test_rotation_keeps_scopes_and_ends_the_keys_before(connection: asyncpg.Connection) -> None:
    made = await add_cluster(connection, "berlin", (Scope.READ,), now=NOW)
    second = await rotate_key(connection, made.id, overlap=timedelta(days=3), now=NOW)
    third = await rotate_key(connection, "berlin", overlap=timedelta(hours=1), now=NOW)
    assert second.scopes == third.scopes == (Scope.READ,)
    (row,) = await list_clusters(connection)
    ends = {key.id: key.not_after for key in row.keys}
    soon = NOW + timedelta(hours=1)
    assert ends == {str(made.key)[:12]: soon, str(second.key)[:12]: soon, str(third.key)[:12]: None}
    assert third.former_keys_end_at == soon
    fourth = await rotate_key(connection, "berlin", overlap=timedelta(days=90), now=NOW)
    assert fourth.former_keys_end_at == NOW + timedelta(days=90)
    (row,) = await list_clusters(connection)
    assert {key.id: key.not_after for key in row.keys}[str(made.key)[:12]] == soon, "no rotation lengthens a key's life"
    assert [action for action, _ in await actions(connection)] == ["cluster.added"] + ["cluster.rotated"] * 3


async def test_a_public_keys_rotation_leaves_the_bearer_key(connection: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    first, second = Signer(), Signer()
    made = await add_cluster(connection, "berlin", public_key=first.public_key, bearer=True)
    rotated = await rotate_key(connection, "berlin", public_key=second.public_key, overlap=timedelta())
    assert rotated.key is None
    assert rotated.signing_key_id == thumbprint(second.public_key)
    access = AccessService(pool)
    bearer = await access.check_key(str(made.key))
    old, new = [await access.find_signer(thumbprint(signer.public_key)) for signer in (first, second)]
    assert bearer is not None
    assert old is not None
    assert new is not None
    assert [bearer.has_ended, new.has_ended] == [None, None]
    assert old.has_ended is not None


async def test_nobody_gets_a_bearer_key_unasked(connection: asyncpg.Connection) -> None:
    first, second = Signer(), Signer()
    made = await add_cluster(connection, "berlin", public_key=first.public_key)
    assert (made.key, made.signing_key_id) == (None, thumbprint(first.public_key))
    with pytest.raises(NoBearerKey, match="--public-key"):
        await rotate_key(connection, "berlin")
    await rotate_key(connection, "berlin", public_key=second.public_key)
    (row,) = await list_clusters(connection)
    assert {key.kind for key in row.keys} == {"ed25519"}
    assert (await rotate_key(connection, "berlin", bearer=True)).key is not None
    assert (await rotate_key(connection, "berlin")).key is not None


async def test_a_key_is_ended_alone(connection: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    """A cluster that begins to sign its requests loses the bearer key from before, and nothing else."""
    signer, other = Signer(), await add_cluster(connection, "paris")
    made = await add_cluster(connection, "berlin")
    key = str(made.key)
    await rotate_key(connection, "berlin", public_key=signer.public_key)
    for _ in range(2):
        assert (await revoke_key(connection, "berlin", key[:12])).keys_left == 1
    access = AccessService(pool)
    bearer, signing = await access.check_key(key), await access.find_signer(thumbprint(signer.public_key))
    assert bearer is not None
    assert bearer.has_ended == "was revoked"
    assert signing is not None
    assert signing.has_ended is None
    with pytest.raises(NoBearerKey):
        await rotate_key(connection, "berlin")
    assert (await revoke_key(connection, made.id, thumbprint(signer.public_key))).keys_left == 0
    again = await rotate_key(connection, "berlin", bearer=True)
    assert (again.scopes, again.key is None) == (made.scopes, False)
    for wrong in (str(other.key)[:12], key, str(again.key), "", "fpk_"):
        with pytest.raises(KeyUnknown) as refused:
            await revoke_key(connection, "berlin", wrong)
        assert wrong == "" or wrong not in str(refused.value)
    assert [action for action, _ in await actions(connection)] == [
        "cluster.added",
        "cluster.added",
        "cluster.rotated",
        "cluster.key_revoked",
        "cluster.key_revoked",
        "cluster.rotated",
    ]


async def test_revocation_is_for_good(connection: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    made = await add_cluster(connection, "berlin")
    assert await revoke_cluster(connection, "berlin") == made.id
    assert await revoke_cluster(connection, made.id) == made.id
    with pytest.raises(ClusterRevoked):
        await rotate_key(connection, "berlin")
    known = await AccessService(pool).check_key(str(made.key))
    assert known is not None
    assert known.has_ended == "was revoked"
    assert await actions(connection) == [("cluster.added", made.id), ("cluster.revoked", made.id)]


async def test_nobody_is_revoked_by_a_wrong_name(connection: asyncpg.Connection) -> None:
    for named in ("nobody", "", "clu_1", "%", "\ud800"[:0] + "x"):
        with pytest.raises(ClusterUnknown):
            await revoke_cluster(connection, named)


async def test_the_right_beginning_with_a_wrong_secret_is_unknown(
    connection: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    made = await add_cluster(connection, "berlin")
    key = str(made.key)
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert await AccessService(pool).check_key(other) is None
    assert await AccessService(pool).check_key(key[:12]) is None


@pytest.mark.parametrize(
    ("texts", "scopes"),
    [
        ([], (Scope.WRITE, Scope.READ)),
        (["reviews:read"], (Scope.READ,)),
        (["reviews:read,reviews:write"], (Scope.WRITE, Scope.READ)),
        (["reviews:read", " reviews:write"], (Scope.WRITE, Scope.READ)),
        (["admin"], (Scope.ADMIN,)),
    ],
)
def test_scopes(texts: list[str], scopes: tuple[Scope, ...]) -> None:
    assert parse_scopes(texts) == scopes


@pytest.mark.parametrize("texts", [["read"], ["admin,reviews:read"], ["admin", "reviews:write"], ["*"], ["ADMIN"]])
def test_no_scopes(texts: list[str]) -> None:
    with pytest.raises(ScopesRefused):
        parse_scopes(texts)
