"""Who is told of what changes on the chain: functions that are called at once, in the order in which they came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, ParamSpec

from node.message import SignedMessage
from node.sim.changes import HeadChange

P = ParamSpec("P")


HeadListener = Callable[[Sequence[HeadChange]], None]
MempoolListener = Callable[[int, SignedMessage], None]
"""Called with 0 for a message that was added, 1 for one that was removed."""


@dataclass(slots=True)
class Listeners(Generic[P]):
    """The listeners to one kind of change."""

    called: list[Callable[P, None]] = field(default_factory=list)

    def add(self, listener: Callable[P, None]) -> Callable[[], None]:
        """Has the listener called from now on; the function that ends it, which may be called twice."""
        self.called.append(listener)

        def end() -> None:
            if listener in self.called:
                self.called.remove(listener)

        return end

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Calls everybody who listened when this began."""
        for listener in list(self.called):
            listener(*args, **kwargs)
