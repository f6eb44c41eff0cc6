"""Every shape of dump, in chunks of every size, cut off at every character, and damaged in every way we thought of."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import CorruptFile
from explorer.index.documents import RECORD_CHARS_MAX, Entry, entries
from tests.unit.index.dumps import chunked

A: dict[str, Any] = {"Size": 34359738368, "Data": {"/": "baga"}, "Label": 'q"u\\o}te,{', "n": [1, [2]], "x": None}
B: dict[str, Any] = {"Size": -1, "Label": "é☃\U0001f600"}
TWO = [("3", A), ("4", B)]
BARE = [(None, A), (None, B)]
MAP = json.dumps({"3": A, "4": B})
LINES = f"{json.dumps(A)}\n{json.dumps(B)}\n"

SHAPES = {
    "map": (MAP, TWO),
    "map, indented": (json.dumps({"3": A, "4": B}, indent=4) + "\n", TWO),
    "map, letters as they are": (json.dumps({"3": A, "4": B}, ensure_ascii=False), TWO),
    "empty map": (" {\n}\n", []),
    "envelope": (f'{{"jsonrpc":"2.0","result":{MAP},"id":1}}', TWO),
    "envelope, id first": (f'{{"id":"x","jsonrpc":"2.0","result":{MAP}}}', TWO),
    "envelope, result first": (f'{{"result":{MAP}}}', TWO),
    "envelope, no error": (f'{{"error":null,"result":{MAP},"error":null}}', TWO),
    "envelope around a list": (f'{{"id":1,"result":[{json.dumps(A)},{json.dumps(B)}]}}', BARE),
    "envelope around null": ('{"jsonrpc":"2.0","id":1,"result":null}', []),
    "envelope around nothing": ('{"jsonrpc":"2.0","id":1,"result":{}}', []),
    "lines": (LINES, BARE),
    "lines without the last end": (LINES.rstrip(), BARE),
    "lines of CRLF, some blank": (LINES.replace("\n", "\r\n\r\n"), BARE),
    "lines of maps": (f'{{"3":{json.dumps(A)}}}\n{{"4":{json.dumps(B)}}}', TWO),
    "list": (f"[{json.dumps(A)},\n{json.dumps(B)}]", BARE),
    "empty list": ("[]", []),
    "null": ("null\n", []),
    "records whose first field is an id": ('{"id":7,"TermStart":1}', [(None, {"id": 7, "TermStart": 1})]),
    "documents one after the other": (MAP + LINES + f"[{json.dumps(A)}]", [*TWO, *BARE, (None, A)]),
    "values of other kinds": ('{"1":null,"2":3,"3":"x","4":[1],"5":12345}', None),
}
OF_SEVERAL_DOCUMENTS = {name for name, (text, _) in SHAPES.items() if name.startswith(("lines", "documents"))}


def read(text: str, size: int = 1 << 20) -> list[tuple[str | None, object]]:
    return [(entry.key, entry.value) for entry in entries(chunked(text, size), "dump.json")]


@pytest.mark.parametrize(("text", "expected"), SHAPES.values(), ids=SHAPES)
def test_every_shape_is_read_the_same_in_chunks_of_every_size(text: str, expected: list[Any] | None) -> None:
    whole = read(text)
    if expected is not None:
        assert whole == expected
    for size in range(1, len(text) + 1):
        assert read(text, size) == whole


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (text, _) in SHAPES.items()], ids=SHAPES)
def test_a_dump_cut_off_anywhere_is_never_taken_for_a_smaller_one(name: str, text: str) -> None:
    """Where each line is a document, a cut between two lines can't be seen; any other can."""
    whole = read(text)
    for end in range(len(text.rstrip())):
        try:
            found = read(text[:end])
        except CorruptFile:
            continue
        assert name in OF_SEVERAL_DOCUMENTS
        assert found == whole[: len(found)]
        assert json_documents(text[:end])


