"""How long tests wait for what should come at once.

So long that a busy machine is no fault: only what never comes is missed. That something comes soon is shown by what it
could not have waited for, as a heartbeat that is an hour away; how soon is measured by the benchmarks.
"""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

PATIENCE_S = 60.0


async def until(holds: Callable[[], Any], *, seconds: float = PATIENCE_S) -> None:
    """Returns once something is so; it may be a coroutine function. TimeoutError after that time."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.01)
