"""What is heard of a node's head, by its stream or by asking, and since when that goes wrong.

head told ─► heard_s, head                                      well
error, or a head far behind the one told before ─► error, since  ill until the next head that is not
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from node.chain.errors import ChainError, WrongNetwork
from node.chain.tipset import TipSet

BEHIND_EPOCHS = 3
"""So far nodes behind a load balancer may differ; a head that goes back further without a word is one that is stale."""


@dataclass(slots=True)
class Ailment:
    """What is wrong, in words, and since when; nothing while `error` is None."""

    clock: Callable[[], float]
    error: str | None = None
    since: float | None = None

    def begins(self, error: str) -> None:
        """Notes what is wrong now. It is one ailment, however its words change."""
        self.error = error
        self.since = self.clock() if self.since is None else self.since

    def ends(self) -> None:
        """Notes that nothing is wrong."""
        self.error = self.since = None


@dataclass(slots=True)
class Hearing:
    """The head of one node, as it was last told."""

    clock: Callable[[], float]
    head: TipSet | None = None
    """The heaviest one since the node last said that it reverted."""
    heard_at: float | None = None
    ailment: Ailment = field(init=False)

    def __post_init__(self) -> None:
        self.ailment = Ailment(self.clock)

    @property
    def heard_ago_s(self) -> float | None:
        """How long ago the node told a head that counts; None: never."""
        return None if self.heard_at is None else self.clock() - self.heard_at

    def told(self, head: TipSet, *, is_explicit: bool = False) -> None:
        """Notes the head that the node tells; with `is_explicit` it told how it got there."""
        known = self.head
        if known is None or is_explicit or head.parent_weight >= known.parent_weight:
            self.head = head
        elif head.epoch < known.epoch - BEHIND_EPOCHS:
            self.ailment.begins(f"its head went back from epoch {known.epoch} to {head.epoch}")
            return
        self.heard_at = self.clock()
        self.ailment.ends()

    def failed(self, error: ChainError) -> None:
        """Notes why the node's head is not heard. That of another chain never was one of ours."""
        if isinstance(error, WrongNetwork):
            self.head = None
        self.ailment.begins(str(error))
