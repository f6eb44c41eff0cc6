"""What Lotus b835fab70 answered as a devnet: every message, signature, receipt, params and return in it."""

import json
from collections import Counter

import pytest

from node.actors import accounts, datacap, market, miner, multisig, verifreg
from node.actors.allocations import AllocationRequests, AllocationsResponse
from node.actors.dispatch import method_of
from node.actors.receiver import FRC46_TOKEN, TokensReceived, UniversalReceiverParams
from node.address import parse_address
from node.bitfield import bitfield_of
from node.cid import parse_cid
from node.elements import UINT
from node.errors import MessageError, ParamsError, SignatureError, UnknownMethod, UnverifiableSignature
from node.exit_codes import exit_code_text
from node.message import (
    Message,
    SignedMessage,
    message_cid,
    message_document,
    parse_message,
    parse_signed_message,
    signed_message_cid,
    signed_message_document,
    signing_bytes,
)
from node.receipt import parse_receipt, receipt_document
from node.signature import BLS, SECP256K1, Signature, parse_signature
from node.signing import (
    SIGNATURE_BYTES,
    address_of_key,
    recover_address,
    secret_key_from_bytes,
    sign_message,
    verify,
    verify_message,
)
from node.tokens import datacap_bytes
from tests.unit.node.recorded_messages import (
    Call,
    actor_of,
    answers,
    messages,
    params_calls,
    raw_bytes,
    receipts,
    return_calls,
    secret_keys,
    signed_messages,
)
from tests.unit.node.shared_data import recordings

pytestmark = pytest.mark.shared

# The recorder changed the nonce of what MsigPropose and MsigApprove had answered, and left the CID. A node ignores it.
STALE_CIDS = {("01", line) for line in (251, 259, 260, 280, 292, 298, 304, 305)} | {("05", 20)}
# Sent on purpose: another message's signature, and Data of 12 bytes and of 1 byte.
BROKEN_SIGNATURES = {("01", 198): 65, ("01", 199): 12} | {("03", line): 1 for line in (180, 188, 195, 202, 254)}
# The actors that no codec is for: reward and power, which the market and miners ask within a call.
UNKNOWN_ACTORS = {("f02", 3), ("f04", 6), ("f04", 9)}
# Params that were sent on purpose and that the actor refused, ErrSerialization and ErrUnhandledMessage, and none at
# all in a question for gas.
BROKEN_PARAMS = {
    ("f06", 4, bytes.fromhex("824040")): 11,
    ("f06", 5, bytes.fromhex("80")): 4,
    ("f06", 4, b""): 1,
}


def without_cid(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != "CID"}


def test_every_message_is_written_back_as_it_came() -> None:
    recorded = messages()
    assert len(recorded) == 718
    for place, document in recorded:
        message = parse_message(document, check_cid=False)
        written = message_document(message)
        assert json.dumps(without_cid(written)) == json.dumps(without_cid(document))
        assert Message.from_bytes(message.to_bytes()) == message
        assert "CID" not in document or written["CID"] == document["CID"] or place in STALE_CIDS


def test_the_cids_that_do_not_fit_are_those_that_the_recorder_left_stale() -> None:
    stale = set()
    for place, document in messages():
        if "CID" in document and message_document(parse_message(document, check_cid=False))["CID"] != document["CID"]:
            with pytest.raises(MessageError, match="is not that of the message"):
                parse_message(document)
            stale.add(place)
    assert stale == STALE_CIDS


def test_every_signed_message_is_written_back_as_it_came() -> None:
    recorded = signed_messages()
    assert len(recorded) == 254
    for _, document in recorded:
        signed = parse_signed_message(document)
        written = signed_message_document(signed)
        if "CID" in document:
            assert json.dumps(written) == json.dumps(document)
            assert signed_message_cid(signed).to_text() == document["CID"]["/"]
        assert SignedMessage.from_bytes(signed.to_bytes()) == signed


