"""How following goes, for `/status`, metrics and people: what is true when it is asked, whatever is being waited for.

following failed                  ─┐
no node tells its head            ─┼─► trouble: why the first of them, and since when the earliest
the stream of head changes broke  ─┘
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from explorer.follow.disputing import Disputed, Disputes, rfc3339, utc_now
from explorer.follow.lag import STALE_EPOCHS, RealTime, lag_epochs
from explorer.follow.states import StateReader
from explorer.index.answers import Document
from node.lotus.client import LotusChain
from node.lotus.health import NodeHealth

FRESH_S = 300.0
"""So long after a node was last heard its head still counts as one that a node has."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why following does not go on, or nobody knows whether it does."""

    error: str
    since: datetime


@dataclass(slots=True)
class Standing:
    """What is known of the followed node, as of now. `changed` is called when trouble begins or ends."""

    registry: CollectorRegistry
    real_time: RealTime | None = None
    now: Callable[[], datetime] = utc_now
    changed: Callable[[], None] = lambda: None
    chain: LotusChain | None = field(default=None, init=False)
    disputes: Disputes | None = field(default=None, init=False)
    elsewhere: bool = field(default=False, init=False)
    """Another process follows into this database."""
    simulated_url: str | None = field(default=None, init=False)
    states: StateReader | None = field(default=None, init=False)
    _failure: Trouble | None = field(default=None, init=False)
    _clock: Callable[[], float] = field(default=time.monotonic, init=False)
    """The chain's clock, by which nodes' times are reckoned."""
    _offset_s: float = field(default=0.0, init=False)
    """What the wall clock shows when the chain's clock shows 0."""
    _troubled_since: datetime | None = field(default=None, init=False)
    """Since when one trouble or another goes on without an end, as of the last look."""
    _asks_at: float | None = field(default=None, init=False)
    """When the nodes are next asked for their heads, by the chain's clock."""
    _gauges: "_Gauges" = field(init=False)

    def __post_init__(self) -> None:
        self._gauges = _Gauges(self.registry)

    def follows(self, chain: LotusChain, disputes: Disputes, simulated_url: str | None, states: StateReader) -> None:
        """Notes that following begins, over these nodes, and what reads the state beside it."""
        self.chain, self.disputes, self.simulated_url, self.states = chain, disputes, simulated_url, states
        self.elsewhere, self._asks_at, self._clock = False, None, chain.clock

    def follows_elsewhere(self, disputes: Disputes) -> None:
        """Notes that another process follows: of what this one knew of nodes only the disputes are kept up."""
        self.chain = self.simulated_url = self.states = self._failure = None
        self.disputes, self.elsewhere = disputes, True
        self.look()

    def goes_on(self) -> None:
        """Notes that the head was reached."""
        self._failure = None
        self.look()

    def fails(self, error: str) -> None:
        """Notes why following does not go on."""
        since = self.now() if self._failure is None else self._failure.since
        self._failure = Trouble(error, since)
        self._gauges.failures.inc()
        self.look()

    def dispute_begins(self) -> None:
        """Counts a dispute that began."""
        self._gauges.disputes_begun.inc()

    def asks_again(self, in_s: float) -> None:
        """Notes that the nodes were asked for their heads, and will be again then."""
        if self.chain is not None:
            self._asks_at = self._clock() + in_s
        self.look()

    def look(self) -> None:
        """Brings the metrics up to date, and calls `changed` where trouble began or ended."""
        self._gauges.show(self)
        trouble, was_troubled = self.trouble, self._troubled_since is not None
        self._troubled_since = None if trouble is None else trouble.since
        if was_troubled != (trouble is not None):
            self.changed()

    @property
    def trouble(self) -> Trouble | None:
        """Why following does not go on, or nobody is heard; None while all is well.

        It began with the first of what is wrong, though that be over, as long as something was wrong ever since.
        """
        found = [one for one in (self._failure, self._unheard(), self._broken_stream()) if one is not None]
        if not found:
            return None
        before = [] if self._troubled_since is None else [self._troubled_since]
        return Trouble(found[0].error, min([one.since for one in found] + before))

    def _unheard(self) -> Trouble | None:
        """Why no node is heard, since the last one fell silent; None while one is."""
        nodes = self._nodes()
        unheard = [node for node in nodes if node.unheard is not None]
        if not nodes or len(unheard) < len(nodes):
            return None
        since = max(node.failing_since or 0.0 for node in unheard)
        return Trouble("; ".join(dict.fromkeys(str(node.unheard) for node in unheard)), self._time(since))

    def _broken_stream(self) -> Trouble | None:
        stream = None if self.chain is None else self.chain.head_stream
        if stream is None or stream.error is None or stream.since is None:
            return None
        return Trouble(f"the stream of head changes is broken: {stream.error}", self._time(stream.since))

    @property
    def heard_at(self) -> datetime | None:
        """When a node last told a head that counts; None: never."""
        times = [node.heard_at for node in self._nodes() if node.heard_at is not None]
        return self._time(max(times)) if times else None

    @property
    def silent_since(self) -> datetime | None:
        """Since when nobody knows what the chain does; None while it is known."""
        trouble = self.trouble
        return None if trouble is None else min(self.heard_at or trouble.since, trouble.since)

    def vouches(self, index_epoch: int) -> bool:
        """Whether the index's head counts as one that a node has now: not long after the last one was heard.

        What another process hears is not known here; then the clock decides, on networks that keep real time.
        """
        if self.elsewhere:
            behind = None if self.real_time is None else self.real_time.epoch_at(self.now()) - index_epoch
            return behind is None or behind <= STALE_EPOCHS
        heard_at = self.heard_at
        return heard_at is not None and (self.now() - heard_at).total_seconds() <= FRESH_S

    @property
    def head_epoch(self) -> int | None:
        """The newest head that a node told: one that is heard, if any is."""
        nodes = self._nodes()
        heard = [node for node in nodes if node.unheard is None and node.head_epoch is not None]
        return max((node.head_epoch for node in heard or nodes if node.head_epoch is not None), default=None)

    def lag_epochs(self, index_epoch: int | None) -> int | None:
        """By how many epochs the index is behind; None where nobody can say."""
        clock_epoch = None if self.real_time is None else self.real_time.epoch_at(self.now())
        is_heard = self.trouble is None
        return lag_epochs(index_epoch, self.head_epoch, is_heard=is_heard, clock_epoch=clock_epoch)

    def document(self, index_epoch: int | None, finality: Document | None) -> Document:
        """The `node` of `GET /status`."""
        trouble = self.trouble
        return {
            "head_epoch": self.head_epoch,
            "heard_at": _text(self.heard_at),
            "lag_epochs": self.lag_epochs(index_epoch),
            "finality": finality,
            "simulated_url": self.simulated_url,
            "error": None if trouble is None else trouble.error,
            "failing_since": None if trouble is None else rfc3339(trouble.since),
            "followed_elsewhere": self.elsewhere,
            "disputes": [one.document() for one in self.disputed],
            "state_reads": [] if self.states is None else self.states.documents(),
            "nodes": [self._node(one) for one in self._nodes()],
        }

    @property
    def disputed(self) -> list[Disputed]:
        """The disputes about what is final that stand."""
        return [] if self.disputes is None else list(self.disputes.standing.values())

    def _nodes(self) -> tuple[NodeHealth, ...]:
        return () if self.chain is None else self.chain.health()

    def _node(self, one: NodeHealth) -> Document:
        return {
            "name": one.name,
            "proven": one.proven,
            "failures": one.failures,
            "rests_s": round(self._asked_in_s(one), 1),
            "head_epoch": one.head_epoch,
            "heard_at": None if one.heard_at is None else rfc3339(self._time(one.heard_at)),
            "error": None if one.error is None else one.error.removeprefix(f"{one.name}: "),
            "failing_since": None if one.failing_since is None else rfc3339(self._time(one.failing_since)),
        }

    def _asked_in_s(self, one: NodeHealth) -> float:
        """In how many seconds a node that isn't heard is asked again; 0 for one that is heard, or being asked."""
        if one.unheard is None or self._asks_at is None:
            return one.left_alone_s
        return max(one.left_alone_s, self._asks_at - self._clock())

    def _time(self, clock_s: float) -> datetime:
        """The time at which the chain's clock showed that. It is the same whenever it is asked for."""
        offset_s = self.now().timestamp() - self._clock()
        if abs(offset_s - self._offset_s) > 1:
            self._offset_s = offset_s
        return datetime.fromtimestamp(self._offset_s + clock_s, UTC)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


class _Gauges:
    """The figures for `/metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.head = Gauge("filplus_node_head_epoch", "The newest head that the followed node told", registry=registry)
        self.heard = Gauge(
            "filplus_node_heard_timestamp_seconds", "When a node last told a head; 0: never", registry=registry
        )
        self.failing = Gauge(
            "filplus_following_failing", "1 while following does not go on, or no node is heard", registry=registry
        )
        self.failures = Counter("filplus_following_failures", "How often following failed", registry=registry)
        self.disputes = Gauge(
            "filplus_finality_disputes", "Nodes that have another tipset where one is to be final", registry=registry
        )
        self.disputes_begun = Counter(
            "filplus_finality_disputes_begun", "How often nodes began to dispute what is final", registry=registry
        )

    def show(self, standing: Standing) -> None:
        """Shows how it stands."""
        heard_at, head_epoch = standing.heard_at, standing.head_epoch
        self.head.set(-1 if head_epoch is None else head_epoch)
        self.heard.set(0 if heard_at is None else heard_at.timestamp())
        self.failing.set(standing.trouble is not None)
        self.disputes.set(len(standing.disputed))
