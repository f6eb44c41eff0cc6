"""Members of a huge result, out of text cut anywhere."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.chain.errors import AnswerCut, ChainError, GarbledAnswer
from node.lotus import json_stream
from node.lotus.json_stream import ResultMembers
from node.lotus.transport import RpcFault

WHOLE = '{"id": 1, "jsonrpc": "2.0", "result": {"3": {"a": [1, 2.5, "\\u00e9}"]}, "4": {"b": null}, "5": 7} }\n'
MEMBERS = [("3", {"a": [1, 2.5, "é}"]}), ("4", {"b": None}), ("5", 7)]


def read(*pieces: str) -> list[Any]:
    """All members of an answer in pieces."""
    scanner = ResultMembers()
    members = [member for piece in pieces for member in scanner.feed(piece)]
    scanner.finish()
    return members


@pytest.mark.parametrize("cut", range(len(WHOLE)))
def test_an_answer_may_be_cut_into_pieces_anywhere(cut: int) -> None:
    assert read(WHOLE[:cut], WHOLE[cut:]) == MEMBERS


def test_an_answer_may_come_one_character_at_a_time() -> None:
    assert read(*WHOLE) == MEMBERS


@pytest.mark.parametrize("cut", range(len(WHOLE.rstrip()) - 1))
def test_an_answer_that_ends_early_is_cut(cut: int) -> None:
    with pytest.raises(AnswerCut):
        read(WHOLE[:cut])


def test_members_come_as_soon_as_they_are_whole() -> None:
    scanner = ResultMembers()
    assert scanner.feed(WHOLE[: WHOLE.index('"4"')]) == MEMBERS[:1]


@pytest.mark.parametrize(
    "text",
    [
        '{"result":{"1":{}},"id":1}',
        '{"error":null,"result":{"1":{}}}',
        ' {\n"result"\t:{"1":{} } }',
    ],
)
def test_the_envelope_may_be_in_any_order(text: str) -> None:
    assert read(text) == [("1", {})]


@pytest.mark.parametrize("text", ['{"result":{}}', '{"result":null}', '{"id":1,"result": null }'])
def test_nothing_is_no_members(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '"x"',
        "<html>",
        '{"id":1}',
        '{"result":[1]}',
        '{"result":7}',
        '{"result":{1:2}}',
        '{"result":{"1":{},}}',
        '{"result":{"1" {}}}',
        '{"result":{"1":{}}} x',
        '{"result":{"1":{}}}{"result":{}}',
        '{"error":"no"}',
        '{"error":{"code":"1","message":2}}',
    ],
)
def test_what_is_no_such_answer_is_garbled(text: str) -> None:
    with pytest.raises(GarbledAnswer):
        read(text)


def test_an_error_answer_is_a_fault() -> None:
    with pytest.raises(RpcFault, match="no such thing"):
        read('{"id":1,"error":{"code":1,"message":"no such thing"}}')
    with pytest.raises(RpcFault):
        read('{"result":{"1":{}},"error":{"code":1,"message":"died halfway"}}')


def test_a_record_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "RECORD_CHARS_MAX", 1000)
    with pytest.raises(GarbledAnswer, match="sane size"):
        read('{"result":{"1":{"x":"', *["y" * 100] * 20)
    with pytest.raises(GarbledAnswer, match="sane size"):
        read('{"result":{"1":' + "[" * 100_000, "]")


def test_memory_stays_flat() -> None:
    scanner = ResultMembers()
    scanner.feed('{"result":{')
    piece = "".join(f'"{number}":{{"x":"{"y" * 100}"}},' for number in range(100))
    for _ in range(500):
        assert len(scanner.feed(piece)) == 100
        assert scanner._text.held < 10 * len(piece)


@pytest.mark.parametrize("piece", [" \n" * 10_000, '"x":1,' * 10_000, '"x":"' + "y" * 1000 + '",'])
def test_memory_stays_flat_in_an_envelope_without_end(piece: str) -> None:
    scanner = ResultMembers()
    scanner.feed("{")
    for _ in range(300):
        assert scanner.feed(piece) == []
        assert scanner._text.held < 200_000


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), values, max_size=5), st.lists(st.integers(0, 200), max_size=5), st.booleans())
def test_any_map_in_any_pieces(members: dict[str, Any], cuts: list[int], ascii_only: bool) -> None:
    text = json.dumps({"jsonrpc": "2.0", "result": members, "id": 3}, ensure_ascii=ascii_only)
    at = sorted({0, *cuts, len(text)})
    assert read(*(text[start:end] for start, end in pairwise(at))) == list(members.items())


@given(st.text(), st.integers(0, len(WHOLE)), st.integers(0, 5))
def test_anything_else_is_an_error_of_the_tree(junk: str, at: int, length: int) -> None:
    try:
        read(WHOLE[:at] + junk + WHOLE[at + length :])
    except (ChainError, RpcFault):
        return
