"""Params and returns that real networks carried, written down so that a clone tests them alone.

Devnet: Lotus b835fab70, nv28 and the FIP-0118 branch. Mainnet: Zondax/fil-parser d60dfe3, data/actors, tools/verifreg.
"""

import base64
from typing import Any

import pytest

from node.actors import accounts, datacap, market, miner, multisig, old_market, sectors, verifreg
from node.actors.allocations import (
    AllocationRequest,
    AllocationRequests,
    AllocationsResponse,
    ClaimExtensionRequest,
)
from node.actors.batch import BatchFailure, BatchReturn
from node.actors.dispatch import method_of
from node.actors.receiver import FRC46_TOKEN, TokensReceived, UniversalReceiverParams
from node.address import actor_address, parse_address
from node.bitfield import bitfield_of
from node.cid import parse_cid
from node.elements import UINT, Element
from node.errors import ParamsError
from node.signature import SECP256K1, Signature
from node.signing import verify
from node.tokens import datacap_bytes, datacap_tokens
from node.tuples import tuple_of

CLIENT = parse_address("f1msintbslqlwlfrnuhegmvrbcdzdfjgi722uc37a")
OTHER_CLIENT = parse_address("f1ri5nsp3r5pax6pub4j6uulo2ubeiwcbsoyhacca")
NOTARY = parse_address("f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy")
MULTISIG = parse_address("f2souupn5wd5pm3nygx7bz6o6rikr5gsitbk7cq6q")
SIX, FIVE = actor_address(6), actor_address(5)
TIB, PIB = 2**40, 2**50
PIECE = parse_cid("baga6ea4seaqpmrkr7tlpa6bdzodzohh3sfcgijo2daugwovr56jv4df5pju7mcq")
PIECE_HEX = "d82a5828000181e203922020f64551fcd6f07823cb87971cfb91446425da18286b3ab1ef935e0cbd7a69f60a"
SEALED_HEX = "d82a5829000182e20381e802204d77208f60bfea4bd26a341e8fa1f22627279837ed65df1ec959bafbd4a41159"
GOOD, NONE = BatchReturn(1), BatchReturn(0)
RESPONSE_HEX = "83820580820080850304050607"

_V, _D, _M = verifreg, datacap, market

