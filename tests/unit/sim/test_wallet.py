"""The node's wallet: real keys of both kinds, as outsiders use them."""

import base64
from typing import Any

import pytest

from node.address import parse_address
from node.message import parse_message, parse_signed_message
from node.signature import BLS, SECP256K1, parse_signature, signature_document
from node.signing import (
    SecretKey,
    address_of_key,
    secret_key_from_bytes,
    sign,
    sign_message,
    verify,
    verify_message,
)
from node.sim.chain import Options
from node.sim.errors import RpcFault
from node.sim.rpc.methods import ALL_PERMISSIONS
from tests.unit.sim.builders import CLIENT, PROVIDER, Caller, pieces

BLS_KEY = secret_key_from_bytes(bytes(range(1, 33)), BLS)
SECP256K1_KEY = secret_key_from_bytes(bytes(range(1, 33)), SECP256K1)
KINDS = [("bls", "f3", BLS_KEY), ("secp256k1", "f1", SECP256K1_KEY)]


def key_info(key_type: object, raw: bytes) -> dict[str, object]:
    """A key as WalletImport takes it."""
    return {"Type": key_type, "PrivateKey": base64.b64encode(raw).decode()}


def transfer(sender: str, nonce: int) -> dict[str, Any]:
    """A message that hands 1 attoFIL to the faucet."""
    gas = {"GasLimit": 10_000_000, "GasFeeCap": "100000", "GasPremium": "1000"}
    return {"To": "f0100", "From": sender, "Nonce": nonce, "Value": "1", "Method": 0, "Params": None, **gas}


@pytest.mark.parametrize(("key_type", "prefix", "_key"), KINDS)
def test_new_keys_follow_from_the_seed_and_differ(key_type: str, prefix: str, _key: SecretKey) -> None:
    first, again, other = Caller(), Caller(), Caller(Options(seed=2))
    made = [first("WalletNew", key_type), first("WalletNew", key_type)]
    assert made == [again("WalletNew", key_type), again("WalletNew", key_type)]
    assert len({*made, other("WalletNew", key_type)}) == 3
    assert all(address.startswith(prefix) and address in first("WalletList") for address in made)


@pytest.mark.parametrize(("key_type", "_prefix", "key"), KINDS)
def test_an_imported_key_signs_as_it_does_outside_and_is_exported_the_same(
    key_type: str, _prefix: str, key: SecretKey
) -> None:
    caller, info = Caller(), key_info(key_type, key.raw)
    address = caller("WalletImport", info)
    assert parse_address(address) == address_of_key(key)
    assert caller("WalletHas", address) is True
    assert caller("WalletExport", address) == info
    signature = caller("WalletSign", address, base64.b64encode(b"data").decode())
    assert parse_signature(signature) == sign(key, b"data")
    assert caller("WalletVerify", address, base64.b64encode(b"data").decode(), signature) is True
    assert caller("WalletVerify", address, base64.b64encode(b"other").decode(), signature) is False


@pytest.mark.parametrize(("key_type", "_prefix", "key"), KINDS)
def test_what_an_outsider_signs_is_taken_and_executed(key_type: str, _prefix: str, key: SecretKey) -> None:
    caller, address = Caller(), address_of_key(key).to_text()
    caller("Sim.Fund", address, str(10**18))
    message = transfer(address, caller("MpoolGetNonce", address))
    signed = sign_message(key, parse_message(message, check_cid=False))
    document = {"Message": message, "Signature": signature_document(signed.signature)}
    cid = caller("MpoolPush", document)
    caller("Sim.Mine", 2)
    assert caller("StateSearchMsg", None, cid, -1, True)["Receipt"]["ExitCode"] == 0
    forged = sign_message(key, parse_message({**message, "Nonce": message["Nonce"] + 1}, check_cid=False))
    for number in (1, 2):
        forged_document = {
            "Message": {**message, "Nonce": message["Nonce"] + 1 + number},
            "Signature": signature_document(forged.signature),
        }
        with pytest.raises(RpcFault, match="invalid signature for message"):
            caller("MpoolPush", forged_document)


def test_a_deleted_key_is_gone_and_no_longer_the_default() -> None:
    caller = Caller()
    address = caller("WalletNew", "secp256k1")
    assert caller("WalletSetDefault", address) is None
    assert caller("WalletDefaultAddress") == address
    assert caller("WalletDelete", address) is None
    assert caller("WalletDelete", address) is None
    assert caller("WalletHas", address) is False
    with pytest.raises(RpcFault, match="failed to get default key: opening key 'default': key info not found"):
        caller("WalletDefaultAddress")
    with pytest.raises(RpcFault, match="key not found"):
        caller("WalletExport", address)
    with pytest.raises(RpcFault, match="key info not found"):
        caller("WalletSetDefault", address)
    assert caller("WalletNew", "secp256k1") == caller("WalletDefaultAddress") != address


