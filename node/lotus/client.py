"""`LotusChain`: the `Chain` protocol over a pool of Lotus nodes."""

from node.chain.protocol import Chain
from node.lotus.capabilities import NodeCapabilities, capabilities_of
from node.lotus.health import NodeHealth
from node.lotus.hearing import Ailment
from node.lotus.listening import IDENTITY_S, listen_to
from node.lotus.pool import NodePool
from node.lotus.sending import Sending
from node.lotus.settling import Settling
from node.lotus.states import States
from node.lotus.tipsets import Tipsets
from node.lotus.watching import Watch


class LotusChain(Tipsets, Settling, States, Sending):
    """A chain as Lotus nodes tell it; each question goes to one of them, as `pool` decides."""

    def __init__(
        self,
        pool: NodePool,
        *,
        prefix: str = "f",
        record_prefixes: str = "ft",
        watch: Watch,
    ) -> None:
        super().__init__(pool, prefix=prefix, record_prefixes=record_prefixes)
        self._watch = watch

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes, the preferred one first."""
        return tuple(node.name for node in self._pool.nodes)

    def clock(self) -> float:
        """What the times in `health` are reckoned by: seconds that only grow."""
        return self._pool.nodes[0].clock()

    def health(self) -> tuple[NodeHealth, ...]:
        """How each node does, the preferred one first; nobody is asked for it."""
        return tuple(node.health() for node in self._pool.nodes)

    @property
    def head_stream(self) -> Ailment:
        """What is wrong with the stream of head changes."""
        return self._pool.head_stream

    async def listen(self, *, timeout_s: float, quiet_s: float, identity_s: float = IDENTITY_S) -> None:
        """Asks each node for its head that has told none for `quiet_s`; what comes of it is in `health`.

        Nodes that failed, or proved their network `identity_s` ago, must prove it again first.
        """
        await listen_to(self._pool, self._watch, timeout_s=timeout_s, quiet_s=quiet_s, identity_s=identity_s)

    def on(self, node: str) -> "LotusChain":
        """The chain as that one node tells it, for who must know whose answer it is; KeyError where there is none."""
        return self._over(self._pool.only(node))

    def apart(self) -> "LotusChain":
        """The chain as the same nodes tell it, with an `answered` of its own."""
        return self._over(self._pool.apart())

    @property
    def answered(self) -> tuple[str, ...]:
        """The names of the nodes that gave something through this chain, the preferred one first."""
        return tuple(name for name in self.nodes if name in self._pool.answered)

    def _over(self, pool: NodePool) -> "LotusChain":
        return LotusChain(
            pool,
            prefix=self._prefix,
            record_prefixes=self._record_prefixes,
            watch=self._watch,
        )

    async def capabilities(self) -> tuple[NodeCapabilities, ...]:
        """What each node offers, asked now, the preferred one first. Raises nothing: what is not known is said so."""
        return tuple([await capabilities_of(node, self._pool) for node in self._pool.nodes])


def _is_a_chain(chain: LotusChain) -> Chain:
    """Holds the class against the protocol when types are checked."""
    return chain
