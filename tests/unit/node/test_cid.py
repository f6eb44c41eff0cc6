import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase

from node.cid import (
    Cid,
    canonical,
    cid_from_bytes,
    commitment_of,
    is_empty_content,
    kind_of,
    match_key,
    parse_cid,
)
from node.errors import CidError
from tests.unit.node.strategies import QUICK, cids, near_texts, payload_cids, plain_cids, v0_cids

# multiformats/cid README: one CID in both versions.
V0 = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"
V1 = "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
# A label of mainnet: base64, whose digits include the slash, and the same in base32.
WITH_SLASHES = "mAXCg5AIgfgru96vMBOGeq7hc3yBz10//8jPmaSwzkBcltAXeWxQ"
SAME_WITHOUT = "bafykbzaceb7av3xxvpgajym6vo4fzxzaoplu777sgptgslbtsalslnaf3znri"
PIECE = "baga6ea4seaqes3nobte6ezpp4wqan2age2s5yxcatzotcvobhgcmv5wi2xh5mbi"
SEALED = "bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz"
EVERY_BASE = sorted(base.code for base in multibase.table() if base.code.isascii() and base.code != "\0")


def test_version_0_and_1_are_one_content() -> None:
    assert parse_cid(V0) != parse_cid(V1)
    assert canonical(parse_cid(V0)) == parse_cid(V1)
    assert parse_cid(V0).to_text() == V1
    assert parse_cid(V1).to_v0_text() == parse_cid(V0).to_v0_text() == V0


@pytest.mark.parametrize("code", EVERY_BASE)
def test_every_multibase_is_read(code: str) -> None:
    raw = parse_cid(PIECE).to_bytes()
    assert parse_cid(multibase.get(code=code).encode(raw)).to_text() == PIECE


@pytest.mark.parametrize("code", ["r", "R", "x", "A", "1", "🚀", "\0"])
def test_what_is_no_multibase_is_refused(code: str) -> None:
    with pytest.raises(CidError):
        parse_cid(code + V1[1:])


@pytest.mark.parametrize(
    "head",
    [
        "",
        "ipfs://",
        "IPFS://",
        "/ipfs/",
        "ipfs/",
        "ipfs:",
        "ipfs://ipfs/",
        "dweb:/ipfs/",
        "dweb://ipfs/",
        " ",
        "\r\n\t",
    ],
)
@pytest.mark.parametrize("tail", ["", "/", " ", "\n"])
@pytest.mark.parametrize("text", [V0, V1, WITH_SLASHES])
def test_links_and_blanks_around_a_cid_are_tolerated(head: str, tail: str, text: str) -> None:
    assert parse_cid(head + text + tail) == parse_cid(text)


@pytest.mark.parametrize("text", [V0, V1, WITH_SLASHES])
@pytest.mark.parametrize("path", ["/a", "/a/b.txt", "//", "?filename=a", "#a", "/" + "x/" * 50])
def test_a_path_is_an_error_that_names_the_cid_unless_it_is_allowed(text: str, path: str) -> None:
    assert parse_cid("ipfs://" + text + path, allow_path=True) == parse_cid(text)
    with pytest.raises(CidError, match=f"inside of a CID; ask for the CID alone, {parse_cid(text)}"):
        parse_cid("ipfs://" + text + path)


def test_a_slash_can_be_a_digit() -> None:
    assert parse_cid(WITH_SLASHES).to_text() == SAME_WITHOUT


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "/",
            "b",
            "Q",
            "Qm",
            "m",
            "z",
            "f",
            "hello",
            "ipfs://",
            "/ipfs/",
            "0",
            "9",
            "f00",
            "f01",
            "http://example.com",
        ),
        V0[:-1],
        V0 + "1",
        V0[:-1] + "0",
        "z" + V0,
        V1[:-1],
        V1 + "a",
        V1[:-1] + "v",
        V1[:20] + " " + V1[20:],
        V1[:20] + "\0" + V1[20:],
        V1 + "\0",
        V1[:20] + "é" + V1[20:],
        V1.replace("a", "\u0430"),
        "ipns://" + V1,
        "f0170122000",
        "f0270" + "1220" + "00" * 32,
        "f81007012" + "20" + "00" * 32,
        "f01701220" + "00" * 31,
        "f01701220" + "00" * 33,
        "f0181e203922014" + "00" * 20,
    ],
)
def test_what_is_no_cid_is_refused_briefly(text: str) -> None:
    with pytest.raises(CidError) as raised:
        parse_cid(text)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("text", ["b" * 513, "9" * 100_000, "x" * 10_000_000, V1 + " " * 500])
