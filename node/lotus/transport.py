"""How one node is asked, whatever carries the question: HTTP and a websocket, a simulated node, a recording."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

METHOD_NOT_FOUND: Final = -32601


@dataclass(frozen=True, slots=True)
class Call:
    """One question: a method's whole name, as `Filecoin.ChainHead`, and its params as JSON values."""

    method: str
    params: tuple[object, ...] = ()
    version: int = 1
    """Of the API: 1 is served at /rpc/v1, 2 at /rpc/v2."""

    @property
    def title(self) -> str:
        """What tells it from others in words: the same method may stand in two versions."""
        return self.method if self.version == 1 else f"{self.method} (v{self.version})"


@dataclass(frozen=True, slots=True)
class Frame:
    """A value that a subscription brought: of the call at `index` of those that were subscribed to."""

    index: int
    value: object


class RpcFault(Exception):
    """A node's own error answer, as it is; `faults.error_of` tells what it means."""

    def __init__(self, code: int, message: str, *, data: object = None, index: int = 0) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data
        self.index = index
        """Of several calls that were subscribed to, the one that was refused."""


class Transport(Protocol):
    """A connection to one node. Raises ChainError where no answer came, and RpcFault where the answer is an error."""

    @property
    def name(self) -> str:
        """What the node is called in errors and logs; holds no secret."""

    async def call(self, call: Call) -> object:
        """The result's JSON value."""

    async def batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        """The results' JSON values in the order of the calls, an RpcFault in the place of each that failed.

        All calls are of version 1. An RpcFault that is raised is about batches as such.
        """

    def stream(self, call: Call) -> AsyncGenerator[str, None]:
        """The text of the whole answer, envelope and all, in pieces. Ends where the answer ends."""

    def subscribe(self, calls: Sequence[Call]) -> AsyncGenerator[Frame, None]:
        """What the subscriptions bring, in the node's order, over one connection. Raises StreamBroken when it ends."""

    async def close(self) -> None:
        """Lets go of everything."""
