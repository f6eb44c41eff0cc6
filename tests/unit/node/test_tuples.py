import re
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import cbor
from node.actors.batch import BatchFailure, BatchReturn
from node.actors.market import DealProposal, PublishStorageDealsParams
from node.actors.verifreg import AddVerifiedClientParams, GetClaimsParams
from node.address import parse_address
from node.elements import (
    ADDRESS,
    BIG_INTEGER,
    BIT_FIELD,
    BOOLEAN,
    BYTES,
    INT,
    LABEL,
    LINK,
    NOTHING,
    SIGNATURE,
    TEXT,
    UINT,
    Element,
    list_of,
    optional,
)
from node.errors import MessageError, ParamsError
from node.message import Message, SignedMessage
from node.tuples import CborTuple, tuple_of
from tests.unit.node.records import any_record, record_types
from tests.unit.node.strategies import QUICK

BROAD = settings(max_examples=250)
ELEMENTS = [ADDRESS, BIG_INTEGER, BIT_FIELD, BOOLEAN, BYTES, INT, LABEL, LINK, NOTHING, SIGNATURE, TEXT, UINT]

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**64), 2**64 - 1), st.binary(max_size=8), st.text(max_size=4)),
    lambda inner: st.lists(inner, max_size=11),
    max_leaves=24,
)


def test_a_record_is_an_array_of_its_fields() -> None:
    assert GetClaimsParams(1000, (3, 77)).to_bytes().hex() == "821903e88203184d"
    assert GetClaimsParams.from_bytes(bytes.fromhex("821903e88203184d")) == GetClaimsParams(1000, (3, 77))


def test_an_error_says_where_it_stands() -> None:
    raw = cbor.encode([2, [[0, 16], [1, -5]]])
    with pytest.raises(ParamsError, match=re.escape("BatchReturn.failures: BatchFailure.exit_code: an integer from 0")):
        BatchReturn.from_bytes(raw)
    with pytest.raises(ParamsError, match=re.escape("BatchReturn of 2 items is due, not a list of 3")):
        BatchReturn.from_bytes(cbor.encode([2, [], 3]))


def test_what_has_no_bytes_is_refused() -> None:
    client = parse_address("f01")
    for record in (BatchReturn(-1), BatchReturn(2**64), BatchFailure(0, -1), AddVerifiedClientParams(client, 2**1024)):
        with pytest.raises(ParamsError):
            record.to_bytes()


def test_the_error_is_the_records_own() -> None:
    message = Message(to=parse_address("f06"), sender=parse_address("f01"), nonce=-1, method=4)
    with pytest.raises(MessageError, match=re.escape("Message.nonce")):
        message.to_bytes()
    with pytest.raises(MessageError):
        Message.from_bytes(b"\x80")
    with pytest.raises(MessageError):
        SignedMessage.from_bytes(b"")


def test_a_field_that_has_no_form_is_a_mistake_of_the_programmer() -> None:
    @dataclass(frozen=True, slots=True)
    class Odd(CborTuple):
        ratio: float

    with pytest.raises(TypeError, match="float"):
        tuple_of(Odd)


@pytest.mark.parametrize("raw", ["", "a0", "f6", "8181", "9fff", "8200", "83001801", "f93c00", "5bffffffffffffffff"])
def test_broken_bytes_are_refused_briefly(raw: str) -> None:
    for kind in record_types():
        with pytest.raises((ParamsError, MessageError)) as raised:
            kind.from_bytes(bytes.fromhex(raw))
        assert len(str(raised.value)) < 500


def test_there_are_records_for_every_actor() -> None:
    assert len(record_types()) > 75


def test_nothing_is_no_bytes_at_all() -> None:
    assert NOTHING.to_bytes(None) == b""
    NOTHING.from_bytes(b"")
    for raw in (b"\xf6", b"\x80", b"\x40"):
        with pytest.raises(ParamsError):
            NOTHING.from_bytes(raw)


def test_lists_and_null() -> None:
    numbers = optional(list_of(UINT))
    assert numbers.from_bytes(b"\xf6") is None
    assert numbers.to_bytes(None) == b"\xf6"
    assert numbers.from_bytes(b"\x82\x01\x02") == (1, 2)
    with pytest.raises(ParamsError):
        numbers.from_bytes(b"\x81\x20")


def test_a_contracts_padded_amount_is_read_and_written_short() -> None:
    padded = cbor.encode([parse_address("f01").to_bytes(), b"\0" + (2**40).to_bytes(32, "big")])
    params = AddVerifiedClientParams.from_bytes(padded)
    assert params.datacap_bytes == 2**40
    assert AddVerifiedClientParams.from_bytes(params.to_bytes()) == params
    assert len(params.to_bytes()) < len(padded)


def test_a_label_is_text_or_bytes() -> None:
    assert LABEL.from_bytes(b"\x60") == ""
    assert LABEL.from_bytes(b"\x40") == b""
    assert (LABEL.to_bytes("é"), LABEL.to_bytes(b"\xff")) == (b"\x62\xc3\xa9", b"\x41\xff")
    with pytest.raises(ParamsError):
        LABEL.from_bytes(b"\x61\xff")


@given(any_record)
@BROAD
def test_records_come_back(record: CborTuple) -> None:
    assert type(record).from_bytes(record.to_bytes()) == record


@given(any_record, st.data())
@BROAD
def test_changed_bytes_are_a_record_or_refused(record: CborTuple, data: st.DataObject) -> None:
    raw = bytearray(record.to_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    kind = type(record)
    try:
        changed = kind.from_bytes(bytes(raw))
    except kind.FAULT:
        return
    assert kind.from_bytes(changed.to_bytes()) == changed


@given(st.sampled_from([*ELEMENTS, *map(tuple_of, record_types())]), st.binary(max_size=24) | values.map(cbor.encode))
@BROAD
def test_any_bytes_are_a_value_or_refused(element: Element[object], raw: bytes) -> None:
    try:
        value = element.from_bytes(raw)
    except ParamsError:
        return
    assert element.from_bytes(element.to_bytes(value)) == value


@given(st.lists(st.sampled_from([b"\x8b", b"\x81", b"\x82", b"\x40", b"\x00", b"\xf5", b"\xd8\x2a"])).map(b"".join))
@QUICK
def test_nested_junk_is_refused(raw: bytes) -> None:
    for kind in (PublishStorageDealsParams, DealProposal):
        with pytest.raises(ParamsError):
            kind.from_bytes(raw)
