import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.address import parse_address
from node.cid import parse_cid
from node.errors import MessageError
from node.message import (
    Message,
    SignedMessage,
    message_cid,
    message_document,
    parse_message,
    parse_signed_message,
    signed_message_cid,
    signed_message_document,
    signing_bytes,
)
from node.signature import Signature
from tests.unit.node.records import records_of
from tests.unit.node.strategies import QUICK, json_values

# Devnet of Lotus b835fab70, nv28: AddVerifiedClient of 5 TiB by notary1, pushed as it stands here.
GRANT: dict[str, Any] = {
    "Message": {
        "Version": 0,
        "To": "f06",
        "From": "f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy",
        "Nonce": 16,
        "Value": "0",
        "GasLimit": 13316946,
        "GasFeeCap": "136969",
        "GasPremium": "100227",
        "Method": 4,
        "Params": "glUBijrZP3HrwX8+geJ9Si3aoEiLCDJHAAUAAAAAAA==",
        "CID": {"/": "bafy2bzacebd4kpm6qfswrzj5n2gopkoteo5fexs2gkeg6hov7rlhho3ijv5su"},
    },
    "Signature": {
        "Type": 1,
        "Data": "pU5UG+szvFYliuZ0eFAFFKmT7x0ZSQF3Wxpw+StxHmtwjq8RghmGphUzh5thMOoRal0l2voBYaAtRUJjPJJGmwE=",
    },
    "CID": {"/": "bafy2bzacecab4mjmubswdd5wgi44z5rrdzy6g3wgt4qsr3ikmljsbvmzjsv2g"},
}
# Forest's serialization vectors: a BLS sender, the CID of its message, and its signature.
BLS = {
    "Message": {
        "Version": 0,
        "To": "t099999",
        "From": "t3sogjuub37grt2tuvvlxbiamthwxenf2dwgq6sn7gpj72c5omg7gojjplsdsovgq6g3aagwerkght3e7boqfq",
        "Nonce": 55,
        "Value": "1",
        "GasLimit": 1000000,
        "GasFeeCap": "100",
        "GasPremium": "1",
        "Method": 0,
        "Params": None,
    },
    "Signature": {
        "Type": 2,
        "Data": "sYHUj6N7Cb86A8pTPyaB82zdeemyHd+tZU4Vdsm6bz2GlaeLC5tsc3SX1Q7Fr5pRA5gXhcx4ID+vDqDVO7ZAnToKaWeZ2Wr2"
        "8S+b4tGWOwqYHx8jkkvklyyNJ5wK4bq+",
    },
}
BLS_CID = "bafy2bzacedhl5cowfmp7hq2ke3irf7indry55px44cbbjthazwvpm7ktf676w"


def test_a_grant_is_read_and_written_back() -> None:
    signed = parse_signed_message(GRANT)
    assert signed.message == Message(
        to=parse_address("f06"),
        sender=parse_address("f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy"),
        nonce=16,
        gas_limit=13316946,
        gas_fee_cap_attofil=136969,
        gas_premium_attofil=100227,
        method=4,
        params=base64.b64decode(GRANT["Message"]["Params"]),
    )
    written = signed_message_document(signed)
    assert written == GRANT
    assert list(written["Message"]) == list(GRANT["Message"])  # type: ignore[call-overload]
    assert SignedMessage.from_bytes(signed.to_bytes()) == signed


def test_cids_are_those_of_the_node() -> None:
    signed = parse_signed_message(GRANT)
    assert message_cid(signed.message).to_text() == GRANT["Message"]["CID"]["/"]
    assert signed_message_cid(signed).to_text() == GRANT["CID"]["/"]
    assert signing_bytes(signed.message) == parse_cid(GRANT["Message"]["CID"]["/"]).to_bytes()


def test_a_bls_message_has_the_cid_of_the_message_alone() -> None:
    signed = parse_signed_message(BLS)
    assert signed_message_cid(signed) == message_cid(signed.message) == parse_cid(BLS_CID)
    assert message_document(signed.message, prefix="t")["Params"] is None


# Forest's serialization vectors, the first: every integer near the end of its range.
def test_a_message_of_large_numbers_is_the_bytes_of_the_vector() -> None:
    raw = bytes.fromhex(
        "8a004a0088a8eda3d0bf82f219550211fea8c3ebdf51fe44818052393f7412f9f9eb841b7997fb85431b29754900cb7387dec23114c3"
        "1b0738affbad3e8dac490034a5d28e1c6250ce4900f2837b96907e81171bfdb62298930763e4582056ad4b6cd73eb4206c5fbb6078cc"
        "b848a6ad9654a530980ff4fb20785cc44324"
    )
    message = Message.from_bytes(raw)
    assert (message.method, message.gas_limit) == (18281837776054215652, 520359252439502252)
    assert message.sender.to_text("t") == "t2ch7krq7l35i74rebqbjdsp3ucl47t24e3juxjfa"
    assert message.to_bytes() == raw


