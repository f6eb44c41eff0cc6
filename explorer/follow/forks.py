"""Fork choice and plan. Pure: the followed chain and the node's in, what to take back and what to apply out.

followed  … 268 ═ 269 ═ 270 ═ 271                    growth by a second block of the same height, a null round
node's          ╚══════ 270'═ 271'═ 272'             and a reorg are the same: a base, and what stands on it
          base ─┘       └ apply ──┘    take back from 270 on
"""

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.errors import ForkBelowFinal
from explorer.index.followed import Key, Link, is_grown
from node.chain.tipset import TipSet, TipSetKey
from node.cid import cid_from_bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """How to get from the followed chain to another head."""

    base: Link
    """The newest tipset that both have."""
    revert_from: int | None
    """The height from which on followed tipsets are taken back; None: none is."""
    applies: tuple[TipSet, ...]
    """The tipsets above the base, upward."""


def plan_to(links: Sequence[Link], path: Sequence[TipSet]) -> Plan:
    """The plan, from the followed chain's newest tipsets and the node's path upward to its head.

    The first of the path stands on one of the links, or is the head and one of them. ForkBelowFinal where it doesn't.
    """
    by_key = {link.key: link for link in links}
    head = path[-1]
    base = by_key.get(key_of(head.key)) or by_key.get(key_of(path[0].parents))
    if base is None:
        raise ForkBelowFinal(
            f"the node's tipset at {path[0].epoch} stands on none of the followed chain down to {links[-1].height}"
        )
    applies = () if key_of(head.key) == base.key else tuple(path)
    reverted = [link.height for link in links if link.height > base.height]
    return Plan(base, min(reverted, default=None), applies)


def is_heavier(candidate: TipSet, link: Link, parent_weight: int) -> bool:
    """Whether a head's chain is heavier than a followed one; only such a head is taken from a node's mere answer.

    A head weighs what its parents do and its own blocks: the same ones and more of them are heavier.
    """
    if candidate.parent_weight != parent_weight:
        return candidate.parent_weight > parent_weight
    return is_grown(link, Link(candidate.epoch, key_of(candidate.key)))


def key_of(key: TipSetKey) -> Key:
    """A tipset's key as the index keeps it."""
    return tuple(cid.to_bytes() for cid in key.cids)


def key_from(key: Key) -> TipSetKey:
    """A tipset's key as a node knows it."""
    return TipSetKey(tuple(cid_from_bytes(raw) for raw in key))
