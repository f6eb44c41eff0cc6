"""A program as somebody writes it for a Lotus devnet, with keys of its own, over nothing but Lotus methods."""

import base64
from dataclasses import replace
from typing import Any

from node.actors import datacap, market, miner, multisig, verifreg
from node.actors.allocations import AllocationRequest, AllocationRequests, AllocationsResponse
from node.address import Address, parse_address
from node.cid import Cid, parse_cid
from node.message import parse_message, signed_message_document
from node.methods import Method
from node.signature import BLS
from node.signing import SecretKey, address_of_key, secret_key_from_bytes, sign, sign_message
from node.sim.rpc.methods import Waiting
from node.tokens import TOKENS_PER_BYTE
from tests.unit.sim.builders import GIB, Caller, piece_cid

FIL = 10**18
REGISTRY, DATACAP_TOKEN, MARKET = "f06", "f07", "f05"


class Driver:
    """The program. Epochs pass while it waits."""

    def __init__(self) -> None:
        self.caller = Caller()

    def ask(self, method: str, *params: Any) -> Any:
        """A method's result; the chain grows while it is not there."""
        answer = self.caller(method, *params)
        while isinstance(answer, Waiting):
            self.caller.chain.mine()
            answer = answer.retry()
        return answer

    def wait(self, cid: Any) -> Any:
        """The lookup of a message that succeeded."""
        lookup = self.ask("StateWaitMsg", cid, 1, -1, True)
        assert lookup["Receipt"]["ExitCode"] == 0
        return lookup

    def key(self, number: int, kind: int) -> SecretKey:
        """A key of the program's own, with an account that has funds."""
        key = secret_key_from_bytes(bytes([number] * 32), kind)
        funding = {"From": self.ask("WalletDefaultAddress"), "To": str(address_of_key(key)), "Value": str(10 * FIL)}
        self.wait(self.ask("MpoolPushMessage", funding, {"MaxFee": "0"})["CID"])
        return key

    def send_signed(self, key: SecretKey, to: str, method: Method[Any, Any], params: Any, value: int = 0) -> Any:
        """Estimates, signs outside the node, pushes, and waits."""
        sender = address_of_key(key).to_text()
        wanted = self.message(sender, to, method, params, value)
        estimated = self.ask("GasEstimateMessageGas", wanted, None, [])
        message = replace(
            parse_message({**estimated, "CID": None}, check_cid=False), nonce=self.ask("MpoolGetNonce", sender)
        )
        return self.wait(self.ask("MpoolPush", signed_message_document(sign_message(key, message))))

    def send(self, sender: str, to: str, method: Method[Any, Any], params: Any, value: int = 0) -> Any:
        """Has the node do all of it."""
        signed = self.ask("MpoolPushMessage", self.message(sender, to, method, params, value), None)
        return self.wait(signed["CID"])

    @staticmethod
    def message(sender: str, to: str, method: Method[Any, Any], params: Any, value: int = 0) -> dict[str, Any]:
        """A message without gas and nonce."""
        raw = base64.b64encode(method.params.to_bytes(params)).decode()
        return {"From": sender, "To": to, "Method": method.numbers[0], "Params": raw, "Value": str(value)}


def returned(lookup: Any, method: Method[Any, Any]) -> Any:
    """What a method returned."""
    return method.returns.from_bytes(base64.b64decode(lookup["Receipt"]["Return"]))


def address_text(key: SecretKey) -> str:
    """A key's address."""
    return address_of_key(key).to_text()


def make_notary(driver: Driver, notary: Address, allowance: int) -> None:
    """Has the registry's root make a notary, with a message signed by WalletSignMessage."""
    root = driver.ask("StateAccountKey", driver.ask("StateVerifiedRegistryRootKey", []), [])
    assert driver.ask("WalletHas", root)
    wanted = driver.message(root, REGISTRY, verifreg.ADD_VERIFIER, verifreg.AddVerifierParams(notary, allowance))
    estimated = driver.ask("GasEstimateMessageGas", wanted, None, None)
    signed = driver.ask("WalletSignMessage", root, {**estimated, "Nonce": driver.ask("MpoolGetNonce", root)})
    driver.wait(driver.ask("MpoolPush", signed))


def test_a_grant_becomes_a_claim() -> None:
    driver = Driver()
    notary, client = driver.key(1, BLS), driver.key(2, 1)
    make_notary(driver, address_of_key(notary), 1 << 50)
    grant = verifreg.AddVerifiedClientParams(address_of_key(client), 4 * GIB)
    called = driver.ask(
        "StateCall", driver.message(address_text(notary), REGISTRY, verifreg.ADD_VERIFIED_CLIENT, grant), None
    )
    assert called["MsgRct"]["ExitCode"] == 0
    driver.send_signed(notary, REGISTRY, verifreg.ADD_VERIFIED_CLIENT, grant)
    assert driver.ask("StateVerifiedClientStatus", address_text(client), None) == str(4 * GIB)
    provider = parse_address(driver.ask("StateListMiners", None)[0])
    allocation_id = allocate(driver, client, provider)
    client_id = parse_address(driver.ask("StateLookupID", address_text(client), None)).actor_id
    onboard(driver, provider, miner.AllocationKey(client_id or 0, allocation_id))
    claims = driver.ask("StateGetClaims", str(provider), None)
    assert claims[str(allocation_id)]["Client"] == client_id
    assert driver.ask("StateGetAllocations", address_text(client), None) == {}


