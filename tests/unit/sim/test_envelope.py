"""Requests as the server hands them over: Lotus' statuses, bodies, permissions, tokens."""

import json
from typing import Any

import pytest

from node.sim.faults import FaultAction
from node.sim.rpc.envelope import MAX_REQUEST_BYTES, Answer, Exchange
from node.sim.rpc.methods import ALL_PERMISSIONS
from node.sim.rpc.tokens import Tokens
from tests.unit.sim.builders import Caller

READ = frozenset({"read"})


def ask(caller: Caller, body: object, permissions: frozenset[str] = ALL_PERMISSIONS) -> tuple[int, Any]:
    """Status and parsed body of a request."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Exchange(caller.dispatcher, raw, permissions).advance()
    assert isinstance(answer, Answer)
    return answer.status, json.loads(answer.body) if answer.body else None


def request(method: str, *params: object, request_id: object = 1) -> dict[str, object]:
    """A request."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": list(params)}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, -32600),
        (b"[]", 400, -32600),
        (b'{"jsonrpc":"2.0",', 500, -32700),
        (b"not json", 500, -32700),
        (json.dumps(request("Filecoin.Nope")).encode(), 500, -32601),
        (json.dumps(request("Filecoin.StateNetworkVersion")).encode(), 500, -32602),
        (json.dumps(request("Filecoin.ChainGetTipSet", "bogus")).encode(), 500, -32700),
        (json.dumps(request("Filecoin.ChainNotify")).encode(), 500, -32601),
        (json.dumps(request("Filecoin.ChainGetTipSet", [])).encode(), 200, 1),
    ],
)
def test_a_fault_has_lotus_status_and_code(body: bytes, status: int, code: int) -> None:
    answered, document = ask(Caller(), body)
    assert (answered, document["error"]["code"]) == (status, code)


def test_a_request_beyond_a_hundred_mebibytes_is_refused() -> None:
    status, document = ask(Caller(), b" " * (MAX_REQUEST_BYTES + 1))
    assert (status, document["error"]["message"]) == (500, "request bigger than maximum 104857600 allowed")


def test_a_notification_has_no_answer() -> None:
    assert ask(Caller(), {"jsonrpc": "2.0", "method": "Filecoin.StateNetworkName", "params": []}) == (200, None)


def test_a_batch_is_answered_in_order_with_status_200() -> None:
    status, answers = ask(Caller(), [request("Filecoin.StateNetworkName"), request("Filecoin.Nope", request_id="x")])
    assert status == 200
    assert [one["id"] for one in answers] == [1, "x"]
    assert answers[1]["error"]["code"] == -32601


def test_a_wait_in_a_batch_goes_on_where_it_stood() -> None:
    caller = Caller()
    pushed = caller("MpoolPushMessage", {"To": "f0100", "From": "f0101", "Method": 0, "Value": "1"}, None)
    body = [request("Filecoin.StateNetworkName"), request("Filecoin.StateWaitMsg", pushed["CID"], 0, -1, True)]
    exchange = Exchange(caller.dispatcher, json.dumps(body).encode(), ALL_PERMISSIONS)
    assert exchange.advance() is None
    caller("Sim.Mine", 2)
    answer = exchange.advance()
    assert isinstance(answer, Answer)
    assert [one["id"] for one in json.loads(answer.body)] == [1, 1]


def test_a_transport_fault_comes_before_the_answer() -> None:
    caller = Caller()
    caller("Sim.Fault", {"methods": ["ChainHead"], "kind": "cut", "share": 1, "count": 1})
    exchange = Exchange(caller.dispatcher, json.dumps(request("Filecoin.ChainHead")).encode(), ALL_PERMISSIONS)
    assert exchange.advance() == FaultAction("cut")
    assert isinstance(exchange.advance(), Answer)


def test_a_reader_may_not_push_and_may_not_order() -> None:
    _, document = ask(Caller(), request("Filecoin.MpoolPush", {}), READ)
    assert document["error"]["message"] == "missing permission to invoke 'MpoolPush' (need 'write')"
    _, document = ask(Caller(), request("Sim.Mine", 1), READ)
    assert document["error"]["message"] == "missing permission to invoke 'Sim.Mine' (need 'admin')"


def test_without_a_token_set_everybody_may_do_everything() -> None:
    assert Tokens(b"k").permissions(None) == ALL_PERMISSIONS


def test_with_a_token_set_others_may_read() -> None:
    tokens = Tokens(b"k", admin_token="geheim")
    assert tokens.permissions(None) == READ
    assert tokens.permissions("Bearer geheim") == ALL_PERMISSIONS
    assert tokens.permissions("Bearer other") is None
    assert tokens.permissions("geheim") is None
    assert tokens.permissions(f"Bearer {tokens.make(['read', 'write'])}") == {"read", "write"}
    assert Tokens(b"other", admin_token="x").permissions(f"Bearer {tokens.make(['read'])}") is None
