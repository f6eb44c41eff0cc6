"""Folder 05: a chain that begins at network version 27, and is upgraded to 28 after epoch 40 and to 29 after 260."""

import base64

from node.actors.market import ADD_BALANCE, PUBLISH_STORAGE_DEALS, ClientDealProposal, DealProposal
from node.actors.market import PublishStorageDealsParams as PublishParams
from node.actors.miner import AllocationKey, Notification, PieceActivation
from node.address import actor_address, parse_address
from node.cid import Cid, parse_cid
from node.message import Message
from node.signing import secret_key_from_bytes, sign
from node.singletons import MARKET
from tests.contract.devnets import Setup, accounts_file
from tests.contract.recorded_calls import RecordedCall, calls_of
from tests.contract.sending import (
    CLIENT_2,
    MINER_OWNER,
    NOTARY,
    NOTARY_2,
    add_verifier,
    announce,
    grant,
    message,
    prove,
    recorded_answer,
)
from tests.contract.stories import Closed, Mined, Named, Opened, Sent, Step, Story

_OWNER = "f3xbk3xzv7mgcfgckkz575s6npsnb5n3g4ccm4htdowzrp3xsjgzra22mwvfpk4izde3zgioedpw5friu4p6fq"
_MULTISIG = "f2souupn5wd5pm3nygx7bz6o6rikr5gsitbk7cq6q"
_SIGNER = "f16vom4bfi5fdvsiqbq6maf3z4m5cifv35vsc3wqi"
_WEBSOCKET = "ws-over-the-upgrade.ndjson"
_PIECES = {
    3: "baga6ea4seaqj3qbcepneey4ee2fawse3fcyaqrsatfersz7w6bmxqu7jhgkt4ia",
    4: "baga6ea4seaqlxaqdbw6cxsv2gkuqx4xca6uevblpyxydhn34jaednk3po72a6gi",
    8: "baga6ea4seaqkfvyg3lk7hlkdh6xfdcaohi2sradzej7vrv4dbkmf3dhfyhducga",
    9: "baga6ea4seaqdh2jfp2m3utp6zpppetqvbeifexsspzirejqn6cyw36f5ihumgka",
}
"""By the ids of their allocations."""
_UNALLOCATED = str(
    Cid(1, 0xF101, 0x1012, bytes.fromhex("a116c9ed46d6207734a43317d30fd88f52ac8634c37d904bbf4e41d865f90435"))
)
_UNSEALED_CODEC, _UNSEALED_HASH = 0xF101, 0x1012
_UNSEALED = {
    1000: "0a36824f086c415f92bbb4005670bc8df0c47bb000f61667ec665e6369ef7f00",
    1001: "69eb8bc442b814fd43c1561f4b024cae07f06218dca97fba9d401fd7c7532324",
    1002: "01c918d519148613777b91de70dc6ffcc60ab5a984624ac666d61637ecf9c42c",
    1003: "305189738d8aab1c245ad0fe98cd21f68cc110f3f041da0b37af023c9829cc3e",
}
"""What the events say of the sectors' data, by sector."""
_EIGHT_GIB = 8 << 30
_STILL_28, _NOW_29 = (256, 257, 258, 259, 260), (261, 262, 263)
_FIRST_AT_HEAD = 51
_CALLS_A_HEAD = 3


def _call(folder: str, number: str) -> RecordedCall:
    return next(one for one in calls_of(folder) if one.number.startswith(number))


def _unsealed(sector: int) -> str:
    return str(Cid(1, _UNSEALED_CODEC, _UNSEALED_HASH, bytes.fromhex(_UNSEALED[sector])))


def _piece(allocation_id: int, *, notify: tuple[Notification, ...] = ()) -> PieceActivation:
    piece = parse_cid(_PIECES[allocation_id])
    return PieceActivation(piece, _EIGHT_GIB, AllocationKey(103, allocation_id), notify)


def _creation() -> Message:
    """The Exec that makes the multisig: the same as in folder 01."""
    shown = _call("01", "233").params[0]["Message"]
    return message(_SIGNER, actor_address(1), 2, base64.b64decode(shown["Params"]), 0)