DEVNET: list[tuple[Element[Any], str, Any]] = [
    (
        _V.ADD_VERIFIER.params,
        "825501aeb0a288243f15e3d099282da9b600810cee3002480028000000000000",
        _V.AddVerifierParams(NOTARY, 10 * PIB),
    ),
    (
        _V.REMOVE_VERIFIER.params,
        "5501108ee50b948b65073e3a6546903c279431356263",
        parse_address("f1cchokc4urnsqopr2mvdjapbhsqytkytdcef3kma"),
    ),
    (
        _V.ADD_VERIFIED_CLIENT.params,
        "8255018a3ad93f71ebc17f3e81e27d4a2ddaa0488b08324700030000000000",
        _V.AddVerifiedClientParams(OTHER_CLIENT, 3 * TIB),
    ),
    (
        _V.ADD_VERIFIED_CLIENT.params,
        "8255018a3ad93f71ebc17f3e81e27d4a2ddaa0488b08324701010000000000",
        _V.AddVerifiedClientParams(OTHER_CLIENT, -TIB),
    ),
    (_V.ADD_VERIFIED_CLIENT.returns, "", None),
    (
        _V.REMOVE_VERIFIED_CLIENT_DATACAP.returns,
        "824200684700010000000000",
        _V.RemoveDataCapReturn(actor_address(104), TIB),
    ),
    (_V.REMOVE_EXPIRED_ALLOCATIONS.params, "82186780", _V.RemoveExpiredAllocationsParams(103)),
    (
        _V.REMOVE_EXPIRED_ALLOCATIONS.returns,
        "83810682018046000200000000",
        _V.RemoveExpiredAllocationsReturn(considered_ids=(6,), results=GOOD, recovered_bytes=2**33),
    ),
    (
        _V.CLAIM_ALLOCATIONS.params,
        f"8281831903e81a0009735e8184186703{PIECE_HEX}1b0000000800000000f5",
        _V.ClaimAllocationsParams(
            (
                _V.SectorClaims(
                    sector=1000,
                    expiry_epoch=619358,
                    claims=(_V.AllocationClaim(client_id=103, allocation_id=3, data=PIECE, size_bytes=2**35),),
                ),
            ),
            all_or_nothing=True,
        ),
    ),
    (_V.CLAIM_ALLOCATIONS.returns, "828201808146000800000000", _V.ClaimAllocationsReturn(GOOD, (2**35,))),
    (_V.GET_CLAIMS.params, "821903e88203184d", _V.GetClaimsParams(1000, (3, 77))),
    (
        _V.GET_CLAIMS.returns,
        f"8282018182011181881903e81867{PIECE_HEX}1b00000008000000001a0007e9001a00180f6018ac1903e8",
        _V.GetClaimsReturn(
            BatchReturn(1, (BatchFailure(position=1, exit_code=17),)),
            (
                _V.StoredClaim(
                    provider_id=1000,
                    client_id=103,
                    data=PIECE,
                    size_bytes=2**35,
                    term_min_epochs=518400,
                    term_max_epochs=1576800,
                    term_start_epoch=172,
                    sector=1000,
                ),
            ),
        ),
    ),
    (
        _V.EXTEND_CLAIM_TERMS.params,
        "8181831903e8031a00199600",
        _V.ExtendClaimTermsParams((_V.ClaimTerm(provider_id=1000, claim_id=3, term_max_epochs=1676800),)),
    ),
    (_V.EXTEND_CLAIM_TERMS.returns, "820081820010", BatchReturn(0, (BatchFailure(0, 16),))),
    (_V.REMOVE_EXPIRED_CLAIMS.params, "821903e880", _V.RemoveExpiredClaimsParams(1000)),
    (_V.REMOVE_EXPIRED_CLAIMS.returns, "8280820080", _V.RemoveExpiredClaimsReturn((), NONE)),
    (
        _V.RECEIVE.returns,
        RESPONSE_HEX,
        AllocationsResponse(
            allocation_results=BatchReturn(5), extension_results=NONE, new_allocation_ids=(3, 4, 5, 6, 7)
        ),
    ),
    (
        _D.MINT.params,
        "834200684e000de0b6b3a7640000000000000081420005",
        _D.MintParams(actor_address(104), datacap_tokens(TIB), (FIVE,)),
    ),
    (_D.BURN.params, "814d006f05b59d3b20000000000000", _D.BurnParams(datacap_tokens(2**35))),
    (
        _D.TRANSFER.returns,
        f"834f00056b3c970a5e86180000000000004d008ac7230489e80000000000004d{RESPONSE_HEX}",
        _D.TransferReturn(
            from_balance_tokens=datacap_tokens(109908213104640),
            to_balance_tokens=datacap_tokens(10 * 2**32),
            recipient_data=bytes.fromhex(RESPONSE_HEX),
        ),
    ),
    (
        _D.ALLOWANCE.params,
        "8255016490d9864b82ecb2c5b4390ccac4221e4654991f420006",
        _D.AllowanceParams(owner=CLIENT, operator=SIX),
    ),
    (_D.BALANCE.params, "420064", actor_address(100)),
    (_D.NAME.params, "", None),
    (_D.NAME.returns, "6744617461436170", "DataCap"),
    (_D.SYMBOL.returns, "6444434150", "DCAP"),
    (_D.GRANULARITY.returns, "1b0de0b6b3a7640000", 10**18),
    (_M.ADD_BALANCE.params, "4300e807", actor_address(1000)),
    (
        _M.PUBLISH_STORAGE_DEALS.returns,
        "8285020304050641b4",
        _M.PublishStorageDealsReturn((2, 3, 4, 5, 6), bitfield_of(range(5))),
    ),
    (
        miner.PROVE_COMMIT_SECTORS.params,
        f"8681821903e88184{PIECE_HEX}1b000000080000000082186703808144deadbeef40f6f5f4",
        miner.ProveCommitSectorsParams(
            sectors=(
                miner.SectorActivation(
                    1000,
                    (miner.PieceActivation(PIECE, 2**35, miner.AllocationKey(client_id=103, allocation_id=3), ()),),
                ),
            ),
            sector_proofs=(b"\xde\xad\xbe\xef",),
            aggregate_proof=b"",
            aggregate_proof_type=None,
            require_activation_success=True,
            require_notification_success=False,
        ),
    ),
    (miner.PROVE_COMMIT_SECTORS.returns, "820180", GOOD),
    (
        miner.PRE_COMMIT_SECTOR_BATCH.params,
        f"818187081903e8{SEALED_HEX}1899801a0009735e{PIECE_HEX}",
        miner.PreCommitSectorBatchParams(
            (
                miner.SectorPreCommit(
                    seal_proof=8,
                    sector=1000,
                    sealed_cid=parse_cid("bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz"),
                    seal_rand_epoch=153,
                    deal_ids=(),
                    expiration_epoch=619358,
                    unsealed_cid=PIECE,
                ),
            )
        ),
    ),
    (miner.IS_CONTROLLING_ADDRESS.params, "420071", actor_address(113)),
    (miner.IS_CONTROLLING_ADDRESS.returns, "f5", True),
    (
        multisig.PROPOSE.params,
        "844200064004581f8255018a3ad93f71ebc17f3e81e27d4a2ddaa0488b08324700140000000000",
        multisig.ProposeParams(SIX, 0, 4, _V.AddVerifiedClientParams(OTHER_CLIENT, 20 * TIB).to_bytes()),
    ),
    (
        multisig.PROPOSE.returns,
        "8400f40040",
        multisig.ProposeReturn(transaction_id=0, applied=False, code=0, return_value=b""),
    ),
    (multisig.APPROVE.params, "820040", multisig.TransactionParams(0)),
    (multisig.APPROVE.returns, "83f51040", multisig.ApproveReturn(applied=True, code=16, return_value=b"")),
    (multisig.CANCEL.params, "820240", multisig.TransactionParams(2)),
    (
        accounts.EXEC.returns,
        "824300ec07550293a947b7b61f5ecdb706bfc39f3bd142a3d34913",
        accounts.ExecReturn(id_address=actor_address(1004), robust_address=MULTISIG),
    ),
]