def test_every_signature_holds_but_those_broken_on_purpose() -> None:
    outcomes: Counter[str] = Counter()
    for place, document in signed_messages():
        signed = parse_signed_message(document)
        if place in BROKEN_SIGNATURES:
            assert len(signed.signature.data) == BROKEN_SIGNATURES[place]
            with pytest.raises(SignatureError) as raised:
                verify_message(signed)
            assert not isinstance(raised.value, UnverifiableSignature)
            outcomes["broken"] += 1
        elif signed.signature.kind == BLS:
            verify_message(signed)
            assert signed_message_cid(signed) == message_cid(signed.message)
            outcomes["bls"] += 1
        else:
            verify_message(signed)
            outcomes["secp256k1"] += 1
    assert outcomes == {"secp256k1": 233, "bls": 14, "broken": 7}


def test_the_keys_are_those_of_their_addresses() -> None:
    keys = secret_keys()
    assert len(keys) == 13
    for address, raw in keys.items():
        assert address_of_key(secret_key_from_bytes(raw)).to_text() == address


def test_every_message_is_signed_again_with_its_key() -> None:
    keys = {parse_address(text): secret_key_from_bytes(raw) for text, raw in secret_keys().items()}
    ours: dict[bytes, Signature] = {}
    for _, document in signed_messages():
        recorded = parse_signed_message(document)
        if recorded.signature.kind != SECP256K1:
            continue
        key = keys[recorded.message.sender]
        again = sign_message(key, recorded.message)
        verify_message(again)
        assert len(again.signature.data) == SIGNATURE_BYTES
        assert ours.setdefault(signing_bytes(recorded.message), again.signature) == again.signature
    assert len(ours) > 100


def test_a_node_signs_the_same_message_in_two_ways() -> None:
    """Why signatures are made again, but not the same: Lotus mixes randomness into each."""
    by_message: dict[str, set[bytes]] = {}
    for place, document in signed_messages():
        signed = parse_signed_message(document)
        if signed.signature.kind == SECP256K1 and place not in BROKEN_SIGNATURES:
            by_message.setdefault(message_cid(signed.message).to_text(), set()).add(signed.signature.data)
    assert max(map(len, by_message.values())) == 2


def test_every_receipt_is_written_back_as_it_came() -> None:
    recorded = receipts()
    assert len(recorded) == 210
    for _, document in recorded:
        receipt = parse_receipt(document)
        assert json.dumps(receipt_document(receipt)) == json.dumps(document)
        assert receipt.ok is (document["ExitCode"] == 0)


def test_exit_codes_have_the_names_that_the_node_prints() -> None:
    text = "".join(recordings().values())
    for code in (16, 17, 18, 19, 21, 22):
        assert f"exit=[{exit_code_text(code)}]" in text


def test_every_params_is_decoded_and_written_back() -> None:
    broken: Counter[tuple[str, int, bytes]] = Counter()
    decoded: Counter[str] = Counter()
    for call in params_calls():
        actor = actor_of(call.to)
        if actor is None:
            assert (call.to, call.method) in UNKNOWN_ACTORS
            continue
        method = method_of(actor, call.method)
        try:
            value = method.params.from_bytes(call.raw)
        except ParamsError:
            broken[call.to, call.method, call.raw] += 1
            continue
        assert method.params.to_bytes(value) == call.raw
        decoded[f"{actor} {method.name}"] += 1
    assert broken == BROKEN_PARAMS
    assert len(decoded) == 34
    assert sum(decoded.values()) == 832


def test_every_return_is_decoded_and_written_back() -> None:
    decoded: Counter[str] = Counter()
    for call in return_calls():
        actor = actor_of(call.to)
        if actor is None:
            assert (call.to, call.method) in UNKNOWN_ACTORS
            continue
        method = method_of(actor, call.method)
        assert method.returns.to_bytes(method.returns.from_bytes(call.raw)) == call.raw
        decoded[f"{actor} {method.name}"] += 1
    assert {"init Exec", "multisig Propose", "multisig Approve", "market PublishStorageDeals"} <= decoded.keys()
    assert len(decoded) == 33
    assert sum(decoded.values()) == 230


def of_method(calls: list[Call], actor: str, number: int) -> set[bytes]:
    return {call.raw for call in calls if actor_of(call.to) == actor and call.method == number}


