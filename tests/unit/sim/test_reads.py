"""Reads at tipsets, searches, events by ranges, finality: what only shows on a chain of some length."""

import base64

import pytest

from node.cid import parse_cid
from node.message import block_cid
from node.sim.chain import Options
from node.sim.errors import RpcFault
from node.sim.rpc.methods import Waiting
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces

STRANGER = "f1kcyt4uzqlcb7xkpawvgah3vbxlhfaeibokncmhq"


def test_a_read_at_a_tipset_sees_messages_of_the_tipsets_below_it() -> None:
    caller = Caller()
    caller("Sim.AddVerifier", STRANGER, str(1 << 50))
    execution = caller("ChainHead")
    inclusion = execution["Blocks"][0]["Parents"]
    assert caller("StateVerifierStatus", "f01004", execution["Cids"]) == str(1 << 50)
    assert caller("StateVerifierStatus", "f01004", inclusion) is None


def test_receipts_are_found_at_the_child_and_events_at_the_tipset_itself() -> None:
    caller = Caller()
    caller("Sim.AddVerifier", STRANGER, str(1 << 50))
    execution = caller("ChainHead")
    (event,) = caller("GetActorEventsRaw", {"fromHeight": caller.height - 1})
    found = caller("StateSearchMsg", None, event["msgCid"], -1, True)
    assert event["tipsetKey"] == execution["Blocks"][0]["Parents"]
    assert (found["TipSet"], found["Height"]) == (execution["Cids"], event["height"] + 1)
    assert caller("GetActorEventsRaw", {"tipsetKey": execution["Cids"]}) is None
    assert caller("GetActorEventsRaw", {"tipsetKey": event["tipsetKey"]}) == [event]


def test_a_block_is_the_hash_of_the_bytes_that_are_read_by_its_cid() -> None:
    caller = Caller()
    caller("Sim.AddVerifier", STRANGER, str(1 << 50))
    for cid in caller("ChainHead")["Cids"]:
        raw = base64.b64decode(caller("ChainReadObj", cid))
        assert block_cid(raw) == parse_cid(cid["/"])


def test_events_of_a_reverted_tipset_are_told_as_reverted_by_its_key_only() -> None:
    caller = Caller()
    caller("Sim.AddVerifier", STRANGER, str(1 << 50))
    (event,) = caller("GetActorEventsRaw", {"fromHeight": caller.height - 1})
    caller("Sim.Fork", 2)
    assert caller("GetActorEventsRaw", {"fromHeight": event["height"]}) is None
    assert caller("GetActorEventsRaw", {"tipsetKey": event["tipsetKey"]}) == [{**event, "reverted": True}]


def test_a_tipsets_key_in_another_order_names_no_events_but_the_tipset() -> None:
    caller = Caller(Options(seed=2, blocks_per_tipset=(3, 3)))
    caller("Sim.Mine", 3)
    key = caller("ChainGetTipSetByHeight", 2, None)["Cids"]
    other = list(reversed(key))
    assert caller("ChainGetTipSet", other)["Cids"] == key
    with pytest.raises(RpcFault, match="failed to get tipset by cid"):
        caller("GetActorEventsRaw", {"tipsetKey": other})
    assert caller("StateVerifierStatus", "f0101", key[:1]) is None


def test_a_wait_is_over_when_the_chain_has_grown() -> None:
    caller = Caller()
    pushed = caller("MpoolPushMessage", {"To": "f0100", "From": "f0101", "Method": 0, "Value": "1"}, None)
    waiting = caller("StateWaitMsg", pushed["CID"], 2, -1, True)
    rounds = 0
    while isinstance(waiting, Waiting):
        caller("Sim.Mine", 1)
        rounds += 1
        waiting = waiting.retry()
    assert rounds == 4
    assert waiting["Receipt"]["ExitCode"] == 0
    assert waiting["Height"] == 2


def test_finality_is_nine_hundred_epochs_and_fails_before_them() -> None:
    caller = Caller(Options(blocks_per_tipset=(1, 1)))
    caller("Sim.Mine", 261)
    with pytest.raises(RpcFault, match="height -639 is negative"):
        caller("ChainGetFinalizedTipSet")
    caller("Sim.Mine", 739)
    assert caller("ChainGetFinalizedTipSet")["Height"] == 100


def test_ranges_beyond_the_limits_are_errors() -> None:
    caller = Caller()
    caller("Sim.TimeTravel", 5000)
    with pytest.raises(RpcFault, match=r"range between to and 'from' heights is too large \(maximum: 2880\)"):
        caller("GetActorEventsRaw", {"fromHeight": 0, "toHeight": 2881})
    with pytest.raises(RpcFault, match="'from' height is too far in the past"):
        caller("GetActorEventsRaw", {"fromHeight": 0})


def test_too_many_events_over_several_tipsets_are_an_error_but_of_one_tipset_are_all_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.sim.rpc.event_methods.MAX_RESULTS", 3)
    caller = Caller()
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1, 2, 3, 4, 5))
    with pytest.raises(RpcFault, match="filter matches too many events"):
        caller("GetActorEventsRaw", {"fromHeight": 0})
    assert len(caller("GetActorEventsRaw", {"fromHeight": caller.height - 1})) == 5


def test_events_switched_off_are_refused() -> None:
    caller = Caller()
    caller.node.events_enabled = False
    caller.node.eth_enabled = False
    with pytest.raises(RpcFault, match=r"enable with Events\.EnableActorEventsAPI"):
        caller("GetActorEventsRaw", {})
    with pytest.raises(RpcFault, match=r"enable with Fevm\.EnableEthRPC"):
        caller("eth_chainId")
