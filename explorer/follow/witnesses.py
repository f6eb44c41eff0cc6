"""What other nodes say of a tipset that is to be final.

the same tipset                          agrees     where it disputed before, another node must confirm it
another one, and it is of our chain      disputes
no answer in time                        silent     what it said before stands
another network or genesis               foreign    it has no word in this
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from explorer.follow.forks import key_of
from explorer.index.followed import Key, Link
from node.chain.errors import ChainError, WrongNetwork
from node.chain.protocol import Chain

WITNESS_S = 3.0
"""How long the other nodes have to answer: following waits for them at every head."""

NamedChain = tuple[str, Chain]
"""A node's name, and the chain as it alone tells it."""


class Word(Enum):
    """What a node says."""

    AGREES = auto()
    DISPUTES = auto()
    SILENT = auto()
    FOREIGN = auto()


@dataclass(frozen=True, slots=True)
class Dispute:
    """A node that has another tipset where one is to be final."""

    node: str
    link: Link
    """The tipset that was to be final."""
    detail: str

    @property
    def height(self) -> int:
        """The epoch of the tipset that was to be final."""
        return self.link.height


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one node says; `dispute` where it disputes."""

    node: str
    word: Word
    dispute: Dispute | None = None


async def disputes_of(link: Link, witnesses: Sequence[NamedChain]) -> list[Dispute]:
    """The nodes that have another tipset at the link's height now. One that can't be asked disputes nothing."""
    return [one.dispute for one in await ask_witnesses(link, witnesses) if one.dispute is not None]


async def ask_witnesses(
    link: Link, witnesses: Sequence[NamedChain], *, timeout_s: float = WITNESS_S
) -> list[Testimony]:
    """What each witness says of the link, asked now."""
    return await asyncio.gather(*(_testimony(link, name, chain, timeout_s) for name, chain in witnesses))


async def _testimony(link: Link, name: str, chain: Chain, timeout_s: float) -> Testimony:
    try:
        async with asyncio.timeout(timeout_s):
            dispute = await _dispute(link, name, chain)
    except WrongNetwork:
        return Testimony(name, Word.FOREIGN)
    except (ChainError, TimeoutError):
        return Testimony(name, Word.SILENT)
    return Testimony(name, Word.AGREES if dispute is None else Word.DISPUTES, dispute)


async def _dispute(link: Link, name: str, chain: Chain) -> Dispute | None:
    """How the node disputes. It may have been replaced, so it must be of our chain when it does; WrongNetwork."""
    theirs = await chain.tipset_at(link.height)
    if key_of(theirs.key) == link.key:
        return None
    await chain.identity()
    return Dispute(name, link, f"it has another tipset at {theirs.epoch}")


async def is_settled(
    dispute: Dispute, chain: Chain, others: Sequence[NamedChain], *, timeout_s: float = WITNESS_S
) -> bool:
    """Whether the node of the dispute, asked by `chain`, has the same tipset at its height as ours by now.

    It may be the very node that is followed meanwhile, and agree with itself. So ours is the one that it disputed, or
    the one that the first of the `others` has that is of our chain. Silence settles nothing.
    """
    try:
        async with asyncio.timeout(timeout_s):
            theirs = key_of((await chain.tipset_at(dispute.height)).key)
            return theirs == dispute.link.key or await _is_confirmed(theirs, dispute.height, others)
    except (ChainError, TimeoutError):
        return False


async def _is_confirmed(key: Key, height: int, others: Sequence[NamedChain]) -> bool:
    """Whether the first of our chain has it too, or none is of our chain; ChainError where it can't be asked."""
    for _, chain in others:
        try:
            return key_of((await chain.tipset_at(height)).key) == key
        except WrongNetwork:
            continue
    return True
