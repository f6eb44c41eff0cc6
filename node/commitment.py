"""What the digest of a piece CID v2 says: piece size, payload size and commitment (FRC-0069).

    uvarint padding | height, one byte | commitment, 32 bytes

A piece is a binary tree of 32-byte leaves; of every 128 bytes of it 127 are data (fr32).
"""

from dataclasses import dataclass

from node.varint import read_uvarint, uvarint_bytes

COMMITMENT_BYTES = 32
# A tree of height 2 is the smallest that holds one fr32 group; one of height 57 the largest whose size is an int64.
MIN_HEIGHT = 2
MAX_HEIGHT = 57


def capacity_bytes(height: int) -> int:
    """How many bytes of data a piece of that tree height holds: 127 of every 128."""
    return (32 << height) // 128 * 127


@dataclass(frozen=True, slots=True)
class PieceV2:
    """A piece CID v2, taken apart."""

    commitment: bytes
    height: int
    padding_bytes: int

    @property
    def padded_size_bytes(self) -> int:
        """The piece's size as the chain records it: 32 · 2^height."""
        return 32 << self.height

    @property
    def payload_size_bytes(self) -> int:
        """How many bytes of data were put in, before padding."""
        return capacity_bytes(self.height) - self.padding_bytes

    def to_digest(self) -> bytes:
        """The digest that says this."""
        return uvarint_bytes(self.padding_bytes) + bytes([self.height]) + self.commitment


def piece_from_digest(digest: bytes) -> PieceV2:
    """The piece that a v2 digest describes; ValueError where it describes none.

    Filecoin's Go code also wants less than half of the piece to be padding. Pieces padded beyond
    that exist (the empty payload in FRC-0069's own examples, a small file in a 32 GiB piece), and
    their commitment is as good, so only padding that the piece cannot hold is refused here.
    """
    padding_bytes, at = read_uvarint(digest)
    if len(digest) != at + 1 + COMMITMENT_BYTES:
        raise ValueError(f"its digest has {len(digest)} bytes where {at + 1 + COMMITMENT_BYTES} are due")
    height = digest[at]
    if not MIN_HEIGHT <= height <= MAX_HEIGHT:
        raise ValueError(f"its tree height {height} is not within {MIN_HEIGHT} to {MAX_HEIGHT}")
    if padding_bytes > capacity_bytes(height):
        raise ValueError(f"its padding of {padding_bytes} bytes is more than the {capacity_bytes(height)} of the piece")
    return PieceV2(commitment=digest[at + 1 :], height=height, padding_bytes=padding_bytes)
