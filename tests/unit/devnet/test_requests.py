"""Requests as Go's decoder reads them."""

import json
from typing import Any

import pytest

from node.sim.rpc.envelope import Answer, Exchange
from node.sim.rpc.methods import ALL_PERMISSIONS
from tests.unit.sim.builders import Caller

NAME = "Filecoin.StateNetworkName"


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller()


def ask(caller: Caller, body: str) -> tuple[int, str]:
    """Status and text of the answer to a body."""
    answer = Exchange(caller.dispatcher, body.encode(), ALL_PERMISSIONS).advance()
    assert isinstance(answer, Answer)
    return answer.status, answer.body.decode()


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("-7", "-7"),
        ("1.5", "1.5"),
        ("1e3", "1000"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("0.00001", "0.00001"),
        ("1e-7", "1e-7"),
        ("9007199254740993", "9007199254740992"),
        ("12345678901234567890", "12345678901234567000"),
        ('"a\\u00e9"', '"aé"'),
    ],
)
def test_an_id_comes_back_as_go_prints_it(caller: Caller, sent: str, answered: str) -> None:
    _, text = ask(caller, f'{{"id":{sent},"method":"{NAME}","params":[]}}')
    assert text.startswith(f'{{"id":{answered},"jsonrpc"')


@pytest.mark.parametrize(
    ("sent", "kind"), [("{}", "map[string]interface {}"), ("[1]", "[]interface {}"), ("true", "bool")]
)
def test_an_id_that_is_none_is_refused(caller: Caller, sent: str, kind: str) -> None:
    status, text = ask(caller, f'{{"id":{sent},"method":"{NAME}","params":[]}}')
    found = json.loads(text)
    assert (status, found["id"], found["error"]["code"]) == (500, None, -32700)
    assert found["error"]["message"] == f"failed to parse ID: invalid id type: {kind}"


@pytest.mark.parametrize(
    "body",
    [
        '{"id":1e400,"method":"x"}',
        '{"id":%s,"method":"x"}' % ("9" * 400),
        '{"id":1,"method":["x"]}',
        '{"id":1,"method":5}',
        '{"id":1,"jsonrpc":2,"method":"x"}',
        '{"id":1,"method":"x","meta":[]}',
        '["x"]',
        '"x"',
    ],
)
def test_what_go_cannot_decode_is_a_parse_error(caller: Caller, body: str) -> None:
    status, text = ask(caller, body)
    assert (status, json.loads(text)["error"]) == (500, {"code": -32700, "message": "Parse error"})


@pytest.mark.parametrize("body", ['{"id":1,"method":null}', '{"id":1}', "null"])
def test_no_method_is_one_without_a_name(caller: Caller, body: str) -> None:
    assert json.loads(ask(caller, body)[1])["error"]["message"] == "method '' not found"


def test_members_are_found_in_any_case(caller: Caller) -> None:
    _, text = ask(caller, f'{{"ID":4,"METHOD":"{NAME}","Params":[]}}')
    found: dict[str, Any] = json.loads(text)
    assert (found["id"], "result" in found) == (4, True)


def test_one_bad_id_in_a_batch_spoils_no_other(caller: Caller) -> None:
    request = f'{{"id":1,"method":"{NAME}","params":[]}}'
    status, text = ask(caller, f"[{request},{request.replace('1', '{}', 1)},{request}]")
    assert (status, ["error" in one for one in json.loads(text)]) == (200, [False, True, False])
