"""Whatever a node prints, what comes out of a `Chain` is a value or an error of its tree. Nothing else, ever."""

import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.chain.errors import ChainError, StreamBroken
from node.chain.protocol import Chain
from node.chain.tipset import HeadChanges, StreamGap
from node.events import ActorEvent
from node.lotus.envelope import fault_of, result_of
from node.lotus.faults import error_of
from node.lotus.http_answer import parse_answer
from node.lotus.transport import Call, Frame, RpcFault
from tests.recordings_player import FOLDERS, recorded_calls, recorded_frames, websockets
from tests.unit.lotus.chains import RECORDED_AT, Asking, Scripted, always, chain_over
from tests.unit.lotus.questions import QUESTIONS, SUBSCRIPTIONS

_quick = settings(max_examples=30)

# Names and texts that nodes print, so that garbage gets past the first look.
_WORDS = st.sampled_from(
    [
        "Cids",
        "Blocks",
        "Height",
        "Parents",
        "/",
        "Message",
        "Receipt",
        "ExitCode",
        "Return",
        "GasUsed",
        "TipSet",
        "Proposal",
        "State",
        "Client",
        "Provider",
        "Data",
        "Size",
        "result",
        "error",
        "code",
        "message",
        "Type",
        "Val",
        "entries",
        "emitter",
        "f06",
        "f01000",
        "0",
        "1",
        "-1",
        "18446744073709551616",
        "current",
        "apply",
        "bafy2bzacebrwqwp443wljvdapyjxvtm3m4ayxyhbhfuppn7nqzosvm6notpv4",
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _WORDS
    | st.text(max_size=20)
)
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS | st.text(max_size=5), inner, max_size=6),
)
# What the node did answer, to be bent.
RECORDED: dict[str, list[Any]] = {}
for _folder in FOLDERS:
    for _call in recorded_calls(_folder):
        if isinstance(_call.response, dict) and _call.response.get("result") is not None and len(_call.body) < 20_000:
            RECORDED.setdefault(_call.method, []).append(_call.response["result"])


def bent(answer: Any, by: Any, draw: Random) -> Any:
    """A copy of the answer in which one place, chosen at random, holds something else."""
    answer = json.loads(json.dumps(answer))
    place: Any = None
    step: Any = None
    where = answer
    while isinstance(where, dict | list) and where and (place is None or draw.random() < 0.75):
        place = where
        step = draw.choice(sorted(where) if isinstance(where, dict) else range(len(where)))
        where = where[step]
    if place is None:
        return by
    place[step] = by
    return answer


def test_every_call_of_the_protocol_has_a_question() -> None:
    calls = {name for name, _ in inspect.getmembers(Chain, inspect.isfunction) if not name.startswith("_")}
    assert calls == QUESTIONS.keys() | SUBSCRIPTIONS.keys()


_STREAMED = {
    f"Filecoin.{name}"
    for name in (
        "StateMarketDeals",
        "StateGetAllClaims",
        "StateGetAllAllocations",
        "StateGetClaims",
        "StateGetAllocations",
    )
}


async def _value_or_error(ask: Asking, answer: Callable[[Call], Any]) -> None:
    def scripted(call: Call) -> Any:
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "result": answer(call)})
        return [text[:10], text[10:]] if call.method in _STREAMED else json.loads(text)["result"]

    try:
        await ask(chain_over(Scripted(scripted)))
    except ChainError as error:
        str(error).encode("utf-8")  # a log can hold it


@pytest.mark.parametrize("name", QUESTIONS)
@_quick
@given(answer=JSON)
async def test_any_json_is_a_value_or_an_error_of_the_tree(name: str, answer: Any) -> None:
    await _value_or_error(QUESTIONS[name], lambda _: answer)


@pytest.mark.parametrize("name", QUESTIONS)
@_quick
@given(by=JSON, seed=st.integers(0, 2**32))
async def test_any_bent_answer_is_a_value_or_an_error_of_the_tree(name: str, by: Any, seed: int) -> None:
    draw = Random(seed)

    def answer(call: Call) -> Any:
        return bent(draw.choice(RECORDED[call.method]), by, draw)

    await _value_or_error(QUESTIONS[name], answer)


