"""`LotusChain`: the `Chain` protocol over a pool of Lotus nodes."""

from collections.abc import Callable
from datetime import UTC, datetime

from node.chain.protocol import Chain
from node.lotus.health import NodeHealth
from node.lotus.pool import NodePool
from node.lotus.sending import Sending
from node.lotus.states import States
from node.lotus.tipsets import Tipsets


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class LotusChain(Tipsets, States, Sending):
    """A chain as Lotus nodes tell it; each question goes to one of them, as `pool` decides."""

    def __init__(
        self,
        pool: NodePool,
        *,
        prefix: str = "f",
        record_prefixes: str = "ft",
        stale_after_s: float | None = None,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(pool, prefix=prefix, record_prefixes=record_prefixes)
        self._stale_after_s = stale_after_s
        self._wall_clock = wall_clock

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes, the preferred one first."""
        return tuple(node.name for node in self._pool.nodes)

    def health(self) -> tuple[NodeHealth, ...]:
        """How each node does, the preferred one first; nobody is asked for it."""
        return tuple(node.health() for node in self._pool.nodes)

    def on(self, node: str) -> "LotusChain":
        """The chain as that one node tells it, for who must know whose answer it is; KeyError where there is none."""
        return LotusChain(
            self._pool.only(node),
            prefix=self._prefix,
            record_prefixes=self._record_prefixes,
            stale_after_s=self._stale_after_s,
            wall_clock=self._wall_clock,
        )


def _is_a_chain(chain: LotusChain) -> Chain:
    """Holds the class against the protocol when types are checked."""
    return chain
