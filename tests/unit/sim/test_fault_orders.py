"""Sim.Fault refuses what would never strike, and says what to write."""

from typing import Any

import pytest

from node.sim.errors import RpcFault
from tests.unit.sim.builders import Caller

GOOD: dict[str, Any] = {"methods": ["Filecoin.ChainHead"], "kind": "429", "share": 1, "count": 1}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": "Filecoin.ChainHead"}, "a list is due"),
        ({"methods": {}}, "a list is due"),
        ({"methods": [5]}, "no method of this chain"),
        ({"methods": ["Sim.Mine"]}, "never fail"),
        ({"methods": ["Filecoin.ChainHaed"]}, "did you mean Filecoin.ChainHead"),
        ({"method": ["Filecoin.ChainHead"]}, "no 'method'.*methods, kind, share, count"),
        ({"cuont": 1}, "no 'cuont'"),
        ({"kind": "odd"}, "one of stale"),
        ({"kind": None}, "one of stale"),
        ({"share": True}, "from 0 to 1"),
        ({"share": 2}, "from 0 to 1"),
        ({"share": "1"}, "from 0 to 1"),
        ({"count": -7}, "count of a fault"),
        ({"count": 1.5}, "count of a fault"),
        ({"count": True}, "count of a fault"),
    ],
)
def test_a_mistake_is_refused(changes: dict[str, Any], words: str) -> None:
    caller = Caller()
    with pytest.raises(RpcFault, match=words):
        caller("Sim.Fault", {**GOOD, **changes})
    assert caller.node.faults.orders == []


@pytest.mark.parametrize("order", ["429", [GOOD], 5])
def test_what_is_no_order_is_refused(order: object) -> None:
    with pytest.raises(RpcFault, match="null to end all of them: write"):
        Caller()("Sim.Fault", order)


@pytest.mark.parametrize(
    "name", ["ChainHead", "Filecoin.ChainNotify", "eth_subscribe", "eth_chainId", "MpoolSub", "Filecoin.ChainGetTipSet"]
)
def test_methods_and_channels_are_known_with_and_without_their_namespace(name: str) -> None:
    (order,) = Caller()("Sim.Fault", {**GOOD, "methods": [name]})
    assert order["methods"] == [name if "." in name or "_" in name else f"Filecoin.{name}"]


@pytest.mark.parametrize(
    ("verb", "params", "words"),
    [
        ("Sim.Mine", [], r"Sim.Mine\(n\[, blocks\]\) takes 1 to 2 parameters, not 0"),
        ("Sim.Fund", ["f0100"], r"Sim.Fund\(address, attofil\) takes 2 parameters, not 1"),
        ("Sim.Snapshot", [1], r"Sim.Snapshot\(\) takes 0 parameters, not 1"),
    ],
)
def test_a_verb_without_its_parameters_says_what_is_due(verb: str, params: list[Any], words: str) -> None:
    with pytest.raises(RpcFault, match=words):
        Caller()(verb, *params)


def test_a_fork_and_a_revert_answer_keys_and_heights_alone() -> None:
    caller = Caller()
    caller("Sim.Mine", 5)
    number = caller("Sim.Snapshot")
    key = caller("ChainHead")["Cids"]
    forked = caller("Sim.Fork", 2)
    assert forked["changes"][0] == {"Type": "revert", "Val": {"Cids": key, "Height": 5}}
    reverted = caller("Sim.Revert", number)
    assert reverted["changes"][-1] == {"Type": "apply", "Val": {"Cids": key, "Height": 5}}
    assert caller("Sim.Revert", number)["changes"] == []
