"""Nonces: each for one purpose, once, and not for long.

    expiry 5 bytes | random 9 bytes | HMAC-SHA256 of both and the purpose, 16 bytes     in base32: 48 characters

What is given out is not kept: the code at its end shows that it is ours. Kept is only what was used, until it expires,
and nonces are used by good signatures alone. So nobody can fill the database by asking for them.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from explorer.ground.queries import load_queries

SIGN_IN: Final = "sign-in"
SIGN_IN_LIFETIME: Final = timedelta(minutes=5)
_EXPIRY_BYTES: Final = 5
_RANDOM_BYTES: Final = 9
_CODE_BYTES: Final = 16
_CHARS: Final = 48

_QUERIES: Final = load_queries("explorer.access.sql", "notaries.sql")


async def issue_nonce(
    connection: asyncpg.Connection, purpose: str, *, now: datetime | None = None, lifetime: timedelta = SIGN_IN_LIFETIME
) -> str:
    """A new nonce for a purpose, to be taken within its lifetime, which is in whole seconds. Writes nothing."""
    key, moment = await _key_and_now(connection, now)
    expires_s = int(moment.timestamp() + lifetime.total_seconds())
    head = expires_s.to_bytes(_EXPIRY_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
    return base64.b32encode(head + _code(key, purpose, head)).decode("ascii")


async def take_nonce(connection: asyncpg.Connection, nonce: str, purpose: str, *, now: datetime | None = None) -> bool:
    """Whether the nonce was ours, for this purpose, in time and not yet taken; then it is taken.

    Call it in the transaction of what it is for, once the signature was found good: rolled back, it is not taken.
    Of two transactions that take one nonce the second waits for the first.
    """
    raw = _raw(nonce)
    if raw is None:
        return False
    key, moment = await _key_and_now(connection, now)
    head, code = raw[:-_CODE_BYTES], raw[-_CODE_BYTES:]
    if not hmac.compare_digest(code, _code(key, purpose, head)):
        return False
    expires_s = int.from_bytes(head[:_EXPIRY_BYTES], "big")
    if moment.timestamp() >= expires_s:
        return False
    await connection.execute(_QUERIES["forget_nonces"], moment)
    return await connection.fetchval(_QUERIES["take_nonce"], nonce, datetime.fromtimestamp(expires_s, UTC)) is not None


async def _key_and_now(connection: asyncpg.Connection, now: datetime | None) -> tuple[bytes, datetime]:
    row = await connection.fetchrow(_QUERIES["nonce_key"], now)
    return row["key"], row["now"]


def _raw(nonce: str) -> bytes | None:
    """The bytes of a nonce's one spelling."""
    try:
        return base64.b32decode(nonce) if len(nonce) == _CHARS else None
    except (binascii.Error, ValueError):
        return None


def _code(key: bytes, purpose: str, head: bytes) -> bytes:
    data = b"filplus nonce\0" + head + purpose.encode("utf-8", "surrogatepass")
    return hmac.new(key, data, hashlib.sha256).digest()[:_CODE_BYTES]