def test_transfers_say_what_they_are_for() -> None:
    asked = 0
    for raw in of_method(params_calls(), "datacap", datacap.TRANSFER.numbers[0]):
        transfer = datacap.TransferParams.from_bytes(raw)
        if transfer.operator_data:
            requests = AllocationRequests.from_bytes(transfer.operator_data)
            assert requests.to_bytes() == transfer.operator_data
            assert all(request.provider_id for request in (*requests.allocations, *requests.extensions))
            asked += len(requests.allocations)
            assert datacap_bytes(transfer.amount_tokens) >= 0
    assert asked > 15
    for raw in of_method(return_calls(), "datacap", datacap.TRANSFER.numbers[0]):
        data = datacap.TransferReturn.from_bytes(raw).recipient_data
        assert not data or AllocationsResponse.from_bytes(data).to_bytes() == data


def test_received_tokens_are_the_transfers_of_the_trace() -> None:
    hooks = [call for call in params_calls() if call.method == verifreg.RECEIVE.exported]
    assert len(hooks) == 23
    for hook in hooks:
        received = UniversalReceiverParams.from_bytes(hook.raw)
        assert received.type_number == FRC46_TOKEN
        tokens = TokensReceived.from_bytes(received.payload)
        assert tokens.to_bytes() == received.payload
        if actor_of(hook.to) == "verifreg":
            requests = AllocationRequests.from_bytes(tokens.operator_data)
            assert requests.to_bytes() == tokens.operator_data
            sizes = sum(request.size_bytes for request in requests.allocations)
            assert requests.extensions or sizes == datacap_bytes(tokens.amount_tokens)


def test_deals_are_signed_by_their_clients() -> None:
    outcomes: Counter[str] = Counter()
    for raw in of_method(params_calls(), "market", 4):
        for deal in market.PublishStorageDealsParams.from_bytes(raw).deals:
            verify(deal.client_signature, deal.proposal.to_bytes(), signer=deal.proposal.client)
            outcomes["bls" if deal.client_signature.kind == BLS else "secp256k1"] += 1
            outcomes[type(deal.proposal.label).__name__] += 1
    assert outcomes == {"secp256k1": 7, "bls": 1, "str": 7, "bytes": 1}


def test_accounts_authenticate_the_proposals_of_deals() -> None:
    verified = 0
    for call in params_calls():
        if call.method != accounts.AUTHENTICATE.exported:
            continue
        asked = accounts.AuthenticateParams.from_bytes(call.raw)
        assert market.DealProposal.from_bytes(asked.message).client == parse_address(call.to)
        if call.to.startswith("f1"):
            verify(Signature(SECP256K1, asked.signature_data), asked.message, signer=parse_address(call.to))
            verified += 1
    assert verified == 7


def test_published_deals_are_told_to_their_clients_by_id() -> None:
    told = [call for call in params_calls() if call.method == market.NOTIFY_DEAL.exported]
    ids = [market.NotifyDealParams.from_bytes(call.raw).deal_id for call in told]
    assert ids[:5] == [2, 3, 4, 5, 6]
    taken = market.PublishStorageDealsReturn.from_bytes(bytes.fromhex("82850203040506" + "41b4"))
    assert taken.deal_ids == (2, 3, 4, 5, 6)
    assert taken.valid_deals == bitfield_of(range(5))
    proposal = market.DealProposal.from_bytes(market.NotifyDealParams.from_bytes(told[0].raw).proposal)
    assert (proposal.client.to_text(), proposal.provider.to_text()) == ("f0103", "f01000")


def test_removals_are_signed_by_two_notaries() -> None:
    notaries = {
        parse_address("f0100"): parse_address("f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy"),
        parse_address("f0101"): parse_address("f1cchokc4urnsqopr2mvdjapbhsqytkytdcef3kma"),
    }
    removals = of_method(params_calls(), "verifreg", 7)
    assert len(removals) == 2
    for raw in removals:
        params = verifreg.RemoveDataCapParams.from_bytes(raw)
        proposal = verifreg.RemovalProposal(params.client, params.datacap_bytes, verifreg.RemovalProposalId(0))
        for request in (params.first_request, params.second_request):
            verify(request.signature, proposal.signing_bytes(), signer=notaries[request.verifier])
    signed = [
        raw_bytes(params[1])
        for _, params, _ in answers("WalletSign")
        if params[0] == notaries[parse_address("f0100")].to_text()
    ]
    assert signed == [proposal.signing_bytes()]


