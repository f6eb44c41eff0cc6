"""The vectors and the mainnet data beside the checkout; each file's source is in its README."""

import base64
import csv
from typing import Any

import pytest

from node.address import address_from_bytes, address_from_secp256k1_key, parse_actor_id, parse_address
from node.cbor import bigint_from_bytes, bigint_to_bytes, decode, encode
from node.cid import canonical, cid_from_bytes, kind_of, match_key, parse_cid
from node.errors import AddressError, FilecoinError, ForeignEvent
from node.event_schema import EVENT_TYPES
from node.events import event_document, parse_actor_event
from node.label import label_cid, label_kind, payload_key
from node.piece import commitment_of_text, parse_piece_v2, piece_v2
from tests.unit.node.shared_data import SHARED, shared_json

pytestmark = pytest.mark.shared

ADDRESSES = "vectors/addresses.json"
MESSAGES = "signing/serialization-vectors_unsigned_messages.json"
NATIVE_LOGS = ["1162295", "1467665", "3897964"]


def test_keys_give_their_addresses() -> None:
    for vector in shared_json(ADDRESSES)["secp256k1_public_key_to_address"]:
        address = address_from_secp256k1_key(bytes.fromhex(vector["public_key_hex"]))
        assert (address.to_text(), address.to_text("t")) == (vector["mainnet"], vector["testnet"])


def test_valid_addresses_are_read_and_written_as_they_were() -> None:
    for text in shared_json(ADDRESSES)["valid"]:
        address = parse_address(text)
        assert address.to_text("t") == text
        assert address_from_bytes(address.to_bytes()) == address


def test_invalid_addresses_are_refused() -> None:
    for text in shared_json(ADDRESSES)["invalid"]:
        with pytest.raises(AddressError):
            parse_address(text)


def test_actor_ids_are_read() -> None:
    for vector in shared_json(ADDRESSES)["id"]:
        assert parse_actor_id(vector["text"]) == parse_address(vector["text"]).actor_id == vector["id"]


def test_ethereum_addresses_are_delegated_ones() -> None:
    for vector in shared_json(ADDRESSES)["delegated"]:
        assert parse_address(vector["eth"]).to_text("t") == vector["text"]
        assert parse_address(vector["text"]).to_eth() == vector["eth"].lower()


def test_addresses_of_all_allocators_are_read() -> None:
    texts = set(addresses_within(shared_json("directory/allocators_2026-06-01.json")))
    assert len(texts) > 391
    for text in texts:
        address = parse_address(text)
        assert text in {address.to_text(), text if text.startswith("0x") else ""}


def addresses_within(document: object) -> list[str]:
    """Every text in a document that begins like an address and is as long as one."""
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        return [text for part in document for text in addresses_within(part)]
    if isinstance(document, str) and document[:2] in {"f0", "f1", "f2", "f3", "f4"} and document.isalnum():
        return [document]
    return []


def test_piece_cids_of_both_versions() -> None:
    for vector in shared_json("vectors/piece_cid.json")["vectors"]:
        piece = parse_piece_v2(parse_cid(vector["v2"]))
        assert piece.payload_size_bytes == vector["payload_bytes"]
        assert canonical(parse_cid(vector["v2"])).to_text() == vector["v1"]
        assert piece_v2(piece.commitment, payload_size_bytes=vector["payload_bytes"]).to_text() == vector["v2"]
        assert commitment_of_text(vector["v1"]) == match_key(parse_cid(vector["v2"]))


def test_messages_are_the_bytes_of_their_fields() -> None:
    for vector in shared_json(MESSAGES):
        raw = bytes.fromhex(vector["hex_cbor"])
        fields = decode(raw)
        assert isinstance(fields, list)
        message = vector["message"]
        assert address_from_bytes(fields[1]) == parse_address(message["To"])
        assert address_from_bytes(fields[2]) == parse_address(message["From"])
        assert [bigint_from_bytes(fields[at]) for at in (4, 6, 7)] == [
            int(message[name]) for name in ("Value", "GasFeeCap", "GasPremium")
        ]
        assert encode([*fields[:4], bigint_to_bytes(int(message["Value"])), *fields[5:]]) == raw


def test_message_cids_are_the_bytes_that_are_signed() -> None:
    for vector in shared_json("signing/serialization-vectors_message_signing.json"):
        cid = parse_cid(vector["Cid"])
        assert cid.to_bytes().hex() == vector["CidHexBytes"]
        assert cid.to_text() == vector["Cid"]
        assert parse_address(vector["Unsigned"]["From"]).to_text("t") == vector["Unsigned"]["From"]


# Several messages' bytes were joined here.
JOINED = {
    ("datacap", "IncreaseAllowanceExported"),
    ("storagemarket", "GetDealDataCommitmentExported"),
    ("storagemarket", "ComputeDataCommitment"),
    ("multisig", "UniversalReceiverHook"),
}


def test_params_and_returns_of_mainnet_are_written_as_they_were() -> None:
    calls = [
        call
        for actor, methods in shared_json("actor_params/mainnet_params_returns.json").items()
        for method, call in methods.items()
        if (actor, method) not in JOINED
    ]
    raws = [bytes.fromhex(text) for call in calls for text in call.values() if isinstance(text, str)]
    assert len(raws) > 20
    assert [encode(decode(raw)) for raw in raws if raw] == [raw for raw in raws if raw]


