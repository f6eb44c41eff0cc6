"""Entries of a dump as rows: which kind, which columns, which epoch they bear witness of."""

from typing import Any

import pytest

from explorer.index.documents import Entry
from explorer.index.kinds import kind_of_entry
from explorer.index.records import ALLOCATIONS, CLAIMS, DEALS, DUMP_KINDS, TABLES, Table, parse_entry
from node.cid import CODEC_RAW, Cid
from node.errors import RecordError
from tests.unit.index.dumps import allocation_entry, claim_entry, commitment, deal_entry, payload_cid


def columns(table: Table, value: object, key: str | None = "3", prefixes: str = "f") -> dict[str, Any]:
    row = parse_entry(table, Entry(key, value), prefixes)
    return {"id": row.id, "epoch": row.epoch, **dict(zip(table.columns, row.columns, strict=True))}


def refusal(table: Table, value: object, key: str | None = "3", prefixes: str = "f") -> str:
    with pytest.raises(RecordError) as caught:
        parse_entry(table, Entry(key, value), prefixes)
    return caught.value.reason


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (deal_entry(), "deals"),
        ({"DealID": 1, **deal_entry()}, "deals"),
        (claim_entry(), "claims"),
        (allocation_entry(), "allocations"),
        ({"entries": [], "emitter": "f06"}, "events"),
        ({"Client": 1}, None),
        ({}, None),
        (None, None),
        ([deal_entry()], None),
        ("deals", None),
    ],
)
def test_the_kind_is_told_by_the_fields(value: object, kind: str | None) -> None:
    assert kind_of_entry(Entry("1", value)) == kind


def test_every_kind_of_state_has_its_table() -> None:
    assert set(TABLES) == set(DUMP_KINDS) - {"events", "pieces"}


def test_a_claim_as_a_row() -> None:
    assert columns(CLAIMS, claim_entry(9)) == {
        "id": 3,
        "epoch": 5,
        "client_id": 100,
        "provider_id": 1000,
        "size_bytes": 2**35,
        "piece": commitment(9),
        "data_cid": None,
        "term_min_epochs": 518400,
        "term_max_epochs": 1555200,
        "term_start_epoch": 5,
        "sector": 7,
    }


def test_an_allocation_as_a_row() -> None:
    row = columns(ALLOCATIONS, allocation_entry(9))
    assert (row["piece"], row["expiration_epoch"], row["client_id"]) == (commitment(9), 172900, 100)


@pytest.mark.parametrize(("expiration", "epoch"), [(172_900, 100), (172_800, 0), (5, 0)])
def test_an_allocation_was_made_at_most_sixty_days_before_it_expires(expiration: int, epoch: int) -> None:
    assert columns(ALLOCATIONS, allocation_entry(Expiration=expiration))["epoch"] == epoch


def test_a_deal_as_a_row() -> None:
    row = columns(DEALS, deal_entry(9, state={"SectorStartEpoch": 7, "LastUpdatedEpoch": 600}))
    assert (row["id"], row["epoch"], row["piece"], row["verified"]) == (3, 600, commitment(9), True)
    assert (row["sector_start_epoch"], row["slash_epoch"]) == (7, -1)
    assert (row["label"], row["label_known"]) == (payload_cid(9).to_text().encode(), True)
    assert row["label_key"] == payload_cid(9).multihash


@pytest.mark.parametrize(
    ("state", "epoch"),
    [
        ({}, None),
        ({"SectorStartEpoch": 0}, 0),
        ({"SectorStartEpoch": 7}, 7),
        ({"SectorStartEpoch": 7, "LastUpdatedEpoch": 9, "SlashEpoch": 8}, 9),
        ({"SectorStartEpoch": 7, "SlashEpoch": 11}, 11),
    ],
)
def test_a_deal_bears_witness_of_what_has_happened(state: dict[str, int], epoch: int | None) -> None:
    assert columns(DEALS, deal_entry(state=state))["epoch"] == epoch


def test_the_label_of_an_unverified_deal_maps_nothing() -> None:
    row = columns(DEALS, deal_entry(VerifiedDeal=False))
    assert (row["label_key"], row["label_known"]) == (None, True)


@pytest.mark.parametrize(
    "label",
    ["", "some text", "bafkqaaa", "mAXAAehI", "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq", None],
)
def test_labels_that_name_no_payload_map_nothing(label: str | None) -> None:
    assert columns(DEALS, deal_entry(Label=label))["label_key"] is None


@pytest.mark.parametrize(
    "spelling",
    [
        payload_cid(1).to_v0_text(),
        f"ipfs://{payload_cid(1).to_text()}/a/b",
        f" {payload_cid(1).to_text().upper()}\n",
        list(payload_cid(1).to_bytes()),
        Cid(1, CODEC_RAW, 0x12, payload_cid(1).digest).to_text(),
    ],
    ids=["v0", "link with a path", "upper case and blanks", "binary, as Forest prints it", "raw codec"],
)
def test_every_spelling_of_a_label_maps_alike(spelling: object) -> None:
    assert columns(DEALS, deal_entry(Label=spelling))["label_key"] == payload_cid(1).multihash


@pytest.mark.parametrize(
    ("table", "value", "field"),
    [
        (DEALS, deal_entry(), "DealID"),
        (DEALS, deal_entry(), "ID"),
        (CLAIMS, claim_entry(), "ClaimID"),
        (CLAIMS, claim_entry(), "id"),
        (ALLOCATIONS, allocation_entry(), "AllocationID"),
    ],
)
@pytest.mark.parametrize("number", [42, "42"])
def test_without_a_key_a_field_holds_the_id(table: Table, value: dict[str, Any], field: str, number: object) -> None:
    assert columns(table, {field: number, **value}, key=None)["id"] == 42
    assert columns(table, {field: number, **value}, key="7")["id"] == 7


@pytest.mark.parametrize("table", [DEALS, CLAIMS, ALLOCATIONS], ids=lambda table: table.kind)
@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "malformed_record"), ([], "malformed_record"), ("x", "malformed_record"), ({}, "other_kind")],
)
def test_what_is_no_record_of_the_kind_is_refused(table: Table, value: object, reason: str) -> None:
    assert refusal(table, value) == reason


def test_records_of_another_kind_are_refused_one_by_one() -> None:
    assert refusal(CLAIMS, allocation_entry()) == "other_kind"
    assert refusal(ALLOCATIONS, claim_entry()) == "other_kind"
    assert refusal(DEALS, claim_entry()) == "other_kind"


@pytest.mark.parametrize(
    ("key", "reason"), [(None, "missing_id"), ("x", "malformed_id"), ("٣", "malformed_id"), ("9" * 19, "malformed_id")]
)
def test_a_record_needs_an_id(key: str | None, reason: str) -> None:
    assert refusal(CLAIMS, claim_entry(), key=key) == reason


def test_a_deal_of_another_network_is_refused() -> None:
    assert refusal(DEALS, deal_entry(Client="t0100")) == "wrong_network"
    assert columns(DEALS, deal_entry(Client="t0100"), prefixes="ft")["client_id"] == 100
