"""Clusters as operators see them: add, list, rotate, revoke. Each change is one transaction, with its audit entry.

A running service reads a key anew for every request, so that what changes here holds for the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from explorer.access.actors import OPERATOR, Actor, Scope
from explorer.access.endings import tell_ended
from explorer.access.errors import (
    ClusterRevoked,
    ClusterUnknown,
    KeyUnknown,
    NameRefused,
    NoBearerKey,
    PublicKeyRefused,
    ScopesRefused,
)
from explorer.access.keys import hash_of, id_of, new_key, thumbprint
from explorer.access.names import demand_name
from explorer.audit.log import record
from explorer.ground.ids import new_id
from explorer.ground.queries import load_queries

USUAL_SCOPES: Final = (Scope.WRITE, Scope.READ)
OVERLAP: Final = timedelta(hours=24)
"""For so long the key before holds, too, after a rotation."""
LONGEST_OVERLAP: Final = timedelta(days=90)

_QUERIES: Final = load_queries("explorer.access.sql", "clusters.sql")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key without its secret. `id` is public: of a bearer key its beginning, of an Ed25519 key its thumbprint."""

    id: str
    kind: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    not_after: datetime | None
    revoked_at: datetime | None

    def document(self) -> dict[str, Any]:
        """As JSON prints it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "scopes": list(self.scopes),
            "created_at": _text(self.created_at),
            "last_used_at": _text(self.last_used_at),
            "not_after": _text(self.not_after),
            "revoked_at": _text(self.revoked_at),
        }


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster with its keys, the oldest first."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None
    keys: tuple[KeyRow, ...]

    def document(self) -> dict[str, Any]:
        """As JSON prints it."""
        return {
            "id": self.id,
            "name": self.name,
            "created_at": _text(self.created_at),
            "revoked_at": _text(self.revoked_at),
            "keys": [key.document() for key in self.keys],
        }


@dataclass(frozen=True, slots=True)
class NewKeys:
    """A cluster's new keys. `key` is the bearer key, to be shown once; None where only a public key came."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    key: str | None = field(repr=False)
    signing_key_id: str | None
    former_keys_end_at: datetime | None = None

    def document(self) -> dict[str, Any]:
        """As JSON prints it, the key with it."""
        return {
            "id": self.id,
            "name": self.name,
            "key": self.key,
            "scopes": list(self.scopes),
            "signing_key_id": self.signing_key_id,
            "former_keys_end_at": _text(self.former_keys_end_at),
        }


@dataclass(frozen=True, slots=True)
class KeyEnded:
    """A key that was revoked alone, whether it held no more before, and how many keys its cluster has that hold."""

    id: str
    name: str
    key_id: str
    keys_left: int
    had_ended: bool
    is_cluster_revoked: bool


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_scopes(texts: Sequence[str]) -> tuple[Scope, ...]:
    """The scopes of `reviews:read`, `reviews:write,admin`, …; the usual ones for none. ScopesRefused.

    An operator's key is for that alone: who reads every cluster's reviews should not open any.
    """
    named = {part.strip() for text in texts for part in text.split(",") if part.strip()}
    unknown = sorted(named.difference(Scope))
    if unknown:
        raise ScopesRefused(f"{unknown[0]!r} is no scope: known are {', '.join(Scope)}", value=unknown[0])
    if Scope.ADMIN in named and len(named) > 1:
        raise ScopesRefused(f"{Scope.ADMIN} goes alone: add a cluster of its own for the other scopes")
    return tuple(scope for scope in Scope if scope in named) or USUAL_SCOPES


def parse_name(text: str) -> str:
    """The name itself; NameRefused where it can't be read or would be taken for an id."""
    name = demand_name(text)
    if name.startswith("clu_"):
        raise NameRefused(f"{name!r} looks like an id: take a name that doesn't begin with clu_", value=name)
    return name


async def add_cluster(
    connection: asyncpg.Connection,
    name: str,
    scopes: Sequence[Scope] = USUAL_SCOPES,
    *,
    public_key: bytes | None = None,
    bearer: bool = False,
    by: Actor = OPERATOR,
    now: datetime | None = None,
) -> NewKeys:
    """Adds a cluster with a bearer key; or with the Ed25519 key that it signs its requests with, where one is given.

    Beside that one it gets a bearer key only with `bearer`: a secret that nobody asked for is kept by nobody.
    NameRefused for a name that somebody has or had; PublicKeyRefused for a key that is known already.
    """
    cluster_id, parsed = new_id("clu"), parse_name(name)
    async with connection.transaction():
        if not await connection.fetchval(_QUERIES["add_cluster"], cluster_id, parsed, now):
            raise NameRefused(f"{parsed!r} is or was another cluster: take another name", value=parsed)
        key = signing = None
        if public_key is None or bearer:
            key = await _add_bearer_key(connection, cluster_id, scopes, now)
        if public_key is not None:
            signing = await _add_public_key(connection, cluster_id, public_key, scopes, now)
        added = [*([] if key is None else [id_of(key)]), *([] if signing is None else [signing])]
        facts = {"name": parsed, "scopes": list(map(str, scopes)), "keys": added}
        await record(connection, by, "cluster.added", cluster_id, facts, now=now)
    return NewKeys(cluster_id, parsed, tuple(scopes), key, signing)


async def _add_bearer_key(
    connection: asyncpg.Connection, cluster_id: str, scopes: Sequence[Scope], now: datetime | None
) -> str:
    key = new_key()
    await connection.execute(
        _QUERIES["add_bearer_key"], id_of(key), cluster_id, hash_of(key), list(map(str, scopes)), now
    )
    return key


