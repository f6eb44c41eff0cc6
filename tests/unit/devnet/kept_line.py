"""A session's line that keeps what is sent."""

import json
from collections.abc import Callable
from typing import Any

from node.devnet.lines import Frame
from node.devnet.session import Session


class KeptLine:
    """Keeps what a session sends; what it has to do after a change is done when somebody looks."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.sent: list[bytes] = []
        self.is_refused = False
        self.cut_frames: list[bytes] = []

    @property
    def frames(self) -> list[Any]:
        """The frames so far, each a JSON value; its bytes where it is none."""
        assert self.session is not None
        self.session.settle()
        return [_parsed(frame) for frame in self.sent]

    def send(self, frame: Frame) -> None:
        """Keeps the frame."""
        self.sent.append(_text(frame))

    def refuse(self) -> None:
        """Notes it."""
        self.is_refused = True

    def cut(self, frame: Frame) -> None:
        """Keeps the frame that was to be cut."""
        self.cut_frames.append(_text(frame))

    def settle_soon(self) -> None:
        """Nothing: `frames` settles."""


def _text(frame: bytes | Callable[[], bytes]) -> bytes:
    return frame if isinstance(frame, bytes) else frame()


def _parsed(frame: bytes) -> Any:
    try:
        return json.loads(frame)
    except ValueError:
        return frame
