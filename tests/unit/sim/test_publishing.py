"""PublishStorageDeals of verified deals: what the market asks before it spends DataCap."""

import base64
from typing import Any

from node.actors.market import (
    PUBLISH_STORAGE_DEALS,
    ClientDealProposal,
    DealProposal,
    PublishStorageDealsParams,
    PublishStorageDealsReturn,
)
from node.address import parse_address
from node.signature import parse_signature
from node.sim.chain import Options
from tests.unit.sim.builders import GIB, Caller, piece_cid

CLIENT, OPERATOR, PROVIDER = "f0100", "f090", "f01000"
BALANCE_METHOD = 3261979605


def _signed(caller: Caller, number: int) -> ClientDealProposal:
    """A verified deal of 1 GiB that the client signed."""
    client, provider = parse_address(CLIENT), parse_address(PROVIDER)
    proposal = DealProposal(piece_cid(number), GIB, True, client, provider, "", 3000, 603_000, 0, 0, 0)
    data = base64.b64encode(proposal.to_bytes()).decode()
    return ClientDealProposal(proposal, parse_signature(caller("WalletSign", CLIENT, data)))


def _dry_run(caller: Caller, *numbers: int) -> Any:
    """What publishing deals would do."""
    params = PublishStorageDealsParams(tuple(_signed(caller, number) for number in numbers)).to_bytes()
    message = {
        "To": "f05",
        "From": OPERATOR,
        "Method": PUBLISH_STORAGE_DEALS.native,
        "Params": base64.b64encode(params).decode(),
    }
    return caller("StateCall", message, None)


def _granted(datacap_bytes: int) -> Caller:
    caller = Caller(Options(seed=1))
    if datacap_bytes:
        caller("Sim.AddVerifier", "f0101", str(1 << 50))
        message = {"To": "f06", "From": "f0101", "Method": 4, "Params": _grant_params(caller, datacap_bytes)}
        caller("MpoolPushMessage", message, None)
        caller("Sim.Mine", 3)
    return caller


def _grant_params(caller: Caller, datacap_bytes: int) -> Any:
    code = caller("StateGetActor", "f06", None)["Code"]
    return caller("StateEncodeParams", code, 4, {"Address": CLIENT, "Allowance": str(datacap_bytes)})


def test_a_deal_whose_client_has_no_datacap_is_none() -> None:
    done = _dry_run(_granted(0), 1)
    assert done["MsgRct"]["ExitCode"] == 16
    assert "All deal proposals invalid" in done["Error"]


def test_deals_beyond_the_clients_datacap_are_passed_over() -> None:
    caller = _granted(2 * GIB)
    done = _dry_run(caller, 1, 2, 3)
    assert done["MsgRct"]["ExitCode"] == 0
    returned = PublishStorageDealsReturn.from_bytes(base64.b64decode(done["MsgRct"]["Return"]))
    assert len(returned.deal_ids) == 2
    assert list(returned.valid_deals) == [0, 1]


def test_the_datacap_actor_is_asked_once_for_each_client() -> None:
    done = _dry_run(_granted(4 * GIB), 1, 2)
    methods = [call["Msg"]["Method"] for call in done["ExecutionTrace"]["Subcalls"]]
    assert methods.count(BALANCE_METHOD) == 1


def test_a_refused_call_costs_less_than_one_that_is_done() -> None:
    refused, done = _dry_run(_granted(0), 1), _dry_run(_granted(GIB), 1)
    assert refused["MsgRct"]["GasUsed"] < done["MsgRct"]["GasUsed"] / 2


def test_a_tipset_has_as_many_blocks_as_are_ordered() -> None:
    caller = Caller(Options(seed=1, blocks_per_tipset=(1, 1)))
    caller("Sim.Mine", 2, 3)
    assert len(caller("ChainHead")["Cids"]) == 3
    caller("Sim.Mine", 1)
    assert len(caller("ChainHead")["Cids"]) == 1
