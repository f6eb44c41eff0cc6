"""What the parts of `LotusChain` share: the pool, and how addresses are spelled."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from node.address import Address
from node.chain.results import RejectedRecord
from node.lotus import decoding
from node.lotus.health import Node
from node.lotus.pool import NodePool
from node.lotus.transport import Call

T = TypeVar("T")


def lotus_call(name: str, *arguments: object) -> Call:
    """A call of Lotus' own methods."""
    return Call(f"Filecoin.{name}", arguments)


class Asking:
    """Asks the pool. `prefix` is the letter of the addresses that are sent, `record_prefixes` of those taken back."""

    def __init__(self, pool: NodePool, *, prefix: str = "f", record_prefixes: str = "ft") -> None:
        self._pool = pool
        self._prefix = prefix
        self._record_prefixes = record_prefixes

    async def _ask(self, name: str, *arguments: object, decode: Callable[[object], T]) -> T:
        return await self._pool.read(lotus_call(name, *arguments), decode)

    def _spelled(self, address: Address) -> str:
        return address.to_text(self._prefix)

    async def _records(self, call: Call, parse: decoding.Parse[T]) -> AsyncGenerator[T | RejectedRecord, None]:
        """Every record of a map of the state, as the node prints them."""

        async def members(node: Node) -> AsyncGenerator[T | RejectedRecord, None]:
            async with aclosing(node.members(call)) as found:
                async for key, value in found:
                    yield node.decoded(call.method, partial(decoding.record, key, value, parse))

        async with aclosing(self._pool.stream(members)) as records:
            async for record in records:
                yield record
