"""What client libraries ask beyond the recordings: Ethereum's reads, batches into the mempool, multisigs' signers."""

import base64
from typing import Any

import pytest

from node.actors import multisig
from node.sim.errors import RpcFault
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces

FAUCET = "f0100"


def grown() -> Caller:
    """A chain with messages in it, some tipsets deep."""
    caller = Caller()
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    caller("Sim.Mine", 3)
    return caller


def message(sender: str, *, to: str = FAUCET, value: str = "1") -> dict[str, Any]:
    """A transfer."""
    return {"To": to, "From": sender, "Value": value}


def test_blocks_are_the_same_by_number_and_by_hash() -> None:
    caller = grown()
    for number in range(caller.height):
        block = caller("eth_getBlockByNumber", hex(number), False)
        assert caller("eth_getBlockByHash", block["hash"], False) == block
        count = hex(len(block["transactions"]))
        assert caller("eth_getBlockTransactionCountByNumber", hex(number)) == count
        assert caller("eth_getBlockTransactionCountByHash", block["hash"]) == count
    with pytest.raises(RpcFault, match="could not find"):
        caller("eth_getBlockByHash", "0x" + "00" * 32, False)


def test_every_transaction_of_a_block_is_found_with_its_receipt() -> None:
    caller, seen = grown(), 0
    for number in range(caller.height):
        block = caller("eth_getBlockByNumber", hex(number), True)
        receipts = caller("eth_getBlockReceipts", block["hash"])
        assert [one["transactionHash"] for one in receipts] == [one["hash"] for one in block["transactions"]]
        for at, one in enumerate(block["transactions"]):
            assert caller("eth_getTransactionByHash", one["hash"]) == one
            receipt = caller("eth_getTransactionReceipt", one["hash"])
            assert (receipt["blockHash"], receipt["transactionIndex"]) == (block["hash"], hex(at))
            cid = caller("EthGetMessageCidByTransactionHash", one["hash"])
            assert caller("EthGetTransactionHashByCid", cid) == one["hash"]
            seen += 1
    assert seen > 2


@pytest.mark.parametrize("text", ["0x" + "11" * 32, "0x", "", "0xzz", "latest"])
def test_a_hash_of_nothing_finds_nothing(text: str) -> None:
    caller = grown()
    assert caller("eth_getTransactionByHash", text) is None
    assert caller("eth_getTransactionReceipt", text) is None


def test_fees_are_told_for_a_client_that_estimates() -> None:
    caller = grown()
    history = caller("eth_feeHistory", "0x3", "latest", [0, 50, 100])
    assert history["oldestBlock"] == hex(caller.height - 3)
    assert [len(history[name]) for name in ("baseFeePerGas", "gasUsedRatio", "reward")] == [4, 3, 3]
    assert all(len(one) == 3 for one in history["reward"])
    assert "reward" not in caller("eth_feeHistory", 1, "latest")
    assert int(caller("eth_maxPriorityFeePerGas"), 16) > 0
    to = caller("FilecoinAddressToEthAddress", CLIENT, "latest")
    assert int(caller("eth_estimateGas", {"from": "0xff00000000000000000000000000000000000064", "to": to}), 16) > 10_000


@pytest.mark.parametrize(
    "params", [[0, "latest"], [2000, "latest"], ["x", "latest"], [1, "latest", [101]], [1, "latest", 5]]
)
def test_a_bad_fee_history_is_refused(params: list[Any]) -> None:
    with pytest.raises(RpcFault):
        grown()("eth_feeHistory", *params)


def test_there_are_no_contracts() -> None:
    caller, address = grown(), "0xff00000000000000000000000000000000000006"
    assert caller("eth_getCode", address, "latest") == "0x"
    assert caller("eth_getStorageAt", address, "0x0", "latest") == "0x" + "00" * 32
    assert caller("eth_accounts") == []
    assert caller("net_listening") is True
    assert caller("eth_protocolVersion") == hex(28)
    with pytest.raises(RpcFault, match="no contracts"):
        caller("eth_sendRawTransaction", "0x02")


def test_messages_are_pushed_by_the_batch() -> None:
    caller = Caller()
    made = caller("MpoolBatchPushMessage", [message(FAUCET), message(FAUCET)], None)
    assert [one["Message"]["Nonce"] for one in made] == [0, 1]
    caller("MpoolClear", False)
    assert len(caller("MpoolPending", None)) == 2
    caller("MpoolClear", True)
    assert caller("MpoolPending", None) == []
    assert caller("MpoolBatchPush", made) == [one["CID"] for one in made]
    caller("MpoolClear", True)
    assert caller("MpoolBatchPushUntrusted", made[:1]) == [made[0]["CID"]]
    assert caller("MpoolPushUntrusted", made[1]) == made[1]["CID"]
    caller("Sim.Mine", 2)
    for one in made:
        assert caller("StateSearchMsg", None, one["CID"], -1, True)["Receipt"]["ExitCode"] == 0


