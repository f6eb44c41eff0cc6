"""The audit log for the HTTP layer."""

from dataclasses import dataclass

import asyncpg

from explorer.audit.chain import Head
from explorer.audit.errors import NoNetwork
from explorer.audit.log import load_head
from explorer.audit.reading import Page, Wanted, load_page
from explorer.ground.connection import database_errors


@dataclass(frozen=True, slots=True)
class AuditService:
    """Over a pool. The database's errors where it doesn't answer."""

    pool: asyncpg.Pool

    async def page(self, wanted: Wanted) -> tuple[Page, Head | None]:
        """The wanted entries, and where the log ended when they were read. MalformedCursor, ActionUnknown."""
        with database_errors("reading the audit log"):
            async with (
                self.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                page = await load_page(connection, wanted)
                return page, await _head(connection)


async def _head(connection: asyncpg.Connection) -> Head | None:
    try:
        return await load_head(connection)
    except NoNetwork:
        return None
