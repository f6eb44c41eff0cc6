"""eth_newFilter and its kin."""

from typing import Any

import pytest

from node.sim.chain import Options
from node.sim.errors import RpcFault
from tests.unit.sim.builders import Caller


def test_a_filter_of_blocks_tells_each_once_and_those_of_a_fork() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(1, 1)))
    caller("Sim.Mine", 3)
    name = caller("eth_newBlockFilter")
    assert caller("eth_getFilterChanges", name) == []
    caller("Sim.Mine", 2)
    expected = [caller("eth_getBlockByNumber", hex(height), False)["hash"] for height in (3, 4)]
    assert caller("eth_getFilterChanges", name) == expected
    assert caller("eth_getFilterChanges", name) == []
    caller("Sim.Fork", 2)
    assert len(caller("eth_getFilterChanges", name)) == 2


def test_a_filter_of_logs_has_none_and_ends() -> None:
    caller = Caller()
    name = caller("eth_newFilter", {"address": "0x" + "00" * 20, "topics": [None, ["0x00"]]})
    assert caller("eth_getFilterChanges", name) == caller("eth_getFilterLogs", name) == []
    assert [caller("eth_uninstallFilter", name) for _ in range(2)] == [True, False]
    with pytest.raises(RpcFault, match="filter not found"):
        caller("eth_getFilterChanges", name)


def test_filters_are_not_without_number() -> None:
    caller = Caller()
    for _ in range(100):
        caller("eth_newBlockFilter")
    with pytest.raises(RpcFault, match="maximum number of filters"):
        caller("eth_newBlockFilter")


@pytest.mark.parametrize(
    "wanted", [5, [], {"address": 5}, {"address": ["x"]}, {"topics": "0x"}, {"topics": [5]}, {"adress": "0x00"}]
)
def test_what_is_no_filter_of_logs_is_refused(wanted: Any) -> None:
    caller = Caller()
    with pytest.raises(RpcFault, match="filter of logs"):
        caller("eth_newFilter", wanted)
    with pytest.raises(RpcFault, match="filter of logs"):
        caller.dispatcher.subscribe("eth_subscribe", ["logs", wanted], lambda _: None)
