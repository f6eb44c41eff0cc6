"""The end of Filecoin Plus in mid-flight, as folder 05 of the recordings has it: what FIP-0118 refuses and leaves."""

from typing import Any

import pytest

from node.sim.chain import Options
from node.sim.errors import RpcFault
from node.sim.rules import Rules
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces, proposal

STRANGER = "f1kcyt4uzqlcb7xkpawvgah3vbxlhfaeibokncmhq"
MINTING = "FIP-0118: datacap is deprecated, minting new datacap is no longer supported (18)"
# AddVerifiedClient of 1 TiB to an address, and with params that are none.
GRANT = "glUBijrZP3HrwX8+geJ9Si3aoEiLCDJHAAEAAAAAAA=="
BAD_PARAMS = "gkBA"


def _grant(caller: Caller, params: str = GRANT) -> dict[str, Any]:
    return {"To": "f06", "From": "f0101", "Method": 4, "Params": params}


def _at(caller: Caller, upgrade_epoch: int, epoch: int) -> None:
    del upgrade_epoch
    while caller.height < epoch:
        caller("Sim.Mine", 1)


def _prepared() -> tuple[Caller, int]:
    caller = Caller(Options(seed=5))
    caller("Sim.AddVerifier", "f0101", str(1 << 50))
    caller("Sim.Fund", STRANGER, str(10**18))
    upgrade_epoch = caller.height + 5
    caller("Sim.Upgrade", 29, upgrade_epoch)
    return caller, upgrade_epoch


def test_the_version_changes_one_epoch_after_the_upgrade_and_the_actors_two() -> None:
    caller, upgrade_epoch = _prepared()
    seen = {}
    while caller.height < upgrade_epoch + 3:
        caller("Sim.Mine", 1)
        called = caller("StateCall", _grant(caller), None)["MsgRct"]["ExitCode"]
        seen[caller.height - upgrade_epoch] = caller("StateNetworkVersion", None), called
    assert seen == {
        -4: (28, 0),
        -3: (28, 0),
        -2: (28, 0),
        -1: (28, 0),
        0: (28, 0),
        1: (29, 0),
        2: (29, 18),
        3: (29, 18),
    }


def test_estimates_follow_the_old_actors_until_the_state_is_migrated() -> None:
    caller, upgrade_epoch = _prepared()
    _at(caller, upgrade_epoch, upgrade_epoch + 1)
    assert caller("GasEstimateMessageGas", _grant(caller), None, None)["GasLimit"] > 0
    caller("Sim.Mine", 1)
    with pytest.raises(RpcFault) as fault:
        caller("GasEstimateMessageGas", _grant(caller), None, None)
    assert fault.value.code == 3
    assert fault.value.data == "0x"
    assert fault.value.message == (
        "message execution failed (exit=[ErrForbidden(18)], vm error=[message failed with backtrace:\n"
        f"00: f06 (method 4) -- {MINTING}\n (RetCode=18)])"
    )


def test_the_code_of_the_actors_changes_with_the_state() -> None:
    caller, upgrade_epoch = _prepared()
    _at(caller, upgrade_epoch, upgrade_epoch + 1)
    old = caller("StateGetActor", "f06", None)["Code"]
    caller("Sim.Mine", 1)
    assert old == caller("StateActorCodeCIDs", 28)["verifiedregistry"]
    assert caller("StateGetActor", "f06", None)["Code"] == caller("StateActorCodeCIDs", 29)["verifiedregistry"]


def test_params_are_decoded_before_anything_is_refused() -> None:
    caller, upgrade_epoch = _prepared()
    _at(caller, upgrade_epoch, upgrade_epoch + 3)
    assert caller("StateCall", _grant(caller, BAD_PARAMS), None)["MsgRct"]["ExitCode"] == 21


def test_a_raw_push_is_accepted_and_lands_with_18() -> None:
    caller, upgrade_epoch = _prepared()
    _at(caller, upgrade_epoch, upgrade_epoch + 3)
    nonce = caller("MpoolGetNonce", "f0101")
    gas = {"Nonce": nonce, "Value": "0", "GasLimit": 30_000_000, "GasFeeCap": "10000000", "GasPremium": "100000"}
    signed = caller("WalletSignMessage", "f0101", {**_grant(caller), **gas})
    cid = caller("MpoolPush", signed)
    caller("Sim.Mine", 2)
    assert caller("StateSearchMsg", None, cid, -1, True)["Receipt"]["ExitCode"] == 18
    with pytest.raises(RpcFault, match="GasEstimateMessageGas error") as fault:
        caller("MpoolPushMessage", _grant(caller), None)
    assert fault.value.code == 1


def _old_world() -> Caller:
    caller = Caller(Options(seed=6))
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1, 2))
    caller("Sim.Onboard", PROVIDER, [1])
    caller("Sim.PublishDeals", [proposal(3)])
    caller("Sim.Upgrade", 29, caller.height)
    caller("Sim.Mine", 4)
    return caller


