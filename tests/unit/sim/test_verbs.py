"""What the chain's own methods change, as the Lotus methods show it."""

import base64

import pytest

from node.cbor import decode
from node.sim.chain import Options
from node.sim.errors import RpcFault
from node.sim.faults import FaultAction
from tests.unit.sim.builders import CLIENT, GIB, PROVIDER, Caller, pieces, proposal

STRANGER = "f1kcyt4uzqlcb7xkpawvgah3vbxlhfaeibokncmhq"


def event_types(caller: Caller, **wanted: object) -> list[object]:
    """The `$type` of each event so far."""
    events = caller("GetActorEventsRaw", {"fromHeight": 0, **wanted}) or []
    return [decode(base64.b64decode(event["entries"][0]["Value"])) for event in events]


def test_mining_grows_the_chain_by_so_many_tipsets() -> None:
    caller = Caller()
    assert caller("Sim.Mine", 5)["height"] == 5
    assert caller("ChainHead")["Height"] == 5


def test_null_rounds_are_skipped_before_the_next_tipset() -> None:
    caller = Caller()
    caller("Sim.Mine", 2)
    caller("Sim.NullRounds", 3)
    assert caller("Sim.Mine", 1)["height"] == 6
    assert caller("ChainGetTipSetByHeight", 4, None)["Height"] == 2
    assert caller("ChainGetTipSetAfterHeight", 4, None)["Height"] == 6


def test_timestamps_follow_the_epoch() -> None:
    caller = Caller()
    caller("Sim.TimeTravel", 1000)
    block = caller("ChainHead")["Blocks"][0]
    assert block["Timestamp"] == 1598306400 + 30 * 1000


def test_time_does_not_travel_back() -> None:
    caller = Caller()
    caller("Sim.Mine", 3)
    with pytest.raises(RpcFault, match="not ahead"):
        caller("Sim.TimeTravel", 2)


def test_funding_an_unknown_key_makes_its_account() -> None:
    caller = Caller()
    assert caller("Sim.Fund", STRANGER, "12345") == {"address": STRANGER, "balance": "12345"}
    assert caller("WalletBalance", STRANGER) == "12345"


def test_a_verifier_is_shown_by_its_status() -> None:
    caller = Caller()
    answer = caller("Sim.AddVerifier", STRANGER, str(1 << 50))
    assert caller("StateVerifierStatus", answer["verifier"], None) == str(1 << 50)
    assert caller("StateVerifierStatus", STRANGER, None) == str(1 << 50)


def test_allocating_makes_actors_datacap_and_allocations() -> None:
    caller = Caller()
    ids = caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1, 2))
    shown = caller("StateGetAllocations", CLIENT, None)
    assert sorted(shown) == [str(one) for one in ids] == ["1", "2"]
    assert caller("StateMinerInfo", PROVIDER, None)["SectorSize"] == 32 << 30
    assert caller("StateVerifiedClientStatus", "f06", None) == str(2 * GIB)
    assert caller("StateVerifiedClientStatus", CLIENT, None) is None


@pytest.mark.parametrize(("client", "kind"), [(PROVIDER, "storageminer"), ("f05", "storagemarket")])
def test_a_client_that_is_no_account_is_refused_by_name(client: str, kind: str) -> None:
    caller = Caller()
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    with pytest.raises(RpcFault, match=f"{client} is no account but {kind}"):
        caller("Sim.Allocate", client, PROVIDER, pieces(1))


def test_onboarding_turns_allocations_into_claims_of_the_same_ids() -> None:
    caller = Caller()
    ids = caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1, 2))
    done = caller("Sim.Onboard", PROVIDER, ids)
    claims = caller("StateGetClaims", PROVIDER, None)
    assert {one["id"]: one["sector"] for one in done} == {int(at): one["Sector"] for at, one in claims.items()}
    assert caller("StateGetAllAllocations", None) == {}
    assert caller("StateVerifiedClientStatus", "f06", None) is None
    assert event_types(caller, addresses=["f06"])[-4:] == ["allocation", "allocation", "claim", "claim"]


