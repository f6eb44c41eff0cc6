"""Headers, lists and fees as the network writes and reckons them, against recorded ones."""

import base64
import json
from pathlib import Path
from typing import Any

from node import cbor
from node.address import parse_address
from node.cid import parse_cid
from node.message import block_cid, parse_message
from node.receipt import parse_receipt
from node.signature import Signature
from node.sim.amt import events_root, list_root
from node.sim.blocks import Block, messages_root, tipset_key_cid, tipset_of
from node.sim.execution import receipt_item
from node.sim.gas import fee_cap_over, gas_outputs, next_base_fee, on_chain_gas

LOTUS = Path(__file__).parents[2] / "recordings/lotus"
RECORDINGS = LOTUS / "01-datacap-nv28"


def _calls(folder: Path) -> list[dict[str, Any]]:
    with (folder / "calls.ndjson").open() as lines:
        return [json.loads(line) for line in lines]


def block_of(document: dict[str, Any]) -> Block:
    """A block of a node's JSON. Its messages are not known, so only their root can be put in."""
    block = Block(
        miner=parse_address(document["Miner"]),
        ticket=base64.b64decode(document["Ticket"]["VRFProof"]),
        win_count=document["ElectionProof"]["WinCount"],
        election_proof=base64.b64decode(document["ElectionProof"]["VRFProof"]),
        beacon=tuple((one["Round"], base64.b64decode(one["Data"])) for one in document["BeaconEntries"]),
        parents=tuple(parse_cid(one["/"]) for one in document["Parents"]),
        parent_weight=int(document["ParentWeight"]),
        height=document["Height"],
        parent_state_root=parse_cid(document["ParentStateRoot"]["/"]),
        parent_receipts=parse_cid(document["ParentMessageReceipts"]["/"]),
        timestamp=document["Timestamp"],
        aggregate=Signature(2, base64.b64decode(document["BLSAggregate"]["Data"])),
        signature=Signature(2, base64.b64decode(document["BlockSig"]["Data"])),
        parent_base_fee=int(document["ParentBaseFee"]),
    )
    block.__dict__["messages_root"] = parse_cid(document["Messages"]["/"])
    return block


def _tipsets(folder: Path) -> list[dict[str, Any]]:
    results = [call["response"].get("result") for call in _calls(folder) if isinstance(call.get("response"), dict)]
    return [one for one in results if isinstance(one, dict) and "Blocks" in one and one["Height"] > 0]


def test_recorded_blocks_are_written_to_their_cids_and_back_to_their_json() -> None:
    tipsets = _tipsets(RECORDINGS)
    assert tipsets
    for tipset in tipsets:
        blocks = [block_of(one) for one in tipset["Blocks"]]
        assert [{"/": block.cid.to_text()} for block in blocks] == tipset["Cids"]
        assert [block.document("f") for block in blocks] == tipset["Blocks"]


def test_blocks_of_a_recorded_tipset_are_in_the_order_of_their_tickets() -> None:
    tipsets = _tipsets(LOTUS / "08-two-miners-multi-block-tipsets")
    assert any(len(one["Cids"]) == 2 for one in tipsets)
    for tipset in tipsets:
        made = tipset_of([block_of(one) for one in reversed(tipset["Blocks"])])
        assert [{"/": cid.to_text()} for cid in made.key] == tipset["Cids"]


def test_receipts_of_recorded_tipsets_have_the_root_that_their_child_links_to() -> None:
    calls = _calls(LOTUS / "08-two-miners-multi-block-tipsets")
    headers = {
        cid["/"]: block
        for tipset in _tipsets(LOTUS / "08-two-miners-multi-block-tipsets")
        for cid, block in zip(tipset["Cids"], tipset["Blocks"], strict=True)
    }
    seen = 0
    for call in calls:
        if call["n"].endswith("ChainGetParentReceipts"):
            items = [receipt_item(parse_receipt(one)) for one in call["response"]["result"]]
            header = headers[call["request"]["params"][0]["/"]]
            assert {"/": list_root(items).to_text()} == header["ParentMessageReceipts"]
            seen += 1
    assert seen