def test_the_default_is_a_rich_account() -> None:
    caller = Caller()
    assert int(caller("WalletBalance", caller("WalletDefaultAddress"))) > 10**26


@pytest.mark.parametrize(
    ("method", "param", "text"),
    [
        ("WalletNew", "delegated", "delegated keys are not supported"),
        ("WalletNew", "rsa", "unknown sig type: rsa"),
        ("WalletNew", 7, "could not unmarshal KeyType"),
        ("WalletImport", key_info("delegated", bytes(32)), "failed to make key: delegated"),
        ("WalletImport", key_info("rsa", bytes(32)), "unsupported type"),
        ("WalletImport", key_info("bls", b"\xff" * 32), "failed to make key"),
        ("WalletImport", key_info("bls", bytes(31)), "failed to make key"),
        ("WalletImport", key_info("secp256k1", bytes(32)), "failed to make key"),
        ("WalletImport", {"Type": "bls", "PrivateKey": "!"}, "illegal base64"),
        ("WalletImport", None, "unsupported type"),
        ("WalletImport", [], "cannot unmarshal array"),
        ("WalletValidateAddress", "f1abc", "invalid address"),
        ("WalletValidateAddress", "x0100", "unknown address network"),
    ],
)
def test_bad_keys_and_addresses_are_refused(method: str, param: object, text: str) -> None:
    with pytest.raises(RpcFault, match=text):
        Caller()(method, param)


def test_a_key_type_may_be_a_number_as_older_clients_have_it() -> None:
    caller = Caller()
    assert caller("WalletNew", 1).startswith("f1")
    assert caller("WalletImport", key_info(2, BLS_KEY.raw)) == address_of_key(BLS_KEY).to_text()


def test_addresses_are_validated() -> None:
    caller = Caller(Options(address_prefix="t"))
    assert caller("WalletValidateAddress", "f0100") == "t0100"
    assert caller("WalletValidateAddress", "") == "<empty>"


@pytest.mark.parametrize(
    ("method", "params", "needed"),
    [
        ("WalletNew", ["bls"], "write"),
        ("WalletList", [], "write"),
        ("WalletSetDefault", ["f0100"], "write"),
        ("WalletSign", ["f0100", ""], "sign"),
        ("WalletImport", [key_info("bls", BLS_KEY.raw)], "admin"),
        ("WalletExport", ["f0100"], "admin"),
        ("WalletDelete", ["f0100"], "admin"),
    ],
)
def test_who_may_not_is_refused(method: str, params: list[Any], needed: str) -> None:
    caller = Caller()
    with pytest.raises(RpcFault, match=f"missing permission to invoke '{method}' \\(need '{needed}'\\)"):
        caller.dispatcher.call(f"Filecoin.{method}", params, permissions=ALL_PERMISSIONS - {needed})


def test_the_wallet_signs_for_whom_an_order_named_by_id() -> None:
    caller = Caller()
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    address = caller("StateAccountKey", CLIENT, None)
    assert caller("WalletHas", address) is True
    signed = caller("MpoolPushMessage", {"To": "f0100", "From": CLIENT, "Value": "5"}, None)
    assert signed["Message"]["From"] == address
    verify_message(parse_signed_message(signed))
    caller("Sim.Mine", 2)
    assert caller("StateSearchMsg", None, signed["CID"], -1, True)["Receipt"]["ExitCode"] == 0


def test_messages_of_the_chains_own_orders_are_truly_signed() -> None:
    caller = Caller()
    caller("Sim.Allocate", CLIENT, PROVIDER, pieces(1))
    caller("Sim.Onboard", PROVIDER, [1])
    signed = [one for tipset in caller.chain.store.tipsets.values() for one in tipset.messages]
    assert len(signed) > 4
    for one in signed:
        verify_message(one)


def test_the_workers_of_miners_are_in_the_wallet() -> None:
    caller = Caller()
    worker = caller("StateMinerInfo", "f01000", None)["Worker"]
    signature = parse_signature(caller("WalletSign", worker, ""))
    verify(signature, b"", signer=parse_address(caller("StateAccountKey", worker, None)))