def test_onboarding_a_claimed_id_answers_it_unchanged() -> None:
    caller = Caller()
    ids = caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    first = caller("Sim.Onboard", PROVIDER, ids)
    height = caller.height
    assert caller("Sim.Onboard", PROVIDER, ids) == first
    assert caller.height == height


def test_published_deals_are_activated_with_their_allocations_claimed() -> None:
    caller = Caller()
    ids = caller("Sim.PublishDeals", [proposal(1), proposal(2, VerifiedDeal=False)])
    assert caller("StateGetAllocationIdForPendingDeal", ids[0], None) == 1
    assert caller("StateMarketStorageDeal", ids[0], None)["State"]["SectorStartEpoch"] == -1
    assert caller("Sim.ActivateDeals", ids) == ids
    assert caller("StateMarketStorageDeal", ids[0], None)["State"]["SectorStartEpoch"] > 0
    assert list(caller("StateGetClaims", PROVIDER, None)) == ["1"]
    assert event_types(caller, addresses=["f05"]) == ["deal-published"] * 2 + ["deal-activated"] * 2


def test_a_label_of_bytes_is_printed_as_an_empty_text_and_told_by_the_actor() -> None:
    caller = Caller()
    (deal_id,) = caller("Sim.PublishDeals", [proposal(1, Label=[0, 255, 254])])
    assert caller("StateMarketStorageDeal", deal_id, None)["Proposal"]["Label"] == ""
    asked = {"To": "f05", "From": "f0100", "Method": 46363526, "Params": base64.b64encode(b"\x00").decode()}
    returned = caller("StateCall", asked, None)["MsgRct"]["Return"]
    assert decode(base64.b64decode(returned)) == b"\x00\xff\xfe"


def test_termination_ends_deals_and_leaves_claims() -> None:
    caller = Caller()
    (deal_id,) = caller("Sim.PublishDeals", [proposal(1)])
    caller("Sim.ActivateDeals", [deal_id])
    sector = caller("StateMarketStorageDeal", deal_id, None)["State"]["SectorNumber"]
    assert caller("Sim.Terminate", PROVIDER, sector)["terminated"] is True
    assert caller("StateMarketDeals", None) == {}
    assert len(caller("StateGetClaims", PROVIDER, None)) == 1
    assert event_types(caller)[-2:] == ["sector-terminated", "deal-terminated"]
    with pytest.raises(RpcFault, match="deal 0 not found"):
        caller("StateMarketStorageDeal", deal_id, None)


def test_a_deal_that_is_not_activated_in_time_vanishes_with_its_collateral() -> None:
    caller = Caller()
    caller("Sim.PublishDeals", [proposal(1, ProviderCollateral="700", VerifiedDeal=False)])
    caller("Sim.TimeTravel", 3001)
    caller("Sim.Mine", 2)
    assert caller("StateMarketDeals", None) == {}
    assert caller("StateMarketBalance", PROVIDER, None) == {"Escrow": "0", "Locked": "0"}


def test_a_fork_takes_messages_back_into_the_mempool() -> None:
    caller = Caller(Options(seed=3))
    caller("Sim.AddVerifier", STRANGER, str(1 << 50))
    depth = 3
    answer = caller("Sim.Fork", depth)
    assert [change["Type"] for change in answer["changes"]][:depth] == ["revert"] * depth
    assert caller("StateVerifierStatus", "f01004", None) is None
    assert len(caller("MpoolPending", None)) >= 1
    caller("Sim.Mine", 2)
    assert caller("StateVerifierStatus", STRANGER, None) == str(1 << 50)


def test_a_fork_deeper_than_the_chain_stops_above_the_genesis() -> None:
    caller = Caller()
    caller("Sim.Mine", 3)
    genesis = caller("ChainGetGenesis")["Cids"]
    assert caller("Sim.Fork", 100)["height"] == 4
    assert caller("ChainGetTipSetByHeight", 0, None)["Cids"] == genesis


