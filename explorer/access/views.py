"""Views that notaries saved: the filters of a page, by a name. Each notary has its own, and sees no other's."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import asyncpg

from explorer.access.actors import Actor
from explorer.access.errors import NotaryUnknown, TooManyViews, ViewExists
from explorer.access.names import demand_name
from explorer.ground.connection import database_errors
from explorer.ground.queries import load_queries

MOST_VIEWS: Final = 20
MAX_VIEW_NAME_CHARS: Final = 60

_QUERIES: Final = load_queries("explorer.access.sql", "views.sql")


@dataclass(frozen=True, slots=True)
class SavedView:
    """The filters of a page, as its address has them, by a name."""

    page: str
    name: str
    query: str

    @property
    def address(self) -> str:
        """Where it leads."""
        return f"/{self.page}?{self.query}"

    @property
    def words(self) -> str:
        """The filters as a person reads them: `state=!open, cluster=eu`."""
        return ", ".join(f"{name}={value}" for name, value in parse_qsl(self.query))


@dataclass(frozen=True, slots=True)
class SavedViews:
    """Over a pool. The database's errors where it doesn't answer."""

    pool: asyncpg.Pool

    async def of(self, notary: Actor) -> list[SavedView]:
        """The views that a notary saved, the oldest first."""
        with database_errors("reading saved views"):
            async with self.pool.acquire() as connection:
                return [SavedView(*row) for row in await connection.fetch(_QUERIES["views"], notary.id)]

    async def save(self, notary: Actor, view: SavedView, *, replaces: bool = False) -> None:
        """Keeps a view, where it `replaces` one instead of that of the same page and name.

        NameRefused, TooManyViews; ViewExists for a name that another view has.
        """
        demand_name(view.name, most=MAX_VIEW_NAME_CHARS)
        with database_errors("saving a view"):
            async with self.pool.acquire() as connection, connection.transaction():
                notary_id = await connection.fetchval(_QUERIES["hold_notary"], notary.id)
                if notary_id is None:
                    raise NotaryUnknown(notary.id)
                await _demand_few(connection, notary_id, view)
                if not replaces:
                    await _demand_new(connection, notary_id, view)
                await connection.execute(_QUERIES["save"], notary_id, view.page, view.name, view.query, None)

    async def remove(self, notary: Actor, page: str, name: str) -> None:
        """Forgets a view; nothing happens where there is none. NameRefused for what can be no view's name."""
        demand_name(name, most=MAX_VIEW_NAME_CHARS)
        with database_errors("removing a view"):
            async with self.pool.acquire() as connection:
                await connection.execute(_QUERIES["remove"], notary.id, page, name)


async def _demand_few(connection: asyncpg.Connection, notary_id: str, view: SavedView) -> None:
    if await connection.fetchval(_QUERIES["others"], notary_id, view.page, view.name) >= MOST_VIEWS:
        raise TooManyViews(f"a notary saves {MOST_VIEWS} views, and you have as many", value=view.name)


async def _demand_new(connection: asyncpg.Connection, notary_id: str, view: SavedView) -> None:
    former = await connection.fetchval(_QUERIES["query_of"], notary_id, view.page, view.name)
    if former is not None and former != view.query:
        shown = SavedView(view.page, view.name, former).words
        raise ViewExists(f"your view {view.name!r} of {view.page} shows {shown}", value=view.name)