# Pieces of bytes that break JSON, or nearly.
_BYTES = st.sampled_from(
    [b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\ud800", b"\x00", b"\xff", b"-", b"e"]
)
_BYTES |= st.sampled_from([b"0", b"9" * 5000, b"null", b"NaN", b"1e999", b"[" * 5000, b'"Height":1,']) | st.binary(
    max_size=8
)


def _streamed(body: bytes, request_id: object) -> list[Any]:
    """A body as a streaming transport gives it."""
    del request_id
    text = body.decode("utf-8", "surrogateescape")
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def _answered(body: bytes, request_id: object) -> Any:
    """A body as HTTP's transport takes it."""
    assert isinstance(request_id, int)
    return result_of(parse_answer(200, {}, body, now=RECORDED_AT), request_id)


@pytest.mark.parametrize("name", QUESTIONS)
@_quick
@given(by=_BYTES, at=st.floats(0, 1), length=st.sampled_from([0, 0, 1, 2, 20, 10_000]), seed=st.integers(0, 2**32))
async def test_any_bent_body_is_a_value_or_an_error_of_the_tree(
    name: str, by: bytes, at: float, length: int, seed: int
) -> None:
    draw = Random(seed)

    def scripted(call: Call) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": draw.choice(RECORDED[call.method])}).encode()
        start = int(at * len(body))
        bent_body = body[:start] + by + body[start + length :]
        return (_streamed if call.method in _STREAMED else _answered)(bent_body, 1)

    try:
        await QUESTIONS[name](chain_over(Scripted(scripted)))
    except ChainError as error:
        str(error).encode("utf-8")


async def test_garbage_never_ends_a_stream_of_head_changes_by_another_error() -> None:
    """What bends each frame of a recorded websocket in turn is told as a gap, or taken where it still makes sense."""
    draw = Random(7)
    for number, frame in enumerate(_FRAMES * 3):
        values = [Frame(0, bent(frame, draw.choice([None, -1, "", [], {}, "f06", 2**70]), draw))]
        transport = Scripted(always(None), frames=[[*values, StreamBroken("over")]])
        item = await SUBSCRIPTIONS["head_changes"](chain_over(transport))
        assert isinstance(item, StreamGap | HeadChanges), number


_FRAMES = [
    line["frame"]["params"][1]
    for path in websockets()
    for line in recorded_frames(path)
    if line["dir"] == "recv" and line["frame"].get("method") == "xrpc.ch.val"
][::5]


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
@_quick
@given(values=st.lists(st.tuples(st.integers(0, 1), JSON), max_size=3), seed=st.integers(0, 2**32))
async def test_any_frame_is_a_value_or_a_gap(name: str, values: list[tuple[int, Any]], seed: int) -> None:
    draw = Random(seed)
    frames: list[Any] = [
        Frame(index if name == "follow" else 0, bent(draw.choice(_FRAMES), value, draw)) for index, value in values
    ]
    transport = Scripted(always(None), frames=[[*frames, StreamBroken("over")]])
    item = await SUBSCRIPTIONS[name](chain_over(transport))
    assert isinstance(item, StreamGap | HeadChanges | ActorEvent)


@_quick
@given(
    error=JSON | st.fixed_dictionaries({"code": st.integers(), "message": st.text()}),
    method=st.sampled_from(["Filecoin.MpoolPush", "Filecoin.StateSearchMsg"]),
)
def test_any_error_answer_is_an_error_of_the_tree(error: Any, method: str) -> None:
    try:
        fault = fault_of(error)
    except ChainError:
        return
    str(error_of(fault, method)).encode("utf-8")


_TEMPLATES = sorted(
    {
        call.response["error"]["message"]
        for folder in FOLDERS
        for call in recorded_calls(folder)
        if isinstance(call.response, dict) and "error" in call.response
    }
)


@_quick
@given(template=st.sampled_from(_TEMPLATES), at=st.integers(0, 300), length=st.integers(0, 20), by=st.text(max_size=30))
def test_any_bent_error_text_is_an_error_of_the_tree(template: str, at: int, length: int, by: str) -> None:
    bent = template[:at] + by + template[at + length :]
    assert isinstance(error_of(RpcFault(1, bent), "Filecoin.StateSearchMsg"), ChainError)


def test_a_long_hostile_error_text_is_read_in_no_time() -> None:
    for part in ("message was replaced (F:", "missing permission to invoke '", "expected nonce is 1 ", "vm error=["):
        message = fault_of({"code": 1, "message": part * 100_000}).message
        assert isinstance(error_of(RpcFault(1, message), "Filecoin.X"), ChainError)


@_quick
@given(status=st.integers(100, 599), body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_with_any_status_is_a_document_or_an_error_of_the_tree(status: int, body: bytes) -> None:
    with suppress(ChainError, RpcFault):
        result_of(parse_answer(status, {}, body, now=RECORDED_AT), 1)