OLD_PIECE = parse_cid("baga6ea4seaqe4afuh5zspaoa7csrwyayyowkopalyxmxi6cht5qvreqgkb5hqey")
OLD_PIECE_HEX = "d82a5828000181e2039220204e00b43f732781c0f8a51b6018c3aca73c0bc5d97478479f61589206507a7813"
MAINNET: list[tuple[Element[Any], str, Any]] = [
    (_V.USE_BYTES.params, "824300d8024200ea", _V.BytesParams(actor_address(344), 234)),
    (_V.RESTORE_BYTES.params, "824300ea1a43000982", _V.BytesParams(actor_address(3434), 2434)),
    (
        _V.ADD_VERIFIER.params,
        "824400eab67149000190000000000000",
        _V.AddVerifierParams(actor_address(1858410), 100 * PIB),
    ),
    (
        _V.CLAIM_ALLOCATIONS.params,
        f"8281861a002124451a01382927{OLD_PIECE_HEX}1b000000080000000019572c1a003c3a3df5",
        _V.OldClaimAllocationsParams(
            (
                _V.SectorAllocationClaim(
                    client_id=2171973,
                    allocation_id=20457767,
                    data=OLD_PIECE,
                    size_bytes=2**35,
                    sector=22316,
                    sector_expiry_epoch=3947069,
                ),
            ),
            all_or_nothing=True,
        ),
    ),
    (_V.CLAIM_ALLOCATIONS.returns, "8282018046000800000000", _V.OldClaimAllocationsReturn(GOOD, 2**35)),
    (
        _D.MINT.params,
        "83440097f57e4d006f05b59d3b2000000000000081420005",
        _D.MintParams(actor_address(2079383), datacap_tokens(2**35), (FIVE,)),
    ),
    (_M.GET_DEAL_ACTIVATION.params, "1a01b2a8cd", 28485837),
    (_M.GET_DEAL_ACTIVATION.returns, "821a0028f48e20", _M.DealActivation(activated_epoch=2684046, terminated_epoch=-1)),
    (_M.GET_DEAL_VERIFIED.returns, "f5", True),
    (_M.GET_DEAL_LABEL.returns, "60", ""),
    (_M.GET_DEAL_TERM.returns, "82182202", _M.DealTerm(start_epoch=34, duration_epochs=2)),
    (_M.GET_BALANCE.returns, "824200ea43005b8a", _M.BalanceReturn(balance_attofil=234, locked_attofil=23434)),
    (
        old_market.ACTIVATE_DEALS.params,
        "82811a024609001a003c3a3d",
        old_market.ActivateDealsParams(deal_ids=(38144256,), sector_expiry_epoch=3947069),
    ),
    (
        old_market.ACTIVATE_DEALS.returns,
        f"824081841a002124451a01382927{OLD_PIECE_HEX}1b0000000800000000",
        old_market.ActivateDealsReturn(
            0, (old_market.VerifiedDeal(client_id=2171973, allocation_id=20457767, data=OLD_PIECE, size_bytes=2**35),)
        ),
    ),
    (
        multisig.PROPOSE.params,
        "844400da8e6540174645008fbd8701",
        multisig.ProposeParams(
            to=actor_address(1656666), value_attofil=0, method=23, params=bytes.fromhex("45008fbd8701")
        ),
    ),
    (multisig.CHANGE_THRESHOLD.params, "8101", multisig.ChangeThresholdParams(1)),
]


