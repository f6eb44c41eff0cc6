"""Folders 01, 02 and 03: one chain, one miner, network version 28."""

from node.actors.miner import PRE_COMMIT_SECTOR_BATCH, PreCommitSectorBatchParams, SectorPreCommit
from node.address import actor_address
from node.cid import parse_cid
from node.message import Message
from tests.contract.sending import CLIENT, CLIENT_2, MINER_OWNER, NOTARY, allocate, grant, message, recorded_answer
from tests.contract.stories import Closed, Mined, Named, Opened, Sent, Story

_SEALED = parse_cid("bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz")
_UNSEALED_1002 = "baga6ea4seaqgup7xxw2pwv7k7v7l6m5mwk4mtnjcgbtv6gebhc3gyzubcfg66iy"

_NOTIFIED = "ws-chainnotify.ndjson"
_REORGANISED = "ws-reorg-with-message.ndjson"
_EVENTS = "ws-actor-events.ndjson"
_MEMPOOL = "ws-mpoolsub-ethsub.ndjson"
_ANY_CALLS = "ws-rpc.ndjson"
_PIECE_11 = "baga6ea4seaqn3rxcwisnb7mcczusaisyhbutn7e44kez4ik65rrsfok7rxmw2kq"


def _announcement(sector: int, nonce: int, unsealed: str | None) -> Message:
    """The PreCommitSectorBatch2 of the recorded devnet's miner."""
    data = None if unsealed is None else parse_cid(unsealed)
    announced = SectorPreCommit(8, sector, _SEALED, 0, (), 619_420, data)
    params = PreCommitSectorBatchParams((announced,)).to_bytes()
    return message(MINER_OWNER, actor_address(1000), PRE_COMMIT_SECTOR_BATCH.numbers[0], params, nonce)


def _answered(number: str, height: int) -> Sent:
    """The message that a ChainGetMessage of folder 02 answers, executed at an epoch."""
    shown, cid = recorded_answer("02", number)
    return Sent((shown,), height, (cid,))


STORY = Story(
    folders=("01", "02", "03"),
    nulls=frozenset({249, 250, 251}),
    steps={
        ("01", "194-StateWaitMsg"): (
            Sent((grant(NOTARY, CLIENT_2, 8 << 40, 18), grant(NOTARY, CLIENT_2, 9 << 40, 19)), 90),
        ),
        ("02", "044-MpoolGetNonce"): (Mined((141,)),),
        ("02", "073-ChainGetMessage"): (_answered("073-ChainGetMessage", 160),),
        ("02", "075-ChainGetMessage"): (_answered("075-ChainGetMessage", 173),),
        ("02", "091-StateCall"): (Sent((_announcement(1001, 3, None),), 176),),
        ("02", "170-ChainGetMessage"): (
            Sent((_announcement(1002, 6, _UNSEALED_1002),), 222),
            _answered("170-ChainGetMessage", 235),
        ),
        ("03", "000-ChainGetTipSetByHeight"): (
            Mined((247, 248, *range(252, 262))),
            Named(261, ("bafy2bzacebrwqwp443wljvdapyjxvtm3m4ayxyhbhfuppn7nqzosvm6notpv4",)),
        ),
        ("03", "178-ChainHead"): (Mined((262,)),),
        ("03", "212-ChainSetHead"): (
            Mined((263,)),
            Opened(_NOTIFIED),
            Mined((264, 265, 266, 269, 270, 271)),
            Named(266, ("bafy2bzacebv4gybcpct2meiknqsgbln2f4do6wj5mcyieweiojf4mrtzxcl4a",)),
            Named(271, ("bafy2bzacec5whwhgr57u3fxkx5e635rwaovicv6xix2v2pnaf5kazdq5erdfw",)),
        ),
        ("03", "215-MpoolGetNonce"): (
            Mined((275, 276, 277, 278)),
            Closed(_NOTIFIED),
            Mined((279, 280, 281, 282)),
            Named(282, ("bafy2bzacedrwdvpn5oa3tai6q3ejmvzuwhci5zilqy3rjk7p62rd2pk2ptogs",)),
            Opened(_REORGANISED),
        ),
        ("03", "221-ChainSetHead"): (Named(285, ("bafy2bzacedsnw2mqq73zd2i6776gd3yvldj3fiikrw6txtcurxuj5o6zq5n2w",)),),
        ("03", "230-StateWaitMsg"): (Mined((289, 290)),),
        ("03", "232-ChainNotify"): (
            Mined((291, 292, 293, 294)),
            Closed(_REORGANISED),
            Opened(_EVENTS),
            Sent((grant(NOTARY, CLIENT_2, 14 << 40, 24),), 296),
            Sent((allocate(CLIENT, ((_PIECE_11, 32 << 30, 100_297),), 17),), 299),
            Closed(_EVENTS),
            Mined(tuple(range(300, 307))),
            Opened(_ANY_CALLS),
            Closed(_ANY_CALLS),
            Mined(tuple(range(307, 313))),
            Opened(_MEMPOOL),
            Sent((grant(NOTARY, CLIENT_2, 15 << 40, 25),), 314),
            Mined((315, 316, 317, 318)),
            Closed(_MEMPOOL),
        ),
    },
)