def test_datacap_transfers_of_every_network_version_are_read() -> None:
    for hook in shared_json("actor_params/universal_receiver_hook_by_network_version.json"):
        payload = decode(base64.b64decode(hook["params"]["Payload"]))
        assert isinstance(payload, list)
        decoded = hook["decoded"]
        assert (payload[0], payload[1], payload[2]) == (decoded["from_"], decoded["to"], decoded["operator"])
        assert bigint_from_bytes(payload[3]) == int(decoded["amount"])
        requests = decode(payload[4]) if payload[4] else [[], []]
        assert isinstance(requests, list)
        assert [request[1].to_text() for request in requests[0]] == [one["data"] for one in decoded["allocations"]]


def test_labels_of_published_deals_name_payloads() -> None:
    deals = shared_json("deals/mainnet_publish_storage_deals_2907480_2907520.json")
    for deal in deals:
        label = base64.b64decode(deal["label_b64"])
        cid = label_cid(label)
        assert cid is not None
        assert (label_kind(label), payload_key(label)) == ("payload", cid.multihash)
        assert commitment_of_text(deal["piece_cid"]) == match_key(parse_cid(deal["piece_cid"]))
        assert address_from_bytes(bytes.fromhex(deal["client_hex"])).to_bytes().hex() == deal["client_hex"]
        assert address_from_bytes(bytes.fromhex(deal["provider_hex"])).actor_id is not None
    assert len(deals) == 46


def test_labels_in_base64_name_payloads() -> None:
    dump = shared_json("deals/market-deal-importer_StateMarketDeals_sample.json")
    labels = [deal["Proposal"]["Label"] for deal in dump.values()]
    assert len(labels) == 6
    for label in labels:
        assert parse_cid(label).to_text().startswith("bafykbzace")
        assert payload_key(label.encode()) == parse_cid(label).multihash


def test_five_thousand_deals_have_keys() -> None:
    with (SHARED / "deals/mainnet_filplus_deals_5k.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5000
    for row in rows:
        assert parse_actor_id(row["client"]) > 0
        assert parse_actor_id(row["provider"]) > 0
        piece = parse_cid(row["piece_cid"])
        assert commitment_of_text(row["piece_cid"]) == piece.digest == match_key(piece)
        payload = parse_cid(row["payload_cid"])
        assert kind_of(payload) == "payload"
        assert payload_key(row["payload_cid"].encode()) == match_key(payload) == payload.multihash
        assert canonical(payload).to_text() == payload.to_text()
        assert cid_from_bytes(payload.to_bytes()) == payload


def test_types_of_events_are_those_of_the_filters() -> None:
    filters = shared_json("events/event_type_filter_values_base64cbor.json")
    assert {name: base64.b64encode(encode(name)).decode() for name in EVENT_TYPES} == filters


def decoded_fields(document: dict[str, Any]) -> list[list[Any]]:
    """The entries as the decoded files have them: CIDs as text, the balance as a decimal."""
    fields = []
    for entry in document["entries"]:
        value = decode(base64.b64decode(entry["Value"]))
        if isinstance(value, bytes):
            value = str(bigint_from_bytes(value))
        fields.append([entry["Key"], value if isinstance(value, int | str) else str(value)])
    return fields


@pytest.mark.parametrize(
    ("recorded", "decoded"),
    [
        ("mainnet_claim_events_4622129-4622139.json", "mainnet_claim_events_decoded.json"),
        ("fil-parser_nativelog_3897964.json.gz", "mainnet_3897964_decoded.json"),
        ("fil-parser_nativelog_1467665.json.gz", "calibration_1467665_verifier-balance_decoded.json"),
    ],
)
def test_events_of_mainnet_say_what_their_decoded_files_say(recorded: str, decoded: str) -> None:
    documents, expected = shared_json(f"events/{recorded}"), shared_json(f"events/{decoded}")
    assert len(documents) == len(expected)
    for document, expectation in zip(documents, expected, strict=True):
        event = parse_actor_event(document)
        written = event_document(event)
        assert written == document
        assert decoded_fields(written) == expectation["fields"]
        assert (event.height, event.msg_cid) == (expectation["height"], expectation["msgCid"])


def test_evm_logs_are_foreign() -> None:
    for document in shared_json("events/fil-parser_nativelog_1162295.json.gz"):
        with pytest.raises(ForeignEvent):
            parse_actor_event(document)


def test_every_excerpt_of_the_registry_is_read() -> None:
    excerpt = shared_json("deals/allocations_claims_excerpt_lotus_pr11631.json")
    entries = [*excerpt["StateGetAllAllocations_excerpt"].values(), *excerpt["StateGetAllClaims_excerpt"].values()]
    assert all(commitment_of_text(entry["Data"]["/"]) for entry in entries)


@pytest.mark.parametrize("text", ["", "0", "label", "null"])
def test_texts_that_are_no_cid_are_refused(text: str) -> None:
    with pytest.raises(FilecoinError):
        parse_cid(text)
