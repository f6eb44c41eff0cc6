"""Processes that write entries, to be killed: forked from a server that has imported everything."""

import asyncio
import multiprocessing
from contextlib import suppress
from multiprocessing.context import ForkServerContext, ForkServerProcess

import asyncpg

from tests.integration.audit.conftest import told

_CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def started(dsn: str, name: str) -> ForkServerProcess:
    """A process that writes entries until it is killed."""
    process = _CONTEXT.Process(target=write, args=(dsn, name), daemon=True)
    process.start()
    return process


def write(dsn: str, name: str) -> None:
    """What such a process does."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_write(dsn, name))


async def _write(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn)
    while True:
        await told(connection, name)