@pytest.mark.parametrize(("element", "raw", "value"), [*DEVNET, *MAINNET])
def test_what_networks_carried_is_read_and_written_back(element: Element[Any], raw: str, value: object) -> None:
    assert element.from_bytes(bytes.fromhex(raw)) == value
    assert element.to_bytes(value).hex() == raw


# The devnet's proposals of deals: a text, an empty label, and one of bytes that is a binary CID; signed with the
# throwaway keys of client1 (f0103) and client2 (f0104).
DEAL_HEAD = "8bd82a5828000181e203922020"
TEXT_DEAL = (
    DEAL_HEAD + "a5416321843fa0657e043099c5abb9a8b6869497f0d4b1fbc446770c5f0371211b0000000200000000f5"
    "55016490d9864b82ecb2c5b4390ccac4221e4654991f4300e807656c6162656c190d2a1a0007f634404040"
)
EMPTY_DEAL = (
    DEAL_HEAD + "af327a6478537246e0d9f0c589986d5f067d2e2351a1ca5a0a4962424da0e4081a40000000f5"
    "55016490d9864b82ecb2c5b4390ccac4221e4654991f4300e80760190c8e1a0007f598404040"
)
BYTES_DEAL = (
    DEAL_HEAD + "f451a61749c611ba0fa0e16c61831db44f38c611dff25879cf271a24c81a88361a80000000f4"
    "55018a3ad93f71ebc17f3e81e27d4a2ddaa0488b08324300e8075824015512200001020304050607"
    "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f190c8e1a0007f598404040"
)
TEXT_SIGNATURE = (
    "374fafba8455f2956ca6d3a08f90248b26fdf640b9f6eedde099e416545fd841"
    "5483269c31755cd5ad032847683db028e0d97386ea3b9e3f72b280bf09388a1600"
)
EMPTY_SIGNATURE = (
    "7a5c2404d572036d4731f85e7a71581a38748a569ca9160f50d730c876c93659"
    "117aa8c45180886f521e4e169f56f3514d725058d8770df169c5355ee972cf3800"
)
BYTES_SIGNATURE = (
    "5c79a4fcc8bb1412228e29018894b3c3a8f7bfd29f361ebdf79c498a4fdaee81"
    "2fa7cb99e243f2436fff90751a3d487cec860c95952a5d4e456f01b3a4559ea700"
)


@pytest.mark.parametrize(
    ("raw", "signature", "label"),
    [
        (TEXT_DEAL, TEXT_SIGNATURE, "label"),
        (EMPTY_DEAL, EMPTY_SIGNATURE, ""),
        (BYTES_DEAL, BYTES_SIGNATURE, bytes.fromhex("01551220") + bytes(range(32))),
    ],
)
def test_a_proposal_is_what_its_client_signed(raw: str, signature: str, label: str | bytes) -> None:
    proposal = market.DealProposal.from_bytes(bytes.fromhex(raw))
    assert proposal.label == label
    assert proposal.label_bytes == (label.encode() if isinstance(label, str) else label)
    assert (proposal.provider, proposal.end_epoch - proposal.start_epoch) == (actor_address(1000), 518410)
    assert proposal.to_bytes().hex() == raw
    signed = Signature(SECP256K1, bytes.fromhex(signature))
    verify(signed, proposal.to_bytes(), signer=proposal.client)
    published = market.PublishStorageDealsParams((market.ClientDealProposal(proposal, signed),))
    assert market.PUBLISH_STORAGE_DEALS.params.from_bytes(published.to_bytes()) == published


# Mainnet, a deal that the actor data's PublishStorageDeals begins with, and its client's signature.
MAINNET_DEAL = (
    "828bd82a5828000181e20392202057b070758efc95406e6d6e485c89626ff55efe3ddb2a04e8941354e709cda8241b0000001000000000f5"
    "5501e90bc76e9cade85eeb319f8cacc40404270698af4500d39d8501783e626166796b627a61636564346f6b70696775746a68626367"
    "36626f78706f75353470736237636a626c627462376f6335796a68636a346e6e6d696a616f771a002d3d9b1a003c9f1b4048004d929b"
    "167a858640584201e2f167f2ce165fada10aff6a1d54e64c9a8a11cbb9ba1cc948f74f0540c7d75977a5e2b04b99d141b74c0b8e3112"
    "e4dab66526d43e48920dd0480f6fcaaf0e5e01"
)


