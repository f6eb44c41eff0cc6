"""The supervisor: what ends a loop is logged, and the loop lives again; what is meant for us goes through."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from explorer.ground.supervision import FORGIVEN_AFTER_S, Beat, Loop, Supervisor, stop_on_signals
from tests.patience import PATIENCE_S


class World:
    """A clock that only moves when somebody sleeps or says so, and a stop after so many sleeps."""

    def __init__(self, sleeps: int) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.stop = asyncio.Event()
        self._sleeps = sleeps
        self.registry = CollectorRegistry()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if len(self.slept) >= self._sleeps:
            self.stop.set()
        await asyncio.sleep(0)

    def supervisor(self, **loops: Loop) -> Supervisor:
        clock: Callable[[], float] = lambda: self.now  # noqa: E731
        return Supervisor(loops, registry=self.registry, clock=clock, wall_clock=clock, sleep=self.sleep)

    def metric(self, name: str, loop: str) -> float | None:
        return self.registry.get_sample_value(name, {"loop": loop})


async def forever(beat: Beat) -> None:
    beat()
    await asyncio.Event().wait()


def failing(error: BaseException) -> Loop:
    async def loop(_beat: Beat) -> None:
        raise error

    return loop


async def ending(_beat: Beat) -> None:
    return None


async def test_failed_loop_is_logged_and_started_again_with_growing_bounded_pauses() -> None:
    world = World(sleeps=9)
    with capture_logs() as logs:
        await world.supervisor(bad=failing(ValueError("no"))).run(world.stop)
    assert world.slept == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert {(log["event"], log["loop"], log["log_level"]) for log in logs} == {("loop_failed", "bad", "error")}
    assert world.metric("filplus_loop_restarts_total", "bad") == 9


async def test_unexpected_success_is_logged_and_started_again() -> None:
    world = World(sleeps=3)
    with capture_logs() as logs:
        await world.supervisor(short=ending).run(world.stop)
    assert [(log["event"], log["log_level"]) for log in logs] == [("loop_ended", "error")] * 3


async def test_pause_is_forgotten_after_a_long_life() -> None:
    world = World(sleeps=4)

    async def third_life_is_long(_beat: Beat) -> None:
        if len(world.slept) == 2:
            world.now += FORGIVEN_AFTER_S
        raise ValueError

    await world.supervisor(loop=third_life_is_long).run(world.stop)
    assert world.slept == [1, 2, 1, 2]


async def test_failing_loop_leaves_the_others_alone() -> None:
    world = World(sleeps=3)
    lives: list[str] = []

    async def steady(_beat: Beat) -> None:
        lives.append("begun")
        await asyncio.Event().wait()

    await world.supervisor(bad=failing(ValueError()), steady=steady).run(world.stop)
    assert lives == ["begun"]


async def test_heartbeat_is_measured() -> None:
    world = World(sleeps=99)

    async def beating(beat: Beat) -> None:
        world.now += 5
        beat()
        world.now += 2
        world.stop.set()
        await asyncio.Event().wait()

    supervisor = world.supervisor(loop=beating)
    await supervisor.run(world.stop)
    assert world.metric("filplus_loop_heartbeat_seconds", "loop") == 1005
    assert supervisor.silences() == {"loop": 2}


async def test_stop_lets_every_loop_clean_up() -> None:
    world = World(sleeps=99)
    cleaned: list[str] = []

    async def tidy(_beat: Beat) -> None:
        try:
            world.stop.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("tidy")

    await world.supervisor(tidy=tidy, other=forever).run(world.stop)
    assert cleaned == ["tidy"]


async def test_cancellation_goes_through_and_restarts_nothing() -> None:
    world = World(sleeps=99)
    task = asyncio.create_task(world.supervisor(loop=forever).run(world.stop))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert world.slept == []


async def test_cancellation_of_something_awaited_does_not_end_the_loop_silently() -> None:
    world = World(sleeps=2)

    async def awaits_a_cancelled_task(_beat: Beat) -> None:
        inner = asyncio.create_task(asyncio.sleep(60))
        inner.cancel()
        await inner

    with capture_logs() as logs:
        await world.supervisor(loop=awaits_a_cancelled_task).run(world.stop)
    assert [log["event"] for log in logs] == ["loop_failed"] * 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_stops(number: signal.Signals) -> None:
    world = World(sleeps=99)
    run: Callable[[asyncio.Event], Awaitable[None]] = world.supervisor(loop=forever).run
    with stop_on_signals() as stop:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        await asyncio.wait_for(run(stop), PATIENCE_S)
    assert stop.is_set()
