"""Tipsets: the blocks of one epoch, and how the head moves from one to another."""

from dataclasses import dataclass
from typing import Literal

from node.cid import Cid, parse_cid

HeadChangeKind = Literal["current", "apply", "revert"]


@dataclass(frozen=True, slots=True)
class TipSetKey:
    """What names a tipset: the CIDs of its blocks, in the tipset's own order. Another order is another key."""

    cids: tuple[Cid, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The CIDs as text, as `ActorEvent.tipset_key` has them."""
        return tuple(cid.to_text() for cid in self.cids)

    def __str__(self) -> str:
        return ",".join(self.texts)


def tipset_key_of(*texts: str) -> TipSetKey:
    """The key of block CIDs as text; CidError where one is none."""
    return TipSetKey(tuple(parse_cid(text) for text in texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class TipSet:
    """The blocks of one epoch. State read at it is that *before* its messages: of its parents' messages, executed."""

    key: TipSetKey
    epoch: int
    parents: TipSetKey
    """The tipset before; where epochs lie between the two, they are null rounds."""
    timestamp: int
    """Unix seconds at which the epoch began."""
    parent_weight: int
    """Of two heads the one with the greater weight is followed."""
    parent_state_root: Cid
    parent_base_fee_attofil: int
    miner_ids: tuple[int, ...]
    """Who made each block."""


@dataclass(frozen=True, slots=True)
class HeadChange:
    """One step of the head. `current` comes first on every connection and says where the head is."""

    kind: HeadChangeKind
    tipset: TipSet


@dataclass(frozen=True, slots=True)
class HeadChanges:
    """Steps that belong together, in order: all reverts (from the top down), then all applies (upward).

        revert 271 ─► revert 270 ─► revert 269          the head is now what 269 stood on
        revert 15 (one block) ─► apply 15 (two blocks)  a tipset grew

    `node` is the one that said so.
    """

    changes: tuple[HeadChange, ...]
    node: str


@dataclass(frozen=True, slots=True)
class StreamGap:
    """The stream was interrupted: anything may have happened in between. What was followed must be read again.

    After it, a stream of head changes goes on with a `current`; a stream of events with what happens from now on.
    `Chain.path` from `last_head` to that `current` is what was missed of the head. Of the events, those that the
    messages of `last_head.parents` and of every tipset above made, as a node tells them after the head's change.

        last_head ═══ 270 ═ 271 ✂                     path: revert 271, apply 271', apply 272'
                        ╚══ 271' ═ 272' current
    """

    node: str
    reason: str
    last_head: TipSet | None = None
    """Where the head was when the stream broke; None where it was never told, or not known any more."""
