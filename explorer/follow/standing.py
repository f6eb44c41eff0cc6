"""How following goes, for `/status`, metrics and people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from explorer.follow.follower import Follower
from explorer.index.answers import Document
from node.lotus.client import LotusChain


@dataclass(slots=True)
class Standing:
    """What is known of the followed node, as of now."""

    registry: CollectorRegistry
    follower: Follower | None = None
    chain: LotusChain | None = None
    error: str | None = None
    """Why following does not go on; None while it does."""
    failing_since: datetime | None = None
    elsewhere: bool = False
    """Another process follows into this database."""
    simulated_url: str | None = None
    _gauges: "_Gauges" = field(init=False)

    def __post_init__(self) -> None:
        self._gauges = _Gauges(self.registry)

    def follows(self, follower: Follower, chain: LotusChain, simulated_url: str | None) -> None:
        """Notes that following begins, over these nodes."""
        self.follower, self.chain, self.simulated_url = follower, chain, simulated_url
        self.elsewhere = False

    def followed(self) -> tuple[LotusChain, str] | None:
        """The chain that is followed and the names of its nodes; None while none is."""
        return None if self.chain is None else (self.chain, ", ".join(self.chain.nodes))

    def goes_on(self) -> None:
        """Notes that the head was reached."""
        self.error, self.failing_since = None, None
        self._gauges.show(self)

    def fails(self, error: str) -> None:
        """Notes why following does not go on."""
        self.error = error
        self.failing_since = self.failing_since or datetime.now(UTC)
        self._gauges.failures.inc()
        self._gauges.show(self)

    @property
    def head_epoch(self) -> int | None:
        """The newest head that a node told."""
        head = None if self.follower is None else self.follower.node_head
        return None if head is None else head.epoch

    def lag_epochs(self, index_epoch: int | None) -> int | None:
        """By how many epochs the index is behind the node."""
        head = self.head_epoch
        return None if head is None or index_epoch is None else max(head - index_epoch, 0)

    def document(self, index_epoch: int | None, finality: Document | None) -> Document:
        """The `node` of `GET /status`."""
        head = self.head_epoch
        return {
            "head_epoch": head,
            "lag_epochs": self.lag_epochs(index_epoch),
            "finality": finality,
            "simulated_url": self.simulated_url,
            "error": self.error,
            "failing_since": None if self.failing_since is None else self.failing_since.isoformat(timespec="seconds"),
            "followed_elsewhere": self.elsewhere,
            "disputes": [] if self.follower is None else [_dispute(one) for one in self.follower.disputes],
            "nodes": self._nodes(),
        }

    def _nodes(self) -> Sequence[Document]:
        if self.chain is None:
            return []
        return [
            {"name": one.name, "proven": one.proven, "failures": one.failures, "rests_s": round(one.rests_s, 1)}
            for one in self.chain.health()
        ]


def _dispute(dispute: Any) -> Document:
    return {"node": dispute.node, "epoch": dispute.height, "detail": dispute.detail}


class _Gauges:
    """The figures for `/metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.head = Gauge("filplus_node_head_epoch", "The newest head that the followed node told", registry=registry)
        self.failing = Gauge("filplus_following_failing", "1 while following does not go on", registry=registry)
        self.failures = Counter("filplus_following_failures", "How often following failed", registry=registry)
        self.disputes = Gauge(
            "filplus_finality_disputes", "Nodes that have another tipset where one is to be final", registry=registry
        )

    def show(self, standing: Standing) -> None:
        """Shows how it stands."""
        self.head.set(-1 if standing.head_epoch is None else standing.head_epoch)
        self.failing.set(standing.error is not None)
        self.disputes.set(0 if standing.follower is None else len(standing.follower.disputes))
