"""Real params and returns of mainnet, and signing vectors of other implementations; sources in the data's README."""

import base64
import io
from typing import Any

import cbor2
import pytest

from node import cbor
from node.actors import accounts, datacap, market, miner, multisig, verifreg
from node.actors.allocations import AllocationRequests, AllocationsResponse
from node.actors.dispatch import ActorKind, methods_of
from node.actors.receiver import TokensReceived, UniversalReceiverParams
from node.address import Address, parse_address
from node.bitfield import bitfield_of
from node.cid import parse_cid
from node.elements import Element
from node.errors import ParamsError
from node.message import (
    Message,
    SignedMessage,
    block_cid,
    message_cid,
    message_document,
    parse_message,
    parse_signed_message,
    signed_message_cid,
    signing_bytes,
)
from node.methods import Method, exported_number
from node.signature import Signature
from node.signing import address_of_key, secret_key_from_bytes, sign, sign_message, verify, verify_message
from tests.unit.node.shared_data import shared_json

pytestmark = pytest.mark.shared

ACTORS: dict[str, ActorKind] = {
    "verifiedregistry": "verifreg",
    "datacap": "datacap",
    "storagemarket": "market",
    "multisig": "multisig",
}
# Names of fil-parser for methods that are gone.
OTHER_NAMES = {"Deprecated1": "UseBytes", "Deprecated2": "RestoreBytes", "UniversalReceiverHook": "Receive"}
# Made up for a test of fil-parser's: a return that is a text, and a hook that is four numbers.
MADE_UP = {
    ("storagemarket", "WithdrawBalance", "return_hex"),
    ("storagemarket", "WithdrawBalanceExported", "return_hex"),
    ("multisig", "UniversalReceiverHook", "params_hex"),
}


def method_named(actor: str, name: str) -> Method[Any, Any]:
    bare = OTHER_NAMES.get(name, name.removesuffix("Exported"))
    return next(method for method in methods_of(ACTORS[actor]) if method.name == bare)


def sides(actor: str, name: str, call: dict[str, str]) -> list[tuple[Element[Any], list[bytes]]]:
    """The elements of a method's params and return, with the recorded bytes: several where values were joined."""
    method = method_named(actor, name)
    both = [("params_hex", method.params), ("return_hex", method.returns)]
    return [
        (element, split(bytes.fromhex(call[side])))
        for side, element in both
        if call.get(side) and (actor, name, side) not in MADE_UP
    ]


def split(raw: bytes) -> list[bytes]:
    """The single values of CBOR values one after the other."""
    stream = io.BytesIO(raw)
    parts = []
    while (start := stream.tell()) < len(raw):
        cbor2.load(stream)
        parts.append(raw[start : stream.tell()])
    return parts


def test_params_and_returns_of_mainnet_are_decoded_and_written_back() -> None:
    values = 0
    for actor, calls in shared_json("actor_params/mainnet_params_returns.json").items():
        for name, call in calls.items():
            for element, raws in sides(actor, name, call):
                for raw in raws:
                    assert element.to_bytes(element.from_bytes(raw)) == raw, (actor, name)
                    values += 1
    assert values == 121


def test_what_was_made_up_is_refused() -> None:
    calls = shared_json("actor_params/mainnet_params_returns.json")
    for actor, name, side in MADE_UP:
        method = method_named(actor, name)
        element = method.params if side == "params_hex" else method.returns
        with pytest.raises(ParamsError):
            element.from_bytes(bytes.fromhex(calls[actor][name][side]))


def mainnet(actor: str, name: str, side: str) -> bytes:
    return bytes.fromhex(shared_json("actor_params/mainnet_params_returns.json")[actor][name][side])


def test_a_transfer_of_mainnet_is_received_by_the_registry() -> None:
    hook = UniversalReceiverParams.from_bytes(mainnet("verifiedregistry", "UniversalReceiverHook", "params_hex"))
    tokens = TokensReceived.from_bytes(hook.payload)
    transfer = datacap.TransferFromParams.from_bytes(mainnet("datacap", "TransferFromExported", "params_hex"))
    assert (tokens.operator_data, tokens.amount_tokens) == (transfer.operator_data, transfer.amount_tokens)
    assert (tokens.from_id, tokens.to_id, tokens.operator_id) == (transfer.from_address.actor_id, 6, 5)
    assert len(AllocationRequests.from_bytes(tokens.operator_data).allocations) == 18
    returned = datacap.TransferFromReturn.from_bytes(mainnet("datacap", "TransferFromExported", "return_hex"))
    response = AllocationsResponse.from_bytes(returned.recipient_data)
    assert response.to_bytes() == mainnet("verifiedregistry", "UniversalReceiverHook", "return_hex")
    assert response.new_allocation_ids == tuple(range(21439876, 21439894))


