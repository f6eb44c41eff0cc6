from datetime import UTC, datetime
from typing import Any

import pytest

from explorer.web.asking import evidence_of, moment_of, next_address, parse_time, without_ended
from explorer.web.problems import Problem


def asked(**changed: Any) -> dict[str, Any]:
    cursors = dict.fromkeys(("claims_cursor", "deals_cursor", "allocations_cursor"))
    return {"cid": "ipfs://a", "evidence": "full", "limit": 2, "format": None, **cursors, **changed}


def verdict(**cursors: str) -> dict[str, Any]:
    def page(kind: str) -> dict[str, Any]:
        return {"total": 3, "active": 3, "items": [1], "next_cursor": cursors.get(kind)}

    return {"evidence": {kind: page(kind) for kind in ("claims", "deals", "allocations")}, "as_of": {"epoch": 7}}


@pytest.mark.parametrize(
    "text",
    ["2025-01-15T12:00:00Z", "2025-01-15t12:00:00z", "2025-01-15T14:00:00+02:00", "2025-01-15T14:00:00 02:00"],
)
def test_a_time_is_read_in_utc_even_with_an_unencoded_plus(text: str) -> None:
    assert parse_time("at", text) == datetime(2025, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2025-01-15",
        "2025-01-15T12:00:00",
        "2025-02-30T12:00:00Z",
        "2025-01-15T25:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2025-01-15T12:00:00Z\n",
        "20250115T120000Z",
        "2025-W03-3T12:00:00Z",
        "٢٠٢٥-01-15T12:00:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_time("at", text)
    assert caught.value.code == "malformed_time"


def test_the_parameter_is_named_that_is_no_time() -> None:
    with pytest.raises(Problem, match="since must be an RFC 3339 time, not 'yesterday'"):
        parse_time("since", "yesterday")


def test_epoch_and_time_exclude_each_other() -> None:
    with pytest.raises(Problem) as caught:
        moment_of({"at_epoch": 0, "at": "2025-01-15T12:00:00Z"})
    assert caught.value.code == "conflicting_parameters"
    assert moment_of({"at_epoch": 0, "at": None}).epoch == 0


def test_the_next_page_is_of_the_same_epoch_and_leaves_out_what_is_done() -> None:
    address = next_address(verdict(claims="c1"), asked())
    assert address == (
        "/cid/ipfs%3A%2F%2Fa/filplus?at_epoch=7&evidence=full&limit=2"
        "&claims_cursor=c1&deals_cursor=end&allocations_cursor=end"
    )
    assert next_address(verdict(), asked()) is None


def test_an_ended_kind_keeps_its_totals_and_loses_its_items() -> None:
    wanted = asked(deals_cursor="end", claims_cursor="c1")
    assert evidence_of(wanted).cursors == {"claims": "c1"}
    document = without_ended(verdict(deals="d1"), wanted)
    assert document["evidence"]["deals"] == {"total": 3, "active": 3, "items": [], "next_cursor": None}
    assert document["evidence"]["claims"]["items"] == [1]
