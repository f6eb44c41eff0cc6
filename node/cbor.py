"""DAG-CBOR as Filecoin uses it: the one encoding of each value, CIDs as tag 42, no floats.

Values: None, bool, int (64 bits and a sign), str, bytes, Cid, lists, and dicts with text keys.
"""

from collections.abc import Callable, Iterator, Mapping

import cbor2

from node.cid import Cid, cid_from_bytes
from node.errors import CborError, CidError, excerpt

_TAG_CID = 42
_CID_PREFIX = b"\0"
_MAX_DEPTH = 64
_INT_LIMIT = 2**64
# A sign byte and at most 128 bytes of magnitude, as the chain's own code limits it.
_MAX_BIGINT_BYTES = 129

_FAULTS = (cbor2.CBORError, ValueError, OverflowError, RecursionError, MemoryError)


def _cid_from_tag(content: object, _immutable: bool) -> Cid:
    if not isinstance(content, bytes) or not content.startswith(_CID_PREFIX):
        raise CidError("tag 42 holds no CID: bytes that begin with 00 are due")
    return cid_from_bytes(content[len(_CID_PREFIX) :])


def _refuse_tag(_content: object, _immutable: bool) -> object:
    raise CborError("a tag other than 42")


class _OnlyCids(Mapping[int, Callable[[object, bool], object]]):
    """Decoders by tag: for every tag but 42 one that refuses, so that none of cbor2's own (dates, regular
    expressions, shared references) ever runs."""

    def __getitem__(self, tag: int) -> Callable[[object, bool], object]:
        return _cid_from_tag if tag == _TAG_CID else _refuse_tag

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __contains__(self, tag: object) -> bool:
        return True


_ONLY_CIDS = _OnlyCids()


def decode(raw: bytes) -> object:
    """The value of DAG-CBOR bytes; CborError where they are none, or not the one encoding of their value.

    So nothing may follow the value, lengths are definite and in their shortest form, map keys are
    texts in order, no key comes twice.
    """
    try:
        value = cbor2.loads(
            raw,
            semantic_decoders=_ONLY_CIDS,
            max_depth=_MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
    except _FAULTS as error:
        raise CborError(f"{excerpt(raw)} is no DAG-CBOR: {error.__cause__ or error}") from error
    if encode(value) != raw:
        raise CborError(f"{excerpt(raw)} is no DAG-CBOR: it is not the shortest form, or something follows the value")
    return value


def encode(value: object) -> bytes:
    """The DAG-CBOR bytes of a value; CborError for what has no place there: floats, integers beyond 64 bits."""
    try:
        return cbor2.dumps(_plain(value, _MAX_DEPTH), canonical=True)
    except _FAULTS as error:
        if isinstance(error, CborError):
            raise
        raise CborError(f"{excerpt(value)} cannot be written as DAG-CBOR: {error}") from error


def _plain(value: object, depth: int) -> object:
    """The value with CIDs as tags; CborError for anything that has no place in DAG-CBOR."""
    if value is None or type(value) in {bool, str, bytes}:
        return value
    if type(value) is int and -_INT_LIMIT <= value < _INT_LIMIT:
        return value
    if isinstance(value, Cid):
        return cbor2.CBORTag(_TAG_CID, _CID_PREFIX + value.to_bytes())
    if depth == 0:
        raise CborError(f"DAG-CBOR nested deeper than {_MAX_DEPTH} is not taken")
    if isinstance(value, list | tuple):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {key: _plain(item, depth - 1) for key, item in value.items()}
    raise CborError(f"{excerpt(value)} has no place in DAG-CBOR; floats, other tags and larger integers are not taken")


def bigint_from_bytes(raw: bytes) -> int:
    """The integer of a token amount's bytes: nothing for 0, else a sign byte (0 or 1) and the magnitude, big-endian.

    Leading zeros are taken, as nodes take them: contracts send amounts as 32 bytes.
    """
    if not raw:
        return 0
    if raw[0] not in {0, 1} or len(raw) > _MAX_BIGINT_BYTES:
        raise CborError(f"{excerpt(raw)} is no big integer: a sign byte 00 or 01 and at most 128 bytes are due")
    magnitude = int.from_bytes(raw[1:], "big")
    return -magnitude if raw[0] else magnitude


def bigint_to_bytes(value: int) -> bytes:
    """The bytes of a token amount: nothing for 0, else a sign byte and the shortest magnitude, big-endian."""
    if value == 0:
        return b""
    magnitude = abs(value).to_bytes((value.bit_length() + 7) // 8, "big")
    if len(magnitude) >= _MAX_BIGINT_BYTES:
        raise CborError(f"{excerpt(value)} has more than the 128 bytes that the chain takes")
    return (b"\x01" if value < 0 else b"\x00") + magnitude
