"""Claims and allocations as the registry's dumps print them, and a reason for whatever can't be taken."""

from collections.abc import Callable
from typing import Any

import pytest

from node.errors import RecordError
from node.piece import piece_v1
from node.registry import Allocation, Claim, parse_allocation, parse_claim

COMMITMENT = bytes(range(32))
COMMON: dict[str, Any] = {
    "Provider": 1970213,
    "Client": 1948518,
    "Data": {"/": piece_v1(COMMITMENT).to_text()},
    "Size": 64 * 2**30,
    "TermMin": 1512000,
    "TermMax": 1771200,
}
CLAIM = COMMON | {"TermStart": 2385954, "Sector": 110733}
ALLOCATION = COMMON | {"Expiration": 2414101}
Parse = Callable[..., Claim | Allocation]


def reason_of(parse: Parse, document: dict[str, Any]) -> str:
    with pytest.raises(RecordError) as caught:
        parse("100000", document, prefixes="f")
    return caught.value.reason


def test_every_field_of_a_claim() -> None:
    assert parse_claim("100000", CLAIM) == Claim(
        id=100000,
        client_id=1948518,
        provider_id=1970213,
        piece=COMMITMENT,
        data_cid=None,
        size_bytes=64 * 2**30,
        term_min_epochs=1512000,
        term_max_epochs=1771200,
        term_start_epoch=2385954,
        sector=110733,
    )


def test_every_field_of_an_allocation() -> None:
    assert parse_allocation(1, ALLOCATION) == Allocation(
        id=1,
        client_id=1948518,
        provider_id=1970213,
        piece=COMMITMENT,
        data_cid=None,
        size_bytes=64 * 2**30,
        term_min_epochs=1512000,
        term_max_epochs=1771200,
        expiration_epoch=2414101,
    )


@pytest.mark.parametrize(("parse", "document"), [(parse_claim, CLAIM), (parse_allocation, ALLOCATION)])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Data": None}, "malformed_piece_cid"),
        ({"Data": {"/": "bafy"}}, "malformed_piece_cid"),
        ({"Provider": None}, "missing_provider"),
        ({"Provider": -1}, "provider_out_of_range"),
        ({"Client": 2**63}, "client_out_of_range"),
        ({"Client": "t01"}, "wrong_network"),
        ({"Client": 1.0}, "malformed_client"),
        ({"Size": None}, "missing_size"),
        ({"Size": "34359738368"}, "malformed_size"),
        ({"Size": 2**63}, "size_out_of_range"),
        ({"TermMin": -1}, "term_min_out_of_range"),
        ({"TermMax": True}, "malformed_term_max"),
    ],
)
def test_a_malformed_field_is_refused_with_its_reason(
    parse: Parse, document: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    assert reason_of(parse, document | changes) == reason


@pytest.mark.parametrize(
    ("parse", "document", "field", "word"),
    [
        (parse_claim, CLAIM, "TermStart", "term_start"),
        (parse_claim, CLAIM, "Sector", "sector"),
        (parse_allocation, ALLOCATION, "Expiration", "expiration"),
    ],
)
def test_the_fields_of_one_kind(parse: Parse, document: dict[str, Any], field: str, word: str) -> None:
    assert reason_of(parse, {name: value for name, value in document.items() if name != field}) == f"missing_{word}"
    assert reason_of(parse, document | {field: -1}) == f"{word}_out_of_range"
    assert reason_of(parse, document | {field: "1"}) == f"malformed_{word}"
    assert parse(1, document | {field: 2**63 - 1}).id == 1
    assert parse(1, document | {field: 0}).id == 1


def test_addresses_as_text_are_taken_too() -> None:
    claim = parse_claim("1", CLAIM | {"Client": "f0100", "Provider": "f01000"}, prefixes="f")
    assert (claim.client_id, claim.provider_id) == (100, 1000)
