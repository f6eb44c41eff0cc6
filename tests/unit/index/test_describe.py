"""What `GET /cid/{cid}` says of each kind of CID."""

from typing import Any

import pytest

from explorer.index.describe import codec_name, describe
from node.cid import Cid, parse_cid
from node.piece import piece_v1, piece_v2
from tests.unit.index.dumps import commitment, payload_cid, piece_cid

V2 = piece_v2(commitment(1), payload_size_bytes=1000)


def described(cid: Cid, sizes: tuple[int, ...] = ()) -> dict[str, Any]:
    return describe("as asked", cid, sizes)


def test_a_piece_of_version_1_has_the_size_that_records_give() -> None:
    document = described(piece_cid(1), (2**35,))
    assert (document["kind"], document["piece_size_bytes"]) == ("piece", 2**35)
    assert (document["piece_cid_v1"], document["piece_cid_v2"]) == (piece_cid(1).to_text(), None)
    assert document["codec_name"] == "fil-commitment-unsealed"
    assert document["hash_name"] == "sha2-256-trunc254-padded"


@pytest.mark.parametrize("sizes", [(), (2**34, 2**35)])
def test_a_size_that_is_not_agreed_is_not_said(sizes: tuple[int, ...]) -> None:
    assert described(piece_cid(1), sizes)["piece_size_bytes"] is None


def test_a_piece_of_version_2_says_its_sizes_itself() -> None:
    document = described(V2, (2**35,))
    assert (document["piece_size_bytes"], document["payload_size_bytes"]) == (1024, 1000)
    assert (document["piece_cid_v1"], document["piece_cid_v2"]) == (piece_v1(commitment(1)).to_text(), V2.to_text())
    assert document["canonical"] == document["piece_cid_v1"]
    assert "version 2" in document["explanation"]


def test_a_payload_in_all_its_spellings() -> None:
    cid = parse_cid(payload_cid(1).to_v0_text() or "")
    document = described(cid)
    assert (document["kind"], document["version"], document["codec_name"]) == ("payload", 0, "dag-pb")
    assert document["cid"] == "as asked"
    assert document["canonical"] == payload_cid(1).to_text() == document["forms"]["base32"]
    assert document["forms"]["v0"] == payload_cid(1).to_v0_text()
    assert {parse_cid(text) for name, text in document["forms"].items() if name != "v0"} == {payload_cid(1)}


@pytest.mark.parametrize(
    ("text", "kind", "explanation"),
    [
        ("bafkqaaa", "inline", "carries its data in itself"),
        ("bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz", "sealed", "one provider's encoding"),
        ("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "payload", "the empty block"),
        ("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", "payload", "the empty UnixFS directory"),
    ],
)
def test_cids_that_say_nothing_are_explained(text: str, kind: str, explanation: str) -> None:
    document = described(parse_cid(text))
    assert document["kind"] == kind
    assert explanation in document["explanation"]


def test_codes_without_a_name_are_numbers() -> None:
    assert codec_name(0x70) == "dag-pb"
    assert codec_name(2**40 + 1) == "0x10000000001"
    assert described(Cid(1, 2**40 + 1, 0x12, b"x" * 32))["codec_name"] == "0x10000000001"
