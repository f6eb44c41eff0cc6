"""A websocket's session: what the chain does while a request of its own runs, and what clients send by mistake."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from node.devnet.session import Session
from node.sim.chain import Options
from node.sim.rpc.methods import ALL_PERMISSIONS
from tests.unit.devnet.kept_line import KeptLine
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces

ONE_BLOCK = Options(seed=1, blocks_per_tipset=(1, 1))


def session_of(caller: Caller) -> tuple[Session, KeptLine]:
    """A session that may do everything, and its line."""
    line = KeptLine()
    line.session = Session(caller.dispatcher, ALL_PERMISSIONS, line)
    return line.session, line


def send(session: Session, request_id: object, method: str, *params: Any) -> None:
    """Has the session receive a request."""
    session.receive(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))


@pytest.mark.parametrize(
    ("method", "params", "height"),
    [
        ("Sim.Mine", [1], 4),
        ("Sim.Fund", ["f01234", "5"], 7),
        ("Sim.TimeTravel", [50], 50),
        ("Sim.Fork", [1], 4),
        ("Sim.Allocate", [CLIENT, PROVIDER, pieces(1)], None),
    ],
)
def test_a_verb_that_moves_the_head_is_obeyed_once(method: str, params: list[Any], height: int | None) -> None:
    over_websocket, direct = Caller(ONE_BLOCK), Caller(ONE_BLOCK)
    for caller in (over_websocket, direct):
        caller("Sim.Mine", 3)
    session, line = session_of(over_websocket)
    send(session, 1, method, *params)
    assert [frame["result"] for frame in line.frames] == [direct(method, *params)]
    assert over_websocket.chain.head.key == direct.chain.head.key
    assert height is None or over_websocket.height == height


def _pushed(caller: Caller) -> Any:
    return caller("MpoolPushMessage", {"To": "f0100", "From": "f0101", "Method": 0, "Value": "1"}, None)["CID"]


def test_what_waits_is_answered_once_whoever_mines() -> None:
    caller = Caller(ONE_BLOCK)
    cid = _pushed(caller)
    session, line = session_of(caller)
    send(session, 1, "Filecoin.StateWaitMsg", cid, 0, -1, True)
    assert line.frames == []
    send(session, 2, "Sim.Mine", 1)
    caller("Sim.Mine", 2)
    assert [frame["id"] for frame in line.frames] == [2, 1]


def test_two_waits_of_one_id_are_both_answered() -> None:
    caller = Caller(ONE_BLOCK)
    cid = _pushed(caller)
    session, line = session_of(caller)
    for _ in range(2):
        send(session, 1, "Filecoin.StateWaitMsg", cid, 0, -1, True)
    caller("Sim.Mine", 2)
    assert [frame["id"] for frame in line.frames] == [1, 1]


def test_a_wait_that_is_cancelled_is_not_tried_again() -> None:
    caller = Caller(ONE_BLOCK)
    cid = _pushed(caller)
    session, line = session_of(caller)
    send(session, 1, "Filecoin.StateWaitMsg", cid, 0, -1, True)
    send(session, 2, "xrpc.cancel", 1)
    caller("Sim.Mine", 2)
    assert [frame["error"]["message"] for frame in line.frames] == ["context canceled"]


def test_cancelling_an_id_ends_every_subscription_of_it() -> None:
    caller = Caller(ONE_BLOCK)
    session, line = session_of(caller)
    for _ in range(2):
        send(session, 1, "Filecoin.ChainNotify")
    send(session, 2, "xrpc.cancel", 1.0)
    closed = [frame["params"] for frame in line.frames if frame.get("method") == "xrpc.ch.close"]
    assert closed == [[1], [2]]
    line.sent.clear()
    caller("Sim.Mine", 1)
    assert line.frames == []


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "not json",
        "[]",
        '{"id":5}',
        '{"id":{},"method":"Filecoin.Version"}',
        '{"id":true,"method":"Filecoin.Version"}',
        '{"id":1,"method":["x"]}',
        '{"id":1e400,"method":"Filecoin.Version"}',
        '{"method":"xrpc.cancel","params":[[1]]}',
        '{"method":"xrpc.cancel","params":{"a":1}}',
        "[" * 100_000,
    ],
)
def test_what_a_node_passes_over_gets_no_answer_and_the_session_lives_on(frame: str) -> None:
    session, line = session_of(Caller())
    session.receive(frame)
    send(session, 7, "Filecoin.StateNetworkName")
    assert [one["id"] for one in line.frames] == [7]


def test_a_lone_surrogate_becomes_the_character_that_go_puts_there() -> None:
    session, line = session_of(Caller())
    session.receive('{"id":"\\ud800","method":"Filecoin.StateNetworkName","params":[]}')
    session.receive('{"id":1,"method":"\\ud800x","params":[]}')
    assert line.frames[0]["id"] == "\ufffd"
    assert line.frames[1]["error"]["message"] == "method '\ufffdx' not found"


def _broken(_: object) -> None:
    raise KeyError("nobody foresaw this")


def test_an_unforeseen_error_is_a_panic_of_the_method_and_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller()
    monkeypatch.setattr(caller.chain, "state_at", _broken)
    session, line = session_of(caller)
    with capture_logs() as logs:
        send(session, 1, "Filecoin.StateListMiners", None)
    assert line.frames[0]["error"] == {
        "code": 0,
        "message": "fatal error calling 'Filecoin.StateListMiners': panic in rpc method 'Filecoin.StateListMiners': "
        "KeyError: 'nobody foresaw this'",
    }
    assert [(one["event"], isinstance(one["exc_info"], KeyError)) for one in logs] == [("method_panicked", True)]
    send(session, 2, "Filecoin.StateNetworkName")
    assert line.frames[1]["id"] == 2


def test_a_subscription_that_fails_by_itself_is_a_panic_too(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller()
    session, line = session_of(caller)
    monkeypatch.setattr(caller.chain, "listen", _broken)
    with capture_logs() as logs:
        send(session, 1, "Filecoin.ChainNotify")
    assert line.frames[0]["error"]["code"] == 0
    assert len(logs) == 1
