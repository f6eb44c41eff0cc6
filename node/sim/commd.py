"""What a sector commits to: unsealed, the root over its pieces' commitments, zeros behind them; sealed, a name."""

from collections.abc import Sequence
from hashlib import blake2b, sha256

from node.cid import CODEC_COMMITMENT_SEALED, CODEC_COMMITMENT_UNSEALED, HASH_PIECE_V1, Cid

_LEAF_BYTES = 32
_HASH_POSEIDON = 0xB401
"""The hash function of sealed commitments, poseidon-bls12_381-a2-fc1."""


def _join(left: bytes, right: bytes) -> bytes:
    """The commitment over two of the same size: sha256, cut to 254 bits."""
    digest = bytearray(sha256(left + right).digest())
    digest[31] &= 0x3F
    return bytes(digest)


def _zero_commitments(sector_bytes: int) -> dict[int, bytes]:
    """The commitment of zeros, by size in bytes."""
    zeros, size = {_LEAF_BYTES: bytes(32)}, _LEAF_BYTES
    while size < sector_bytes:
        zeros[size * 2] = _join(zeros[size], zeros[size])
        size *= 2
    return zeros


def unsealed_cid(pieces: Sequence[tuple[Cid, int]], sector_bytes: int) -> Cid:
    """The commitment of a sector with pieces, each a CID and its padded size, put one after the other.

    Sizes are powers of two, there is one at least, and all of them fit into the sector.
    """
    zeros = _zero_commitments(sector_bytes)
    stack: list[tuple[int, bytes]] = []
    for cid, size in pieces:
        while stack and stack[-1][0] < size:
            _push(stack, stack[-1][0], zeros[stack[-1][0]])
        _push(stack, size, cid.digest)
    while len(stack) > 1 or stack[0][0] < sector_bytes:
        _push(stack, stack[-1][0], zeros[stack[-1][0]])
    return Cid(1, CODEC_COMMITMENT_UNSEALED, HASH_PIECE_V1, stack[0][1])


def sealed_cid(name: str) -> Cid:
    """What stands for the commitment of a sealed sector: nothing is sealed here, so it follows from a name."""
    digest = blake2b(name.encode(), digest_size=32).digest()
    return Cid(1, CODEC_COMMITMENT_SEALED, _HASH_POSEIDON, digest)


def _push(stack: list[tuple[int, bytes]], size: int, commitment: bytes) -> None:
    """Adds a commitment, and joins neighbours of the same size."""
    while stack and stack[-1][0] == size:
        _, left = stack.pop()
        size, commitment = size * 2, _join(left, commitment)
    stack.append((size, commitment))
