"""What the entries of the market's and the verified registry's state have in common, as nodes print them in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from node.address import parse_actor_id
from node.cid import kind_of, match_key, parse_cid
from node.errors import AddressError, CidError, RecordError, excerpt
from node.piece import commitment_of_text

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Data:
    """What a record is about: the 32-byte commitment of a piece, or, where the CID is none of a piece, its bytes."""

    piece: bytes | None
    cid: bytes | None


def parse_data(document: Mapping[str, object], name: str) -> Data:
    """The piece that `document[name]` links to, written `{"/": "baga…"}`; RecordError `malformed_piece_cid`."""
    link = document.get(name)
    text = link.get("/") if isinstance(link, Mapping) else link
    if not isinstance(text, str):
        _refuse("malformed_piece_cid", name, link, 'a link {"/": "baga…"}')
    commitment = commitment_of_text(text)
    return Data(commitment, None) if commitment else _parse_odd_data(text, name)


def _parse_odd_data(text: str, name: str) -> Data:
    """A piece in another spelling, or a CID of something else: the verified registry doesn't check what it is given."""
    try:
        cid = parse_cid(text)
    except CidError as error:
        raise RecordError("malformed_piece_cid", f"{name}: {error}") from error
    return Data(match_key(cid), None) if kind_of(cid) == "piece" else Data(None, cid.to_bytes())


def parse_integer(document: Mapping[str, object], name: str, *, least: int = 0) -> int:
    """The integer `document[name]`, `least` to 2^63 - 1; RecordError `missing_…`, `malformed_…`, `…_out_of_range`."""
    value = document.get(name)
    if value is None:
        _refuse(f"missing_{snake_case(name)}", name, value, "an integer")
    if type(value) is not int:
        _refuse(f"malformed_{snake_case(name)}", name, value, "an integer")
    if not least <= value <= INT64_MAX:
        _refuse(f"{snake_case(name)}_out_of_range", name, value, f"between {least} and 2^63 - 1")
    return value


def parse_actor(document: Mapping[str, object], name: str, *, prefixes: str = "ft") -> int:
    """The actor id in `document[name]`: an integer (verified registry) or `f0…` text (market).

    `prefixes`: the network prefixes that are taken; another one is RecordError `wrong_network`.
    """
    value = document.get(name)
    if not isinstance(value, str):
        return parse_integer(document, name)
    if value[:1] in "ft" and value[:1] not in prefixes:
        _refuse("wrong_network", name, value, f"an address that starts with {prefixes!r}")
    try:
        return parse_actor_id(value)
    except AddressError as error:
        raise RecordError(f"malformed_{snake_case(name)}", f"{name}: {error}") from error


def parse_id(value: object) -> int:
    """The id of a record: a decimal map key or an integer; RecordError `missing_id`, `malformed_id`."""
    if value is None:
        raise RecordError("missing_id", "the record has no id: neither a map key nor a field that holds it")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    if type(value) is not int or not 0 <= value <= INT64_MAX:
        _refuse("malformed_id", "id", value, "an integer between 0 and 2^63 - 1")
    return value


def parse_object(document: object, name: str) -> Mapping[str, object]:
    """`document` if it is a JSON object; RecordError `malformed_…`."""
    if not isinstance(document, Mapping):
        _refuse(f"malformed_{snake_case(name)}", name, document, "a JSON object")
    return document


def snake_case(name: str) -> str:
    """The field name of Go's JSON in the house's: `PieceCID` is `piece_cid`, `TermMin` is `term_min`."""
    words = [
        char if not char.isupper() or before.isupper() else f"_{char}"
        for before, char in zip(" " + name, name, strict=False)
    ]
    return "".join(words).lower().lstrip("_")


def _refuse(reason: str, name: str, value: object, wanted: str) -> NoReturn:
    raise RecordError(reason, f"{name} is {excerpt(value)}, not {wanted}")
