"""How often following looks, waits and tries again."""

from dataclasses import dataclass, field

from node.lotus.limits import Limits, Retries
from node.lotus.listening import IDENTITY_S

PAUSES_S = (1.0, 2.0, 5.0, 10.0)
"""After failures in a row; the last one goes on, so that a node that is back is followed well within a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds; these are the product's. A node that hangs is known after at most `every_s + quiet_s + patience_s`."""

    every_s: float = 3.0
    """How often it is looked whether a node is to be asked for its head."""
    quiet_s: float = 2.0
    """How long a node may tell no head by itself before it is asked."""
    patience_s: float = 3.0
    """A node that doesn't tell its head within this hangs."""
    identity_s: float = IDENTITY_S
    """How long a node's network is believed; one that failed is asked for it at once."""
    pauses_s: tuple[float, ...] = PAUSES_S
    limits: Limits = field(default_factory=Limits)
    retries: Retries = field(default_factory=lambda: Retries(longest_pause_s=10.0))

    def pause_s(self, failures: int) -> float:
        """How long following pauses after so many failures in a row."""
        return self.pauses_s[min(failures, len(self.pauses_s)) - 1]


DEFAULT_PACE = Pace()