def test_other_data_is_signed_by_the_wallets_key() -> None:
    for _, params, result in answers("WalletSign"):
        if params[0].startswith("f1"):
            assert recover_address(parse_signature(result), raw_bytes(params[1])).to_text() == params[0]


def test_a_multisig_proposes_calls_that_are_understood() -> None:
    proposed = of_method(params_calls(), "multisig", 2)
    assert len(proposed) == 3
    for raw in proposed:
        proposal = multisig.ProposeParams.from_bytes(raw)
        granted = verifreg.ADD_VERIFIED_CLIENT.params.from_bytes(proposal.params)
        assert proposal == multisig.ProposeParams(parse_address("f06"), 0, 4, granted.to_bytes())
    pending = [item for _, _, result in answers("MsigGetPending") for item in result]
    assert {raw_bytes(item["Params"]) for item in pending} < {
        multisig.ProposeParams.from_bytes(raw).params for raw in proposed
    }


def test_a_multisig_is_made_by_exec() -> None:
    (raw,) = of_method(params_calls(), "init", 2)
    made = accounts.ExecParams.from_bytes(raw)
    constructor = multisig.CONSTRUCT.params.from_bytes(made.constructor_params)
    assert (len(constructor.signers), constructor.approvals_threshold) == (3, 2)
    (returned,) = of_method(return_calls(), "init", 2)
    address = accounts.ExecReturn.from_bytes(returned)
    assert address.id_address.to_text() == "f01004"
    assert address.robust_address.to_text() == "f2souupn5wd5pm3nygx7bz6o6rikr5gsitbk7cq6q"


def test_the_exit_code_of_a_multisigs_call_is_in_the_return() -> None:
    returned = [multisig.ApproveReturn.from_bytes(raw) for raw in of_method(return_calls(), "multisig", 3)]
    assert {(approve.applied, approve.code) for approve in returned} == {(True, 0), (True, 16), (True, 18)}


def test_pieces_that_are_onboarded_name_their_allocation_and_deal() -> None:
    proven = [miner.ProveCommitSectorsParams.from_bytes(raw) for raw in of_method(params_calls(), "miner", 34)]
    pieces = [piece for params in proven for sector in params.sectors for piece in sector.pieces]
    claimed = {piece.allocation.allocation_id for piece in pieces if piece.allocation}
    deals = {UINT.from_bytes(told.payload) for piece in pieces for told in piece.notify}
    assert claimed == {3, 4, 6, 7}
    assert deals == {2, 3, 4, 5}


def test_params_are_what_the_node_decodes_them_to() -> None:
    for _, (to, number, text, _), result in answers("StateDecodeParams"):
        params = method_of(actor_of(to) or "account", number).params.from_bytes(raw_bytes(text))
        address, amount = (
            (params.client, params.datacap_bytes) if number == 4 else (params.verifier, params.allowance_bytes)
        )
        assert {"Address": address.to_text(), "Allowance": str(amount)} == result
    ((_, (_, number, fields), text),) = answers("StateEncodeParams")
    params = verifreg.AddVerifiedClientParams(parse_address(fields["Address"]), int(fields["Allowance"]))
    assert verifreg.ADD_VERIFIED_CLIENT.params.to_bytes(params) == raw_bytes(text)
    assert number in verifreg.ADD_VERIFIED_CLIENT.numbers


def test_messages_in_blocks_have_the_cids_that_the_node_lists() -> None:
    listed = 0
    for _, _, result in answers("ChainGetBlockMessages"):
        secp = [signed_message_cid(parse_signed_message(document)) for document in result["SecpkMessages"] or []]
        bls = [message_cid(parse_message(document)) for document in result["BlsMessages"] or []]
        assert [cid.to_text() for cid in bls + secp] == [link["/"] for link in result["Cids"] or []]
        listed += len(secp) + len(bls)
    for _, (link,), result in answers("ChainGetMessage"):
        message = parse_message(result)
        asked = parse_cid(link["/"])
        assert asked == message_cid(message) or message.sender.to_text().startswith("f1")
        listed += 1
    assert listed > 20


def test_calls_to_reward_and_power_are_named_as_unknown() -> None:
    for to, method in UNKNOWN_ACTORS:
        assert any((call.to, call.method) == (to, method) for call in params_calls())
        assert actor_of(to) is None
    with pytest.raises(UnknownMethod):
        method_of("verifreg", 99)
