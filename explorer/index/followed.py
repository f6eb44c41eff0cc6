"""What following covers. Pure: from where the whole state was read, and which heights' events are known since.

start                    anchor E            hole        head
  |---- events known ------|-------------------|  |--------|
                           |== covers [E, hole's first] ==|
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.verdict.coverage import Span
from explorer.verdict.records import RecordKind

SOURCE = "following"
FORMER_SOURCE = "followed before"

Key = tuple[bytes, ...]
"""The CIDs of a tipset's blocks, in its order."""


@dataclass(frozen=True, slots=True)
class Link:
    """A tipset of the followed chain."""

    height: int
    key: Key


@dataclass(frozen=True, slots=True)
class Hole:
    """Heights, both ends included, whose events of a kind are not known."""

    kind: RecordKind
    from_height: int
    through_height: int
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """How the followed head got to where it is.

    apply    … 268 ═ 269 ─► 270           onto the head that was
    grow     … 268 ═ 269 ─► 269' ─► …     the head got more blocks of its own height; none was lost
    reorg    … 268 ═ 269 ─► 268' ─► …     tipsets of another chain, or none, in place of `depth` of them
    """

    change: Literal["apply", "grow", "reorg"]
    depth: int
    """How many tipsets were taken back."""


def move_of(links: Sequence[Link], revert_from: int | None, applied: Sequence[Link]) -> Move:
    """What it is to take `links`, from the top down, back from a height on, and to apply others upward."""
    if revert_from is None:
        return Move("apply", 0)
    reverted = [link for link in links if link.height >= revert_from]
    if len(reverted) == 1 and applied and is_grown(reverted[0], applied[0]):
        return Move("grow", 1)
    return Move("reorg", len(reverted))


def is_grown(before: Link, after: Link) -> bool:
    """Whether a tipset got more blocks of its own height."""
    return before.height == after.height and set(before.key) < set(after.key)


def without(hole: Hole, first: int, last: int) -> tuple[Hole, ...]:
    """What is left of a hole when the events of heights from `first` through `last` are known."""
    left = (
        (hole.from_height, min(hole.through_height, first - 1)),
        (max(hole.from_height, last + 1), hole.through_height),
    )
    if last < hole.from_height or hole.through_height < first:
        return (hole,)
    return tuple(Hole(hole.kind, low, high, hole.reason) for low, high in left if low <= high)


def followed_spans(
    kind: RecordKind, anchors: Iterable[int], *, start: int, head: int, holes: Sequence[Hole]
) -> tuple[Span, ...]:
    """The epochs at which every record of a kind is known, from its anchors: the epochs of a whole state.

    The events of height h make the state of h + 1 from that of h, so a hole at h ends what is covered with h itself.
    """
    ordered = sorted(anchors)
    spans = []
    for first, last in _known(start, head, [hole for hole in holes if hole.kind == kind]):
        begin = next((anchor for anchor in ordered if first <= anchor <= last + 1), None)
        if begin is not None:
            spans.append(Span(kind=kind, from_epoch=begin, through_epoch=last + 1, source=SOURCE))
    return tuple(spans)


def _known(start: int, head: int, holes: Sequence[Hole]) -> Iterable[tuple[int, int]]:
    """The stretches of heights below the head whose events are known; an empty one where nothing has happened yet."""
    first = start
    for hole in sorted(holes, key=lambda hole: hole.from_height):
        if hole.from_height >= head:
            break
        if first <= hole.from_height:
            yield first, hole.from_height - 1
        first = max(first, hole.through_height + 1)
    if first <= head:
        yield first, head - 1
