"""What market and registry have in common: links, integers, actors, ids; each refusal has its own stable reason."""

import pytest

from node.cid import Cid
from node.errors import RecordError
from node.piece import piece_v1, piece_v2
from node.state import Data, parse_actor, parse_data, parse_id, parse_integer, parse_object, snake_case

COMMITMENT = bytes(range(32))
PIECE = piece_v1(COMMITMENT)
PAYLOAD = Cid(1, 0x70, 0x12, COMMITMENT)


def reason_of(call: object, *arguments: object, **options: object) -> str:
    assert callable(call)
    with pytest.raises(RecordError) as caught:
        call(*arguments, **options)
    assert str(caught.value).startswith(f"{caught.value.reason}: ")
    return caught.value.reason


@pytest.mark.parametrize(
    "link",
    [
        {"/": PIECE.to_text()},
        PIECE.to_text(),
        {"/": PIECE.to_text().upper()},
        {"/": piece_v2(COMMITMENT, payload_size_bytes=100).to_text()},
        {"/": f" {PIECE.to_text()} "},
    ],
)
def test_a_piece_in_every_spelling(link: object) -> None:
    assert parse_data({"Data": link}, "Data") == Data(COMMITMENT, None)


@pytest.mark.parametrize("cid", [PAYLOAD, Cid(1, 0xF102, 0xB401, COMMITMENT), Cid(1, 0x55, 0x00, b"hello")])
def test_a_cid_of_something_else_is_kept(cid: Cid) -> None:
    """The registry does not check what it is given."""
    assert parse_data({"Data": {"/": cid.to_text()}}, "Data") == Data(None, cid.to_bytes())


@pytest.mark.parametrize(
    "link", [None, 5, [], {}, {"/": None}, {"/": 5}, {"/": ""}, {"/": "hello"}, "", {"/": PIECE.to_text()[:-1]}]
)
def test_what_is_no_cid_is_refused(link: object) -> None:
    assert reason_of(parse_data, {"Data": link}, "Data") == "malformed_piece_cid"
    assert reason_of(parse_data, {}, "Data") == "malformed_piece_cid"


@pytest.mark.parametrize("value", [0, 1, 2**31, 64 * 2**30, 2**53 + 1, 2**63 - 1])
def test_integers_up_to_int64(value: int) -> None:
    assert parse_integer({"PieceSize": value}, "PieceSize") == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "missing_piece_size"),
        ("5", "malformed_piece_size"),
        (5.0, "malformed_piece_size"),
        (True, "malformed_piece_size"),
        ([5], "malformed_piece_size"),
        (-1, "piece_size_out_of_range"),
        (2**63, "piece_size_out_of_range"),
        (10**30, "piece_size_out_of_range"),
    ],
)
def test_what_is_no_integer_of_the_range_is_refused(value: object, reason: str) -> None:
    assert reason_of(parse_integer, {"PieceSize": value}, "PieceSize") == reason


def test_never_is_taken_where_it_is_meant() -> None:
    assert parse_integer({"SlashEpoch": -1}, "SlashEpoch", least=-1) == -1
    assert reason_of(parse_integer, {"SlashEpoch": -2}, "SlashEpoch", least=-1) == "slash_epoch_out_of_range"


@pytest.mark.parametrize(
    ("value", "prefixes", "actor_id"),
    [
        (1000, "f", 1000),
        (0, "f", 0),
        ("f01000", "f", 1000),
        ("t01000", "t", 1000),
        ("t01000", "ft", 1000),
        (f"f0{2**63 - 1}", "f", 2**63 - 1),
    ],
)
def test_actors_by_number_or_text(value: object, prefixes: str, actor_id: int) -> None:
    assert parse_actor({"Client": value}, "Client", prefixes=prefixes) == actor_id


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "missing_client"),
        (-1, "client_out_of_range"),
        (1.5, "malformed_client"),
        ({}, "malformed_client"),
        ("", "malformed_client"),
        ("1000", "malformed_client"),
        ("f0", "malformed_client"),
        ("f0-1", "malformed_client"),
        ("f0٣", "malformed_client"),
        (f"f0{2**63}", "malformed_client"),
        ("f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy", "malformed_client"),
        ("t01000", "wrong_network"),
    ],
)
def test_what_is_no_actor_of_the_network_is_refused(value: object, reason: str) -> None:
    assert reason_of(parse_actor, {"Client": value}, "Client", prefixes="f") == reason


@pytest.mark.parametrize(("value", "record_id"), [("0", 0), ("42", 42), (42, 42), (str(2**63 - 1), 2**63 - 1)])
def test_ids_by_key_or_field(value: object, record_id: int) -> None:
    assert parse_id(value) == record_id


@pytest.mark.parametrize("value", ["", "-1", "+1", " 1", "1.0", "٣", "0x1", -1, 2**63, str(2**63), 1.0, True, [], {}])
def test_what_is_no_id_is_refused(value: object) -> None:
    assert reason_of(parse_id, value) == "malformed_id"


def test_a_record_without_an_id_is_refused() -> None:
    assert reason_of(parse_id, None) == "missing_id"


@pytest.mark.parametrize("value", [None, [], "x", 5, True])
def test_what_is_no_object_is_refused(value: object) -> None:
    assert parse_object({}, "State") == {}
    assert reason_of(parse_object, value, "State") == "malformed_state"


@pytest.mark.parametrize(
    ("name", "snake"),
    [("PieceCID", "piece_cid"), ("TermMin", "term_min"), ("Size", "size"), ("VerifiedDeal", "verified_deal")],
)
def test_field_names_in_the_houses_spelling(name: str, snake: str) -> None:
    assert snake_case(name) == snake
