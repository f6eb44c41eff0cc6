"""The verdict's document: totals and pages, notes on how the CID was matched, and the state of the programme."""

from datetime import UTC, datetime
from typing import Any

import pytest

from explorer.errors import MalformedCursor
from explorer.index.answers import Standpoint, as_of, programme_document, verdict_document
from explorer.index.questions import EvidenceRequest, cursor_of
from explorer.verdict.coverage import Milestones
from explorer.verdict.reason import Subject
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord, PieceSource
from node.cid import CODEC_RAW, Cid, kind_of
from node.network import Network, network_named
from node.piece import piece_v2
from tests.unit.index.dumps import commitment, payload_cid, piece_cid
from tests.unit.verdict.builders import allocation, ask, claim, covering, deal

MAINNET = network_named("mainnet")
AnyRecord = ClaimRecord | DealRecord | AllocationRecord


def standing(*, epoch: int | None, network: Network = MAINNET, **told: Any) -> Standpoint:
    return Standpoint(
        network=network,
        epoch=epoch,
        coverage=covering(),
        programme={"status": "unknown"},
        milestones=Milestones(nv17_epoch=network.nv17_epoch, nv22_epoch=network.nv22_epoch),
        **told,
    )


def answered(*records: AnyRecord, cid: Cid | None = None, epoch: int | None = 45, **request: Any) -> dict[str, Any]:
    asked = cid or piece_cid(1)
    return verdict_document(
        "as asked",
        asked,
        ask(*records, at=epoch),
        subject=Subject(kind=kind_of(asked), pieces=1),
        pieces=[PieceSource(commitment(1), "deal label")] if kind_of(asked) == "payload" else [],
        standpoint=standing(epoch=epoch),
        request=EvidenceRequest(**request),
    )


def test_a_summary_has_totals_and_no_items() -> None:
    document = answered(claim(), claim(id=9, term_max_epochs=1), deal(verified=False), allocation())
    assert {kind: (page["total"], page["active"]) for kind, page in kinds(document).items()} == {
        "claims": (2, 1),
        "deals": (1, 0),
        "allocations": (1, 0),
    }
    assert all(page["items"] == [] and page["next_cursor"] is None for page in kinds(document).values())
    assert (document["cid"], document["canonical"], document["verdict"], document["filplus"]) == (
        "as asked",
        piece_cid(1).to_text(),
        "active",
        True,
    )


def kinds(document: dict[str, Any]) -> dict[str, Any]:
    return {kind: document["evidence"][kind] for kind in ("claims", "deals", "allocations")}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("kind", "ids"), [("claims", [0, 3, 6, 9, 12, 15, 18]), ("deals", [0, 1, 2]), ("allocations", [])]
)
def test_pages_hold_every_item_once_in_the_order_of_ids(kind: str, ids: list[int], limit: int) -> None:
    records: list[AnyRecord] = [
        *(claim(id=number * 3) for number in range(7)),
        *(deal(id=number) for number in range(3)),
    ]
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = kinds(answered(*records, full=True, limit=limit, cursors={kind: cursor}))[kind]
        assert len(page["items"]) <= limit
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids


def test_a_cursor_of_another_kind_is_refused() -> None:
    with pytest.raises(MalformedCursor):
        answered(claim(), full=True, cursors={"claims": cursor_of("deals", 1)})


def test_items_bear_the_chains_own_fields() -> None:
    document = answered(claim(), deal(label=b"\xff", size_bytes=12345, end_epoch=36_744_320), allocation(), full=True)
    assert document["evidence"]["claims"]["items"][0] == {
        "id": 1,
        "client": "f0100",
        "provider": "f01000",
        "piece_cid": piece_text_of(b"p" * 32),
        "size_bytes": 2**35,
        "term_start_epoch": 30,
        "term_min_epochs": 10,
        "term_max_epochs": 40,
        "expires_epoch": 70,
        "sector": 0,
        "status": "active",
    }
    item = document["evidence"]["deals"]["items"][0]
    assert (item["label"], item["label_base64"], item["size_bytes"], item["end_epoch"]) == (
        None,
        "/w==",
        12345,
        36_744_320,
    )
    assert document["evidence"]["allocations"]["items"][0]["expiration_epoch"] == 50


def piece_text_of(raw: bytes) -> str:
    return Cid(1, 0xF101, 0x1012, raw).to_text()


def test_data_that_is_no_piece_is_shown_as_it_stands() -> None:
    odd = claim(piece=None, data_cid=payload_cid(1).to_bytes())
    [item] = answered(odd, full=True)["evidence"]["claims"]["items"]
    assert item["piece_cid"] == payload_cid(1).to_text()


def test_a_label_under_another_codec_says_so() -> None:
    raw = Cid(1, CODEC_RAW, 0x12, payload_cid(1).digest)
    labelled = deal(label=payload_cid(1).to_text().encode())
    assert answered(labelled, cid=raw)["notes"] == ["asked as raw, found as dag-pb: the same bytes under another codec"]
    assert answered(labelled, cid=payload_cid(1))["notes"] == []
    assert answered(deal(label=payload_cid(2).to_text().encode()), cid=raw)["notes"] == []
    assert answered(deal(verified=False, label=labelled.label), cid=raw)["notes"] == []


def test_a_height_that_contradicts_the_recorded_size_is_noted() -> None:
    small = piece_v2(commitment(1), payload_size_bytes=1000)
    assert answered(claim(), cid=small)["notes"] == ["this piece CID says 1024 bytes, the chain recorded 34359738368"]
    assert answered(claim(size_bytes=1024), cid=small)["notes"] == []
    assert answered(claim(), cid=piece_cid(1))["notes"] == []


def test_a_payload_shows_through_which_pieces() -> None:
    document = answered(claim(), cid=payload_cid(1))
    assert document["evidence"]["pieces"] == [{"piece_cid": piece_cid(1).to_text(), "source": "deal label"}]
    assert answered(claim())["evidence"]["pieces"] == []


def test_the_sources_at_the_epoch_are_named() -> None:
    sources = answered()["coverage"]["sources"]
    assert [one["name"] for one in sources] == [
        "allocations: all allocations",
        "claims: all claims",
        "deals: all deals",
    ]
    assert {(one["from_epoch"], one["through_epoch"]) for one in sources} == {(0, 1000)}
    assert answered(epoch=None)["coverage"] == {"complete": False, "gaps": ["the index is empty"], "sources": []}


@pytest.mark.parametrize(
    ("network", "epoch", "time"),
    [
        ("mainnet", 4622139, "2025-01-15T19:49:30Z"),
        ("mainnet", 2**62, None),
        ("mainnet", None, None),
        ("devnet", 5, None),
    ],
)
def test_as_of_says_the_time_where_there_is_one(network: str, epoch: int | None, time: str | None) -> None:
    expected = {"epoch": epoch, "tipset": None, "time": time, "finality": None}
    assert as_of(standing(network=network_named(network), epoch=epoch)) == expected


@pytest.mark.parametrize(
    ("network", "retires_at", "status"),
    [
        ("mainnet", None, "unknown"),
        ("mainnet", 4_000_000, "retired"),
        ("mainnet", 9_000_000, "open"),
        ("mainnet", 2**62, "unknown"),
        ("devnet", 5, "unknown"),
    ],
)
def test_the_programme_is_open_until_its_end_is_over(network: str, retires_at: int | None, status: str) -> None:
    now = datetime(2025, 1, 15, tzinfo=UTC)
    document = programme_document(network_named(network), retires_at, now)
    assert document == {
        "network": network,
        "network_version": None,
        "status": status,
        "retires_at_epoch": retires_at,
    }
