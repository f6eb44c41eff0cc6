import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cid import Cid, canonical, commitment_of, match_key, parse_cid
from node.errors import CidError
from node.piece import commitment_of_text, parse_piece_v2, piece_v1, piece_v2
from node.varint import uvarint_bytes
from tests.unit.node.strategies import QUICK, digests, near_texts, payload_sizes

# FRC-0069 and go-fil-commcid: version 1, version 2, bytes of payload, bytes of padded piece.
VECTORS = [
    (
        "baga6ea4seaqes3nobte6ezpp4wqan2age2s5yxcatzotcvobhgcmv5wi2xh5mbi",
        "bafkzcibcaaces3nobte6ezpp4wqan2age2s5yxcatzotcvobhgcmv5wi2xh5mbi",
        *(508, 512),
    ),
    (
        "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq",
        "bafkzcibcaapao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq",
        *(34091302912, 34359738368),
    ),
    (
        "baga6ea4seaqn42av3szurbbscwuu3zjssvfwbpsvbjf6y3tukvlgl2nf5rha6pa",
        "bafkzcibd7abqlxticxolgseegik2stpfgkkuwyf6kufex3doorkvmzpjuxwe4dz4",
        *(512, 1024),
    ),
]


@pytest.mark.parametrize(("v1", "v2", "payload_bytes", "padded_bytes"), VECTORS)
def test_both_versions_hold_one_commitment(v1: str, v2: str, payload_bytes: int, padded_bytes: int) -> None:
    piece = parse_piece_v2(parse_cid(v2))
    assert (piece.payload_size_bytes, piece.padded_size_bytes) == (payload_bytes, padded_bytes)
    assert canonical(parse_cid(v2)) == piece_v1(piece.commitment) == parse_cid(v1)
    assert piece_v2(piece.commitment, payload_size_bytes=payload_bytes).to_text() == v2
    assert match_key(parse_cid(v1)) == match_key(parse_cid(v2)) == commitment_of_text(v1) == piece.commitment


def test_the_empty_payload_has_a_piece() -> None:
    piece = parse_piece_v2(parse_cid("bafkzcibcp4bdomn3tgwgrh3g532zopskstnbrd2n3sxfqbze7rxt7vqn7veigmy"))
    assert (piece.payload_size_bytes, piece.padding_bytes, piece.padded_size_bytes) == (0, 127, 128)


def test_a_piece_padded_far_beyond_its_need_is_taken() -> None:
    cid = Cid(1, 0x55, 0x1011, uvarint_bytes(127 * 2**28 - 1000) + b"\x1e" + bytes(32))
    assert parse_piece_v2(parse_cid(cid.to_text())).payload_size_bytes == 1000


@pytest.mark.parametrize(
    "digest",
    [
        b"",
        b"\x80",
        b"\x00\x04" + bytes(31),
        b"\x00\x04" + bytes(33),
        b"\x80\x00\x04" + bytes(32),
        b"\x80" * 9 + b"\x01\x04" + bytes(32),
        b"\x00\x01" + bytes(32),
        b"\x00\x3a" + bytes(32),
        b"\x00\xff" + bytes(32),
        uvarint_bytes(128) + b"\x02" + bytes(32),
        uvarint_bytes(2**63 - 1) + b"\x39" + bytes(32),
    ],
)
def test_a_broken_version_2_is_refused(digest: bytes) -> None:
    cid = Cid(1, 0x55, 0x1011, digest)
    with pytest.raises(CidError, match="no piece CID of version 2"):
        parse_piece_v2(cid)
    with pytest.raises(CidError, match="no piece CID of version 2"):
        parse_cid(cid.to_text())


def test_version_1_is_no_version_2() -> None:
    with pytest.raises(CidError, match="no piece CID of version 2"):
        parse_piece_v2(piece_v1(bytes(32)))


@pytest.mark.parametrize("commitment", [b"", bytes(31), bytes(33)])
def test_a_commitment_has_32_bytes(commitment: bytes) -> None:
    with pytest.raises(CidError, match="not 32"):
        piece_v1(commitment)
    with pytest.raises(CidError, match="not 32"):
        piece_v2(commitment, payload_size_bytes=127)


@pytest.mark.parametrize("size", [-1, 2**63, 10**40])
def test_a_payload_that_fits_no_piece_is_refused(size: int) -> None:
    with pytest.raises(CidError, match="fits no piece"):
        piece_v2(bytes(32), payload_size_bytes=size)


@pytest.mark.parametrize(
    ("size", "padded"), [(0, 128), (1, 128), (127, 128), (128, 256), (254, 256), (255, 512), (127 * 2**28, 2**35)]
)
def test_a_payload_takes_the_smallest_piece_that_holds_it(size: int, padded: int) -> None:
    assert parse_piece_v2(piece_v2(bytes(32), payload_size_bytes=size)).padded_size_bytes == padded


@given(digests, payload_sizes)
@QUICK
def test_pieces_come_back_from_version_2(commitment: bytes, size: int) -> None:
    piece = parse_piece_v2(parse_cid(piece_v2(commitment, payload_size_bytes=size).to_text()))
    assert (piece.commitment, piece.payload_size_bytes) == (commitment, size)


@given(
    st.one_of(st.binary(max_size=45), st.builds(lambda h, c: b"\x00" + bytes([h]) + c, st.integers(0, 255), digests))
)
@QUICK
def test_any_digest_is_a_piece_or_refused(digest: bytes) -> None:
    try:
        piece = parse_piece_v2(Cid(1, 0x55, 0x1011, digest))
    except CidError:
        return
    assert piece.to_digest() == digest
    assert 0 <= piece.payload_size_bytes < piece.padded_size_bytes < 2**63


@given(digests)
@QUICK
def test_the_fast_reader_of_pieces_reads_what_is_written(commitment: bytes) -> None:
    assert commitment_of_text(piece_v1(commitment).to_text()) == commitment


@given(
    st.one_of(
        st.text(),
        near_texts,
        st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=52, max_size=52).map("baga6ea4seaq".__add__),
    )
)
@QUICK
def test_the_fast_reader_of_pieces_agrees_with_the_careful_one(text: str) -> None:
    commitment = commitment_of_text(text)
    if commitment is not None:
        assert commitment_of(parse_cid(text)) == commitment


def test_other_spellings_are_left_to_the_careful_reader() -> None:
    v1 = VECTORS[0][0]
    assert commitment_of_text(v1.upper()) is None
    assert commitment_of_text(v1[:-1] + "b") is None
    assert commitment_of_text(v1 + "a") is None
