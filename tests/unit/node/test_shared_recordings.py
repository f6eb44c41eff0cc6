"""What Lotus b835fab70 answered as a devnet: every address, CID and actor event in it is read and written back."""

import json

import pytest

from node.address import address_from_bytes, parse_address, text_prefix
from node.cid import canonical, cid_from_bytes, commitment_of, match_key, parse_cid
from node.errors import AddressError
from node.events import event_document, parse_actor_event
from node.piece import commitment_of_text
from tests.unit.node.shared_data import recorded_addresses, recorded_cids, recorded_events

pytestmark = pytest.mark.shared

# Sent to the node on purpose, and refused by it: the last letters are wrong.
MISTYPED = "f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzuda"


def test_every_recorded_address_is_read_and_written_back() -> None:
    texts = [text for text in recorded_addresses() if text != MISTYPED]
    assert len(texts) > 30
    assert {text[1] for text in texts} == set("01234")
    for text in texts:
        address = parse_address(text)
        assert address.to_text(text_prefix(text) or "") == text
        assert address_from_bytes(address.to_bytes()) == address


def test_what_the_node_refused_is_refused() -> None:
    assert MISTYPED in recorded_addresses()
    with pytest.raises(AddressError, match="checksum"):
        parse_address(MISTYPED)


def test_every_recorded_cid_is_read_and_written_back() -> None:
    texts = recorded_cids()
    assert len(texts) > 1000
    for text in texts:
        cid = parse_cid(text)
        assert canonical(cid).to_text() == text
        assert cid_from_bytes(cid.to_bytes()) == cid
        assert commitment_of_text(text) == commitment_of(cid) or not text.startswith("baga6ea4seaq")
        assert match_key(cid) is not None or text.startswith("bagboea")


def test_every_recorded_event_is_written_back_as_it_came() -> None:
    events = recorded_events()
    assert len(events) > 300
    assert sum(event["reverted"] for event in events) > 10
    for document in events:
        assert json.dumps(event_document(parse_actor_event(document))) == json.dumps(document)
