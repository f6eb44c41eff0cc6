"""The lotus-gateway mode: what it passes on, to whom, and how far it looks back."""

from typing import Any

import pytest

from node.sim.chain import Options
from node.sim.errors import RpcFault
from node.sim.rpc.dispatch import Dispatcher
from node.sim.rpc.gateway import DAY_S, MESSAGE_LOOKBACK_EPOCHS, gateway_dispatchers
from tests.unit.sim.builders import Caller

TOO_OLD = "lookbacks of more than 24h0m0s are disallowed"
EPOCHS_OF_A_DAY = 2880


def _gateway(caller: Caller, *, late_s: int = 0) -> Dispatcher:
    """A gateway whose clock is that many seconds beyond the head's time."""
    chain = caller.dispatcher.node.chain
    served = gateway_dispatchers(caller.dispatcher.node, now_s=lambda: chain.head.blocks[0].timestamp + late_s)
    return served["/rpc/v1"]


def _asked(gateway: Dispatcher, method: str, *params: Any) -> Any:
    return gateway.call(f"Filecoin.{method}", list(params), permissions=frozenset({"read"}))


@pytest.mark.parametrize("method", ["StateGetAllClaims", "StateMarketDeals", "WalletList", "ChainSetHead", "MpoolSub"])
def test_a_gateway_knows_fewer_methods(method: str) -> None:
    with pytest.raises(RpcFault) as refused:
        _asked(_gateway(Caller(Options(seed=1))), method, None)
    assert (refused.value.code, refused.value.http_status) == (-32601, 500)
    assert refused.value.message == f"method 'Filecoin.{method}' not found"


def test_the_verbs_of_the_simulator_do_not_pass_a_gateway() -> None:
    with pytest.raises(RpcFault):
        _gateway(Caller(Options(seed=1))).call("Sim.Mine", [1])


def test_what_a_gateway_passes_on_needs_no_token() -> None:
    assert _asked(_gateway(Caller(Options(seed=1))), "StateNetworkVersion", None) == 28


def test_a_tipset_of_more_than_a_day_ago_is_refused_by_its_key_and_by_its_height() -> None:
    caller = Caller(Options(seed=1))
    caller("Sim.Mine", 1)
    old = caller("Filecoin.ChainHead")["Cids"]
    caller("Sim.TimeTravel", EPOCHS_OF_A_DAY + 2)
    gateway = _gateway(caller)
    assert _asked(gateway, "StateNetworkVersion", None) == 28
    assert _asked(gateway, "ChainGetTipSet", old)["Height"] == 1
    with pytest.raises(RpcFault, match=f"^bad tipset: {TOO_OLD}"):
        _asked(gateway, "StateNetworkVersion", old)
    with pytest.raises(RpcFault, match=f"^bad tipset height: {TOO_OLD}"):
        _asked(gateway, "ChainGetTipSetByHeight", 1, None)
    with pytest.raises(RpcFault, match=f"^bad tipset height: {TOO_OLD}"):
        _asked(gateway, "GetActorEventsRaw", {"fromHeight": 1})


def test_where_the_chain_itself_is_old_no_height_is_near_enough() -> None:
    caller = Caller(Options(seed=1))
    caller("Sim.Mine", 3)
    gateway = _gateway(caller, late_s=DAY_S + 1)
    assert _asked(gateway, "ChainHead")["Height"] == 3
    with pytest.raises(RpcFault, match=f"^bad tipset: {TOO_OLD}"):
        _asked(gateway, "ChainGetTipSetByHeight", 3, None)
    with pytest.raises(RpcFault, match=f"^bad tipset: {TOO_OLD}"):
        gateway.subscribe("Filecoin.SubscribeActorEventsRaw", [{"fromHeight": 1}], lambda _: None)


def test_a_search_looks_twenty_epochs_back_and_a_wait_finds_what_is_older() -> None:
    caller = Caller(Options(seed=1))
    caller("Sim.Fund", "f0101", "1")
    inclusion = caller("Filecoin.ChainGetTipSetByHeight", caller.height - 1, None)
    cid = caller("Filecoin.ChainGetMessagesInTipset", inclusion["Cids"])[0]["Cid"]
    caller("Sim.Mine", MESSAGE_LOOKBACK_EPOCHS - 1)
    gateway = _gateway(caller)
    assert _asked(gateway, "StateSearchMsg", None, cid, -1, True) is not None
    caller("Sim.Mine", 1)
    assert _asked(gateway, "StateSearchMsg", None, cid, -1, True) is None
    assert _asked(gateway, "StateSearchMsg", None, cid, 1_000, True) is None
    assert caller("Filecoin.StateSearchMsg", None, cid, -1, True) is not None
    assert _asked(gateway, "StateWaitMsg", cid, 1, -1, True)["Message"] == cid
