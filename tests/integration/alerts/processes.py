"""Delivering processes, to be killed: forked from a server that has imported everything, so that they start fast."""

import asyncio
import multiprocessing
import os
from contextlib import suppress
from ipaddress import ip_network
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from prometheus_client import CollectorRegistry

from explorer.alerts.addresses import Policy
from explorer.alerts.loop import open_delivery
from pipeline.program import make_program

_CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def started(dsn: str) -> ForkServerProcess:
    """A process that delivers until it is killed."""
    process = _CONTEXT.Process(target=deliver, args=(dsn,), daemon=True)
    process.start()
    return process


def deliver(dsn: str) -> None:
    """What such a process does."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_deliver(dsn))


async def _deliver(dsn: str) -> None:
    async with open_delivery(dsn, Policy((ip_network("127.0.0.0/8"),)), registry=CollectorRegistry()) as loop:
        await loop.run(lambda: None)


def serving(environment: dict[str, str], log: Path) -> ForkServerProcess:
    """A process that is `filplus serve` in that environment, until it is killed."""
    process = _CONTEXT.Process(target=serve, args=(environment, log), daemon=True)
    process.start()
    return process


def serve(environment: dict[str, str], log: Path) -> None:
    """What such a process does."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    make_program()(args=["serve"])
