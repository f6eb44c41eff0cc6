"""What a `Chain` answers beyond tipsets and events. Epochs are heights, amounts name their unit."""

from dataclasses import dataclass
from typing import Literal

from node.address import Address
from node.chain.tipset import TipSet, TipSetKey
from node.cid import Cid
from node.message import Message
from node.receipt import Receipt


@dataclass(frozen=True, slots=True)
class NetworkIdentity:
    """Which network a node is of. Two networks may share a name, never a genesis."""

    name: str
    """As the node calls it: `mainnet`, `calibrationnet`, or anything for a devnet."""
    genesis_cid: Cid
    genesis_time: int
    """Unix seconds of epoch 0."""


@dataclass(frozen=True, slots=True)
class NodeVersion:
    """What a node says of itself."""

    text: str
    """For example `v1.36.2-dev+mainnet+git.b835fab70`."""
    agent: str | None
    block_delay_s: int


FinalityLevel = Literal["safe", "finalized"]
FinalitySource = Literal["v2_tag", "v1_call", "depth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finality:
    """A tipset that a node will not, or hardly, go back behind, and whose word that is."""

    level: FinalityLevel
    source: FinalitySource
    """`v2_tag`, `v1_call`: the node's own word, which knows fast finality. `depth`: counted below the head."""
    tipset: TipSet


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor's head."""

    code_cid: Cid
    nonce: int
    """Of the messages that were executed; pending ones are not counted: see `Chain.next_nonce`."""
    balance_attofil: int
    delegated_address: Address | None


@dataclass(frozen=True, slots=True)
class ChainMessage:
    """A message in a tipset, in the order of its execution. `cid` is the one under which the block lists it."""

    cid: Cid
    message: Message


@dataclass(frozen=True, slots=True)
class ExecutedMessage:
    """A message and what became of it."""

    cid: Cid
    message: Message
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class MessageLookup:
    """Where a message was executed: a tipset after the one that included it."""

    message_cid: Cid
    receipt: Receipt
    tipset: TipSetKey
    epoch: int


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """What a message would do. Nothing is changed by having asked."""

    receipt: Receipt
    error: str
    """The virtual machine's own words where the exit code is not 0, else empty."""


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A deal, claim or allocation of the state that cannot be taken, as anybody can put odd ones there."""

    key: str
    """Its id, as the node printed it."""
    reason: str
    """A short, stable, snake_case word for counting, as in `RecordError`."""
    detail: str