async def _add_public_key(
    connection: asyncpg.Connection, cluster_id: str, public_key: bytes, scopes: Sequence[Scope], now: datetime | None
) -> str:
    key_id = thumbprint(public_key)
    added = await connection.fetchval(
        _QUERIES["add_public_key"], key_id, cluster_id, public_key, list(map(str, scopes)), now
    )
    if added is None:
        raise PublicKeyRefused(f"the key {key_id} is or was some cluster's: make another one", value=key_id)
    return key_id


async def list_clusters(connection: asyncpg.Connection) -> list[ClusterRow]:
    """Every cluster that ever was, the oldest first."""
    keys: dict[str, list[KeyRow]] = {}
    for row in await connection.fetch(_QUERIES["keys"]):
        facts = dict(row)
        keys.setdefault(facts.pop("cluster_id"), []).append(KeyRow(**{**facts, "scopes": tuple(facts["scopes"])}))
    rows = await connection.fetch(_QUERIES["clusters"])
    return [ClusterRow(**row, keys=tuple(keys.get(row["id"], ()))) for row in rows]


async def revoke_cluster(
    connection: asyncpg.Connection, named: str, *, by: Actor = OPERATOR, now: datetime | None = None
) -> str:
    """Revokes a cluster, by id or name, with all of its keys, for good; returns its id. A second time changes nothing.

    ClusterUnknown.
    """
    async with connection.transaction():
        row = await _locked(connection, named)
        if row["revoked_at"] is None:
            await connection.execute(_QUERIES["revoke_cluster"], row["id"], now)
            await connection.execute(_QUERIES["revoke_keys"], row["id"], now)
            await tell_ended(connection)
            await record(connection, by, "cluster.revoked", row["id"], {"name": row["name"]}, now=now)
    return str(row["id"])


async def revoke_key(
    connection: asyncpg.Connection, named: str, key_id: str, *, by: Actor = OPERATOR, now: datetime | None = None
) -> KeyEnded:
    """Ends one key of a cluster, by id or name, for good; the others stay. A second time changes nothing.

    So does a cluster that signs its requests lose the bearer key from before. ClusterUnknown, KeyUnknown.
    """
    async with connection.transaction():
        row = await _locked(connection, named)
        known = await connection.fetchrow(_QUERIES["find_key_of"], row["id"], key_id, now)
        if known is None:
            raise KeyUnknown(row["name"])
        if known["revoked_at"] is None:
            await connection.execute(_QUERIES["revoke_key"], row["id"], key_id, now)
            await tell_ended(connection)
            facts = {"name": row["name"], "key": key_id}
            await record(connection, by, "cluster.key_revoked", row["id"], facts, now=now)
        return KeyEnded(
            row["id"],
            row["name"],
            key_id,
            keys_left=await connection.fetchval(_QUERIES["count_holding"], row["id"], now),
            had_ended=known["has_ended"],
            is_cluster_revoked=row["revoked_at"] is not None,
        )


async def rotate_key(
    connection: asyncpg.Connection,
    named: str,
    *,
    public_key: bytes | None = None,
    bearer: bool = False,
    overlap: timedelta = OVERLAP,
    by: Actor = OPERATOR,
    now: datetime | None = None,
) -> NewKeys:
    """Gives a cluster a new key of the same scopes; those before hold for the overlap.

    A bearer key, or with `public_key` that one: the other kind stays as it is. A cluster that only signs gets a bearer
    key with `bearer` alone. ClusterUnknown, ClusterRevoked, PublicKeyRefused, NoBearerKey.
    """
    async with connection.transaction():
        row = await _locked(connection, named)
        if row["revoked_at"] is not None:
            raise ClusterRevoked(f"{row['name']} was revoked, for good: add another cluster", value=row["id"])
        scopes = tuple(map(Scope, await connection.fetchval(_QUERIES["newest_scopes"], row["id"])))
        key = signing = None
        if public_key is None:
            await _demand_bearer_key(connection, row, bearer=bearer)
            key = await _add_bearer_key(connection, row["id"], scopes, now)
        else:
            signing = await _add_public_key(connection, row["id"], public_key, scopes, now)
        new, kind = (id_of(key), "bearer") if key is not None else (signing, "ed25519")
        ends_at = await connection.fetchval(_QUERIES["end_keys"], row["id"], now, overlap, kind, new)
        await tell_ended(connection)
        facts = {"name": row["name"], "key": new, "overlap_seconds": int(overlap.total_seconds())}
        await record(connection, by, "cluster.rotated", row["id"], facts, now=now)
    return NewKeys(row["id"], row["name"], scopes, key, signing, ends_at)


async def _demand_bearer_key(connection: asyncpg.Connection, row: Mapping[str, Any], *, bearer: bool) -> None:
    """Returns where the cluster has a bearer key to be replaced, or is to get one."""
    if not bearer and not await connection.fetchval(_QUERIES["has_bearer_key"], row["id"]):
        raise NoBearerKey(
            f"{row['name']} has no bearer key to replace: give its new public key with --public-key, or ask for a"
            " bearer key with --bearer",
            value=row["id"],
        )


async def _locked(connection: asyncpg.Connection, named: str) -> Mapping[str, Any]:
    row: Mapping[str, Any] | None = await connection.fetchrow(_QUERIES["lock_cluster"], named)
    if row is None:
        raise ClusterUnknown(named)
    return row
