"""What a websocket's session writes to."""

from collections.abc import Callable
from typing import Protocol

Frame = bytes | Callable[[], bytes]
"""A text frame, or what renders a large one when its turn comes, outside the chain's thread."""


class Line(Protocol):
    """The way to a connection's other end, and back into the chain's thread."""

    def send(self, frame: Frame) -> None:
        """Sends a text frame."""

    def refuse(self) -> None:
        """Closes the connection: too many requests."""

    def cut(self, frame: Frame) -> None:
        """Sends half of a frame and ends the connection."""

    def settle_soon(self) -> None:
        """Has the session's `settle` called in the chain's thread, once what runs there now is through."""
