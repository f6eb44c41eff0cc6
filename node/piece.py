"""Piece CIDs: version 1, which the chain records, and version 2, which also says the payload's size (FRC-0069)."""

from node.cid import (
    CODEC_COMMITMENT_UNSEALED,
    CODEC_RAW,
    HASH_PIECE_V1,
    HASH_PIECE_V2,
    Cid,
)
from node.commitment import (
    COMMITMENT_BYTES,
    MAX_HEIGHT,
    MIN_HEIGHT,
    PieceV2,
    capacity_bytes,
    piece_from_digest,
)
from node.errors import CidError, excerpt
from node.multibase import decode_base32

__all__ = ["PieceV2", "commitment_of_text", "parse_piece_v2", "piece_v1", "piece_v2"]

_V1_TEXT_CHARS = 64
_V1_TEXT_PREFIX = "baga6ea4seaq"
_V1_HEAD = bytes.fromhex("0181e203922020")


def piece_v1(commitment: bytes) -> Cid:
    """The piece CID of version 1, as the chain records it, of a 32-byte commitment."""
    return Cid(1, CODEC_COMMITMENT_UNSEALED, HASH_PIECE_V1, _checked_commitment(commitment))


def piece_v2(commitment: bytes, *, payload_size_bytes: int) -> Cid:
    """The piece CID of version 2 of a commitment over that many bytes of payload, padded no further than it must be."""
    height = _height_for(payload_size_bytes)
    padding_bytes = capacity_bytes(height) - payload_size_bytes
    piece = PieceV2(_checked_commitment(commitment), height=height, padding_bytes=padding_bytes)
    return Cid(1, CODEC_RAW, HASH_PIECE_V2, piece.to_digest())


def parse_piece_v2(cid: Cid) -> PieceV2:
    """What a piece CID of version 2 says; CidError for any other CID and for one whose digest says nonsense."""
    if cid.hash_code != HASH_PIECE_V2:
        raise CidError(f"{excerpt(cid.to_text())} is no piece CID of version 2")
    try:
        return piece_from_digest(cid.digest)
    except ValueError as error:
        raise CidError(f"{excerpt(cid.to_text())} is no piece CID of version 2: {error}") from error


def commitment_of_text(text: str) -> bytes | None:
    """The 32-byte commitment of a `baga6ea4seaq…` text, fast, for dumps; None for every other text.

    None is not "no piece": other spellings of piece CIDs go through `parse_cid` and `match_key`.
    """
    if len(text) != _V1_TEXT_CHARS or not text.startswith(_V1_TEXT_PREFIX) or not text.isascii():
        return None
    try:
        raw = decode_base32(text[1:].encode("ascii"))
    except ValueError:
        return None
    return raw[len(_V1_HEAD) :] if raw.startswith(_V1_HEAD) else None


def _checked_commitment(commitment: bytes) -> bytes:
    if len(commitment) != COMMITMENT_BYTES:
        raise CidError(f"commitment {excerpt(commitment)} has {len(commitment)} bytes, not {COMMITMENT_BYTES}")
    return commitment


def _height_for(payload_size_bytes: int) -> int:
    """The height of the smallest tree that holds the payload; the smallest of all is also the empty payload's."""
    if not 0 <= payload_size_bytes <= capacity_bytes(MAX_HEIGHT):
        raise CidError(
            f"a payload of {excerpt(payload_size_bytes)} bytes fits no piece; give 0 to {capacity_bytes(MAX_HEIGHT)}"
        )
    groups = -(-payload_size_bytes // 127)
    return MIN_HEIGHT + max(groups - 1, 0).bit_length()
