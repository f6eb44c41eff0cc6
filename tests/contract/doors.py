"""What the contract needs of a chain: the way in, whatever stands behind it.

Everything else that a driver does is said in JSON-RPC: `Sim.Mine` and `Sim.NullRounds` for time, Lotus' own methods for
the rest.
"""

from dataclasses import dataclass, field
from typing import Protocol

GATEWAY_PORTS = frozenset({"12347", "22347"})
"""Where the recorded drivers found a lotus-gateway before the node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as a driver sends it. `gateway`: to the gateway before the node."""

    body: bytes = b""
    method: str = "POST"
    path: str = "/rpc/v1"
    authorization: str | None = None
    gateway: bool = False


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What comes back."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Socket(Protocol):
    """A websocket. What it receives is kept in the order in which it came."""

    async def send(self, text: str) -> None:
        """Sends a text frame."""

    async def receive(self) -> list[str]:
        """The frames that have come since it was asked last, all that the chain has sent so far."""

    async def close(self) -> None:
        """Closes it."""


class Door(Protocol):
    """A chain behind something that speaks JSON-RPC."""

    admin_token: str
    """With it everything is allowed, `Sim.…` too."""
    has_paths: bool
    """Whether it answers for paths beside the JSON-RPC, too."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """The reply; what waits for the chain to grow waits."""

    async def connect(self, *, authorization: str | None) -> Socket:
        """A websocket at /rpc/v1."""

    async def close(self) -> None:
        """Ends what the door has open."""
