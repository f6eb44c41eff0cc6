"""Folder 07: beyond 900 epochs, claims as they come, a reorganisation, and the gateway."""

from node.actors.miner import AllocationKey, PieceActivation
from node.cid import Cid, parse_cid
from tests.contract.devnets import Setup
from tests.contract.sending import CLIENT, MINER_OWNER, NOTARY, add_verifier, announce, grant, prove
from tests.contract.stories import Closed, Forked, Mined, Named, Opened, Pushed, Sent, Story

_OWNER = "f3w4pckbwe42iatlzcm5xfczyxu3ttjo2uykyvdus5jhgeh45fc2fphcdbtapcrxtqoo5hnnygkaeoiiv465aq"
_HEAD = "bafy2bzacec4ba7lwlbidunl4vllfvwcupd3anogrx5xweqjuzzowcs67bsbi2"
_WEBSOCKET = "ws-autoclaim-events.ndjson"
_SIXTEEN_GIB = 16 << 30
_UNSEALED = {
    1000: Cid(1, 0xF101, 0x1012, bytes.fromhex("f1f391c0413780bff745b349a45ef6c8baf6535ea0abbe0f4444b6bcdc7c4f02")),
    1001: Cid(1, 0xF101, 0x1012, bytes.fromhex("1a91009a35abdcb6a10f1ca8c149c09cef7794a7f5377702580a47ec943c0725")),
}
_PIECES = {
    1000: (4, "baga6ea4seaqgqbvgi47xirehdhgxfmncfhpwc6srtvurujrespgnglznkgqzgoy"),
    1001: (3, "baga6ea4seaqm464ciepvvjq7pgquaufikemdijyn7i5g7rt7fnljoft6t4o7moi"),
}
"""The allocation and the piece of each sector."""


def _piece(sector: int) -> PieceActivation:
    allocation_id, piece = _PIECES[sector]
    return PieceActivation(parse_cid(piece), _SIXTEEN_GIB, AllocationKey(103, allocation_id), ())


STORY = Story(
    folders=("07",),
    setup=Setup(genesis_time_s=1_795_305_643),
    renamed={_OWNER: MINER_OWNER},
    steps={
        ("07", "000-ChainGetFinalizedTipSet"): (Mined(tuple(range(1, 881))),),
        ("07", "001-ChainGetFinalizedTipSet"): (Mined(tuple(range(881, 1001))),),
        ("07", "011-MpoolGetNonce"): (
            Sent((add_verifier(NOTARY, 10 << 50, 0),), 1002),
            Sent((grant(NOTARY, CLIENT, 100 << 40, 0),), 1005),
            Mined((1006,)),
            Opened(_WEBSOCKET),
        ),
        ("07", "015-StateWaitMsg"): (
            Mined((1007, 1008)),
            Pushed(tuple(announce(_OWNER, sector, str(_UNSEALED[sector]), 1009, sector - 999) for sector in _PIECES)),
        ),
        ("07", "016-StateGetClaims"): (
            Sent(tuple(prove(_OWNER, sector, (_piece(sector),), sector - 997) for sector in _PIECES), 1023),
            Closed(_WEBSOCKET),
        ),
        ("07", "017-gw-StateSearchMsg"): (Forked(1020), Mined((1025, 1026, 1027)), Named(1027, (_HEAD,))),
    },
)