def test_what_was_there_stays_readable() -> None:
    caller = _old_world()
    assert list(caller("StateGetClaims", PROVIDER, None)) == ["1"]
    assert list(caller("StateGetAllocations", CLIENT, None)) == ["2", "3"]
    assert caller("StateVerifierStatus", "f0101", None) is not None


def test_sectors_and_verified_deals_go_on_without_claims() -> None:
    caller = _old_world()
    before = caller("StateGetAllClaims", None)
    assert caller("Sim.ActivateDeals", [0]) == [0]
    (deal_id,) = caller("Sim.PublishDeals", [proposal(4)])
    assert caller("StateMarketStorageDeal", deal_id, None)["Proposal"]["VerifiedDeal"] is True
    assert caller("StateGetAllocationIdForPendingDeal", deal_id, None) == 0
    assert caller("StateGetAllClaims", None) == before
    assert caller("StateGetAllocationIdForPendingDeal", 0, None) == 3


def test_expired_allocations_still_give_their_datacap_back() -> None:
    caller = _old_world()
    caller("Sim.TimeTravel", 200_000)
    receipt = _send(caller, "f0100", "f06", 8, "ghkE0oA=")
    assert receipt["ExitCode"] == 0
    assert caller("StateGetAllAllocations", None) == {}
    assert caller("StateVerifiedClientStatus", CLIENT, None) is not None


def _send(caller: Caller, sender: str, to: str, method: int, params: str) -> dict[str, Any]:
    """Has the wallet send a message, mines it, and returns its receipt."""
    pushed = caller("MpoolPushMessage", {"To": to, "From": sender, "Method": method, "Params": params}, None)
    caller("Sim.Mine", 2)
    receipt: dict[str, Any] = caller("StateSearchMsg", None, pushed["CID"], -1, True)["Receipt"]
    return receipt


def test_the_upgrade_may_clear_the_registry_as_the_fip_says() -> None:
    caller = Caller(Options(seed=6, rules=Rules(nv29_clears_registry=True)))
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1, 2))
    caller("Sim.Onboard", PROVIDER, [1])
    caller("Sim.Upgrade", 29, caller.height)
    caller("Sim.Mine", 3)
    assert caller("StateGetAllAllocations", None) == {}
    assert list(caller("StateGetClaims", PROVIDER, None)) == ["1"]
    assert caller("StateVerifiedRegistryRootKey", None) == "f099"
    assert caller("StateVerifierStatus", "f0101", None) is None


def test_an_upgrade_in_null_rounds_happens_at_the_next_tipset() -> None:
    caller = Caller()
    caller("Sim.Upgrade", 29, 10)
    caller("Sim.TimeTravel", 50)
    caller("Sim.Mine", 1)
    assert caller("StateNetworkVersion", None) == 29
    assert caller("StateGetActor", "f06", None)["Code"] == caller("StateActorCodeCIDs", 29)["verifiedregistry"]


def test_a_multisig_approval_over_the_upgrade_is_ok_and_its_call_is_not() -> None:
    caller = Caller(Options(seed=5))
    created = caller("MsigCreate", 2, ["f0100", "f0101"], 0, "0", "f0100", "0")["Message"]
    exec_return = _executed(caller, created)["ReturnDec"]
    account, robust = exec_return["IDAddress"], exec_return["RobustAddress"]
    caller("Sim.AddVerifier", account, str(1 << 50))
    proposed = caller("MsigPropose", robust, "f06", "0", "f0100", 4, GRANT)["Message"]
    assert _executed(caller, proposed)["ReturnDec"] == {"TxnID": 0, "Applied": False, "Code": 0, "Ret": None}
    caller("Sim.Upgrade", 29, caller.height)
    caller("Sim.Mine", 3)
    assert [one["ID"] for one in caller("MsigGetPending", robust, None)] == [0]
    approved = _executed(caller, caller("MsigApprove", robust, 0, "f0101")["Message"])
    assert approved["Receipt"]["ExitCode"] == 0
    assert approved["ReturnDec"] == {"Applied": True, "Code": 18, "Ret": None}
    assert caller("MsigGetPending", robust, None) == []
    assert caller("StateVerifierStatus", account, None) == str(1 << 50)


def _executed(caller: Caller, message: dict[str, Any]) -> dict[str, Any]:
    """Has the wallet send a message, mines it, and returns where it was executed."""
    pushed = caller("MpoolPushMessage", message, None)
    caller("Sim.Mine", 2)
    found: dict[str, Any] = caller("StateWaitMsg", pushed["CID"], 0, -1, True)
    return found


def test_a_version_that_the_network_has_is_not_ordered_again() -> None:
    caller, upgrade_epoch = _prepared()
    caller("Sim.Upgrade", 29, upgrade_epoch + 1)  # not reached yet: it may be put off
    _at(caller, upgrade_epoch, upgrade_epoch + 3)
    for version in (28, 29):
        with pytest.raises(RpcFault, match="at version 29 already"):
            caller("Sim.Upgrade", version, caller.height + 100)
    assert caller("StateNetworkVersion", None) == 29