def test_a_pushed_message_names_its_senders_key_and_has_no_nonce_yet() -> None:
    caller = Caller()
    signed = caller("MpoolPushMessage", message(FAUCET), None)
    assert signed["Message"]["From"] == caller("StateAccountKey", FAUCET, None)
    with pytest.raises(RpcFault, match="expects message nonce to be 0, was 7"):
        caller("MpoolPushMessage", {**message(FAUCET), "Nonce": 7}, None)
    with pytest.raises(RpcFault, match=r"not enough funds|exit"):
        caller("MpoolPushMessage", message(FAUCET, value=str(10**28)), None)


def made_multisig(caller: Caller, *signers: str, value: str = "0", unlock: int = 0) -> str:
    """A multisig of which one signer is enough; its f0 address."""
    prototype = caller("MsigCreate", 1, list(signers), unlock, value, signers[0], "0")
    return str(landed(caller, prototype)["ReturnDec"]["IDAddress"])


def landed(caller: Caller, prototype: Any) -> Any:
    """The lookup of a prototype's message, sent by the wallet."""
    cid = caller("MpoolPushMessage", prototype["Message"], None)["CID"]
    caller("Sim.Mine", 4)
    return caller("StateWaitMsg", cid, 1, -1, True)


def signers_of(caller: Caller, account: str) -> list[str]:
    """A multisig's signers."""
    return list(caller("StateReadState", account, None)["State"]["Signers"])


def test_signers_are_added_swapped_and_removed() -> None:
    caller = Caller()
    account = made_multisig(caller, FAUCET, "f0101")
    landed(caller, caller("MsigAddPropose", account, FAUCET, "f080", False))
    assert signers_of(caller, account) == [FAUCET, "f0101", "f080"]
    landed(caller, caller("MsigSwapPropose", account, FAUCET, "f080", "f090"))
    assert signers_of(caller, account) == [FAUCET, "f0101", "f090"]
    landed(caller, caller("MsigRemoveSigner", account, FAUCET, "f090", False))
    assert signers_of(caller, account) == [FAUCET, "f0101"]


def test_an_approval_names_what_it_approves() -> None:
    caller = Caller()
    prototype = caller("MsigCreate", 2, [FAUCET, "f0101"], 0, "0", FAUCET, "0")
    account = landed(caller, prototype)["ReturnDec"]["IDAddress"]
    landed(caller, caller("MsigAddPropose", account, FAUCET, "f080", False))
    wrong = caller("MsigAddApprove", account, "f0101", 0, FAUCET, "f090", False)
    with pytest.raises(RpcFault, match="hash does not match"):
        caller("MpoolPushMessage", wrong["Message"], None)
    lookup = landed(caller, caller("MsigAddApprove", account, "f0101", 0, FAUCET, "f080", False))
    returned = multisig.APPROVE.returns.from_bytes(base64.b64decode(lookup["Receipt"]["Return"]))
    assert (returned.applied, returned.code) == (True, 0)
    assert "f080" in signers_of(caller, account)


def test_a_proposal_is_cancelled_by_its_proposer() -> None:
    caller = Caller()
    account = landed(caller, caller("MsigCreate", 2, [FAUCET, "f0101"], 0, "0", FAUCET, "0"))["ReturnDec"]["IDAddress"]
    landed(caller, caller("MsigAddPropose", account, FAUCET, "f080", False))
    landed(caller, caller("MsigAddCancel", account, FAUCET, 0, "f080", False))
    assert caller("MsigGetPending", account, None) == []


def test_first_funds_are_unlocked_over_time() -> None:
    caller = Caller()
    account = made_multisig(caller, FAUCET, value="1000", unlock=10_000)
    schedule = caller("MsigGetVestingSchedule", account, None)
    assert (schedule["InitialBalance"], schedule["UnlockDuration"]) == ("1000", 10_000)
    assert int(caller("MsigGetAvailableBalance", account, None)) < 10
    start = caller("ChainHead")["Cids"]
    caller("Sim.TimeTravel", schedule["StartEpoch"] + 20_000)
    assert caller("MsigGetAvailableBalance", account, None) == "1000"
    assert 990 < int(caller("MsigGetVested", account, start, None)) <= 1000


def test_escrow_is_added_and_taken_by_messages_of_the_node() -> None:
    caller = Caller()
    orders = (("MarketAddBalance", FAUCET, "500", "500"), ("MarketWithdraw", "f0101", "200", "300"))
    for method, sender, amount, left in orders:
        cid = caller(method, sender, "f0101", amount)
        caller("Sim.Mine", 2)
        assert caller("StateSearchMsg", None, cid, -1, True)["Receipt"]["ExitCode"] == 0
        assert caller("StateMarketBalance", "f0101", None)["Escrow"] == left
    assert caller("MarketGetReserved", "f0101") == "0"


def test_a_node_says_who_it_is() -> None:
    caller = Caller()
    assert caller("Session") == Caller()("Session")
    assert caller("NetAgentVersion", caller("NetAddrsListen")["ID"]) == caller("Version")["Version"]
    with pytest.raises(RpcFault, match="item not found"):
        caller("NetAgentVersion", "somebody")


def test_the_chain_becomes_heavier_tipset_by_tipset() -> None:
    caller = Caller()
    before = int(caller("ChainTipSetWeight", None))
    caller("Sim.Mine", 1)
    assert int(caller("ChainTipSetWeight", None)) > before
