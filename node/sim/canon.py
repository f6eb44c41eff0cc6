"""The chain that ends at the head: which tipset is at which epoch, in the order of epochs."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from node.sim.blocks import Tipset, TipsetKey


class Canon:
    """The head's chain. The first tipset, a genesis, never goes."""

    def __init__(self, genesis: Tipset) -> None:
        self._tipsets = [genesis]
        self._heights = [genesis.height]

    @property
    def head(self) -> Tipset:
        """The last tipset."""
        return self._tipsets[-1]

    @property
    def genesis(self) -> Tipset:
        """The first tipset."""
        return self._tipsets[0]

    def __len__(self) -> int:
        return len(self._tipsets)

    def __contains__(self, key: TipsetKey) -> bool:
        return any(tipset.key == key for tipset in reversed(self._tipsets))

    def at(self, epoch: int) -> Tipset:
        """The tipset at an epoch, or before it where the epoch is a null round."""
        return self._tipsets[max(bisect_right(self._heights, epoch) - 1, 0)]

    def after(self, epoch: int) -> Tipset | None:
        """The first tipset at an epoch or after it; None beyond the head."""
        position = bisect_left(self._heights, epoch)
        return self._tipsets[position] if position < len(self._tipsets) else None

    def holds(self, tipset: Tipset) -> bool:
        """Whether a tipset is on the chain."""
        return self.at(tipset.height).key == tipset.key

    def child(self, tipset: Tipset) -> Tipset | None:
        """The tipset that follows one of the chain; None for the head."""
        return self.after(tipset.height + 1)

    def between(self, first_epoch: int, last_epoch: int) -> Sequence[Tipset]:
        """The tipsets of a range of epochs, both ends included."""
        return self._tipsets[bisect_left(self._heights, first_epoch) : bisect_right(self._heights, last_epoch)]

    def ancestor(self, depth: int, *, floor: int = 0) -> Tipset:
        """The tipset that many tipsets below the head; the one at position `floor` from the start is the lowest."""
        return self._tipsets[max(len(self._tipsets) - 1 - depth, min(floor, len(self._tipsets) - 1))]

    def replace(self, *, reverted: Sequence[Tipset], applied: Sequence[Tipset]) -> None:
        """Takes tipsets off the end and adds others."""
        if reverted:
            del self._tipsets[-len(reverted) :]
            del self._heights[-len(reverted) :]
        self._tipsets.extend(applied)
        self._heights.extend(tipset.height for tipset in applied)