def test_deals_of_mainnet_are_signed_by_their_clients() -> None:
    params = market.PublishStorageDealsParams.from_bytes(mainnet("storagemarket", "PublishStorageDeals", "params_hex"))
    returned = market.PublishStorageDealsReturn.from_bytes(
        mainnet("storagemarket", "PublishStorageDeals", "return_hex")
    )
    assert len(params.deals) == len(returned.deal_ids) == 18
    assert returned.valid_deals == bitfield_of(range(18))
    for deal in params.deals:
        verify(deal.client_signature, deal.proposal.to_bytes(), signer=deal.proposal.client)


def test_transfers_of_every_network_version_are_decoded() -> None:
    hooks = shared_json("actor_params/universal_receiver_hook_by_network_version.json")
    assert [hook["nv"] for hook in hooks] == [f"NV{version}" for version in range(18, 26)]
    for hook in hooks:
        payload = base64.b64decode(hook["params"]["Payload"])
        params = UniversalReceiverParams(hook["params"]["Type_"], payload)
        assert UniversalReceiverParams.from_bytes(params.to_bytes()) == params
        tokens = TokensReceived.from_bytes(payload)
        requests = AllocationRequests.from_bytes(tokens.operator_data)
        assert (tokens.to_bytes(), requests.to_bytes()) == (payload, tokens.operator_data)
        check_requests(requests, hook["decoded"]["allocations"])
        assert sum(request.size_bytes for request in requests.allocations) * 10**18 == tokens.amount_tokens
        assert tokens.amount_tokens == int(hook["decoded"]["amount"])
        assert len(hook["ret"]["NewAllocations"]) == len(requests.allocations)


def check_requests(requests: AllocationRequests, expected: list[dict[str, Any]]) -> None:
    for request, decoded in zip(requests.allocations, expected, strict=True):
        provider = decoded["provider"]
        if isinstance(provider, dict):
            assert isinstance(request.provider, Address)
            assert request.provider.to_bytes().hex() == provider["address_hex"]
        else:
            assert request.provider_id == request.provider == provider
        assert request.provider_id is not None
        terms = (request.term_min_epochs, request.term_max_epochs, request.expiration_epoch)
        assert terms == tuple(decoded[name] for name in ("term_min", "term_max", "expiration"))
        assert (request.data, request.size_bytes) == (parse_cid(decoded["data"]), decoded["size"])


def test_method_numbers_follow_from_their_names() -> None:
    numbers = shared_json("vectors/frc42_method_numbers.json")
    assert len(numbers) > 30
    for name, number in numbers.items():
        assert exported_number(name) == number


def test_messages_are_the_bytes_of_the_vectors() -> None:
    vectors = shared_json("signing/serialization-vectors_unsigned_messages.json")
    assert len(vectors) == 21
    for vector in vectors:
        message = parse_message(vector["message"])
        assert message.to_bytes().hex() == vector["hex_cbor"]
        assert Message.from_bytes(bytes.fromhex(vector["hex_cbor"])) == message
        written = message_document(message, prefix="t")
        assert {name: written[name] for name in vector["message"]} == vector["message"]


def test_bls_messages_have_the_cids_and_signatures_of_the_vectors() -> None:
    for vector in shared_json("signing/serialization-vectors_message_signing.json"):
        signed = parse_signed_message({"Message": vector["Unsigned"], "Signature": vector["Signature"]})
        assert message_cid(signed.message) == signed_message_cid(signed) == parse_cid(vector["Cid"])
        assert signing_bytes(signed.message).hex() == vector["CidHexBytes"]
        verify_message(signed)