def json_documents(text: str) -> bool:
    """Whether the text is a row of whole JSON documents, by the standard library alone."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text) and text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        _, at = decoder.raw_decode(text, at)
    return True


def test_records_come_before_the_damage_and_then_the_error() -> None:
    stream = entries(chunked('{"3":{"a":1},"4":{"b":', 5), "dump.json")
    assert next(stream) == Entry("3", {"a": 1})
    with pytest.raises(CorruptFile, match=r"dump\.json is not a whole dump: at character 17: it is cut off"):
        next(stream)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        (" \n\t\r", "it is empty"),
        ("hello", "cut off or damaged"),
        ("<html><body>502</body></html>", "cut off or damaged"),
        ("7", "neither an object nor a list"),
        ('"text"', "neither an object nor a list"),
        ("true", "neither an object nor a list"),
        ('{"3":{}}}', "cut off or damaged"),
        ('{"3":{},}', "a member without a name"),
        ('{"3":{}"4":{}}', "'\"' where , or } should be"),
        ('{"3" {}}', "where : should be"),
        ('{"3":{}]', "where , or } should be"),
        ("[{},]", "cut off or damaged"),
        ("[{}}", "where , or ] should be"),
        ("{3:{}}", "a member without a name"),
        ('{"3":{"a":1},"4":{"a":NaN}}', "NaN is not JSON"),
        ('[{"a":Infinity}]', "Infinity is not JSON"),
        ('{"a":-Infinity}', "-Infinity is not JSON"),
        ('{"3":{"a":01}}', "cut off or damaged"),
        ('{"3":{"a":"\x00"}}', "Invalid control character"),
        ('{"3":{"a":' + "9" * 5000 + "}}", "digits"),
        ('{"jsonrpc":"2.0","id":1,"result":7}', "neither an object nor a list"),
        ('{"jsonrpc":"2.0","result":{"3":{}},"id":1', "it ends too early"),
    ],
)
def test_what_is_no_dump_is_corrupt(text: str, why: str) -> None:
    with pytest.raises(CorruptFile, match="is not a whole dump") as caught:
        read(text)
    assert why in str(caught.value)
    for size in (1, 2, 3, 7):
        with pytest.raises(CorruptFile):
            read(text, size)


@pytest.mark.parametrize(
    "text",
    [
        '{"jsonrpc":"2.0","error":{"code":-32601,"message":"method not found"},"id":1}',
        '{"id":1,"jsonrpc":"2.0","result":{"3":{}},"error":{"code":1,"message":"method not found"}}',
    ],
)
def test_an_error_of_the_node_is_no_empty_dump(text: str) -> None:
    with pytest.raises(CorruptFile, match=r"the node answered an error .*method not found"):
        read(text)


@pytest.mark.parametrize("bomb", ["[", '{"1":', '[{"a":', '{"1":['])
def test_depth_bombs_are_refused(bomb: str) -> None:
    with pytest.raises(CorruptFile):
        read(bomb * 200_000)


def test_depth_within_reason_is_read() -> None:
    deep = "[" * 200 + "]" * 200
    [(key, value)] = read(f'{{"1":{deep}}}')
    assert key == "1"
    assert json.dumps(value) == deep


def test_numbers_keep_every_digit() -> None:
    big = 2**63, 2**64 + 1, 10**100, -(10**30)
    assert read(json.dumps({"1": {"a": list(big)}})) == [("1", {"a": list(big)})]


def test_lone_surrogates_are_read_as_they_are() -> None:
    assert read('{"1":{"Label":"\\ud800\\udc80x"},"2":{"Label":"\\ud800"}}')[1] == ("2", {"Label": "\ud800"})


def test_a_repeated_key_comes_as_often_as_it_is_there() -> None:
    assert read('{"1":{"a":1},"1":{"a":2}}') == [("1", {"a": 1}), ("1", {"a": 2})]


def test_keys_of_other_digits_are_keys() -> None:
    """They are no ids; whoever makes rows of them says so."""
    assert read('{"٣":{}}') == [("٣", {})]


def test_a_record_beyond_all_measure_is_refused_before_it_fills_the_memory() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        yield '{"1":{"Label":"'
        while True:
            taken += 1 << 21
            yield "x" * (1 << 21)

    with pytest.raises(CorruptFile, match="no JSON record of a sane size"):
        list(entries(endless(), "-"))
    assert taken <= RECORD_CHARS_MAX + (1 << 22)


json_records = st.dictionaries(
    st.text(max_size=6).filter(lambda key: key not in {"id", "jsonrpc", "result", "error"} and not key.isdecimal()),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
        max_leaves=5,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150)
@given(st.lists(json_records, min_size=1, max_size=4), st.integers(1, 50), st.booleans(), st.integers(0, 3))
def test_any_records_come_out_as_they_went_in(
    records: list[dict[str, Any]], size: int, ascii_only: bool, indent: int
) -> None:
    dump = {str(number): record for number, record in enumerate(records)}
    written = json.dumps(dump, ensure_ascii=ascii_only, indent=indent or None)
    assert read(written, size) == list(dump.items())
    assert read(json.dumps({"id": 1, "result": dump}), size) == list(dump.items())
    assert read("\n".join(json.dumps(record) for record in records), size) == [(None, record) for record in records]


@settings(max_examples=300)
@given(st.text('{}[]":,0123null \\ax\n', max_size=30), st.integers(1, 9))
def test_any_text_is_read_or_refused_whatever_the_chunks(text: str, size: int) -> None:
    def outcome(size: int) -> object:
        try:
            return read(text, size)
        except CorruptFile:
            return CorruptFile

    assert outcome(size) == outcome(1 << 20)
