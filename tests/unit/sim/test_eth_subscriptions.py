"""eth_subscribe and the websocket's frames of it."""

import json
from itertools import pairwise
from typing import Any

import pytest

from node.devnet.session import Session
from node.sim.chain import Options
from node.sim.errors import RpcFault
from tests.unit.devnet.kept_line import KeptLine
from tests.unit.sim.builders import Caller

READ = frozenset({"read"})


def _session(caller: Caller) -> tuple[Session, KeptLine]:
    line = KeptLine()
    line.session = Session(caller.dispatcher, READ, line)
    return line.session, line


def _send(session: Session, request_id: int, method: str, *params: Any) -> None:
    session.receive(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))


def test_new_heads_are_the_parents_of_the_tipsets_that_come_with_their_transactions_in_full() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(1, 1)))
    session, line = _session(caller)
    _send(session, 1, "eth_subscribe", "newHeads")
    caller("Sim.Fund", "f0101", "1")
    named = line.frames[0]["result"]
    assert len(named) == 66
    heads = line.frames[1:]
    assert {frame["method"] for frame in heads} == {"eth_subscription"}
    assert {frame["params"]["subscription"] for frame in heads} == {named}
    shown = [frame["params"]["result"] for frame in heads]
    assert [int(one["number"], 16) for one in shown] == list(range(len(shown)))
    assert [len(one["transactions"]) for one in shown if one["transactions"]] == [1]
    assert all(one["parentHash"] == before["hash"] for before, one in pairwise(shown))


def test_a_subscription_of_ethereum_takes_no_number_and_ends_when_told() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(1, 1)))
    session, line = _session(caller)
    _send(session, 1, "eth_subscribe", "newHeads")
    _send(session, 2, "Filecoin.ChainNotify")
    assert line.frames[1] == {"id": 2, "jsonrpc": "2.0", "result": 1}
    named = line.frames[0]["result"]
    _send(session, 3, "eth_unsubscribe", named)
    _send(session, 4, "eth_unsubscribe", named)
    assert [frame["result"] for frame in line.frames[-2:]] == [True, False]
    caller("Sim.Mine", 1)
    assert "eth_subscription" not in {frame.get("method") for frame in line.frames}


def test_two_subscriptions_have_names_of_their_own() -> None:
    session, line = _session(Caller(Options(seed=1)))
    _send(session, 1, "eth_subscribe", "newHeads")
    _send(session, 2, "eth_subscribe", "logs", {"topics": []})
    assert line.frames[0]["result"] != line.frames[1]["result"]


@pytest.mark.parametrize("params", [[], ["newHeads", None, None], ["weather"], [5]])
def test_a_subscription_to_nothing_known_is_refused(params: list[Any]) -> None:
    caller = Caller(Options(seed=1))
    with pytest.raises(RpcFault):
        caller.dispatcher.subscribe("eth_subscribe", params, lambda _: None)


def test_it_is_refused_where_ethereum_is_switched_off() -> None:
    caller = Caller(Options(seed=1))
    caller.dispatcher.node.eth_enabled = False
    with pytest.raises(RpcFault, match="EnableEthRPC"):
        caller.dispatcher.subscribe("eth_subscribe", ["newHeads"], lambda _: None)