def test_version_and_params_may_be_absent() -> None:
    bare = {key: value for key, value in BLS["Message"].items() if key not in {"Version", "Params"}}
    assert parse_message(bare) == parse_message(BLS["Message"])
    assert parse_message({**bare, "Params": ""}) == parse_message(bare)


def test_another_ones_cid_is_refused_unless_it_does_not_matter() -> None:
    stale = {**GRANT["Message"], "Nonce": 17}
    with pytest.raises(MessageError, match="not that of the message"):
        parse_message(stale)
    assert parse_message(stale, check_cid=False).nonce == 17
    for changed in ({**GRANT, "Message": stale}, {**GRANT, "CID": {"/": BLS_CID}}):
        with pytest.raises(MessageError):
            parse_signed_message(changed)


def test_a_delegated_sender_signs_no_message() -> None:
    message = Message(to=parse_address("f06"), sender=parse_address("0x" + "11" * 20), nonce=0, method=0)
    with pytest.raises(MessageError, match="Ethereum"):
        signing_bytes(message)
    assert message_cid(message).to_text().startswith("bafy2bzace")


def with_field(**changes: object) -> dict[str, object]:
    return {**{key: value for key, value in GRANT["Message"].items() if key != "CID"}, **changes}


@pytest.mark.parametrize(
    "broken",
    [
        *(None, 5, "message", [], {}, [GRANT["Message"]]),
        *(
            {key: value for key, value in with_field().items() if key != lost}
            for lost in ("To", "From", "Nonce", "Value")
        ),
        *({key: value for key, value in with_field().items() if key != lost} for lost in ("GasLimit", "Method")),
        *(with_field(Version=version) for version in (None, -1, 2**64, "0", True)),
        *(with_field(To=to) for to in (None, 6, "", "06", "f0x", "x" * 5000)),
        *(with_field(Nonce=nonce) for nonce in (None, -1, 2**64, "5", 5.0, True)),
        *(with_field(Value=value) for value in (None, 0, "", "0x0", "00", "1e3", "9" * 5000)),
        *(with_field(GasLimit=limit) for limit in (None, 2**63, -(2**63) - 1, "1")),
        *(with_field(Method=method) for method in (None, -1, 2**64, "4")),
        *(with_field(Params=params) for params in (5, [], "?", "AAA", "AA==\n", "é")),
        *(with_field(CID=cid) for cid in (5, BLS_CID, {}, {"/": 5}, {"/": "x"}, {"/": BLS_CID})),
        with_field(Value=str(2**1024)),
    ],
)
def test_a_broken_message_is_a_message_error(broken: object) -> None:
    with pytest.raises(MessageError) as raised:
        message_cid(parse_message(broken))
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    "broken",
    [
        *(None, 5, [], {}, {"Message": None, "Signature": GRANT["Signature"]}, {"Message": GRANT["Message"]}),
        *({**GRANT, "Signature": signature} for signature in (None, 5, {}, {"Type": 1}, {"Data": "AA=="})),
        *({**GRANT, "Signature": {"Type": kind, "Data": "AA=="}} for kind in (None, 0, 4, "1", True, 1.0)),
        *({**GRANT, "Signature": {"Type": 1, "Data": data}} for data in (None, 5, "?", "A")),
        {**GRANT, "CID": 5},
    ],
)
def test_a_broken_signed_message_is_a_message_error(broken: object) -> None:
    with pytest.raises(MessageError):
        parse_signed_message(broken)


@given(records_of(Message), st.sampled_from("ft"))
@QUICK
def test_messages_come_back_from_json(message: Message, prefix: str) -> None:
    assert parse_message(message_document(message, prefix=prefix)) == message
    for kind in (1, 2, 3):
        signed = SignedMessage(message, Signature(kind, bytes(65)))
        assert parse_signed_message(signed_message_document(signed, prefix=prefix)) == signed
        assert (signed_message_cid(signed) == message_cid(message)) is (kind == 2)


@given(json_values, st.sampled_from([*GRANT["Message"]]))
@QUICK
def test_any_field_is_a_message_or_refused(value: object, name: str) -> None:
    for document in (value, {**GRANT["Message"], name: value}):
        try:
            message = parse_message(document, check_cid=False)
        except MessageError:
            continue
        assert parse_message(message_document(message)) == message
