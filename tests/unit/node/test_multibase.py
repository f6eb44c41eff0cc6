import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase

from node.multibase import decode_base32, decode_base58, decode_multibase, encode_base32, encode_base58
from tests.unit.node.strategies import QUICK

EVERY_BASE = sorted(base.code for base in multibase.table() if base.code.isascii() and base.code != "\0")


# RFC 4648 section 10, in lower case and without padding.
@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"f", "my"),
        (b"fo", "mzxq"),
        (b"foo", "mzxw6"),
        (b"foob", "mzxw6yq"),
        (b"fooba", "mzxw6ytb"),
        (b"foobar", "mzxw6ytboi"),
    ],
)
def test_base32_of_its_rfc(raw: bytes, text: str) -> None:
    assert encode_base32(raw) == text
    assert decode_base32(text.encode()) == raw


# draft-msporny-base58.
@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"Hello World!", "2NEpo7TZRRrLZSi2U"), (bytes.fromhex("0000287fb4cd"), "11233QC4"), (b"", ""), (b"\0", "1")],
)
def test_base58_of_its_draft(raw: bytes, text: str) -> None:
    assert encode_base58(raw) == text
    assert decode_base58(text.encode()) == raw


@pytest.mark.parametrize("text", ["a", "mzx", "mzxw6y", "mz", "MY", "m_y", " my", "+y", "m1", "m=", "m\0"])
def test_base32_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its callers name the thing
        decode_base32(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "mZg=",
        "MZg",
        "MZg===",
        "MZg=",
        "M====",
        "MZg===mZh",
        "mZ",
        "uZ/g",
        "m Zg",
        "m-Zg",
        "fa",
        "f0 ",
        "k-1",
        "k 1",
        "z0",
        "",
        "é",
        "\0",
        "!",
        "1",
    ],
)
def test_other_spellings_of_the_fast_bases_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode_multibase(text.encode())


def test_prefixed_base32_takes_either_case() -> None:
    assert decode_multibase(b"bMZxw6ytb") == decode_multibase(b"BMZXW6YTB") == b"fooba"


@pytest.mark.parametrize("code", EVERY_BASE)
def test_every_base_is_read_as_another_program_writes_it(code: str) -> None:
    raw = bytes.fromhex("01701220") + bytes(range(200, 232))
    assert decode_multibase(multibase.get(code=code).encode(raw).encode()) == raw


@given(st.binary(max_size=80))
@QUICK
def test_bytes_come_back_from_base32_and_base58(raw: bytes) -> None:
    assert decode_base32(encode_base32(raw).encode()) == raw
    assert decode_base58(encode_base58(raw).encode()) == raw


@given(st.sampled_from("bBfFkKmMuz"), st.binary(max_size=60))
@QUICK
def test_the_fast_bases_agree_with_another_program(code: str, raw: bytes) -> None:
    text = multibase.get(code=code).encode(raw)
    assert decode_multibase(text.encode()) == raw


@given(
    st.sampled_from([*EVERY_BASE, "", "x"]),
    st.one_of(st.binary(max_size=60), st.text("abc123XYZ-=/+", max_size=60).map(str.encode)),
)
@QUICK
def test_any_text_has_bytes_or_is_refused(code: str, body: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode_multibase(code.encode() + body)
