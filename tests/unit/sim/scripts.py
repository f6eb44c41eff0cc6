"""What the recorded drivers did between the calls, and where our answers differ on purpose."""

import re
from dataclasses import dataclass, field
from typing import Any

from node.actors.miner import PRE_COMMIT_SECTOR_BATCH, PreCommitSectorBatchParams, SectorPreCommit
from node.address import actor_address, parse_address
from node.cid import parse_cid
from node.message import Message, parse_message
from tests.unit.sim.replay import Difference, Player, Unseen, grant

NOTARY = "f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy"
CLIENT_2 = "f1ri5nsp3r5pax6pub4j6uulo2ubeiwcbsoyhacca"
_SEALED = parse_cid("bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz")
_UNSEALED_1002 = "baga6ea4seaqgup7xxw2pwv7k7v7l6m5mwk4mtnjcgbtv6gebhc3gyzubcfg66iy"
MINER_OWNER = "f3qn4zozn5xgmyazrd3go6v3ulyhvyt7zidpsnapqjeksrezapndmwl6cgvipnhhgxg4citfymzceieidv4mza"


@dataclass(frozen=True, slots=True)
class Before:
    """What happens before a call. `at`: our tipsets at these epochs stand for recorded ones of those CIDs."""

    unseen: tuple[Unseen, ...] = ()
    sent: int | None = None
    """The call's own answer is a message that the driver sent, executed at this epoch."""
    mine: tuple[int, ...] = ()
    at: dict[str, int] = field(default_factory=dict)


def _announcement(sector: int, nonce: int, unsealed: str | None) -> Message:
    """The PreCommitSectorBatch2 of the recorded devnet's miner."""
    data = None if unsealed is None else parse_cid(unsealed)
    announced = SectorPreCommit(8, sector, _SEALED, 0, (), 619_420, data)
    return Message(
        to=actor_address(1000),
        sender=parse_address(MINER_OWNER),
        nonce=nonce,
        gas_limit=30_000_000,
        gas_fee_cap_attofil=1_000_000,
        gas_premium_attofil=100_000,
        method=PRE_COMMIT_SECTOR_BATCH.numbers[0],
        params=PreCommitSectorBatchParams((announced,)).to_bytes(),
    )


BEFORE: dict[tuple[str, str], Before] = {
    ("01", "194-StateWaitMsg"): Before(
        (Unseen((grant(NOTARY, CLIENT_2, 8 << 40, 18), grant(NOTARY, CLIENT_2, 9 << 40, 19)), 90),)
    ),
    ("02", "073-ChainGetMessage"): Before(sent=160),
    ("02", "075-ChainGetMessage"): Before(sent=173),
    ("02", "091-StateCall"): Before((Unseen((_announcement(1001, 3, None),), 176),)),
    ("02", "170-ChainGetMessage"): Before((Unseen((_announcement(1002, 6, _UNSEALED_1002),), 222),), sent=235),
    ("03", "000-ChainGetTipSetByHeight"): Before(
        mine=(248, *range(252, 262)),
        at={"bafy2bzacebrwqwp443wljvdapyjxvtm3m4ayxyhbhfuppn7nqzosvm6notpv4": 261},
    ),
    ("03", "212-ChainSetHead"): Before(
        mine=(264, 265, 266, 269, 270, 271),
        at={
            "bafy2bzacebv4gybcpct2meiknqsgbln2f4do6wj5mcyieweiojf4mrtzxcl4a": 266,
            "bafy2bzacec5whwhgr57u3fxkx5e635rwaovicv6xix2v2pnaf5kazdq5erdfw": 271,
        },
    ),
    ("03", "215-MpoolGetNonce"): Before(
        mine=(275, 276, 282), at={"bafy2bzacedrwdvpn5oa3tai6q3ejmvzuwhci5zilqy3rjk7p62rd2pk2ptogs": 282}
    ),
    ("03", "221-ChainSetHead"): Before(
        mine=(285,), at={"bafy2bzacedsnw2mqq73zd2i6776gd3yvldj3fiikrw6txtcurxuj5o6zq5n2w": 285}
    ),
}


def prepare(player: Player, folder: str, call: dict[str, Any]) -> None:
    """Has happen what happened before a call."""
    before = BEFORE.get((folder, call["n"]))
    if before is None:
        return
    for unseen in before.unseen:
        player.happen(unseen)
    if before.sent is not None:
        player.happen(Unseen((parse_message(call["response"]["result"]),), before.sent))
    for height in before.mine:
        if height > player.node.chain.head.height:
            player.mine_at(height)
    for recorded, height in before.at.items():
        player.known[recorded] = str(player.node.chain.canon.at(height).key[0])


