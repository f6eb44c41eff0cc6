"""Where the cases are played. Both worlds take the same orders; a recording has carried them out already."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from node.address import Address
from node.chain.tipset import TipSetKey, tipset_key_of
from node.lotus.client import LotusChain
from node.message import Message, SignedMessage

GRANTS = "01-datacap-nv28"
RECORDS = "02-allocations-claims-deals-nv28"
READS = "03-reads-errors-events-nv28"
TWO_MINERS = "08-two-miners-multi-block-tipsets"

PIECE = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
UNKNOWN = tipset_key_of("bafy2bzacedp3nyrhjyeiwo5lrko52nbkuujo63w7pnfc72byc34wlryki5hzc")

Verb = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Fork:
    """A head that was given up, and the one that took its place."""

    old: TipSetKey
    new: TipSetKey


@dataclass(frozen=True, slots=True)
class Story:
    """A message before and after its signing: what is asked about, and what is pushed."""

    message: Message
    signed: SignedMessage


@dataclass(frozen=True, slots=True)
class Rivals:
    """Three messages with the same nonce: the first, one that offers no more, one that offers enough."""

    first: SignedMessage
    as_dear: SignedMessage
    dearer: SignedMessage


class World(Protocol):
    """What a case may order, and what it is told that differs from world to world."""

    def chain(self, folder: str) -> LotusChain:
        """The chain; of recordings that of the folder."""

    async def mine(self, count: int = 1) -> None:
        """Time passes."""

    async def meet(self, address: Address) -> None:
        """The address has an actor."""

    async def add_verifier(self, allowance_bytes: int) -> None:
        """The root makes the notary one, or sets its allowance."""

    async def give(self, datacap_bytes: int) -> None:
        """The notary gives the client DataCap."""

    async def null_rounds(self) -> tuple[int, int]:
        """Three epochs without blocks, then one with: the first null one, and the epoch before it."""

    async def fork(self) -> Fork:
        """The last three epochs are replaced."""

    async def give_up(self) -> None:
        """The head and the two tipsets below it are replaced, with all that they hold."""

    async def tipset_with_a_grant(self) -> tuple[TipSetKey, TipSetKey]:
        """A tipset that includes one grant, and the one after it."""

    async def tipset_of_two_blocks(self) -> TipSetKey:
        """A tipset of two blocks or more."""

    async def empty_tipset(self) -> TipSetKey:
        """A tipset that includes nothing."""

    async def allocate(self) -> int:
        """The client allocates DataCap to a piece: the allocation's id."""

    async def onboard(self, allocation_id: int) -> None:
        """The provider claims it."""

    async def publish_deal(self) -> int:
        """A verified deal's id."""

    async def grant_to_send(self) -> Story:
        """A good grant, which its sender's next nonce fits."""

    async def rivals(self) -> Rivals:
        """Messages for one nonce."""

    async def refused(self, why: str) -> SignedMessage:
        """A message that the mempool doesn't take: `nonce`, `funds`, `signature`, `sender`, `gas`."""

    async def grant_by_a_stranger(self) -> Message:
        """A grant that the registry refuses."""