def test_lists_without_items_have_the_roots_that_every_empty_tipset_shows() -> None:
    assert str(list_root([])) == "bafy2bzacedswlcz5ddgqnyo3sak3jmhmkxashisnlpq6ujgyhe4mlobzpnhs6"
    assert str(messages_root([])) == "bafy2bzacecmda75ovposbdateg7eyhwij65zklgyijgcjwynlklmqazpwlhba"


def test_a_long_list_has_levels() -> None:
    one, two = list_root(list(range(8))), list_root(list(range(9)))
    assert one != two
    assert len({list_root(list(range(count))) for count in range(200)}) == 200


def test_the_key_of_an_unknown_tipset_has_the_recorded_cid() -> None:
    key = (parse_cid("bafy2bzacedp3nyrhjyeiwo5lrko52nbkuujo63w7pnfc72byc34wlryki5hzc"),)
    assert str(tipset_key_cid(key)) == "bafy2bzacedfgba4ekmghzhywfh3bcp3npjtouxjwnfelhby7eu7p5epxoxks2"


def test_recorded_fees_are_reckoned_again() -> None:
    seen = 0
    for call in _calls(RECORDINGS):
        result = call["response"].get("result") if isinstance(call.get("response"), dict) else None
        if not isinstance(result, dict) or not call["n"].endswith("StateReplay"):
            continue
        message, cost = parse_message(result["Msg"]), result["GasCost"]
        outputs = gas_outputs(
            used=int(cost["GasUsed"]),
            limit=message.gas_limit,
            base_fee=int(cost["BaseFeeBurn"]) // int(cost["GasUsed"]),
            fee_cap=message.gas_fee_cap_attofil,
            premium=message.gas_premium_attofil,
        )
        assert str(outputs.over_estimation_burn) == cost["OverEstimationBurn"]
        assert str(outputs.miner_tip) == cost["MinerTip"]
        assert str(outputs.refund) == cost["Refund"]
        assert str(outputs.total_cost) == cost["TotalCost"]
        seen += 1
    assert seen >= 3


def test_a_fee_cap_below_the_base_fee_costs_the_miner_what_is_missing_of_all_that_is_burnt() -> None:
    """Lotus chain/vm/burn.go: of the gas that was used, and of what is burnt for too high a limit."""
    outputs = gas_outputs(used=100, limit=200, base_fee=7, fee_cap=5, premium=3)
    burnt_gas = (200 - 100) * (200 - 110) // 100
    assert (outputs.base_fee_burn, outputs.over_estimation_burn) == (5 * 100, 5 * burnt_gas)
    assert (outputs.miner_penalty, outputs.miner_tip) == (2 * (100 + burnt_gas), 0)
    assert outputs.refund == 5 * (200 - 100 - burnt_gas)


def test_the_gas_of_carrying_a_message_is_that_of_recorded_traces() -> None:
    assert on_chain_gas(149) == 754_363
    assert on_chain_gas(154) == 760_863


def test_the_base_fee_falls_by_an_eighth_over_empty_blocks_down_to_its_floor() -> None:
    assert next_base_fee(51_302_338, 0, 1) == 44_889_545
    assert next_base_fee(100, 0, 3) == 100
    assert next_base_fee(1000, 10_000_000_000, 1) > 1000
    assert fee_cap_over(100, 20) == 1054


def test_events_have_the_root_of_the_recorded_receipt() -> None:
    call = next(one for one in _calls(RECORDINGS) if one["n"] == "037-ChainGetEvents")
    stamped = [
        [one["Emitter"], [[e["Flags"], e["Key"], e["Codec"], base64.b64decode(e["Value"])] for e in one["Entries"]]]
        for one in call["response"]["result"]
    ]
    assert {"/": events_root(stamped).to_text()} == call["request"]["params"][0]
    assert block_cid(cbor.encode([])) != events_root(stamped)