TRANSPORT = {
    "077-ChainGetNode": "no state tree is stored, so there are no nodes of it",
    "172-unknown-path": "paths are the server's",
    "175-large-request": "the recording shortens the request; `test_envelope` has one",
    "176-health-health-livez": "paths are the server's",
    "177-health-health-readyz": "paths are the server's",
    "208-wrong-token": "tokens are checked before; `test_tokens`",
    "209-garbage-token": "tokens are checked before; `test_tokens`",
    "210-basic-auth": "tokens are checked before; `test_tokens`",
    "211-query-token": "tokens are checked before; `test_tokens`",
}
"""Calls that the dispatcher is not asked, and why."""

DELIBERATE: tuple[tuple[str, str, str], ...] = (
    # Paths of answers (regular expressions), methods ("" for all), and the reason.
    (
        r"GasUsed|GasLimit|GasFeeCap|GasPremium|GasCost|GasCharges|baseFee|gasPrice|Duration",
        "",
        "gas is in round figures",
    ),
    (r"IpldOps", "", "no state tree is read or written"),
    (r"Ticket|ElectionProof|BeaconEntries|BlockSig|ParentWeight|ParentBaseFee", "", "drawn from the seed"),
    (
        r"Cids|Parents|TipSet|tipsetKey|ParentStateRoot|ParentMessageReceipts|\.Messages/",
        "",
        "other blocks, other CIDs",
    ),
    (
        r"InvokedActor\.State\.(Balance|Head|Nonce)|\.Head/CID|result\.Balance",
        "",
        "heads follow the history; fees differ",
    ),
    (
        r"\.State\..*/CID|\.State\.Token\..*/CID",
        "StateReadState",
        "parts of a state are links with nothing behind them",
    ),
    (
        r"(InitialPledge|LockedFunds|VestingFunds|PreCommit|ProvingPeriod|CurrentDeadline|LastCron|FeeDebt)",
        "",
        "no pledge",
    ),
    (r"State\.|Signatur|^\.result\.Data", "StateReadState WalletSign WalletSignMessage", "signatures of RFC 6979"),
    (
        r"CID/CID|Message/CID|MsgCid|msgCid|Cid/CID|\[\]/CID|hash|Hash|Signature",
        "",
        "a message's CID follows its gas or signature",
    ),
    (r"Subcalls", "StateReplay StateCall", "calls of the reward and power actors are left out"),
    (r"Version$", "Version", "it names itself"),
    (r".*", "web3_clientVersion ID NodeStatus SyncState NetPeers", "the node's own"),
    (r".*", "ChainReadObj ChainHasObj ChainGetNode", "only blocks and messages are stored as objects"),
    (r"Params$", "GasEstimateMessageGas WalletSignMessage StateReplay", "BLS signatures within are the chain's own"),
    (r"^\.result/CID", "MpoolPush", "that of a message with the chain's own signatures in it"),
    (r"^\.result$", "GasEstimateGasPremium", "the usual premium, without a node's noise"),
    (r"PeerId", "StateMinerInfo", "miners have no peers"),
    (r".*", "StateMinerSectorCount StateMinerProvingDeadline StateMinerAvailableBalance", "no sectors of a genesis"),
    (r".*", "StateListActors StateCirculatingSupply WalletBalance eth_getBalance", "fees differ"),
    (r"error\.message", "MpoolPush", "fees differ: the balance in the text"),
    (r"error\.message", "GasEstimateMessageGas", "epochs in the text: fewer empty tipsets pass"),
    (r"MsgRct\.EventsRoot/CID|EventsRoot/CID", "", "compared by the events themselves"),
    (
        r"^\.result(\.|$)",
        "eth_getBlockByNumber eth_gasPrice GasEstimateGasLimit eth_getTransactionReceipt",
        "gas, hashes",
    ),
    (r".*", "AuthVerify AuthNew", "the tokens of another node"),
    (r".*", "eth_getTransactionByHash StateGetBeaconEntry", "not simulated; randomness"),
)
"""Every way in which the simulated chain answers otherwise than the recorded node, and why."""


def is_deliberate(method: str, difference: Difference) -> bool:
    """Whether a difference is one of the list."""
    return any(
        re.search(pattern, difference[0]) and (not methods or method in methods.split())
        for pattern, methods, _ in DELIBERATE
    )


FINALITY_HEIGHTS: dict[str, range] = {
    "000-ChainGetFinalizedTipSet": range(1, 881),
    "001-ChainGetFinalizedTipSet": range(881, 1001),
}
"""What folder 07 mines, epoch by epoch, before its calls."""
