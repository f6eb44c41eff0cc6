import json
from typing import Any

import pytest

from explorer.errors import MalformedCid
from explorer.reviews.errors import (
    JobTooLarge,
    MalformedAddress,
    MalformedRequest,
    OtherNetworkAddress,
    PublisherCannotProve,
)
from explorer.reviews.requests import JOB_DEPTH, distinct_cids, job_text, parse_publisher, parse_request
from node.address import PROTOCOL_ACTOR, PROTOCOL_DELEGATED, Address
from node.network import NETWORKS
from tests.e2e.fake_index import ACTIVE, PAYLOAD
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F3, PUBLISHER_F1

FOREIGN = Address(PROTOCOL_DELEGATED, bytes([32]) + bytes(20)).to_text()
"""Delegated by another actor than Ethereum's."""
MAINNET, CALIBRATION, DEVNET = (NETWORKS[name] for name in ("mainnet", "calibration", "devnet"))


def body(**changes: Any) -> dict[str, Any]:
    return {
        "job_id": "j-1",
        "job": {"Name": "x"},
        "cids": [ACTIVE],
        "publisher": str(PUBLISHER_F1),
        "requested_bytes": "1099511627776",
    } | changes


@pytest.mark.parametrize("address", [PUBLISHER_F1, NOTARY_F3, NOTARY_0X])
def test_a_publisher_is_taken_in_every_form_of_its_network(address: Any) -> None:
    assert parse_publisher(address.to_text("f"), MAINNET) == address
    assert parse_publisher(address.to_text("t"), CALIBRATION) == address
    assert parse_publisher(address.to_text("t"), DEVNET) == parse_publisher(address.to_text("f"), DEVNET) == address
    if address.to_eth():
        assert parse_publisher(address.to_eth(), MAINNET) == address


def test_another_networks_spelling_is_refused() -> None:
    for network, prefix in ((MAINNET, "t"), (CALIBRATION, "f")):
        with pytest.raises(OtherNetworkAddress):
            parse_publisher(PUBLISHER_F1.to_text(prefix), network)


@pytest.mark.parametrize(
    "text",
    ["f01000", Address(PROTOCOL_ACTOR, bytes(20)).to_text(), "0xff00000000000000000000000000000000000401", FOREIGN],
)
def test_who_has_no_key_is_refused(text: str) -> None:
    with pytest.raises(PublisherCannotProve):
        parse_publisher(text, MAINNET)


@pytest.mark.parametrize("text", ["", "f1", "x", "f1\x00", "0x", str(PUBLISHER_F1)[:-1] + "z", "f" * 128])
def test_what_is_no_address_is_malformed(text: str) -> None:
    with pytest.raises(MalformedAddress):
        parse_publisher(text, MAINNET)


def test_cids_that_say_the_same_are_one() -> None:
    assert distinct_cids([ACTIVE, f"ipfs://{ACTIVE}", PAYLOAD, ACTIVE]) == (ACTIVE, PAYLOAD)


def test_a_malformed_cid_is_named_with_its_place() -> None:
    with pytest.raises(MalformedCid, match=r"cids\[1\]"):
        distinct_cids([ACTIVE, "bafyno"])


@pytest.mark.parametrize(
    "job",
    [
        None,
        0,
        "",
        [],
        {"a": 2**70},
        {"a": 10**4000},
        {"\x00": "\x00"},
        {"a": 1e308},
        {"a": "\u202e\u2028<script>"},
        [[]] * 9,
    ],
)
def test_a_job_is_kept_as_it_was_sent(job: Any) -> None:
    assert json.loads(job_text(job)) == job
    assert "\x00" not in job_text(job)


def test_what_of_a_job_cannot_be_kept_is_refused() -> None:
    deep: Any = 1
    for _ in range(JOB_DEPTH):
        deep = [deep]
    with pytest.raises(MalformedRequest, match="deeper"):
        job_text(deep)
    with pytest.raises(MalformedRequest, match="number"):
        job_text({"a": float("inf")})
    with pytest.raises(JobTooLarge):
        job_text("x" * (1 << 20))


@pytest.mark.parametrize("job_id", ["", "x" * 129, "\u65e5" * 65, "\ud800", "\U0001f600" * 60])
def test_a_job_id_that_no_text_could_name_is_refused(job_id: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_request(body(job_id=job_id), MAINNET)


@pytest.mark.parametrize("job_id", [" ", "\u00a0", "\u2800", "\u200b\u200b", "\u3164", "\u202e", "\t\n"])
def test_a_job_id_that_shows_nothing_is_refused_with_the_remedy(job_id: str) -> None:
    with pytest.raises(MalformedRequest, match="name the job in letters or digits") as refused:
        parse_request(body(job_id=job_id), MAINNET)
    assert str(refused.value).isascii()


@pytest.mark.parametrize("job_id", ["j", "日本", "a b", "\u202etxt.exe", "\\u{20}", "../../etc", "'; DROP TABLE x;--"])
def test_any_other_job_id_is_taken(job_id: str) -> None:
    assert parse_request(body(job_id=job_id), MAINNET).job_id == job_id


def test_an_amount_that_no_text_could_name_is_refused() -> None:
    with pytest.raises(MalformedRequest):
        parse_request(body(requested_bytes=str(2**80)), MAINNET)
    assert parse_request(body(requested_bytes="0"), MAINNET).requested_bytes == 0


def test_digests_tell_which_field_differs() -> None:
    first = parse_request(body(), MAINNET).digests
    other = parse_request(body(job={"Name": "y"}, results={"outputs": []}), MAINNET).digests
    assert {name for name in first if first[name] != other[name]} == {"job", "results"}
