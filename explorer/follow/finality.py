"""What is final: the node's own word where it can be believed, and never of the newest epochs.

head ── 30 epochs: never ── the node's finalized tag, or 900 epochs ── final, if it is ours and nobody disputes
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.follow.forks import key_of
from explorer.index.followed import Link
from node.chain.errors import ChainError, WrongNetwork
from node.chain.protocol import Chain
from node.chain.tipset import TipSet

LEAST_DEPTH_EPOCHS = 30
"""At a healthy chain's 5 blocks an epoch a reorg of this depth has a chance of 2⁻³⁰ (FRC-0089)."""

WITNESS_S = 3.0
"""How long the other nodes have to answer: following waits for them at every head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a node holds to be final and safe, on the chain of one head."""

    final: Link
    safe: Link
    source: str
    """`v2_tag`, `v1_call` or `depth`: whose word the final one is."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A node that has another tipset where one is to be final."""

    node: str
    height: int
    detail: str


async def settled_below(chain: Chain, head: TipSet) -> Settled:
    """What is final and safe below a head, by the node's word."""
    finalized, safe = await chain.finality("finalized"), await chain.finality("safe")
    return Settled(
        final=await _not_above(chain, finalized.tipset, head),
        safe=await _not_above(chain, safe.tipset, head),
        source=finalized.source,
    )


async def _not_above(chain: Chain, tipset: TipSet, head: TipSet) -> Link:
    """The tipset, or the one LEAST_DEPTH_EPOCHS below the head where it is newer than that."""
    highest = max(head.epoch - LEAST_DEPTH_EPOCHS, 0)
    if tipset.epoch > highest:
        tipset = await chain.tipset_at(highest, anchor=head.key)
    return Link(tipset.epoch, key_of(tipset.key))


async def disputes_of(
    link: Link, witnesses: Sequence[tuple[str, Chain]], *, before: Sequence[Dispute] = (), timeout_s: float = WITNESS_S
) -> list[Dispute]:
    """The nodes that have another tipset at the link's height.

    One that can't be asked disputes nothing, or what it did `before`: silence settles no dispute. One that turns out to
    be of another network has no word in this.
    """
    known = {dispute.node: dispute for dispute in before}
    asked = (_dispute_of(link, name, chain, known.get(name), timeout_s) for name, chain in witnesses)
    return [dispute for dispute in await asyncio.gather(*asked) if dispute is not None]


async def _dispute_of(link: Link, name: str, chain: Chain, before: Dispute | None, timeout_s: float) -> Dispute | None:
    try:
        async with asyncio.timeout(timeout_s):
            theirs = await chain.tipset_at(link.height)
    except WrongNetwork:
        return None
    except (ChainError, TimeoutError):
        return before
    if key_of(theirs.key) == link.key:
        return None
    return Dispute(name, link.height, f"it has another tipset at {theirs.epoch}")