def test_a_deal_of_mainnet_is_read_field_by_field() -> None:
    deal = market.ClientDealProposal.from_bytes(bytes.fromhex(MAINNET_DEAL))
    assert deal.proposal == market.DealProposal(
        piece_cid=parse_cid("baga6ea4seaqfpmdqowhpzfkanzww4sc4rfrg75k67y65wkqe5ckbgvhhbhg2qja"),
        size_bytes=2**36,
        verified=True,
        client=parse_address("f15ef4o3u4vxuf52zrt6gkzraeaqtqngfpz76vfvi"),
        provider=parse_address("f02182867"),
        label="bafykbzaced4okpigutjhbcg6boxpou54psb7cjblbtb7oc5yjhcj4nnmijaow",
        start_epoch=2964891,
        end_epoch=3972891,
        price_per_epoch_attofil=0,
        provider_collateral_attofil=21834768001435014,
        client_collateral_attofil=0,
    )
    verify(deal.client_signature, deal.proposal.to_bytes(), signer=deal.proposal.client)
    assert deal.to_bytes().hex() == MAINNET_DEAL


# Mainnet at 2683348, the first epoch of nv18: the market moved a client's tokens for a deal.
NV18_PAYLOAD = (
    "hhoAHKF4BgVNAG8FtZ07IAAAAAAAAFhNgoGGRADWqXfYKlgoAAGB4gOSICBKxq8wxilsMCvhalmlZIWNbI26TBugLVasm9mGBz8NCBsAAAAIAAAAABoA"
    "F4LAGgAbd0AaACkp04BA"
)


def test_a_provider_of_nv18_is_an_address() -> None:
    tokens = TokensReceived.from_bytes(base64.b64decode(NV18_PAYLOAD))
    assert (tokens.from_id, tokens.to_id, tokens.operator_id) == (1876344, 6, 5)
    (request,) = AllocationRequests.from_bytes(tokens.operator_data).allocations
    assert request == AllocationRequest(
        provider=parse_address("f01955030"),
        data=parse_cid("baga6ea4seaqevrvpgddcs3bqfpqwuwnfmscy23enxjgbxibnk2wjxwmga47q2ca"),
        size_bytes=2**35,
        term_min_epochs=1540800,
        term_max_epochs=1800000,
        expiration_epoch=2697683,
    )
    assert datacap_bytes(tokens.amount_tokens) == request.size_bytes
    assert request.provider_id == 1955030
    assert tokens.operator_data == AllocationRequests((request,)).to_bytes()


def test_a_provider_is_an_id_since_nv19() -> None:
    request = AllocationRequest(1955030, PIECE, 2**35, 1540800, 1800000, 2697683)
    assert AllocationRequest.from_bytes(request.to_bytes()) == request
    assert request.to_bytes().hex().startswith("861a001dd4d6d82a")
    assert request.provider_id == 1955030
    extension = ClaimExtensionRequest(MULTISIG, 3, 5)
    assert ClaimExtensionRequest.from_bytes(extension.to_bytes()).provider_id is None


# Devnet: client2 spends DataCap to extend a claim of client1, seen by the registry's hook.
def test_a_hook_holds_the_tokens_and_what_they_are_for() -> None:
    raw = "821a85223bdf58238618680618684d001bc16d674ec80000000000004d828081831903e8031a004c4b4040"
    params = verifreg.RECEIVE.params.from_bytes(bytes.fromhex(raw))
    assert isinstance(params, UniversalReceiverParams)
    assert params.type_number == FRC46_TOKEN
    tokens = TokensReceived.from_bytes(params.payload)
    assert (tokens.from_id, tokens.to_id, tokens.operator_id) == (104, 6, 104)
    assert datacap_bytes(tokens.amount_tokens) == 2**33
    requests = AllocationRequests.from_bytes(tokens.operator_data)
    assert requests == AllocationRequests(
        allocations=(), extensions=(ClaimExtensionRequest(provider=1000, claim_id=3, term_max_epochs=5_000_000),)
    )
    again = TokensReceived(104, 6, 104, datacap_tokens(2**33), requests.to_bytes(), b"")
    assert UniversalReceiverParams(FRC46_TOKEN, again.to_bytes()).to_bytes().hex() == raw


