"""A CID taken apart in plain words: the document of `GET /cid/{cid}`. Pure."""

from collections.abc import Sequence
from typing import Any

from multiformats import multibase, multicodec
from multiformats.multicodec.err import MulticodecKeyError

from node.cid import CODEC_RAW, Cid, CidKind, canonical, commitment_of, is_empty_content, kind_of, piece_of
from node.piece import piece_v1

Document = dict[str, Any]

_BASES = ("base32", "base36", "base58btc", "base64url", "base16")
_EXPLANATIONS: dict[CidKind, str] = {
    "piece": "A piece CID: the commitment to a padded piece of data, by which the chain records deals and claims.",
    "payload": "A payload CID: the data itself. The chain records pieces; a deal's label or a map tells which hold it.",
    "inline": "An identity CID: it carries its data in itself, so nobody needs to store it.",
    "sealed": "A sealed CID: one provider's encoding of a sector; deals and claims name the unsealed piece.",
}


def describe(asked: str, cid: Cid, recorded_sizes: Sequence[int]) -> Document:
    """What a CID is. `recorded_sizes`: the padded sizes that records give its piece."""
    commitment = commitment_of(cid)
    piece = piece_of(cid)
    size = piece.padded_size_bytes if piece else (recorded_sizes[0] if len(recorded_sizes) == 1 else None)
    return {
        "cid": asked,
        "canonical": canonical(cid).to_text(),
        "kind": kind_of(cid),
        "version": cid.version,
        "codec": cid.codec,
        "codec_name": codec_name(cid.codec),
        "hash_name": codec_name(cid.hash_code),
        "multihash": cid.multihash.hex(),
        "digest": cid.digest.hex(),
        "piece_cid_v1": piece_v1(commitment).to_text() if commitment else None,
        "piece_cid_v2": _piece_v2_text(cid, commitment),
        "piece_size_bytes": size,
        "payload_size_bytes": piece.payload_size_bytes if piece else None,
        "forms": _forms(cid),
        "explanation": _explanation(cid),
    }


def codec_name(code: int) -> str:
    """The name of a codec or hash function in the multicodec table; its number in hex where the table has none."""
    try:
        return multicodec.get(code=code).name
    except MulticodecKeyError:
        return hex(code)


def _piece_v2_text(cid: Cid, commitment: bytes | None) -> str | None:
    """The piece CID v2 as it was asked; version 1 doesn't say how much payload there is, so it has none."""
    return cid.to_text() if commitment and piece_of(cid) else None


def _forms(cid: Cid) -> dict[str, str | None]:
    """The same CID in other spellings."""
    raw = Cid(1, cid.codec, cid.hash_code, cid.digest).to_bytes()
    return {"v0": cid.to_v0_text(), **{base: multibase.get(base).encode(raw) for base in _BASES}}


def _explanation(cid: Cid) -> str:
    empty = is_empty_content(cid)
    if empty:
        return f"A payload CID: that of {empty}, which everybody has, so nothing follows from it."
    if piece_of(cid) and cid.codec == CODEC_RAW:
        return "A piece CID of version 2: it also says how much payload there is. The chain records version 1."
    return _EXPLANATIONS[kind_of(cid)]
