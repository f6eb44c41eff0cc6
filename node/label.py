"""What a deal's label says. A label is what the client wrote: at most 256 bytes of anything.

Measured on mainnet: nearly all are a payload CID in base32, base58 or base64; the rest is text, other
kinds of CIDs, nothing, and bytes that are no text.
"""

from typing import Literal

from node.cid import EMPTY_MULTIHASHES, Cid, cid_from_bytes, is_empty_content, kind_of, parse_cid
from node.errors import CidError
from node.multibase import decode_base32, decode_base58, decode_multibase

LabelKind = Literal["payload", "piece", "sealed", "inline", "empty_content", "text", "bytes", "empty"]

_FILLERS = b" \t\r\n\0"
# Binary CIDs of the usual payloads, up to the digest, by their whole length: dag-pb and raw, sha2-256 and blake2b-256.
_USUAL_HEADS = {
    36: (b"\x01\x70\x12\x20", b"\x01\x55\x12\x20"),
    38: (b"\x01\x70\xa0\xe4\x02\x20", b"\x01\x55\xa0\xe4\x02\x20"),
}


def label_cid(label: bytes) -> Cid | None:
    """The CID that a label names, or None.

    As text in every multibase, with blanks or NULs around, `ipfs://` or `/ipfs/` before and a path behind it;
    or as a binary CID that fills the whole label.
    """
    # Both binary forms begin with a byte that no text begins with.
    if label.startswith((b"\x01", b"\x12")):
        try:
            return cid_from_bytes(label)
        except CidError:
            return None
    # Latin-1 decodes everything: the path behind a CID may be any bytes, the CID itself is then seen to be ASCII.
    try:
        return parse_cid(label.strip(_FILLERS).decode("latin-1"), allow_path=True)
    except CidError:
        return None


def payload_key(label: bytes) -> bytes | None:
    """The match key of the payload CID that a label names: its multihash; else None.

    None for no CID, for a piece or sealed CID, for inline data, and for the empty contents that everybody has.
    """
    multihash = _usual_multihash(label)
    if multihash is not None:
        return None if multihash in EMPTY_MULTIHASHES else multihash
    cid = label_cid(label)
    if cid is None or kind_of(cid) != "payload" or is_empty_content(cid) is not None:
        return None
    return cid.multihash


def _usual_multihash(label: bytes) -> bytes | None:
    """The multihash of the spellings that nearly all labels have, without building a Cid; None: look closer.

    A dump has eighty million labels, so a microsecond here is more than a minute there.
    """
    try:
        if label.startswith(b"baf"):
            raw = decode_base32(label[1:])
        elif label.startswith(b"Qm"):
            raw = decode_base58(label) if len(label) == 46 else b""
            return raw if len(raw) == 34 and raw.startswith(b"\x12\x20") else None
        elif label.startswith(b"mAX"):
            raw = decode_multibase(label)
        else:
            return None
    except ValueError:
        return None
    return raw[2:] if raw.startswith(_USUAL_HEADS.get(len(raw), ())) else None


def label_kind(label: bytes) -> LabelKind:
    """What a label is: the kind of CID it names, or else text, bytes, or empty."""
    cid = label_cid(label)
    if cid is None:
        return _kind_without_cid(label)
    kind = kind_of(cid)
    return "empty_content" if kind == "payload" and is_empty_content(cid) is not None else kind


def _kind_without_cid(label: bytes) -> LabelKind:
    if not label.strip(_FILLERS):
        return "empty"
    return "bytes" if label_text(label) is None else "text"


def label_text(label: bytes) -> str | None:
    """The label as text, or None where its bytes are no UTF-8. May hold NUL, which PostgreSQL's text cannot."""
    try:
        return label.decode("utf-8")
    except UnicodeDecodeError:
        return None
