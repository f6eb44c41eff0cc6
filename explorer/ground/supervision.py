"""The supervisor: one TaskGroup of named eternal loops, each under a guard.

    loop raises   ─► logged as an error ─► pause ─► started anew
    loop returns  ─► logged as an error, since an eternal loop has no end ─► pause ─► started anew
    stop is set   ─► every loop is cancelled, and waited for

The pause doubles from one failure to the next and is forgotten once a loop has run for a while. Loops are crash-only:
whatever they need they take up from the database when they start.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
FORGIVEN_AFTER_S: Final = 120.0
"""A loop that ran this long before it failed starts over with the first pause."""

Beat = Callable[[], None]
Loop = Callable[[Beat], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Metrics:
    """What is measured of every loop, labelled with its name."""

    heartbeat: Gauge
    restarts: Counter

    @classmethod
    def registered(cls, registry: CollectorRegistry) -> "Metrics":
        """Makes the metrics in a registry."""
        return cls(
            Gauge(
                "filplus_loop_heartbeat_seconds", "When the loop last gave a sign of life", ["loop"], registry=registry
            ),
            Counter("filplus_loop_restarts", "How often the loop failed or ended", ["loop"], registry=registry),
        )


class Supervisor:
    """Runs loops until it is told to stop. A loop is an async function that is given `beat`, to call each round."""

    def __init__(
        self,
        loops: Mapping[str, Loop],
        *,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._loops = dict(loops)
        self._metrics = Metrics.registered(registry)
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._beats: dict[str, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Runs every loop until `stop` is set; returns when all have ended. Cancelling this does the same."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._guarded(name), name=name) for name in self._loops]
            await stop.wait()
            for task in tasks:
                task.cancel()

    def silences(self) -> dict[str, float]:
        """Seconds since each loop's last sign of life, for readiness and checks; no entry before its start."""
        now = self._clock()
        return {name: now - beat for name, beat in self._beats.items()}

    async def _guarded(self, name: str) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            began = self._clock()
            await self._once(name)
            self._metrics.restarts.labels(name).inc()
            if self._clock() - began >= FORGIVEN_AFTER_S:
                pause_s = FIRST_PAUSE_S
            await self._sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _once(self, name: str) -> None:
        """One life of a loop. Returns however it ended, but for the cancellation of this task, which goes on."""
        self._beat(name)
        try:
            await self._loops[name](lambda: self._beat(name))
        except asyncio.CancelledError:
            if _cancelled_ourselves():
                raise
            _log.exception("loop_failed", loop=name)  # a cancelled task that the loop awaited; nobody meant us
        except Exception:  # noqa: BLE001 - the guard: whatever ends a loop is logged, then the loop lives again
            _log.exception("loop_failed", loop=name)
            if _cancelled_ourselves():
                raise asyncio.CancelledError from None  # it failed at being cancelled
        else:
            _log.error("loop_ended", loop=name)

    def _beat(self, name: str) -> None:
        self._beats[name] = self._clock()
        self._metrics.heartbeat.labels(name).set(self._wall_clock())


def _cancelled_ourselves() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


@contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """Gives an event that SIGTERM or Ctrl-C sets. A second signal has its usual, abrupt effect."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def receive(number: signal.Signals) -> None:
        _log.info("stopping", signal=number.name)
        stop.set()
        for each in signals:
            loop.remove_signal_handler(each)

    for number in signals:
        loop.add_signal_handler(number, receive, number)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