def test_an_overlong_text_is_refused_at_once(text: str) -> None:
    with pytest.raises(CidError, match="more than 512 characters") as raised:
        parse_cid(text)
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (V0, "payload"),
        (V1, "payload"),
        (PIECE, "piece"),
        ("bafkzcibcaaces3nobte6ezpp4wqan2age2s5yxcatzotcvobhgcmv5wi2xh5mbi", "piece"),
        (SEALED, "sealed"),
        ("bafkqaaa", "inline"),
        ("bafkqabtimvwgy3yk", "inline"),
        ("bafy2bzacebtcy2us37j4rzgu5phfi5767ryfuhbpwedekvwhc5mrakq5dtl7k", "payload"),
    ],
)
def test_kinds_of_cids(text: str, kind: str) -> None:
    assert kind_of(parse_cid(text)) == kind


def test_a_commitment_is_a_piece_whatever_the_codec() -> None:
    raw_codec = Cid(1, 0x55, 0x1012, bytes(32))
    assert kind_of(raw_codec) == "piece"
    assert match_key(raw_codec) == bytes(32)
    assert kind_of(Cid(1, 0xF102, 0x1012, bytes(32))) == "sealed"


def test_a_broken_commitment_on_chain_is_read_and_matches_no_piece() -> None:
    for broken in (Cid(1, 0x55, 0x1011, b"\x80"), Cid(1, 0xF101, 0x1012, bytes(20))):
        assert cid_from_bytes(broken.to_bytes()) == broken
        assert kind_of(broken) == "payload"
        assert commitment_of(broken) is None
        assert canonical(broken) == broken
        with pytest.raises(CidError, match="no piece CID"):
            parse_cid(broken.to_text())


def test_codecs_do_not_matter_for_a_payload() -> None:
    payload = parse_cid(SAME_WITHOUT)
    assert match_key(payload) == match_key(Cid(1, 0x55, payload.hash_code, payload.digest)) == payload.multihash


@pytest.mark.parametrize("text", [SEALED, "bafkqaaa", "bafkqabtimvwgy3yk", V0])
def test_what_says_nothing_matches_nothing(text: str) -> None:
    assert match_key(parse_cid(text)) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (V0, "the empty block"),  # an empty dag-pb node has no bytes either
        ("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "the empty block"),
        ("QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH", "the empty UnixFS file"),
        ("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", "the empty UnixFS directory"),
        (SAME_WITHOUT, None),
    ],
)
def test_the_empty_things_that_everybody_has(text: str, name: str | None) -> None:
    assert is_empty_content(parse_cid(text)) == name


def test_the_empty_things_are_known_by_both_hashes() -> None:
    blake = hashlib.blake2b(bytes.fromhex("0a020801"), digest_size=32).digest()
    assert is_empty_content(Cid(1, 0x70, 0xB220, blake)) == "the empty UnixFS directory"


@pytest.mark.parametrize(
    "raw", ["", "01", "0170", "1220", "1220" + "00" * 31, "00", "0170122000", "ff" * 20, "8001701220" + "00" * 32]
)
def test_what_is_no_binary_cid_is_refused(raw: str) -> None:
    with pytest.raises(CidError):
        cid_from_bytes(bytes.fromhex(raw))


@given(cids)
@QUICK
def test_cids_come_back_from_bytes_and_canonical_ones_from_text(cid: Cid) -> None:
    assert cid_from_bytes(cid.to_bytes()) == cid
    assert parse_cid(cid.to_text()).multihash == cid.multihash
    assert parse_cid(canonical(cid).to_text()) == canonical(cid)
    assert str(cid) == cid.to_text()


@given(v0_cids)
@QUICK
def test_version_0_comes_back_from_its_text(cid: Cid) -> None:
    text = cid.to_v0_text()
    assert text is not None
    assert parse_cid(text) == cid


@given(st.one_of(plain_cids(), payload_cids))
@QUICK
def test_a_cid_has_one_key_in_every_spelling(cid: Cid) -> None:
    for code in "bBfkmuz":
        assert match_key(parse_cid(multibase.get(code=code).encode(cid.to_bytes()))) == match_key(cid)


@given(st.one_of(st.binary(max_size=80), st.builds(lambda rest: b"\x01" + rest, st.binary(max_size=80))))
@QUICK
def test_any_bytes_are_a_cid_or_refused(raw: bytes) -> None:
    try:
        cid = cid_from_bytes(raw)
    except CidError:
        return
    assert cid.to_bytes() == raw
    assert kind_of(canonical(cid)) == kind_of(cid)
    assert match_key(canonical(cid)) == match_key(cid)


@given(st.one_of(st.text(), near_texts), st.booleans())
@QUICK
def test_any_text_is_a_cid_or_refused(text: str, allow_path: bool) -> None:
    try:
        cid = parse_cid(text, allow_path=allow_path)
    except CidError:
        return
    assert parse_cid(cid.to_text()).multihash == cid.multihash
