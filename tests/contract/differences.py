"""Every way in which the simulated chain answers otherwise than the recorded node, and why: the one list."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.contract.comparison import ABSENT, Difference
from tests.contract.translation import Translation


@dataclass(frozen=True, slots=True)
class Deliberate:
    """A difference on purpose. `paths`: regular expression for the whole path of an answer; `methods`: none for all.

    `renamed`: another name of the same thing. Wherever the recorded one comes again, ours has to come again.
    """

    paths: str
    reason: str
    methods: tuple[str, ...] = ()
    renamed: bool = False
    any_kind: bool = False
    """The values may be of different kinds, or one may not be there: else only the value differs, not the shape."""
    masked: str = ""
    """The texts are the same but for what this regular expression finds in them."""
    foreign: bool = False
    """Only where a recorded sender's key is not known: its messages are another's."""


_TRACED = ("StateReplay", "StateCall")
_ACTORS_SHOWN = (*_TRACED, "StateGetActor", "StateReadState")
_LINKED_PARTS = (
    r"\.result\.State\.(Verifiers|RemoveDataCapProposalIDs|Allocations|Claims|Token\.(Balances|Allowances)|Proposals|"
    r"States|PendingProposals|EscrowTable|LockedTable|DealOpsByEpoch|PendingDealAllocationIds|ProviderSectors|Info|"
    r"PreCommittedSectors|PreCommittedSectorsCleanUp|AllocatedSectors|Sectors|Deadlines|VestingFunds\.Tail|PendingTxns"
    r")/CID"
)

_FOREIGN = tuple(
    Deliberate(paths, "a sender whose key is not known is another", methods, renamed=True, foreign=True)
    for paths, methods in (
        (r"\.result\.Message\.CID/CID", ("WalletSignMessage",)),
        (r"\.result(\.Msg)?\.CID/CID", ("StateCall", "StateReplay", "ChainGetMessage")),
    )
)
_NO_PROVING = (
    r"\.result\.State\.(CurrentDeadline|InitialPledge|LockedFunds|PreCommitDeposits|ProvingPeriodStart|"
    r"VestingFunds\.Head\.(Amount|Epoch))"
)
DELIBERATE: tuple[Deliberate, ...] = (
    Deliberate(r".*\.(GasUsed|GasLimit|GasFeeCap|GasPremium|Duration)", "gas is in round figures"),
    Deliberate(r".*\.(GasCost|GasCharges)\b.*", "gas is in round figures"),
    Deliberate(
        r".*\.(baseFeePerGas|gasUsed|effectiveGasPrice|maxFeePerGas|maxPriorityFeePerGas|gas)",
        "gas is in round figures",
    ),
    Deliberate(r"\.result", "gas is in round figures", ("eth_gasPrice", "GasEstimateGasLimit", "GasEstimateFeeCap")),
    Deliberate(r"\.result", "the usual premium, without a node's noise", ("GasEstimateGasPremium",)),
    Deliberate(r"\.result\.CID/CID", "the CID of a message with other gas", ("GasEstimateMessageGas",)),
    Deliberate(r".*\.IpldOps", "no state tree is read or written", _TRACED, any_kind=True),
    Deliberate(
        r".*\.(Ticket|ElectionProof)\.VRFProof|.*\.WinCount|.*\.BeaconEntries\[\]\.(Data|Round)|"
        r".*\.(BlockSig|BLSAggregate)\.Data|.*\.(ParentWeight|ParentBaseFee)",
        "drawn from the seed; the base fee follows from the gas",
    ),
    Deliberate(r"\.params\[\]\[\]\.Val\.Cids\[\]/CID", "which block of a tipset comes first is drawn", ("websocket",)),
    Deliberate(r".*\b(Cids|Parents|TipSet|tipsetKey)\[\]/CID", "other blocks", renamed=True),
    Deliberate(r".*\.Blocks\[\]\.Miner", "which miner's block is the first of a tipset is drawn"),
    Deliberate(r".*\.(ParentStateRoot|ParentMessageReceipts|Messages)/CID", "other blocks", renamed=True),
    Deliberate(
        r"(.*\.State|\.result)\.Head/CID", "what stands for an actor's state is no root of a tree", _ACTORS_SHOWN
    ),
    Deliberate(r"(.*\.State|\.result)\.Balance", "fees and pledges differ", _ACTORS_SHOWN),
    Deliberate(_LINKED_PARTS, "parts of a state are links with nothing behind them", ("StateReadState",)),
    Deliberate(
        r"\.result\.(Signature\.)?Data", "nonces of signatures follow RFC 6979", ("WalletSign", "WalletSignMessage")
    ),
    Deliberate(r"\.result\.CID/CID", "the CID follows the signature", ("WalletSignMessage",)),
    Deliberate(r"\.result", "fees differ", ("WalletBalance",)),
    Deliberate(r"\.result(\.Version)?", "it names itself", ("Version", "web3_clientVersion")),
    *_FOREIGN,
    Deliberate(r".*\.(msgCid|Cid|MsgCid)/CID", "messages that no call shows are rebuilt with other gas", renamed=True),
    Deliberate(
        r"\.result(\.Message)?\.CID/CID",
        "signed by the node itself, with its own gas",
        ("MpoolPushMessage",),
        renamed=True,
    ),
    Deliberate(r"\.result\.Signature\.Data", "signed by the node itself", ("MpoolPushMessage",)),
    Deliberate(_NO_PROVING, "nothing is pledged, vested or proven", ("StateReadState",)),
    Deliberate(r"\.result\.State\.LastCron", "no cron of the market is counted", ("StateReadState",)),
    Deliberate(r"\.result\.InitialPledge", "nothing is pledged", ("StateSectorGetInfo",)),
    Deliberate(r"\.result", "nothing is pledged", ("StateMinerAvailableBalance",)),
    Deliberate(r"\.result\.(Active|Live)", "the genesis has no sectors", ("StateMinerSectorCount",)),
    Deliberate(
        r"\.result\.(Challenge|Close|FaultCutoff|Index|Open|PeriodStart)",
        "nothing is proven: the period begins with the chain",
        ("StateMinerProvingDeadline",),
    ),
    Deliberate(r"\.result\.PeerId", "miners have no peers", ("StateMinerInfo",), any_kind=True),
    Deliberate(r"\.result(\[\])?", "the node's own", ("ID", "NetPeers")),
    Deliberate(r"\.result\.(ActiveSyncs\.length|VMApplied)", "it has nobody to sync with", ("SyncState",)),
    Deliberate(r"\.result\.SyncStatus\.Behind", "it has no clock to be behind of", ("NodeStatus",)),
    Deliberate(r"\.result\.Data", "drawn from the seed", ("StateGetBeaconEntry",)),
    Deliberate(r"\.error|\.result", "only blocks and messages are stored as objects", ("ChainReadObj",), any_kind=True),
    Deliberate(r"\.result", "only blocks and messages are stored as objects", ("ChainHasObj",)),
    Deliberate(
        r"\.error\.message", "fees differ: the balance in the text", ("MpoolPush",), masked=r"balance: [\d.]+ FIL"
    ),
    Deliberate(r"\.error\.message/CID", "the CID of a key that no tipset has", ("GetActorEventsRaw",), renamed=True),
    Deliberate(
        r".*\.(SecpkMessages\[\]|\[\]|params\[\]\.Message)\.Message\.CID/CID|.*\.SecpkMessages\[\]\.CID/CID|"
        r"\.result\[\]\.Message\.CID/CID|\.params\[\]\.Message\.CID/CID",
        "messages that no call shows are rebuilt with other gas",
        renamed=True,
    ),
    Deliberate(
        r"\.result\.SecpkMessages\[\]\.Signature\.Data|\.params\[\]\.Message\.Signature\.Data",
        "messages that no call shows are signed anew",
        ("ChainGetBlockMessages", "websocket"),
    ),
    Deliberate(
        r"\.params\.logsBloom",
        "a node's empty filter is full from the first block with transactions on that it has shown",
        ("websocket",),
    ),
    Deliberate(r"\.meta", "where a node's tracing began", ("websocket",), any_kind=True),
    Deliberate(r"\.result\[\]/CID", "some were signed by the node itself", ("StateListMessages",), renamed=True),
    Deliberate(r".*\.(hash|parentHash|blockHash|transactionHash)", "hashes of other blocks and messages", renamed=True),
)
"""In the order in which they are looked up: the first that fits decides."""


LEFT_OUT_CALLEES = {
    "f02": "the reward actor is asked for nothing",
    "f04": "the power actor is told of nothing: no power is counted",
}
"""Calls to these are no part of our traces."""


def without_left_out_calls(value: Any) -> Any:
    """A recorded answer without the calls in its traces that ours do not make."""
    if isinstance(value, list):
        return [without_left_out_calls(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: without_left_out_calls(item) for key, item in value.items()}
    if isinstance(found.get("Subcalls"), list):
        kept = [one for one in found["Subcalls"] if one["Msg"]["To"] not in LEFT_OUT_CALLEES]
        found["Subcalls"] = kept or None
    return found


def _of_one_kind(one: Difference) -> bool:
    return type(one.recorded) is type(one.ours)


@dataclass(slots=True)
class Judge:
    """Tells the differences that the list holds from the others, and keeps the names of what is the same."""

    names: Translation
    foreign: bool = False
    """Whether a sender's key is not known."""
    used: set[Deliberate] = field(default_factory=set)

    def unexplained(self, found: Iterable[Difference], method: str) -> list[Difference]:
        """The differences that the list does not hold."""
        return [one for one in found if not self._is_deliberate(one, method)]

    def _is_deliberate(self, one: Difference, method: str) -> bool:
        for entry in DELIBERATE:
            if self._fits(entry, one, method):
                self.used.add(entry)
                return self._holds(entry, one)
        return False

    def _holds(self, entry: Deliberate, one: Difference) -> bool:
        if not entry.any_kind and (ABSENT in {str(one.recorded), str(one.ours)} or not _of_one_kind(one)):
            return False
        if entry.renamed:
            return self.names.name(one.recorded, one.ours)
        return not entry.masked or re.sub(entry.masked, "", one.recorded) == re.sub(entry.masked, "", one.ours)

    def _fits(self, entry: Deliberate, one: Difference, method: str) -> bool:
        if entry.foreign and not self.foreign:
            return False
        return (not entry.methods or method in entry.methods) and re.fullmatch(entry.paths, one.path) is not None
