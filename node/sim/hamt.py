"""The order in which a node lists what it keeps in a hash array mapped trie, without the trie."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import groupby

BIT_WIDTH = 5
_BUCKET_MOST = 3


def hamt_order(keys: Iterable[bytes], *, depth: int = 0) -> list[bytes]:
    """The keys as a walk over the trie meets them (FIP-0006 and go-hamt-ipld).

    A place of a node holds up to three keys in their own order; where there are more, a node of the next depth.
    """
    found: list[bytes] = []
    for _, group in groupby(sorted(keys, key=lambda key: _place(key, depth)), key=lambda key: _place(key, depth)):
        members = list(group)
        found += sorted(members) if len(members) <= _BUCKET_MOST else hamt_order(members, depth=depth + 1)
    return found


def _place(key: bytes, depth: int) -> int:
    """Which place of a node of that depth a key has: five bits of its hash."""
    bits = int.from_bytes(sha256(key).digest(), "big")
    return bits >> (256 - BIT_WIDTH * (depth + 1)) & ((1 << BIT_WIDTH) - 1)
