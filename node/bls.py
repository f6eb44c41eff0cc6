"""BLS signatures as Filecoin makes them: public keys in G1 (48 bytes), signatures in G2 (96 bytes).

A secret key is 32 bytes, its number in little-endian order; the public key is the payload of the f3 address. The data
is hashed to the curve as it is, without a digest before. The pairing is pure Python: a public key takes about 10 ms, a
signature 100 ms, a verification half a second, so that what was verified is remembered.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from node.errors import SecretKeyError

SECRET_BYTES = 32
SIGNATURE_BYTES = 96
_REMEMBERED_SIGNATURES = 4096
_REMEMBERED_DATA_BYTES = 2048
"""Longer data is verified each time, so that nobody fills the memory with it."""
_STACK_FRAMES = 5_000
_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


@contextmanager
def _suite() -> Iterator[Any]:
    """Filecoin's ciphersuite, with the room on the stack that its recursive powers take.

    Importing the library raises the interpreter's limit to 100,000 frames, at which nested JSON from outside crashes
    the process instead of raising RecursionError. So the limit is put back whenever it was touched.
    """
    limit = sys.getrecursionlimit()
    try:
        # A third of a second, which only who has to do with f3 addresses is to wait for.
        from py_ecc.bls.ciphersuites import G2Basic  # noqa: PLC0415

        sys.setrecursionlimit(max(limit, _STACK_FRAMES))
        yield G2Basic
    finally:
        sys.setrecursionlimit(limit)


def secret_number(secret: bytes) -> int:
    """The number of a secret key; SecretKeyError where it is none."""
    if len(secret) != SECRET_BYTES:
        raise SecretKeyError(f"a private key has {SECRET_BYTES} bytes, not {len(secret)}")
    number = int.from_bytes(secret, "little")
    if not 0 < number < _ORDER:
        raise SecretKeyError("these 32 bytes are no private key: they are zero or beyond the curve's order")
    return number


def secret_from_seed(seed: bytes) -> bytes:
    """A secret key that follows from 32 bytes or more of randomness, as the BLS draft derives keys."""
    with _suite() as suite:
        number: int = suite.KeyGen(seed)
    return number.to_bytes(SECRET_BYTES, "little")


def public_key(secret: bytes) -> bytes:
    """The public key of a secret key; SecretKeyError where that is none."""
    number = secret_number(secret)
    with _suite() as suite:
        return bytes(suite.SkToPk(number))


def bls_sign(secret: bytes, data: bytes) -> bytes:
    """The signature over the data: the same each time. SecretKeyError where the secret key is none."""
    number = secret_number(secret)
    with _suite() as suite:
        return bytes(suite.Sign(number, data))


def bls_holds(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether the signature over the data is the public key's. Never raises: bytes that are neither do not hold."""
    if len(data) > _REMEMBERED_DATA_BYTES:
        return _holds(public, data, signature)
    return _remembered(public, data, signature)


def _holds(public: bytes, data: bytes, signature: bytes) -> bool:
    with _suite() as suite:
        return bool(suite.Verify(public, data, signature))


_remembered = lru_cache(_REMEMBERED_SIGNATURES)(_holds)
