"""Where the head of one node has been: which change may come next, and where a follower stood when a stream broke."""

from collections import deque
from collections.abc import Sequence

from node.chain.errors import GarbledAnswer
from node.chain.tipset import HeadChange, TipSet, TipSetKey

_REMEMBERED = 1000
"""Tipsets; beyond finality nothing is reverted."""


class Trail:
    """The tipsets below the head, as far as they were told.

    current 270 ─► apply 271 ─► apply 272 ─► revert 272 ─► revert 271 ─► apply 271'
    [270]          [270, 271]   [… 272]      [270, 271]    [270]         [270, 271']
    """

    def __init__(self) -> None:
        self._tipsets: deque[TipSet] = deque(maxlen=_REMEMBERED)
        self._key: TipSetKey | None = None

    @property
    def head(self) -> TipSet | None:
        """The head; None before the first change, and below everything that was told."""
        return self._tipsets[-1] if self._tipsets else None

    def take(self, changes: Sequence[HeadChange]) -> None:
        """Moves along; GarbledAnswer for a change that doesn't follow from the one before: something was not told."""
        for change in changes:
            if change.kind == "current":
                self._tipsets.clear()
                self._tipsets.append(change.tipset)
                self._key = change.tipset.key
            elif change.kind == "apply":
                self._apply(change.tipset)
            else:
                self._revert(change.tipset)

    def _apply(self, tipset: TipSet) -> None:
        if self._key != tipset.parents:
            raise GarbledAnswer(f"the tipset at {tipset.epoch} is applied to a head that is not its parent")
        self._tipsets.append(tipset)
        self._key = tipset.key

    def _revert(self, tipset: TipSet) -> None:
        if self._key != tipset.key:
            raise GarbledAnswer(f"the tipset at {tipset.epoch} is reverted, which is not the head")
        if self._tipsets:
            self._tipsets.pop()
        self._key = tipset.parents


def check_path(changes: Sequence[HeadChange], start: TipSetKey, end: TipSetKey) -> None:
    """Returns where the changes lead from one tipset to the other, and raises GarbledAnswer where they don't."""
    at = start
    for change in changes:
        tipset = change.tipset
        before, after = (tipset.parents, tipset.key) if change.kind == "apply" else (tipset.key, tipset.parents)
        if change.kind == "current" or at != before:
            raise GarbledAnswer(f"a path with a {change.kind} of {tipset.epoch} in it that leads nowhere")
        at = after
    if at != end:
        raise GarbledAnswer(f"a path to {at}, asked for one to {end}")
