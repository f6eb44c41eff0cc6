"""Hypothesis strategies for Filecoin's own things."""

from hypothesis import settings
from hypothesis import strategies as st

from node.address import Address, actor_address
from node.cid import Cid
from node.piece import piece_v1, piece_v2
from node.varint import uvarint_bytes

QUICK = settings(max_examples=80)

int63 = st.integers(0, 2**63 - 1)
codecs = st.one_of(st.sampled_from([0x55, 0x70, 0x71, 0xF101, 0xF102]), int63)
hash_codes = st.one_of(st.sampled_from([0x00, 0x12, 0x13, 0x1012, 0xB220, 0xB401]), int63).filter(
    lambda code: code != 0x1011
)


@st.composite
def plain_cids(draw: st.DrawFn) -> Cid:
    """Any CID of version 1 whose text is taken."""
    hash_code = draw(hash_codes)
    size = 32 if hash_code == 0x1012 else draw(st.sampled_from([0, 1, 20, 32, 33, 64]))
    return Cid(1, draw(codecs), hash_code, draw(st.binary(min_size=size, max_size=size)))


digests = st.binary(min_size=32, max_size=32)
v0_cids = digests.map(lambda digest: Cid(0, 0x70, 0x12, digest))
payload_cids = st.builds(
    lambda codec, hash_code, digest: Cid(1, codec, hash_code, digest),
    st.sampled_from([0x55, 0x70]),
    st.sampled_from([0x12, 0xB220]),
    digests,
)
payload_sizes = st.integers(0, 2**62 // 128 * 127)
piece_cids = st.one_of(
    digests.map(piece_v1),
    st.builds(lambda digest, size: piece_v2(digest, payload_size_bytes=size), digests, payload_sizes),
)
cids = st.one_of(plain_cids(), v0_cids, payload_cids, piece_cids)

addresses = st.one_of(
    int63.map(actor_address),
    st.builds(Address, st.sampled_from([1, 2]), st.binary(min_size=20, max_size=20)),
    st.builds(Address, st.just(3), st.binary(min_size=48, max_size=48)),
    st.builds(lambda space, sub: Address(4, uvarint_bytes(space) + sub), int63, st.binary(max_size=54)),
    st.builds(lambda sub: Address(4, b"\x0a" + sub), st.binary(min_size=20, max_size=20)),
)

# Texts that are nearly something: far likelier to reach the far ends of a parser than any text is.
near_texts = st.builds(
    lambda head, body, tail: head + body + tail,
    st.sampled_from(
        [
            "",
            "f0",
            "f1",
            "t2",
            "f3",
            "f410f",
            "0x",
            "b",
            "baf",
            "Qm",
            "m",
            "M",
            "z",
            "k",
            "9",
            "p",
            "ipfs://",
            "/ipfs/",
            " ",
        ]
    ),
    st.one_of(
        st.text(max_size=60),
        st.text("abcdefghijklmnopqrstuvwxyz234567", max_size=90),
        st.text("0123456789abcdefABCDEF/=+-_", max_size=90),
    ),
    st.sampled_from(["", "/", "/a", "=", "\0", "\n", "?", "٣", "é"]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
