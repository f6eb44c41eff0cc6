"""CIDs: text and bytes, what kind of thing one names, and what it commits to.

A CID is compared by what it commits to, never as text: see `match_key`.
"""

import hashlib
import re
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from node.commitment import COMMITMENT_BYTES, PieceV2, piece_from_digest
from node.errors import CidError, excerpt
from node.multibase import decode_base58, decode_multibase, encode_base32, encode_base58
from node.varint import read_uvarint, uvarint_bytes

CidKind = Literal["piece", "payload", "inline", "sealed"]

CODEC_RAW = 0x55
CODEC_DAG_PB = 0x70
CODEC_DAG_CBOR = 0x71
CODEC_COMMITMENT_UNSEALED = 0xF101
CODEC_COMMITMENT_SEALED = 0xF102
HASH_IDENTITY = 0x00
HASH_SHA2_256 = 0x12
HASH_PIECE_V2 = 0x1011
HASH_PIECE_V1 = 0x1012
HASH_BLAKE2B_256 = 0xB220

MAX_TEXT_CHARS = 512

_V0_PREFIX = bytes([HASH_SHA2_256, 32])
_V0_BYTES = 34
_V0_CHARS = 46
_BLANKS = " \t\r\n"
_LINK_PREFIX = re.compile(r"(?:(?:dweb|ipfs):/{0,2})?(?:/?ipfs/)?", re.IGNORECASE)
_PATH_START = re.compile(r"[/?#]")
# Of the 52 digits of a CID in base64 one is a slash on average; more than a dozen never are.
_MAX_SLASHES = 12


@dataclass(frozen=True, slots=True)
class Cid:
    """A content identifier. Two CIDs are equal when version, codec and multihash are."""

    version: int
    codec: int
    hash_code: int
    digest: bytes

    @property
    def multihash(self) -> bytes:
        """Hash function, length and digest: what the CID commits to, whatever its codec."""
        return uvarint_bytes(self.hash_code) + uvarint_bytes(len(self.digest)) + self.digest

    def to_bytes(self) -> bytes:
        """The binary form of the version that this CID has."""
        if self.version == 0:
            return self.multihash
        return b"\x01" + uvarint_bytes(self.codec) + self.multihash

    def to_text(self) -> str:
        """The canonical text: version 1 in lower-case base32, also for a CID of version 0."""
        return "b" + encode_base32(b"\x01" + uvarint_bytes(self.codec) + self.multihash)

    def to_v0_text(self) -> str | None:
        """The `Qm…` text, or None where version 0 cannot say it: only dag-pb with sha2-256."""
        if self.codec != CODEC_DAG_PB or self.hash_code != HASH_SHA2_256 or len(self.digest) != 32:
            return None
        return encode_base58(self.multihash)

    def __str__(self) -> str:
        return self.to_text()


def cid_from_bytes(raw: bytes) -> Cid:
    """The CID of its binary form; CidError where it is none.

    Checks the structure alone: on chain a CID can be any, and a reader of the chain must get past it.
    """
    if len(raw) == _V0_BYTES and raw.startswith(_V0_PREFIX):
        return Cid(0, CODEC_DAG_PB, HASH_SHA2_256, raw[2:])
    try:
        version, at = read_uvarint(raw)
        codec, at = read_uvarint(raw, at)
        hash_code, at = read_uvarint(raw, at)
        digest_length, at = read_uvarint(raw, at)
    except ValueError as error:
        raise CidError(f"{excerpt(raw)} is no binary CID: {error}") from error
    if version != 1:
        raise CidError(f"{excerpt(raw)} is no binary CID: there is no version {version}")
    if len(raw) - at != digest_length:
        raise CidError(
            f"{excerpt(raw)} is no CID: its digest has {len(raw) - at} bytes, not the {digest_length} it says"
        )
    return Cid(1, codec, hash_code, raw[at:])