def _publication() -> Message:
    """Two verified deals of the client, which signed them."""
    client = accounts_file()["client1"]
    key = secret_key_from_bytes(base64.b64decode(client["private_key_b64"]))
    deals = []
    for allocation_id, size in ((8, _EIGHT_GIB), (9, 4 << 30)):
        piece, address = parse_cid(_PIECES[allocation_id]), parse_address(client["address"])
        proposal = DealProposal(piece, size, True, address, actor_address(1000), "label", 3087, 521_497, 0, 0, 0)
        deals.append(ClientDealProposal(proposal, sign(key, proposal.to_bytes())))
    return message(_OWNER, MARKET, PUBLISH_STORAGE_DEALS.numbers[0], PublishParams(tuple(deals)).to_bytes(), 4)


def _deposit() -> Message:
    params = ADD_BALANCE.params.to_bytes(actor_address(1000))
    return message(_OWNER, MARKET, ADD_BALANCE.numbers[0], params, 3, value_attofil=10**18)


def _at_heads() -> dict[tuple[str, str], tuple[Step, ...]]:
    """Three calls at each head around the second upgrade."""
    steps: dict[tuple[str, str], tuple[Step, ...]] = {}
    for position, height in enumerate((*_STILL_28, *_NOW_29)):
        call = calls_of("05")[_FIRST_AT_HEAD + _CALLS_A_HEAD * position]
        opened: tuple[Step, ...] = (Opened(_WEBSOCKET),) if position == 0 else ()
        heights = tuple(range(91, 257)) if position == 0 else (height,)
        steps["05", call.number] = (*opened, Mined(heights))
    return steps


def _named(numbers: tuple[str, ...], first_height: int) -> tuple[Step, ...]:
    """The tipsets whose keys calls ask by."""
    named = []
    for position, number in enumerate(numbers):
        cids = tuple(cid["/"] for cid in _call("05", number).params[-1])
        named.append(Named(first_height + position, cids))
    return tuple(named)


def _onboarding(
    sector: int, heights: tuple[int, int], pieces: tuple[PieceActivation, ...], nonce: int
) -> tuple[Step, ...]:
    announced, proven = heights
    return (
        Sent((announce(_OWNER, sector, _unsealed(sector), announced - 1, nonce),), announced),
        Sent((prove(_OWNER, sector, pieces, nonce + 1),), proven),
    )


def _pieces_after() -> tuple[Step, ...]:
    """What the miner proved after the upgrade: with an old allocation, with none, and with a deal."""
    unallocated = PieceActivation(parse_cid(_UNALLOCATED), _EIGHT_GIB, None, ())
    deal = Notification(MARKET, bytes([2]))
    shown, shown_cid = recorded_answer("05", "235-ChainGetMessage")
    proven_1002 = _call("05", "241").params[1]["/"]
    return (
        Sent((announce(_OWNER, 1001, _unsealed(1001), 323, 5),), 324),
        Sent((shown,), 337, (shown_cid,)),
        Sent((announce(_OWNER, 1002, _unsealed(1002), 339, 7),), 340),
        Sent((prove(_OWNER, 1002, (unallocated,), 8),), 353, (proven_1002,)),
        *_onboarding(1003, (356, 369), (_piece(8, notify=(deal,)),), 9),
    )


STORY = Story(
    folders=("05",),
    setup=Setup(network_version=27, upgrades=((28, 40), (29, 260)), genesis_time_s=1_785_384_588),
    nulls=frozenset({47, 48}),
    renamed={_OWNER: MINER_OWNER},
    steps={
        ("05", "004-StateNetworkVersion"): (Mined(tuple(range(1, 43))),),
        ("05", "005-StateNetworkVersion"): _named(("005", "006", "007"), 39),
        ("05", "013-MpoolGetNonce"): (Sent((add_verifier(NOTARY_2, 1 << 50, 1),), 49),),
        ("05", "018-MpoolGetNonce"): (
            Sent((grant(NOTARY, CLIENT_2, 10 << 40, 1),), 55),
            Sent((_creation(),), 58),
            Sent((add_verifier(_MULTISIG, 1 << 52, 2),), 61),
        ),
        ("05", "028-StateSectorGetInfo"): (
            *_onboarding(1000, (70, 83), (_piece(3),), 1),
            Sent((_deposit(),), 86),
            Sent((_publication(),), 89),
        ),
        **_at_heads(),
        ("05", "075-StateNetworkVersion"): _named(("075", "078", "081", "084", "087"), 258),
        ("05", "091-StateNetworkVersion"): (Closed(_WEBSOCKET),),
        ("05", "234-StateSearchMsg"): _pieces_after(),
        ("05", "295-StateVerifierStatus"): _named(("295",), 255),
    },
)
