"""What is final: the node's own word where it can be believed, and never of the newest epochs.

head ── 30 epochs: never ── the node's finalized tag, or 900 epochs ── final, if it is ours and nobody disputes
"""

from dataclasses import dataclass

from explorer.follow.forks import key_of
from explorer.index.followed import Link
from node.chain.protocol import Chain
from node.chain.tipset import TipSet

LEAST_DEPTH_EPOCHS = 30
"""At a healthy chain's 5 blocks an epoch a reorg of this depth has a chance of 2⁻³⁰ (FRC-0089)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a node holds to be final and safe, on the chain of one head."""

    final: Link
    safe: Link
    source: str
    """`v2_tag`, `v1_call` or `depth`: whose word the final one is."""


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
