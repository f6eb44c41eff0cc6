"""Changes of the head: what leads from one tipset to another."""

from dataclasses import dataclass
from typing import Literal

from node.sim.blocks import Tipset
from node.sim.store import Store

ChangeType = Literal["current", "apply", "revert"]


@dataclass(frozen=True, slots=True)
class HeadChange:
    """A tipset that became part of the head's chain, or is no longer."""

    kind: ChangeType
    tipset: Tipset


def changes_between(store: Store, start: Tipset, end: Tipset) -> list[HeadChange]:
    """The changes from one tipset to another: reverts from the top down, then applies from below."""
    reverted, applied = [], []
    while start.key != end.key:
        if start.height >= end.height:
            reverted.append(HeadChange("revert", start))
            start = store.parent(start)
        else:
            applied.append(HeadChange("apply", end))
            end = store.parent(end)
    return [*reverted, *reversed(applied)]