# Devnet: the removal of 1 TiB from client2, with the consent of both notaries.
REMOVAL = (
    "844200684700010000000000824200645842019201d6e03a8ae332fe015f12e94e2550f951a3d5fac3c540140b28e1bdc558e31484e9bf5a9095"
    "220b4359d88f7eb755b15e7e615a6dec9ce6a95072c92e2fbd0082420065584201dea5c9100d36598be1a873ad717dcc17f5e980c51a36691721"
    "fae171c62210496cc1c6d1a33da8000f21b430f4dea221ffcbdb2bd55d0305d094146982f1c2d201"
)


def test_a_removal_bears_the_consent_of_two_notaries() -> None:
    params = verifreg.RemoveDataCapParams.from_bytes(bytes.fromhex(REMOVAL))
    assert params.to_bytes().hex() == REMOVAL
    proposal = verifreg.RemovalProposal(params.client, params.datacap_bytes, verifreg.RemovalProposalId(0))
    assert proposal.signing_bytes() == b"fil_removedatacap:" + bytes.fromhex("8342006847000100000000008100")
    verify(params.first_request.signature, proposal.signing_bytes(), signer=NOTARY)
    second = parse_address("f1cchokc4urnsqopr2mvdjapbhsqytkytdcef3kma")
    verify(params.second_request.signature, proposal.signing_bytes(), signer=second)


# Devnet: the params of the message that made the multisig.
def test_a_multisig_is_made_by_exec() -> None:
    constructor = multisig.ConstructorParams((NOTARY, CLIENT, OTHER_CLIENT), 2, 0, 0)
    code = parse_cid("bafk2bzacedw4b7bw5yhfzuvdgut4hglzsshhlq2ab4vm7pafmgechgdsqh2uo")
    params = accounts.ExecParams(code, constructor.to_bytes())
    assert params.to_bytes().hex().startswith("82d82a5827000155a0e40220edc0fc36ee0e5cd2a33527c3")
    again = accounts.EXEC.params.from_bytes(params.to_bytes())
    assert multisig.CONSTRUCT.params.from_bytes(again.constructor_params) == constructor


def test_a_proposals_hash_covers_all_of_it() -> None:
    proposal = multisig.Proposal(actor_address(107), SIX, 0, 4, b"\x80")
    others = [
        multisig.Proposal(None, SIX, 0, 4, b"\x80"),
        multisig.Proposal(actor_address(107), FIVE, 0, 4, b"\x80"),
        multisig.Proposal(actor_address(107), SIX, 1, 4, b"\x80"),
        multisig.Proposal(actor_address(107), SIX, 0, 5, b"\x80"),
        multisig.Proposal(actor_address(107), SIX, 0, 4, b""),
    ]
    assert len({one.hash() for one in [proposal, *others]}) == 6
    assert len(proposal.hash()) == 32
    assert proposal.to_bytes().hex() == "8542006b42000640044180"


def test_a_notified_market_gets_the_deals_id() -> None:
    told = miner.Notification(FIVE, UINT.to_bytes(2))
    assert tuple_of(miner.Notification).to_bytes(told).hex() == "824200054102"
    change = sectors.SectorChanges(1002, 5000, (sectors.PieceChange(PIECE, 2**33, told.payload),))
    method = sectors.SECTOR_CONTENT_CHANGED
    assert method.params.from_bytes(method.params.to_bytes((change,))) == (change,)
    assert method.returns.from_bytes(bytes.fromhex("8182f5f4")) == ((True, False),)


def test_sectors_are_terminated_by_a_bit_field() -> None:
    params = miner.TerminateSectorsParams(
        (miner.SectorTermination(deadline=3, partition=0, sectors=bitfield_of([1000, 1001])),)
    )
    assert miner.TERMINATE_SECTORS.params.from_bytes(params.to_bytes()) == params
    assert method_of("miner", 9) is miner.TERMINATE_SECTORS
    assert miner.TERMINATE_SECTORS.returns.from_bytes(b"\x81\xf5").done


# The devnet's actors refused these: an empty address and no amount (ErrSerialization), a method that is gone.
@pytest.mark.parametrize("raw", ["824040", "80", ""])
def test_what_the_registry_refused_is_refused(raw: str) -> None:
    with pytest.raises(ParamsError):
        verifreg.ADD_VERIFIED_CLIENT.params.from_bytes(bytes.fromhex(raw))


def test_a_batch_counts_what_was_asked() -> None:
    assert BatchReturn(3, (BatchFailure(1, 17),)).count == 4
