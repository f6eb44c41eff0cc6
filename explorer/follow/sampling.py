"""Which records a comparison is about: all, some providers', or a sample drawn by a seed, to be drawn again."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg

from explorer.index.state import state_query
from explorer.verdict.records import RecordKind

DEALS_PER_PROVIDER = 5
"""Deals are asked for one by one."""
_NEAR_IDS = 1000
"""So far from a drawn id a record that is in the state is looked for; most ids are of records that have left it."""
_TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is compared in the end; of deals the ids, of the others whose."""

    what: str
    seed: int | None = None
    providers: tuple[int, ...] = ()
    clients: tuple[int, ...] = ()
    deal_ids: tuple[int, ...] = ()

    def document(self, prefix: str) -> dict[str, Any]:
        """As JSON; `prefix` is that of the network's addresses."""
        if self.what == "all":
            return {"what": "all"}
        providers = addresses_of(prefix, self.providers)
        if self.what == "providers":
            return {"what": "providers", "providers": providers}
        clients = addresses_of(prefix, self.clients)
        return {
            "what": "sample",
            "seed": self.seed,
            "providers": providers,
            "clients": clients,
            "deals": len(self.deal_ids),
        }


def addresses_of(prefix: str, ids: Iterable[int]) -> list[str]:
    """The addresses of actors, with the network's prefix."""
    return [f"{prefix}0{one}" for one in ids]


@dataclass(frozen=True, slots=True)
class Draw:
    """Draws from the index's records as of an epoch."""

    connection: asyncpg.Connection
    epoch: int
    random: random.Random

    async def providers(self, size: int) -> list[int]:
        """So many providers with claims, or all of them where there are no more.

        Every other one is drawn by claim, so that large ones come, the rest by provider, so that small ones come.
        """
        everyone = [row[0] for row in await self.connection.fetch(state_query("claims", "claim_providers"))]
        if len(everyone) <= size:
            return everyone
        lowest, highest = await self._bounds("claims")
        drawn: set[int] = set()
        for _ in range(size * _TRIES):
            if len(drawn) >= size // 2:
                break
            start = self.random.randint(lowest, highest)
            drawn.add(await self.connection.fetchval(state_query("claims", "provider_of_claim_from"), start))
        others = [one for one in everyone if one not in drawn]
        return sorted(drawn | set(self.random.sample(others, size - len(drawn))))

    async def clients(self, size: int) -> list[int]:
        """Up to so many clients with allocations that are open."""
        drawn: set[int] = set()
        for _ in range(size * _TRIES):
            found = await self._near("allocations")
            if found is not None:
                drawn.add(found["client_id"])
            if len(drawn) == size:
                break
        return sorted(drawn)

    async def deal_ids(self, size: int) -> list[int]:
        """Ids of deals: of so many drawn ones, each with the deal next to it that the index has as alive."""
        drawn: set[int] = set()
        for _ in range(size):
            await self._near("deals", drawn.add)
        return sorted(drawn)

    async def _near(self, kind: RecordKind, note: Callable[[int], None] = lambda _: None) -> Any | None:
        """A record in the state at a drawn id or soon after it; notes the drawn id and the record's."""
        bounds = await self._bounds(kind)
        if bounds is None:
            return None
        start = self.random.randint(*bounds)
        note(start)
        query = state_query(kind, "alive_near")
        found = await self.connection.fetchrow(query, self.epoch, start, start + _NEAR_IDS)
        if found is not None:
            note(found["id"])
        return found

    async def _bounds(self, kind: RecordKind) -> Any:
        """The smallest and the largest id of a kind; None where there is none."""
        row = await self.connection.fetchrow(state_query(kind, "bounds"))
        return None if row["lowest"] is None else (row["lowest"], row["highest"])
