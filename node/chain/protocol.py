"""The one way to the chain. Every call may raise any `ChainError`; what is said below is what it means."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from node.address import Address
from node.chain.event_filter import EventFilter
from node.chain.results import (
    Actor,
    ChainMessage,
    ExecutedMessage,
    Finality,
    FinalityLevel,
    InvocationResult,
    MessageLookup,
    NetworkIdentity,
    NodeVersion,
    RejectedRecord,
)
from node.chain.tipset import HeadChange, HeadChanges, StreamGap, TipSet, TipSetKey
from node.cid import Cid
from node.events import ActorEvent
from node.market import Deal
from node.message import Message, SignedMessage
from node.registry import Allocation, Claim


class Chain(Protocol):
    """A chain that can be read, followed and sent messages to.

    `at` pins a read to a tipset; None is the node's head, which may move between two calls. State at a tipset is that
    before its own messages: what a message of height h did is seen at the first tipset above h.

    Iterators hold a connection: use them as `async with aclosing(chain.follow()) as changes`.
    """

    async def identity(self) -> NetworkIdentity:
        """The network's name and genesis."""

    async def node_version(self) -> NodeVersion:
        """What the node says of itself."""

    async def network_version(self, *, at: TipSetKey | None = None) -> int:
        """The network version that holds at the tipset; from 29 on no DataCap is given any more (FIP-0118)."""

    async def head(self) -> TipSet:
        """The node's head."""

    async def finality(self, level: FinalityLevel = "finalized") -> Finality:
        """The newest tipset of that level, and who says so; the genesis on a chain that is too young.

        The node's own tags (/rpc/v2) where it has them, else its older call, else 900 epochs below its head (200 for
        `safe`): what is final by depth alone is what counted before fast finality.
        """

    async def tipset(self, key: TipSetKey) -> TipSet:
        """The tipset of that key; NotFound where the node has none."""

    async def tipset_at(self, epoch: int, *, anchor: TipSetKey | None = None) -> TipSet:
        """The tipset of that epoch, on the chain of `anchor` (None: the head's).

        For a null round it is the one before: compare `epoch`. EpochAboveHead where the anchor lies below.
        """

    async def path(self, start: TipSetKey, end: TipSetKey) -> tuple[HeadChange, ...]:
        """How the head gets from one tipset to another: reverts from the top down, then applies upward.

        NotFound where the node does not hold them.
        """

    def follow(self, events: EventFilter | None = None) -> AsyncGenerator[HeadChanges | ActorEvent | StreamGap, None]:
        """The head's changes, and the events that match, in the order in which one node tells them.

        Never ends by itself: a broken connection is made anew, and a StreamGap says so and from where to read again.
        The same where a node stands still while its own or another's head moves, and where changes don't follow from
        one another. A node tells an event when its message was executed, and again with `reverted` when that is
        undone. Close the iterator when done.
        """

    def head_changes(self) -> AsyncGenerator[HeadChanges | StreamGap, None]:
        """`follow` without events."""

    def actor_event_stream(self, events: EventFilter) -> AsyncGenerator[ActorEvent | StreamGap, None]:
        """`follow` without head changes, by which alone it is noticed that a node stands still."""

    async def actor_events(self, events: EventFilter) -> tuple[ActorEvent, ...]:
        """The events that match, in the chain's order; those of other actors and contracts are left out.

        TooManyEvents and RangeTooWide: ask for a smaller range. A node may hold fewer epochs than it admits to.
        Events of a tipset are there once the tipset after it is.
        """

    async def messages(self, tipset: TipSetKey) -> tuple[ChainMessage, ...]:
        """The messages that the tipset includes, each once, in the order of their execution."""

    async def executed_messages(self, tipset: TipSet) -> tuple[ExecutedMessage, ...]:
        """The messages of the tipset *before* this one, with the receipts that this one holds; implicit ones are
        not among them."""

    async def executed_messages_of(self, tipsets: Sequence[TipSet]) -> tuple[tuple[ExecutedMessage, ...], ...]:
        """`executed_messages` of several tipsets, in as few requests as the node allows."""

    async def deal(self, deal_id: int, *, at: TipSetKey | None = None) -> Deal | None:
        """The deal in the market's state; None where it is not, or no more."""

    def deals(self, *, at: TipSetKey | None = None) -> AsyncGenerator[Deal | RejectedRecord, None]:
        """Every deal in the market's state, as they come; gigabytes, and an hour until the first one.

        Complete when the iterator ends by itself; one that raises has told only a part.
        """

    async def claim(self, provider: Address, claim_id: int, *, at: TipSetKey | None = None) -> Claim | None:
        """The claim of that provider; None where it has none of that id."""

    def claims_of(
        self, provider: Address, *, at: TipSetKey | None = None
    ) -> AsyncGenerator[Claim | RejectedRecord, None]:
        """Every claim of a provider, which can be millions, as `deals`."""

    def claims(self, *, at: TipSetKey | None = None) -> AsyncGenerator[Claim | RejectedRecord, None]:
        """Every claim, as `deals`; over a gateway provider by provider."""

    async def allocation(
        self, client: Address, allocation_id: int, *, at: TipSetKey | None = None
    ) -> Allocation | None:
        """The allocation of that client; None where it has none of that id, or it was claimed."""

    def allocations_of(
        self, client: Address, *, at: TipSetKey | None = None
    ) -> AsyncGenerator[Allocation | RejectedRecord, None]:
        """Every allocation of a client, as `deals`; ActorNotFound for an address that never was on the chain."""

    def allocations(self, *, at: TipSetKey | None = None) -> AsyncGenerator[Allocation | RejectedRecord, None]:
        """Every allocation, as `deals`."""

    async def verifier_datacap_bytes(self, verifier: Address, *, at: TipSetKey | None = None) -> int | None:
        """What a notary may still give; None where the address is none (or has no actor), 0 for one with none left."""

    async def client_datacap_bytes(self, client: Address, *, at: TipSetKey | None = None) -> int | None:
        """What a client may still spend; None where the address never had DataCap (or has no actor)."""

    async def registry_root(self, *, at: TipSetKey | None = None) -> Address:
        """Who adds and removes notaries: an f0 address."""

    async def provider_ids(self, *, at: TipSetKey | None = None) -> tuple[int, ...]:
        """Every miner actor."""

    async def actor(self, address: Address, *, at: TipSetKey | None = None) -> Actor | None:
        """The actor's head; None where there is none."""

    async def actor_id(self, address: Address, *, at: TipSetKey | None = None) -> int | None:
        """The id of the actor with that address; None where there is none. An f0 is not looked up: it is its id."""

    async def account_key(self, address: Address, *, at: TipSetKey | None = None) -> Address:
        """The key's address (f1, f3) of an account; ActorNotFound where there is no actor, NotFound where the actor
        is no account: a multisig, a miner, a contract."""

    async def next_nonce(self, sender: Address) -> int:
        """The nonce that the sender's next message should have, pending ones counted; SenderUnknown without actor."""

    async def estimate_gas(self, message: Message, *, max_fee_attofil: int | None = None) -> Message:
        """The message with gas limit, fee cap and premium filled in, so that the fee is at most `max_fee_attofil`
        (None: the node's own limit).

        RefusedByActor where it would fail now. Everything else of it is what was asked, or it is a GarbledAnswer.
        """

    async def call(self, message: Message, *, at: TipSetKey | None = None) -> InvocationResult:
        """What the message would do on the state of that tipset; its nonce and gas are not looked at."""

    async def push(self, signed: SignedMessage) -> Cid:
        """The CID under which the message is now pending; the same bytes may be pushed any number of times.

        MessageRefused in its kinds where it is not taken. After any other error, a transient one above all, it may
        have been taken all the same.
        """

    async def search_message(
        self, cid: Cid, *, before: TipSetKey | None = None, lookback_epochs: int | None = None
    ) -> MessageLookup | None:
        """Where the message was executed, looking back from `before` (None: the head).

        None means only that it was not found: not yet executed, or further back than the node looks. It is always
        this very message; MessageReplaced where the node names another. NotFound where the node never saw it.
        """

    async def pending_messages(self, *, at: TipSetKey | None = None) -> tuple[SignedMessage, ...]:
        """The messages in the node's mempool."""