def parse_cid(text: str, *, allow_path: bool = False) -> Cid:
    """The CID that a text names; CidError where it names none.

    Takes version 0 and 1 in every multibase, blanks around, `ipfs://`, `/ipfs/` or `dweb:` before it and a
    slash behind it; with `allow_path` also a path, query or fragment, which is passed over. A piece
    CID whose digest cannot be a commitment is refused.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise CidError(f"{excerpt(text)} is no CID: no CID has more than {MAX_TEXT_CHARS} characters")
    bare = text.strip(_BLANKS)
    if not allow_path and (not bare.isascii() or not bare.isprintable() or " " in bare):
        raise CidError(f"{excerpt(text)} is no CID: a CID has only ASCII letters and digits, and no blanks inside")
    link = _LINK_PREFIX.match(bare)
    cid = _parse_with_path(bare[link.end() :] if link else bare, text, allow_path=allow_path)
    _refuse_false_commitment(cid, text)
    return cid


def _parse_with_path(bare: str, text: str, *, allow_path: bool) -> Cid:
    """The CID at the start of `bare`; the whole of it is tried first, since a slash is also a digit of base64."""
    try:
        return _parse_bare(bare)
    except CidError:
        found = _cid_before_path(bare)
        if found is None:
            raise
    cid, path = found
    if not allow_path and path != "/":
        raise CidError(f"{excerpt(text)} names something inside of a CID; ask for the CID alone, {cid}")
    return cid


def _cid_before_path(bare: str) -> tuple[Cid, str] | None:
    """The CID before the first slash, question mark or hash sign, and what follows it; in base64, before any slash."""
    tries = _MAX_SLASHES if bare.startswith(("m", "M")) else 1
    for found in islice(_PATH_START.finditer(bare), tries):
        end = found.start()
        try:
            return _parse_bare(bare[:end]), bare[end:]
        except CidError:
            continue
    return None


def _parse_bare(bare: str) -> Cid:
    """The CID of a text that is a CID and nothing else."""
    is_v0 = len(bare) == _V0_CHARS and bare.startswith("Qm")
    try:
        encoded = bare.encode("ascii")
        raw = decode_base58(encoded) if is_v0 else decode_multibase(encoded)
    except ValueError as error:
        raise CidError(
            f"{excerpt(bare)} is no CID: {error}; a CID begins with Qm, or with b, z, m or another multibase prefix"
        ) from error
    cid = cid_from_bytes(raw)
    if (cid.version == 0) != is_v0:
        raise CidError(f"{excerpt(bare)} is no CID: version 0 is written as Qm… and in no other way")
    return cid


def _refuse_false_commitment(cid: Cid, text: str) -> None:
    """CidError for a piece CID that holds no commitment, so that people learn of it before they ask."""
    if cid.hash_code == HASH_PIECE_V1 and len(cid.digest) != COMMITMENT_BYTES:
        raise CidError(f"{excerpt(text)} is no piece CID: its commitment has {len(cid.digest)} bytes, not 32")
    if cid.hash_code == HASH_PIECE_V2:
        try:
            piece_from_digest(cid.digest)
        except ValueError as error:
            raise CidError(f"{excerpt(text)} is no piece CID of version 2: {error}") from error


def piece_of(cid: Cid) -> PieceV2 | None:
    """What a piece CID v2 says beyond its commitment; None for every other CID, and for one with a broken digest."""
    if cid.hash_code != HASH_PIECE_V2:
        return None
    try:
        return piece_from_digest(cid.digest)
    except ValueError:
        return None


def commitment_of(cid: Cid) -> bytes | None:
    """The 32-byte commitment of a piece CID, version 1 or 2, whatever its codec; None for every other CID."""
    if cid.codec == CODEC_COMMITMENT_SEALED:
        return None
    if cid.hash_code == HASH_PIECE_V1 and len(cid.digest) == COMMITMENT_BYTES:
        return cid.digest
    piece = piece_of(cid)
    return piece.commitment if piece else None


def kind_of(cid: Cid) -> CidKind:
    """What the CID names: the data itself (inline), a sealed sector, a piece, or else a payload."""
    if cid.hash_code == HASH_IDENTITY:
        return "inline"
    if cid.codec == CODEC_COMMITMENT_SEALED:
        return "sealed"
    return "payload" if commitment_of(cid) is None else "piece"


def canonical(cid: Cid) -> Cid:
    """The one CID that stands for all spellings: version 1, and for a piece the piece CID that the chain records."""
    piece = piece_of(cid)
    if piece is not None and kind_of(cid) == "piece":
        return Cid(1, CODEC_COMMITMENT_UNSEALED, HASH_PIECE_V1, piece.commitment)
    return cid if cid.version == 1 else Cid(1, cid.codec, cid.hash_code, cid.digest)


# Everybody has the empty block and the empty UnixFS file and directory, so a label that names one says nothing.
# A UnixFS node is dag-pb: 0a and a length, then type (08), data (12) and file size (18), which some writers leave out.
_EMPTY_CONTENTS = {
    "the empty block": ("",),
    "the empty UnixFS file": (
        *("0a020802", "0a0408021800", "0a0408021200", "0a06080212001800"),
        *("0a020800", "0a0408001800", "0a0408001200", "0a06080012001800"),
    ),
    "the empty UnixFS directory": ("0a020801", "0a0408011800"),
}


def _multihashes(content: bytes) -> tuple[bytes, bytes]:
    blake2b = hashlib.blake2b(content, digest_size=32).digest()
    return (
        Cid(1, CODEC_RAW, HASH_SHA2_256, hashlib.sha256(content).digest()).multihash,
        Cid(1, CODEC_RAW, HASH_BLAKE2B_256, blake2b).multihash,
    )


EMPTY_MULTIHASHES: dict[bytes, str] = {
    multihash: name
    for name, contents in _EMPTY_CONTENTS.items()
    for content in contents
    for multihash in _multihashes(bytes.fromhex(content))
}


def is_empty_content(cid: Cid) -> str | None:
    """Which empty thing the CID names, for example "the empty block"; None where it names something."""
    return EMPTY_MULTIHASHES.get(cid.multihash)


def match_key(cid: Cid) -> bytes | None:
    """The bytes by which records of the same content are found: a piece's commitment, a payload's multihash.

    None where a match would say nothing: inline data, sealed sectors, the empty block, file and directory.
    """
    kind = kind_of(cid)
    if kind == "piece":
        return commitment_of(cid)
    if kind == "payload" and is_empty_content(cid) is None:
        return cid.multihash
    return None
