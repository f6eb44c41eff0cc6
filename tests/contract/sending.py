"""Messages that no call shows whole: rebuilt from what their receipts, their events and the logs tell."""

from typing import Any

from node.actors.allocations import AllocationRequest, AllocationRequests
from node.actors.datacap import TRANSFER, TransferParams
from node.actors.miner import (
    PRE_COMMIT_SECTOR_BATCH,
    PROVE_COMMIT_SECTORS,
    PieceActivation,
    PreCommitSectorBatchParams,
    ProveCommitSectorsParams,
    SectorActivation,
    SectorPreCommit,
)
from node.actors.verifreg import ADD_VERIFIED_CLIENT, ADD_VERIFIER, AddVerifiedClientParams, AddVerifierParams
from node.address import Address, actor_address, parse_address
from node.cid import parse_cid
from node.message import Message, parse_message
from node.singletons import DATACAP, VERIFIED_REGISTRY
from node.tokens import ATTOFIL_PER_FIL, TOKENS_PER_BYTE
from tests.contract.recorded_calls import calls_of

ROOT = "f14veibs2k4prf2jdmueoag3fnvre6ocn6obeu3ua"
NOTARY = "f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy"
NOTARY_2 = "f1cchokc4urnsqopr2mvdjapbhsqytkytdcef3kma"
NOTARY_3 = "f3uqhubxt2snnw53irdbulx5oc2i2z66eekdkhdaizhbhsly477xacrfezk34jk5itof5xts6rqnb4l5w6hl2a"
CLIENT = "f1msintbslqlwlfrnuhegmvrbcdzdfjgi722uc37a"
CLIENT_2 = "f1ri5nsp3r5pax6pub4j6uulo2ubeiwcbsoyhacca"
MINER_OWNER = "f3qn4zozn5xgmyazrd3go6v3ulyhvyt7zidpsnapqjeksrezapndmwl6cgvipnhhgxg4citfymzceieidv4mza"
USUAL_PREMIUM = 100_000
_SECTOR_LIFE = 619_199
_SEALED = parse_cid("bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz")


def message(sender: str, to: Address, method: int, params: bytes, nonce: int, **fields: Any) -> Message:
    """A message with gas enough for everything."""
    return Message(
        to=to,
        sender=parse_address(sender),
        nonce=nonce,
        value_attofil=fields.get("value_attofil", 0),
        gas_limit=60_000_000,
        gas_fee_cap_attofil=fields.get("fee_cap", 10_000_000_000),
        gas_premium_attofil=fields.get("premium", USUAL_PREMIUM),
        method=method,
        params=params,
    )


def grant(sender: str, client: str, datacap_bytes: int, nonce: int, premium: int = USUAL_PREMIUM) -> Message:
    """An AddVerifiedClient."""
    params = AddVerifiedClientParams(parse_address(client), datacap_bytes)
    number = ADD_VERIFIED_CLIENT.numbers[0]
    return message(sender, VERIFIED_REGISTRY, number, params.to_bytes(), nonce, premium=premium)


def add_verifier(notary: str, allowance_bytes: int, nonce: int) -> Message:
    """An AddVerifier of the root."""
    params = AddVerifierParams(parse_address(notary), allowance_bytes)
    return message(ROOT, VERIFIED_REGISTRY, ADD_VERIFIER.numbers[0], params.to_bytes(), nonce)


def recorded_answer(folder: str, number: str) -> tuple[Message, str]:
    """The message that a ChainGetMessage answered, and the CID that it was asked by."""
    call = next(one for one in calls_of(folder) if one.number == number)
    return parse_message(call.result), call.params[0]["/"]


def allocate(client: str, pieces: tuple[tuple[str, int, int], ...], nonce: int) -> Message:
    """A Transfer of DataCap to f06 that allocates it to pieces: their CIDs, sizes and last epochs."""
    requests = tuple(
        AllocationRequest(1000, parse_cid(piece), size, 518_400, 1_576_800, expiration)
        for piece, size, expiration in pieces
    )
    tokens = sum(size for _, size, _ in pieces) * TOKENS_PER_BYTE
    data = AllocationRequests(requests, ()).to_bytes()
    params = TransferParams(VERIFIED_REGISTRY, tokens, data).to_bytes()
    return message(client, DATACAP, TRANSFER.numbers[0], params, nonce)


def announce(owner: str, sector: int, unsealed: str | None, inclusion: int, nonce: int) -> Message:
    """The PreCommitSectorBatch2 of the recorded devnets' miners, with the usual life of a sector."""
    data = None if unsealed is None else parse_cid(unsealed)
    announced = SectorPreCommit(8, sector, _SEALED, inclusion - 1, (), inclusion + _SECTOR_LIFE, data)
    params = PreCommitSectorBatchParams((announced,)).to_bytes()
    number = PRE_COMMIT_SECTOR_BATCH.numbers[0]
    return message(owner, actor_address(1000), number, params, nonce, value_attofil=50 * ATTOFIL_PER_FIL)


def prove(owner: str, sector: int, pieces: tuple[PieceActivation, ...], nonce: int) -> Message:
    """The ProveCommitSectors3 of the recorded devnets' miners."""
    activation = (SectorActivation(sector, pieces),)
    params = ProveCommitSectorsParams(activation, (bytes.fromhex("deadbeef"),), b"", None, True, False).to_bytes()
    return message(owner, actor_address(1000), PROVE_COMMIT_SECTORS.numbers[0], params, nonce)
