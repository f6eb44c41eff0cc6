"""The small parts between a question and its answer: addresses, headers, filters, frames, fault texts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from node.address import parse_address
from node.chain import errors
from node.chain.event_filter import EventFilter
from node.chain.results import NetworkIdentity
from node.event_schema import EVENT_TYPES
from node.lotus import params
from node.lotus.endpoint import parse_endpoint
from node.lotus.expected import Expected, Gate
from node.lotus.faults import error_of
from node.lotus.frames import Channels
from node.lotus.http_answer import LONGEST_RETRY_AFTER_S, parse_retry_after
from node.lotus.opening import lotus_chain, numbered
from node.lotus.transport import Frame, RpcFault
from node.network import network_named
from tests.unit.lotus.questions import CID, KEY

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "name", "http", "websocket"),
    [
        (
            "http://127.0.0.1:1234/rpc/v1",
            "127.0.0.1:1234",
            "http://127.0.0.1:1234/rpc/v1",
            "ws://127.0.0.1:1234/rpc/v1",
        ),
        (" https://node.example/rpc/v1\n", "node.example", "https://node.example/rpc/v1", "wss://node.example/rpc/v1"),
        ("wss://node.example/KEY/x", "node.example", "https://node.example/KEY/x", "wss://node.example/KEY/x"),
        ("ws://[::1]:1234", "[::1]:1234", "http://[::1]:1234/", "ws://[::1]:1234/"),
    ],
)
def test_a_nodes_address(url: str, name: str, http: str, websocket: str) -> None:
    endpoint = parse_endpoint(url)
    assert (endpoint.name, endpoint.http_url, endpoint.websocket_url) == (name, http, websocket)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "node.example",
        "ftp://node.example/",
        "http://",
        "http://host:port/",
        "http://[::1/",
        "http://user:SECRET@node.example/rpc/v1",
        "http://SECRET@node.example/rpc/v1",
        "http://node.example/rpc/v1?token=SECRET",
        "http://node.example/rpc/v1#SECRET",
    ],
)
def test_what_is_no_nodes_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(errors.BadEndpoint) as raised:
        parse_endpoint(url)
    assert "SECRET" not in str(raised.value)


def test_neither_token_nor_path_show() -> None:
    endpoint = parse_endpoint("https://node.example/SECRETPATH", token=" SECRET ")
    assert "SECRET" not in repr(endpoint)
    assert endpoint.headers()["Authorization"] == "Bearer SECRET"
    assert "Authorization" not in parse_endpoint("http://a/", token=" ").headers()
    with pytest.raises(errors.BadEndpoint) as raised:
        parse_endpoint("http://a/", token="SECRET\r\nX: y")
    assert "SECRET" not in str(raised.value)


def test_nodes_of_one_host_are_told_apart() -> None:
    names = [endpoint.name for endpoint in numbered([parse_endpoint(f"http://a/{n}") for n in range(3)])]
    assert names == ["a", "a#2", "a#3"]
    with pytest.raises(errors.BadEndpoint, match="FILPLUS_CHAIN_URL"):
        lotus_chain([])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 120 ", 120),
        ("1.5", None),
        ("-1", None),
        ("٣", None),
        ("9" * 400, LONGEST_RETRY_AFTER_S),
        ("Sun, 22 Nov 2026 12:01:40 GMT", 100),
        ("Sun, 22 Nov 2026 12:01:40 -0000", 100),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 22 Nov 9999 11:00:00 GMT", LONGEST_RETRY_AFTER_S),
        ("Sun, 99 Nov 2026 12:01:40 GMT", None),
        ("soon", None),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, now=NOW) == seconds


def test_a_filter_is_written_as_nodes_take_it() -> None:
    events = EventFilter(
        from_epoch=4622129,
        to_epoch=4622139,
        emitters=(parse_address("f06"),),
        event_types=("claim",),
        provider_ids=(1000,),
    )
    assert params.event_filter(events, prefix="f") == {
        "fromHeight": 4622129,
        "toHeight": 4622139,
        "addresses": ["f06"],
        "fields": {
            "$type": [{"codec": 81, "value": "ZWNsYWlt"}],
            "provider": [{"codec": 81, "value": "GQPo"}],
        },
    }
    assert params.event_filter(EventFilter(emitters=(parse_address("f06"),)), prefix="t")["addresses"] == ["t06"]
    every: Any = params.event_filter(EventFilter(tipset=KEY.texts), prefix="f")
    assert len(every["fields"]["$type"]) == len(EVENT_TYPES)
    assert every["tipsetKey"] == [{"/": str(KEY.cids[0])}]


def test_a_filter_has_a_tipset_or_epochs() -> None:
    with pytest.raises(ValueError, match="either a tipset or epochs"):
        EventFilter(tipset=KEY.texts, from_epoch=1)
    with pytest.raises(ValueError, match="needs from_epoch"):
        EventFilter(to_epoch=1)


def test_frames_that_overtake_the_answer_wait_for_it() -> None:
    channels = Channels([1, 2])
    assert channels.take('{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[5,"early"]}') == []
    assert channels.take('{"jsonrpc":"2.0","id":2,"result":5}') == [Frame(1, "early")]
    opened = [channels.all_open]
    assert channels.take('{"jsonrpc":"2.0","id":1,"result":6}') == []
    assert [*opened, channels.all_open] == [False, True]
    assert channels.take('{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[6,1]}') == [Frame(0, 1)]
    assert channels.take('{"jsonrpc":"2.0","method":"eth_subscription","params":{}}') == []
    assert channels.take('{"jsonrpc":"2.0","method":"xrpc.ch.close","params":[99]}') == []
    with pytest.raises(errors.StreamBroken):
        channels.take('{"jsonrpc":"2.0","method":"xrpc.ch.close","params":[5]}')


@pytest.mark.parametrize(
    "answer", [{"result": 1.0}, {"result": None}, {"result": True}, {"result": "0xb1"}, {}, {"id": 9, "result": 1}]
)
def test_an_answer_without_a_channel_is_garbled(answer: dict[str, Any]) -> None:
    with pytest.raises(errors.GarbledAnswer):
        Channels([1]).take(json.dumps({"jsonrpc": "2.0", "id": 1, **answer}))


def test_a_refused_subscription_says_which() -> None:
    with pytest.raises(RpcFault) as raised:
        Channels([1, 2]).take('{"id":2,"error":{"code":-32601,"message":"method \'X\' not found"}}')
    assert raised.value.index == 1


@pytest.mark.parametrize(
    ("code", "message", "kind", "facts"),
    [
        (2, "call ran out of gas", errors.RefusedByActor, {"exit_code": 7}),
        (1, "message execution failed: exit SysErrOutOfGas(7), reason: none", errors.RefusedByActor, {"exit_code": 7}),
        (
            3,
            "message execution failed (exit=[33], revert reason=[0x], vm error=[x])",
            errors.RefusedByActor,
            {"exit_code": 33},
        ),
        (-32005, "limit exceeded", errors.RateLimited, {"retry_after_s": None}),
        (1, "server busy. rate: Wait(n=3) would exceed context deadline", errors.RateLimited, {}),
        (1, "filter matches too many events, try a more restricted filter", errors.TooManyEvents, {}),
        (1, "minimum expected nonce is 1: message nonce too low", errors.NonceTooLow, {"expected_nonce": 1}),
        (1, "message was replaced: (F:x n 1, TS: nonsense n1)", errors.GarbledAnswer, {}),
        (1, "context deadline exceeded", errors.NodeTimeout, {}),
    ],
)
def test_fault_texts_that_were_not_recorded(
    code: int, message: str, kind: type[errors.ChainError], facts: dict[str, Any]
) -> None:
    error = error_of(RpcFault(code, message), "Filecoin.X")
    assert type(error) is kind
    assert {name: getattr(error, name) for name in facts} == facts


def test_the_method_and_the_node_stand_before_the_text() -> None:
    error = error_of(RpcFault(1, "actor not found"), "Filecoin.StateLookupID")
    error.node = "a:1234"
    assert str(error) == "a:1234: StateLookupID: actor not found"


IDENTITY = NetworkIdentity("mainnet", CID, 1598306400)


@pytest.mark.parametrize(
    ("network", "identity", "fits"),
    [
        ("mainnet", IDENTITY, True),
        ("mainnet", NetworkIdentity("testnetnet", CID, 1598306400), True),
        ("devnet", NetworkIdentity("testnetnet", CID, 5), False),
        ("mainnet", NetworkIdentity("mainnet", CID, 1), False),
        ("mainnet", NetworkIdentity("calibrationnet", CID, 1598306400), False),
        ("mainnet", NetworkIdentity("simulated", CID, 1598306400), False),
        ("calibration", NetworkIdentity("calibrationnet", CID, 1667326380), True),
        ("devnet", NetworkIdentity("testing", CID, 5), True),
        ("devnet", IDENTITY, False),
        ("simulated", NetworkIdentity("simulated", CID, 1598306400), True),
        ("simulated", IDENTITY, False),
    ],
)
def test_a_network_is_known_by_name_and_genesis(network: str, identity: NetworkIdentity, fits: bool) -> None:
    gate = Gate(Expected(network_named(network)))
    if fits:
        gate.admit(identity)
    else:
        with pytest.raises(errors.WrongNetwork):
            gate.admit(identity)
