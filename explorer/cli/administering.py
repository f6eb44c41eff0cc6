"""Administration works on the database, never over an address, and takes effect in a running service at once."""

from collections.abc import Awaitable, Callable

import asyncpg

from explorer.cli.exits import Exit
from explorer.cli.running import run
from explorer.cli.terminal import Terminal
from explorer.ground.connection import database_errors
from explorer.ground.settings import Settings
from explorer.index.networks import claim_network, demand_network
from explorer.index.opening import open_index

Work = Callable[[asyncpg.Connection], Awaitable[Exit]]
PoolWork = Callable[[asyncpg.Pool, Settings], Awaitable[Exit]]


def administer(terminal: Terminal, work: Work, *, what: str, changes: bool = True) -> None:
    """Runs work on `what` (clusters, notaries) over one connection; `changes` as in `administer_pool`."""

    async def over_connection(pool: asyncpg.Pool, _: Settings) -> Exit:
        with database_errors(f"administering {what}"):
            async with pool.acquire() as connection:
                return await work(connection)

    administer_pool(terminal, over_connection, what=what, changes=changes)


def administer_pool(terminal: Terminal, work: PoolWork, *, what: str, changes: bool = True, kept: str = "") -> None:
    """Runs work over the database. What `changes` something goes into the audit log, which is of one network."""

    async def over_database() -> Exit:
        settings = terminal.settings()
        async with open_index(settings, application_name=f"filplus {what}", may_migrate=False) as opened:
            with database_errors(f"administering {what}"):
                async with opened.pool.acquire() as connection:
                    await (claim_network if changes else demand_network)(connection, settings.network.name)
            return await work(opened.pool, settings)

    run(terminal, over_database, kept=kept)
