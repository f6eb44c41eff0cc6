"""How far behind the index is. Pure.

mainnet, calibration   the clock tells where the head must be, whatever nodes say    lag grows while nobody is heard
other chains           only a node that is heard can tell                            None while nobody is heard
"""

from dataclasses import dataclass
from datetime import datetime

from node.network import Network

REAL_TIME_NETWORKS = frozenset({"mainnet", "calibration"})
GRACE_EPOCHS = 2
"""A tipset takes most of an epoch to get around, and the round may be null."""
STALE_EPOCHS = 20
"""An index that is further behind the clock says of its newest epochs what some node said long ago."""
_EPOCH_S = 30


@dataclass(frozen=True, slots=True)
class RealTime:
    """A network whose epochs begin every 30 seconds from its genesis on, in Unix seconds."""

    genesis_time: int

    def epoch_at(self, now: datetime) -> int:
        """The epoch that it is now."""
        return int(now.timestamp() - self.genesis_time) // _EPOCH_S


def real_time_of(network: Network) -> RealTime | None:
    """The clock of a network that keeps one; None for devnets and simulated chains, which have a pace of their own."""
    if network.name not in REAL_TIME_NETWORKS or network.genesis_time is None:
        return None
    return RealTime(network.genesis_time)


def lag_epochs(
    index_epoch: int | None, head_epoch: int | None, *, is_heard: bool, clock_epoch: int | None
) -> int | None:
    """By how many epochs the index is behind; None where nobody can say.

    `head_epoch` is the newest head that a node told, `clock_epoch` the one that it is now where the network keeps time.
    """
    if index_epoch is None:
        return None
    heads = [] if head_epoch is None else [head_epoch]
    if clock_epoch is not None:
        heads.append(clock_epoch - GRACE_EPOCHS)
    elif not is_heard:
        return None
    return max(max(heads) - index_epoch, 0) if heads else None