def test_revert_restores_head_mempool_and_upgrades() -> None:
    caller = Caller()
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    before = caller("ChainHead"), caller("StateGetAllAllocations", None), caller("MpoolPending", None)
    number = caller("Sim.Snapshot")
    caller("Sim.Upgrade", 29, caller.height + 2)
    caller("Sim.Onboard", PROVIDER, [1])
    caller("Sim.Revert", number)
    assert (caller("ChainHead"), caller("StateGetAllAllocations", None), caller("MpoolPending", None)) == before
    caller("Sim.Mine", 5)
    assert caller("StateNetworkVersion", None) == 28


def test_an_unknown_snapshot_is_refused() -> None:
    with pytest.raises(RpcFault, match="no snapshot 9"):
        Caller()("Sim.Revert", 9)


@pytest.mark.parametrize("kind", ["garbage", "429", "hang", "cut"])
def test_a_transport_fault_is_told_to_the_transport_as_often_as_ordered(kind: str) -> None:
    caller = Caller()
    caller("Sim.Fault", {"methods": ["ChainHead"], "kind": kind, "share": 1, "count": 1})
    assert caller("ChainHead") == FaultAction(kind)  # type: ignore[arg-type]
    assert caller("ChainHead")["Height"] == 0


def test_a_stale_node_answers_from_an_older_head() -> None:
    caller = Caller()
    caller("Sim.Mine", 20)
    caller("Sim.Fault", {"methods": ["ChainHead"], "kind": "stale", "share": 1, "count": 1})
    assert caller("ChainHead")["Height"] == 10
    assert caller("ChainHead")["Height"] == 20


def test_a_lost_message_has_a_cid_and_is_nowhere() -> None:
    caller = Caller()
    caller("Sim.Fund", STRANGER, str(10**18))
    signed = caller("WalletSignMessage", "f0100", _transfer("f0100"))
    caller("Sim.Fault", {"methods": ["MpoolPush"], "kind": "lost", "share": 1, "count": 1})
    assert caller("MpoolPush", signed) == signed["CID"]
    assert caller("MpoolPending", None) == []
    assert caller("MpoolPush", signed) == signed["CID"]
    assert len(caller("MpoolPending", None)) == 1


def _transfer(sender: str) -> dict[str, object]:
    return {
        "To": STRANGER,
        "From": sender,
        "Nonce": 1,
        "Value": "1",
        "GasLimit": 10_000_000,
        "GasFeeCap": "100000",
        "GasPremium": "1000",
        "Method": 0,
        "Params": None,
    }


def test_a_fault_of_the_network_and_of_a_fork() -> None:
    caller = Caller()
    caller("Sim.Mine", 3)
    caller("Sim.Fault", {"methods": ["StateNetworkName"], "kind": "network", "share": 1, "count": 1})
    assert caller("StateNetworkName") == "anothernet"
    old = caller("ChainHead")["Cids"]
    caller("Sim.Fault", {"methods": ["ChainHead"], "kind": "fork", "share": 1, "count": 1})
    assert caller("ChainHead")["Cids"] != old


def test_faults_strike_a_share_of_the_requests() -> None:
    caller = Caller()
    caller("Sim.Fault", {"methods": [], "kind": "429", "share": 0.5})
    struck = sum(isinstance(caller("ChainHead"), FaultAction) for _ in range(200))
    assert 60 < struck < 140
    caller("Sim.Fault", None)
    assert caller("ChainHead")["Height"] == 0


def test_a_refusal_is_told_in_the_actors_words() -> None:
    caller = Caller()
    caller("Sim.Upgrade", 29, 1)
    caller("Sim.Mine", 4)
    with pytest.raises(RpcFault, match="FIP-0118: datacap is deprecated, adding new verifiers"):
        caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
