"""Deals as StateMarketDeals prints them: every shape that was seen, and a reason for whatever can't be taken."""

from typing import Any

import pytest

from node.errors import RecordError
from node.market import NEVER, Deal, parse_deal, parse_label
from node.piece import piece_v1

COMMITMENT = bytes(range(32))
PROPOSAL: dict[str, Any] = {
    "PieceCID": {"/": piece_v1(COMMITMENT).to_text()},
    "PieceSize": 64 * 2**30,
    "VerifiedDeal": True,
    "Client": "f01880278",
    "Provider": "f02118066",
    "Label": "bafybeiadnyv6t65hnwx4as467n4p7k4u6bwsh3dhw24xrahfdwcmpddyo4",
    "StartEpoch": 2867966,
    "EndEpoch": 4359806,
    "StoragePricePerEpoch": "0",
    "ProviderCollateral": "11361143711469027",
    "ClientCollateral": "0",
}
STATE = {"SectorNumber": 0, "SectorStartEpoch": 2856167, "LastUpdatedEpoch": 3106586, "SlashEpoch": -1}


def parsed(state: object = STATE, prefixes: str = "f", **proposal: Any) -> Deal:
    return parse_deal("3", {"Proposal": PROPOSAL | proposal, "State": state}, prefixes=prefixes)


def reason_of(document: dict[str, Any], deal_id: object = "3") -> str:
    with pytest.raises(RecordError) as caught:
        parse_deal(deal_id, document, prefixes="f")
    return caught.value.reason


def test_every_field_of_a_deal() -> None:
    assert parsed() == Deal(
        id=3,
        client_id=1880278,
        provider_id=2118066,
        piece=COMMITMENT,
        data_cid=None,
        size_bytes=64 * 2**30,
        verified=True,
        label=PROPOSAL["Label"].encode(),
        label_known=True,
        start_epoch=2867966,
        end_epoch=4359806,
        sector_start_epoch=2856167,
        last_updated_epoch=3106586,
        slash_epoch=NEVER,
    )


def test_entries_of_nv17_to_nv21() -> None:
    """They have VerifiedClaim and no SectorNumber."""
    old = {"SectorStartEpoch": 2856167, "LastUpdatedEpoch": 3106586, "SlashEpoch": -1, "VerifiedClaim": 18771683}
    assert parsed(old) == parsed()


@pytest.mark.parametrize(
    "document", [{"Proposal": PROPOSAL}, {"Proposal": PROPOSAL, "State": None}, {"Proposal": PROPOSAL, "State": {}}]
)
def test_without_state_a_deal_was_never_activated(document: dict[str, Any]) -> None:
    deal = parse_deal(3, document)
    assert (deal.sector_start_epoch, deal.last_updated_epoch, deal.slash_epoch) == (NEVER, NEVER, NEVER)


@pytest.mark.parametrize("value", [-1, 0, 5, 2**63 - 1])
def test_epochs_of_the_state_as_they_stand(value: int) -> None:
    deal = parsed({"SectorStartEpoch": value, "LastUpdatedEpoch": value, "SlashEpoch": value})
    assert (deal.sector_start_epoch, deal.last_updated_epoch, deal.slash_epoch) == (value, value, value)


