import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase

from node.cid import Cid, kind_of, match_key, parse_cid
from node.label import label_cid, label_kind, label_text, payload_key
from tests.unit.node.strategies import QUICK, cids, near_texts, payload_cids

# Labels of mainnet (PublishStorageDeals at 2907480 to 2907520, and a dump of the market).
REAL_LABELS = [
    b"bafykbzaced4okpigutjhbcg6boxpou54psb7cjblbtb7oc5yjhcj4nnmijaow",
    b"bafybeiaamj6tcwdg64pbt5lzrhlwl53jmkgbuecq2k52h4k2wt6n7qxffm",
    b"mAXCg5AIgfgru96vMBOGeq7hc3yBz10//8jPmaSwzkBcltAXeWxQ",
    b"QmVFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
]
PIECE = b"baga6ea4seaqes3nobte6ezpp4wqan2age2s5yxcatzotcvobhgcmv5wi2xh5mbi"
SEALED = b"bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz"
IDENTITY_IN_BASE64 = b"mAXAAAA"


@pytest.mark.parametrize("label", REAL_LABELS)
def test_real_labels_name_payloads(label: bytes) -> None:
    cid = parse_cid(label.decode())
    assert label_cid(label) == cid
    assert label_kind(label) == "payload"
    assert payload_key(label) == match_key(cid) == cid.multihash


@pytest.mark.parametrize("label", REAL_LABELS)
@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (b" ", b"\n"),
        (b"", b"\0\0\0"),
        (b"ipfs://", b""),
        (b"/ipfs/", b"/"),
        (b"ipfs://", b"/photos/cat.jpg"),
        (b"", b"/my file.txt"),
        (b"", "/Fotos/für später".encode()),
        (b"", b"/\xff\0"),
    ],
)
def test_decorated_labels_name_the_same(label: bytes, head: bytes, tail: bytes) -> None:
    assert payload_key(head + label + tail) == payload_key(label)


@pytest.mark.parametrize("tail", [b" and more", b"\xff", "é".encode(), b".car", b","])
def test_a_cid_with_other_words_is_no_cid(tail: bytes) -> None:
    assert payload_key(REAL_LABELS[0] + tail) is None


@pytest.mark.parametrize("label", REAL_LABELS)
def test_a_binary_cid_is_a_label_only_when_it_is_all_of_it(label: bytes) -> None:
    raw = parse_cid(label.decode()).to_bytes()
    assert payload_key(raw) == payload_key(label)
    assert label_kind(raw) == "payload"
    assert payload_key(raw + b" ") is None
    assert payload_key(b" " + raw) is None


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        (b"", "empty"),
        (b" \0\n", "empty"),
        (b"0", "text"),
        (b"label", "text"),
        ("Fotos für später".encode(), "text"),
        (b"a\0b", "text"),
        (b"\xff\xfe", "bytes"),
        (b"bafy\xff", "bytes"),
        (PIECE, "piece"),
        (SEALED, "sealed"),
        (b"bafkqaaa", "inline"),
        (IDENTITY_IN_BASE64, "inline"),
        (b"QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH", "empty_content"),
        (b"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", "empty_content"),
        (b"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "empty_content"),
    ],
)
def test_labels_that_name_no_payload_match_nothing(label: bytes, kind: str) -> None:
    assert label_kind(label) == kind
    assert payload_key(label) is None


def test_a_broken_piece_cid_is_text() -> None:
    assert label_kind(Cid(1, 0x55, 0x1011, b"\x80").to_text().encode()) == "text"


def test_text_is_what_is_utf_8() -> None:
    assert label_text("é\0".encode()) == "é\0"
    assert label_text(b"\xff") is None
    assert label_text(b"\xed\xa0\x80") is None
    assert label_text(b"") == ""


def slow_key(label: bytes) -> bytes | None:
    cid = label_cid(label)
    return match_key(cid) if cid is not None and kind_of(cid) == "payload" else None


@given(cids, st.sampled_from("bBfkmMuzh"))
@QUICK
def test_a_label_has_the_key_of_its_cid_in_every_base(cid: Cid, code: str) -> None:
    label = (
        multibase.get(code=code).encode(cid.to_bytes()).encode() if cid.version else (cid.to_v0_text() or "").encode()
    )
    assert label_cid(label) == cid
    assert payload_key(label) == (match_key(cid) if kind_of(cid) == "payload" else None)
    assert label_cid(cid.to_bytes()) == cid


@given(payload_cids, st.integers(0, 61), st.binary(min_size=1, max_size=1))
@QUICK
def test_the_fast_key_agrees_with_the_careful_one(cid: Cid, at: int, byte: bytes) -> None:
    label = cid.to_text().encode()
    changed = label[:at] + byte + label[at + 1 :]
    assert payload_key(changed) == slow_key(changed)
    base64 = multibase.get("base64").encode(cid.to_bytes()).encode()
    changed = base64[:at] + byte + base64[at + 1 :]
    assert payload_key(changed) == slow_key(changed)


@given(st.one_of(st.binary(max_size=256), near_texts.map(str.encode)))
@QUICK
def test_any_bytes_are_a_label_of_some_kind(label: bytes) -> None:
    assert (payload_key(label) is not None) == (label_kind(label) == "payload")
    assert payload_key(label) == slow_key(label)
    assert (label_text(label) is None) <= (
        label_kind(label) in {"bytes", "payload", "piece", "sealed", "inline", "empty_content", "empty"}
    )
