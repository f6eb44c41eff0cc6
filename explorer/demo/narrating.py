"""How a story is told: to whom, step by step, and with how much patience."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

Document = dict[str, Any]

PATIENCE_S = 30.0
"""How long the service may take to see what happened."""
LOOK_S = 0.1


class Narrator(Protocol):
    """Somebody who tells. Texts are plain: whatever stands in them is shown, never obeyed."""

    def title(self, text: str) -> None:
        """Begins a step."""

    def line(self, text: str) -> None:
        """A line of the step."""

    def remark(self, text: str) -> None:
        """A line that explains."""

    def verdict(self, verdict: str, cid: str) -> None:
        """What a CID was found to be."""

    def link(self, url: str) -> None:
        """A page to look at."""


async def looks(ask: Callable[[], Awaitable[Document]]) -> AsyncIterator[Document]:
    """The answers to a question that is asked again and again."""
    while True:
        yield await ask()
        await asyncio.sleep(LOOK_S)
