"""What the HTTP layer asks about who asks. All is read anew each time: what an operator changes holds at once."""

import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg

from explorer.access import idempotency
from explorer.access.actors import Actor, ActorKind, Scope
from explorer.access.keys import hash_of, id_of
from explorer.access.sessions import find_session
from explorer.ground.connection import database_errors
from explorer.ground.queries import load_queries

_QUERIES: Final = load_queries("explorer.access.sql", "clusters.sql")


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that was found, and whose it is. `has_ended` says why it doesn't hold: None where it does."""

    id: str
    actor: Actor
    has_ended: str | None
    public_key: bytes | None = None
    is_rarely_used: bool = False


@dataclass(frozen=True, slots=True)
class AccessService:
    """Over a pool. DatabaseUnavailable and its kin where there is no answer: nobody is let in then."""

    pool: asyncpg.Pool

    async def check_key(self, key: str) -> KnownKey | None:
        """The bearer key, where it is one that was given out; an ended one, too, since its holder may know."""
        async with self._connection("checking a key") as connection:
            row = await connection.fetchrow(_QUERIES["find_key"], id_of(key), None)
            kept = row["secret_hash"] if row is not None and row["kind"] == "bearer" else bytes(32)
            if not hmac.compare_digest(hash_of(key), kept) or row is None:
                return None
            return _known(row)

    async def find_signer(self, key_id: str) -> KnownKey | None:
        """The Ed25519 key of that thumbprint, where a cluster has or had it."""
        async with self._connection("looking for a signer's key") as connection:
            row = await connection.fetchrow(_QUERIES["find_key"], key_id, None)
            return None if row is None or row["kind"] != "ed25519" else _known(row)

    async def note_use(self, key: KnownKey) -> None:
        """Writes down, once an hour, that a key was used."""
        if key.is_rarely_used:
            async with self._connection("noting a key's use") as connection:
                await connection.execute(_QUERIES["used"], key.id, None)

    async def take_signature(self, digest: bytes, lifetime: timedelta) -> bool:
        """Whether a signed request comes for the first time; from then on, as long as it is in time, no more."""
        async with self._connection("taking a signed request") as connection:
            return bool(await connection.fetchval(_QUERIES["take_signature"], digest, lifetime, None))

    async def find_session(self, token: str, *, is_attended: bool = True) -> Actor | None:
        """The notary whose session the cookie's token is; None for none, an ended or an unknown one."""
        async with self._connection("looking for a session") as connection:
            return await find_session(connection, token, is_attended=is_attended)

    async def begin(self, caller: str, key: str, fingerprint: bytes) -> idempotency.Begun:
        """See `idempotency.begin`."""
        async with self._connection("looking for an earlier answer") as connection:
            return await idempotency.begin(connection, caller, key, fingerprint)

    async def answered(self, attempt: idempotency.Attempt, answer: idempotency.Answer) -> None:
        """See `idempotency.answered`."""
        async with self._connection("keeping an answer") as connection:
            await idempotency.answered(connection, attempt, answer)

    async def failed(self, attempt: idempotency.Attempt) -> None:
        """See `idempotency.failed`."""
        async with self._connection("forgetting an attempt") as connection:
            await idempotency.failed(connection, attempt)

    async def prune(self) -> None:
        """Forgets answers and signed requests whose time is over."""
        async with self._connection("forgetting old answers") as connection:
            await idempotency.prune(connection)
            await connection.execute(_QUERIES["prune_signatures"], None)

    @asynccontextmanager
    async def _connection(self, doing: str) -> AsyncIterator[asyncpg.Connection]:
        with database_errors(doing):
            async with self.pool.acquire() as connection:
                yield connection


def _known(row: Mapping[str, Any]) -> KnownKey:
    ended = "was revoked" if row["is_revoked"] else "has ended after a rotation" if row["is_over"] else None
    scopes = frozenset(map(Scope, row["scopes"]))
    kind = ActorKind.OPERATOR if Scope.ADMIN in scopes else ActorKind.CLUSTER
    actor = Actor(kind, row["cluster_id"], row["name"], scopes)
    return KnownKey(row["id"], actor, ended, row["public_key"], row["is_rarely_used"])