@pytest.mark.parametrize(
    ("field", "value"), [("EndEpoch", 36744320), ("PieceSize", 12345), ("PieceSize", 0), ("PieceSize", 2**63 - 1)]
)
def test_absurd_values_are_kept(field: str, value: int) -> None:
    deal = parse_deal(3, {"Proposal": PROPOSAL | {field: value}})
    assert value in (deal.end_epoch, deal.size_bytes)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("PieceCID", None, "malformed_piece_cid"),
        ("PieceCID", {"/": "x"}, "malformed_piece_cid"),
        ("PieceSize", None, "missing_piece_size"),
        ("PieceSize", "34359738368", "malformed_piece_size"),
        ("PieceSize", 2**63, "piece_size_out_of_range"),
        ("PieceSize", -1, "piece_size_out_of_range"),
        ("VerifiedDeal", None, "malformed_verified_deal"),
        ("VerifiedDeal", 1, "malformed_verified_deal"),
        ("VerifiedDeal", "true", "malformed_verified_deal"),
        ("Client", None, "missing_client"),
        ("Client", "x", "malformed_client"),
        ("Client", "t01880278", "wrong_network"),
        ("Provider", None, "missing_provider"),
        ("Provider", "f2m4f2dv7m35skytoqzsyrh5wqz3kxxfflxsha5za", "malformed_provider"),
        ("Label", 5, "malformed_label"),
        ("Label", [256], "malformed_label"),
        ("Label", [True], "malformed_label"),
        ("Label", {"/": "x"}, "malformed_label"),
        ("StartEpoch", None, "missing_start_epoch"),
        ("StartEpoch", 1.5, "malformed_start_epoch"),
        ("StartEpoch", -1, "start_epoch_out_of_range"),
        ("EndEpoch", None, "missing_end_epoch"),
        ("EndEpoch", 2**63, "end_epoch_out_of_range"),
    ],
)
def test_a_malformed_proposal_is_refused_with_its_reason(field: str, value: object, reason: str) -> None:
    assert reason_of({"Proposal": PROPOSAL | {field: value}, "State": STATE}) == reason


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("SectorStartEpoch", -2, "sector_start_epoch_out_of_range"),
        ("SectorStartEpoch", None, "missing_sector_start_epoch"),
        ("SectorStartEpoch", 4294967295.0, "malformed_sector_start_epoch"),
        ("LastUpdatedEpoch", "5", "malformed_last_updated_epoch"),
        ("SlashEpoch", 2**63, "slash_epoch_out_of_range"),
    ],
)
def test_a_malformed_state_is_refused_with_its_reason(field: str, value: object, reason: str) -> None:
    assert reason_of({"Proposal": PROPOSAL, "State": STATE | {field: value}}) == reason


@pytest.mark.parametrize("state", [0, "", [], False, "none", 7])
def test_a_state_of_another_kind_is_no_missing_state(state: object) -> None:
    assert reason_of({"Proposal": PROPOSAL, "State": state}) == "malformed_state"


@pytest.mark.parametrize("document", [{}, {"Proposal": None}, {"Proposal": []}, {"State": STATE}])
def test_without_a_proposal_there_is_no_deal(document: dict[str, Any]) -> None:
    assert reason_of(document) == "malformed_proposal"


@pytest.mark.parametrize(("deal_id", "reason"), [(None, "missing_id"), ("-1", "malformed_id"), (2**63, "malformed_id")])
def test_a_deal_needs_an_id(deal_id: object, reason: str) -> None:
    assert reason_of({"Proposal": PROPOSAL}, deal_id) == reason


@pytest.mark.parametrize("prefix", ["f", "t"])
def test_the_networks_prefix_is_demanded(prefix: str) -> None:
    addresses = {"Client": f"{prefix}01", "Provider": f"{prefix}02"}
    assert parsed(prefixes=prefix, **addresses).client_id == 1
    assert parsed(prefixes="ft", **addresses).provider_id == 2
    with pytest.raises(RecordError, match="wrong_network"):
        parsed(prefixes="t" if prefix == "f" else "f", **addresses)


@pytest.mark.parametrize(
    ("value", "label", "known"),
    [
        (None, b"", False),
        ("", b"", False),
        ("text", b"text", True),
        ("é☃\x00", "é☃\x00".encode(), True),
        ("\udcff\udcfe", b"\xff\xfe", True),
        ("\ud800", b"\xed\xa0\x80", True),
        ([], b"", True),
        ([0, 255, 1], b"\x00\xff\x01", True),
    ],
)
def test_labels_as_text_or_as_bytes(value: object, label: bytes, known: bool) -> None:
    """Lotus prints a label that is no text as an empty one, so an empty one is not known."""
    assert parse_label(value) == (label, known)
