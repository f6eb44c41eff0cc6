from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.actors import multisig
from node.errors import MessageError
from node.receipt import Receipt, parse_receipt, receipt_document
from tests.unit.node.strategies import QUICK, int63, json_values, payload_cids

# Devnet of Lotus b835fab70: the approval of a multisig whose call failed (01), a grant (01), a refused one (01).
APPROVED: dict[str, Any] = {"ExitCode": 0, "Return": "g/UQQA==", "GasUsed": 9474869, "EventsRoot": None}
GRANTED: dict[str, Any] = {
    "ExitCode": 0,
    "Return": None,
    "GasUsed": 5882906,
    "EventsRoot": {"/": "bafy2bzacedlmstsa3r3gf47p2jhrdgmoxy7u5ihydkb5ej6ndtyyent46dkvo"},
}
REFUSED: dict[str, Any] = {"ExitCode": 17, "Return": None, "GasUsed": 1779831, "EventsRoot": None}


@pytest.mark.parametrize("document", [APPROVED, GRANTED, REFUSED])
def test_receipts_are_written_back_as_they_came(document: dict[str, Any]) -> None:
    written = receipt_document(parse_receipt(document))
    assert written == document
    assert list(written) == list(document)


def test_a_receipt_that_is_ok_may_hold_a_call_that_is_not() -> None:
    receipt = parse_receipt(APPROVED)
    assert receipt.ok
    approve = multisig.APPROVE.returns.from_bytes(receipt.return_value)
    assert approve == multisig.ApproveReturn(applied=True, code=16, return_value=b"")
    assert not parse_receipt(REFUSED).ok


def test_old_receipts_have_no_events() -> None:
    assert parse_receipt({"ExitCode": 0, "Return": "", "GasUsed": 0}) == Receipt(0, b"", 0, None)


@pytest.mark.parametrize(
    "broken",
    [
        *(None, 5, [], {}),
        *({**GRANTED, "ExitCode": code} for code in (None, "0", -1, 2**63, 0.0, True)),
        *({**GRANTED, "GasUsed": gas} for gas in (None, "0", -1)),
        *({**GRANTED, "Return": value} for value in (5, "?", "A")),
        *({**GRANTED, "EventsRoot": root} for root in (5, {}, {"/": 5}, {"/": "x"}, "bafy2bzace")),
    ],
)
def test_a_broken_receipt_is_a_message_error(broken: object) -> None:
    with pytest.raises(MessageError) as raised:
        parse_receipt(broken)
    assert len(str(raised.value)) < 300


@given(st.builds(Receipt, int63, st.binary(max_size=40), int63, st.none() | payload_cids))
@QUICK
def test_receipts_come_back(receipt: Receipt) -> None:
    assert parse_receipt(receipt_document(receipt)) == receipt


@given(json_values, st.sampled_from(["ExitCode", "Return", "GasUsed", "EventsRoot"]))
@QUICK
def test_any_document_is_a_receipt_or_refused(value: object, name: str) -> None:
    for document in (value, {**GRANTED, name: value}):
        try:
            receipt = parse_receipt(document)
        except MessageError:
            continue
        assert parse_receipt(receipt_document(receipt)) == receipt