def allocate(driver: Driver, client: SecretKey, provider: Address) -> int:
    """Transfers the client's DataCap to the registry; the allocation's id."""
    request = AllocationRequest(
        provider.actor_id or 0, piece_cid(1), GIB, 518400, 5 * 365 * 2880, driver.caller.height + 100
    )
    params = datacap.TransferParams(
        parse_address(REGISTRY), GIB * TOKENS_PER_BYTE, AllocationRequests((request,)).to_bytes()
    )
    lookup = driver.send_signed(client, DATACAP_TOKEN, datacap.TRANSFER, params)
    data = returned(lookup, datacap.TRANSFER).recipient_data
    (allocation_id,) = AllocationsResponse.from_bytes(data).new_allocation_ids
    return allocation_id


def onboard(driver: Driver, provider: Address, allocation: miner.AllocationKey) -> None:
    """Announces and proves a sector with the allocation, by the node's key of the miner's worker."""
    worker = driver.ask("StateMinerInfo", str(provider), None)["Worker"]
    unsealed = driver.ask("StateComputeDataCID", str(provider), 8, [_piece_document()], None)
    sealed = replace(piece_cid(9), codec=0xF102, hash_code=0xB401)
    expiration = driver.caller.height + 600_000
    announced = miner.SectorPreCommit(8, 77, sealed, 0, (), expiration, parse_cid_link(unsealed))
    driver.send(worker, str(provider), miner.PRE_COMMIT_SECTOR_BATCH, miner.PreCommitSectorBatchParams((announced,)))
    piece = miner.PieceActivation(piece_cid(1), GIB, allocation, ())
    proven = miner.ProveCommitSectorsParams((miner.SectorActivation(77, (piece,)),), (b"p",), b"", None, True, True)
    driver.send(worker, str(provider), miner.PROVE_COMMIT_SECTORS, proven)


def _piece_document() -> dict[str, object]:
    return {"Size": GIB, "PieceCID": {"/": piece_cid(1).to_text()}}


def parse_cid_link(link: Any) -> Cid:
    """The CID of a link."""
    return parse_cid(link["/"])


def test_a_multisig_of_outsiders_is_a_notary_and_grants() -> None:
    driver = Driver()
    signers, client = [driver.key(3, 1), driver.key(4, BLS)], driver.key(5, 1)
    for key in signers:
        driver.ask(
            "WalletImport",
            {"Type": "bls" if key.kind == BLS else "secp256k1", "PrivateKey": base64.b64encode(key.raw).decode()},
        )
    first, second = map(address_text, signers)
    prototype = driver.ask("MsigCreate", 2, [first, second], 0, "0", first, "0")
    lookup = driver.wait(driver.ask("MpoolPushMessage", prototype["Message"], None)["CID"])
    account = lookup["ReturnDec"]["IDAddress"]
    make_notary(driver, parse_address(account), 1 << 50)
    grant = verifreg.AddVerifiedClientParams(address_of_key(client), GIB)
    raw = base64.b64encode(grant.to_bytes()).decode()
    prototype = driver.ask("MsigPropose", account, REGISTRY, "0", first, 4, raw)
    lookup = driver.wait(driver.ask("MpoolPushMessage", prototype["Message"], None)["CID"])
    number = returned(lookup, multisig.PROPOSE).transaction_id
    assert [one["ID"] for one in driver.ask("MsigGetPending", account, None)] == [number]
    prototype = driver.ask("MsigApprove", account, number, second)
    lookup = driver.wait(driver.ask("MpoolPushMessage", prototype["Message"], None)["CID"])
    assert returned(lookup, multisig.APPROVE).applied
    assert driver.ask("StateVerifiedClientStatus", address_text(client), None) == str(GIB)


def test_a_deal_of_outsiders_is_published() -> None:
    driver = Driver()
    client = driver.key(6, BLS)
    (provider, *_) = driver.ask("StateListMiners", None)
    worker = driver.ask("StateMinerInfo", provider, None)["Worker"]
    driver.send_signed(client, MARKET, market.ADD_BALANCE, address_of_key(client), FIL)
    client_id = parse_address(driver.ask("StateLookupID", address_text(client), None))
    start = driver.caller.height + 100
    proposal = market.DealProposal(
        piece_cid(1), GIB, False, client_id, parse_address(provider), "label", start, start + 600_000, 0, 0, 0
    )
    signature = sign(client, proposal.to_bytes())
    published = market.PublishStorageDealsParams((market.ClientDealProposal(proposal, signature),))
    lookup = driver.send(worker, MARKET, market.PUBLISH_STORAGE_DEALS, published)
    (deal_id,) = returned(lookup, market.PUBLISH_STORAGE_DEALS).deal_ids
    assert driver.ask("StateMarketStorageDeal", deal_id, None)["Proposal"]["Label"] == "label"
    other = replace(proposal, label="another")
    forged = market.PublishStorageDealsParams((market.ClientDealProposal(other, signature),))
    called = driver.ask("StateCall", driver.message(worker, MARKET, market.PUBLISH_STORAGE_DEALS, forged), None)
    assert called["MsgRct"]["ExitCode"] != 0


def test_the_head_is_followed_while_messages_land() -> None:
    driver = Driver()
    heard: list[Any] = []
    opened = driver.caller.dispatcher.subscribe("Filecoin.ChainNotify", [], heard.append)
    heard.extend(opened.first)
    key = driver.key(7, 1)
    applied = [change["Val"]["Height"] for changes in heard for change in changes if change["Type"] == "apply"]
    assert sorted(set(applied)) == list(range(1, driver.caller.height + 1))
    assert driver.ask("StateGetActor", address_text(key), None)["Balance"] == str(10 * FIL)
