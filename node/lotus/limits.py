"""How long is waited, how much is held, how often is tried. All of it can be set; these are the product's defaults."""

from collections.abc import Callable
from dataclasses import dataclass

from node.chain.errors import ChainError, NodeOverloaded, WrongNetwork

# What a node has at hand: one that doesn't tell it at once hangs.
_QUICK_METHODS = frozenset(f"Filecoin.{name}" for name in ("ChainHead", "ChainGetGenesis", "StateNetworkName"))
# What a node computes or searches for a while before its first byte.
_SLOW_METHODS = frozenset(
    f"Filecoin.{name}"
    for name in (
        "GetActorEventsRaw",
        "MpoolPending",
        "StateCall",
        "GasEstimateMessageGas",
        "StateGetClaims",
        "StateListMiners",
        "StateSearchMsg",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one node. Times are seconds, sizes bytes."""

    timeout_s: float = 20.0
    quick_timeout_s: float = 5.0
    """For what a node has at hand: its head, its network."""
    slow_timeout_s: float = 120.0
    """For calls that search or compute: events, claims of a provider, gas, messages."""
    answer_bytes: int = 64 << 20
    batch_calls: int = 50
    stream_first_byte_s: float = 2 * 3600.0
    """A node needs up to an hour before it prints the first deal of mainnet's market (lotus#13024)."""
    stream_idle_s: float = 120.0
    """Between two pieces of a huge answer."""
    heartbeat_s: float = 20.0
    """A websocket on which a ping stays unanswered for half of this is dead."""
    frame_bytes: int = 64 << 20
    backlog_frames: int = 1000
    """Frames that wait for a slow consumer; then the node has to wait."""

    def timeout_of(self, method: str) -> float:
        """How long an answer to the method is waited for."""
        if method in _QUICK_METHODS:
            return min(self.quick_timeout_s, self.timeout_s)
        return self.slow_timeout_s if method in _SLOW_METHODS else self.timeout_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a read is tried, and how long a node rests that failed. A write is never retried."""

    rounds: int = 3
    """Each round asks every node that is not at rest, the preferred one first."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    """Also the longest that a Retry-After is waited for inside of a call."""
    rest_s: float = 5.0
    """How long a node is passed over after its first failure, where there is another; doubles with each."""
    longest_rest_s: float = 300.0
    longest_refusal_s: float = 30.0
    """How long at most a node of another network is not asked again: one that was set right is used within a minute."""
    forget_missing_s: float = 600.0
    """How long a method counts as missing before it is tried again: a node can be replaced or set up anew."""

    def pause_s(self, attempt: int, *, random: Callable[[], float], error: ChainError | None = None) -> float:
        """How long to wait before the attempt (the first retry is 1): doubled each time, with up to half of it taken
        off at random, so that many clients don't come back together; never less than a node asked for, if that is
        bearable."""
        pause = min(self.first_pause_s * 2.0 ** min(attempt - 1, 30), self.longest_pause_s)
        jittered = pause * (1 - random() / 2)
        return max(jittered, min(retry_after_s(error) or 0.0, self.longest_pause_s))

    def node_rest_s(self, failures: int, error: ChainError) -> float:
        """How long a node is passed over after so many failures in a row."""
        longest_s = self.longest_refusal_s if isinstance(error, WrongNetwork) else self.longest_rest_s
        rest = min(self.rest_s * 2.0 ** min(failures - 1, 30), longest_s)
        return max(rest, min(retry_after_s(error) or 0.0, self.longest_rest_s))


def retry_after_s(error: ChainError | None) -> float | None:
    """What the node asked to wait, where the error says so."""
    return error.retry_after_s if isinstance(error, NodeOverloaded) else None