def test_blocks_have_the_cids_of_the_vectors() -> None:
    for vector in shared_json("signing/serialization-vectors_block_headers.json"):
        raw = bytes.fromhex(vector["cbor_hex"])
        assert cbor.encode(cbor.decode(raw)) == raw
        assert block_cid(raw).to_text() == vector["cid"]


def test_a_signed_message_has_the_cid_that_zondax_computes() -> None:
    vector = shared_json("signing/zondax_get_cid.json")
    signed = parse_signed_message(vector["signed_message"])
    assert signed_message_cid(signed).to_text() == vector["cid"]
    assert SignedMessage.from_bytes(signed.to_bytes()) == signed
    verify_message(signed)


def test_a_message_is_signed_to_the_bytes_of_zondax() -> None:
    vector = shared_json("signing/zondax_signed_message.json")
    expected = parse_signed_message(vector["tx"])
    key = secret_key_from_bytes(base64.b64decode(vector["pk"]))
    assert sign_message(key, expected.message) == expected
    verify_message(expected)


def test_digests_keys_and_signatures_of_zondax() -> None:
    vectors = shared_json("signing/zondax_utils.json")
    assert (
        block_cid(bytes.fromhex(vectors["cid_bytes"]["cbor_message"])).to_bytes().hex() == vectors["cid_bytes"]["cid"]
    )
    vector = vectors["signature_test"]
    key = secret_key_from_bytes(bytes.fromhex(vector["private"]))
    data = block_cid(bytes.fromhex(vector["message"])).to_bytes()
    signature = sign(key, data)
    assert signature == Signature(1, bytes.fromhex(vector["signature"]))
    verify(signature, data, signer=address_of_key(key))
    pair = vectors["public_from_private"]
    assert len(bytes.fromhex(pair["public"])) == 65
    assert address_of_key(secret_key_from_bytes(bytes.fromhex(pair["private"]))).to_text().startswith("f1")


def test_params_of_zondax_are_written_as_they_write_them() -> None:
    signers = (
        parse_address("t17uoq6tp427uzv7fztkbsnn64iwotfrristwpryy"),
        parse_address("t1d2xrzcslx7xlbbylc5c3d5lvandqw4iwl6epxba"),
    )
    swap = multisig.SwapSignerParams(*signers)
    constructor = multisig.ConstructorParams(signers, 1, 0, 0)
    code = parse_cid("bafkqadtgnfwc6mrpnv2wy5djonuwo")
    vectors = shared_json("signing/zondax_serialize_params.json")
    # The second one's constructor is of an older network: three items, without the first epoch.
    inner = base64.b64decode(vectors[1]["params"]["ConstructorParams"])
    expected = [
        constructor.to_bytes(),
        accounts.ExecParams(code, inner).to_bytes(),
        multisig.ProposeParams(signers[0], 1000, 0, b"").to_bytes(),
        multisig.ProposeParams(signers[0], 0, 7, swap.to_bytes()).to_bytes(),
        multisig.TransactionParams(1234, base64.b64decode(vectors[4]["params"]["ProposalHash"])).to_bytes(),
        miner.WithdrawBalanceParams(120).to_bytes(),
        miner.CHANGE_OWNER_ADDRESS.params.to_bytes(signers[0]),
    ]
    assert [base64.b64encode(raw).decode() for raw in expected] == [vector["serialized_params"] for vector in vectors]
    with pytest.raises(ParamsError):
        multisig.ConstructorParams.from_bytes(inner)


def test_params_of_zondax_are_decoded() -> None:
    for vector in shared_json("signing/zondax_deserialize_params.json"):
        raw = base64.b64decode(vector["serialized_params"])
        if vector["code_cid"] == "init":
            made = accounts.ExecParams.from_bytes(raw)
            assert made.code.to_text() == vector["params"]["CodeCid"]
        else:
            swap = multisig.SwapSignerParams.from_bytes(raw)
            assert swap.from_address.to_text() == "f17uoq6tp427uzv7fztkbsnn64iwotfrristwpryy"


def test_a_removal_of_mainnet_names_two_notaries() -> None:
    params = verifreg.RemoveDataCapParams.from_bytes(
        mainnet("verifiedregistry", "RemoveVerifiedClientDataCap", "params_hex")
    )
    assert params.first_request.verifier != params.second_request.verifier
    assert params.datacap_bytes == 2**35
