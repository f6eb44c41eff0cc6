"""Whatever happens on a chain: two replicas that began at different times have no drift, and the same digests."""

import random
from collections.abc import AsyncIterator

import asyncpg
import pytest

from explorer.follow.follower import Follower
from explorer.follow.verify import Wanted, verify
from explorer.ground.database import open_pool
from explorer.index.digest import digest_at
from tests.clusters import Server
from tests.integration.follow_verify.world import CLIENTS, PROVIDERS, World

STEPS = 40
LATE_AT = 12
"""When the second replica begins."""


@pytest.fixture
async def late_pool(postgres: Server) -> AsyncIterator[asyncpg.Pool]:
    """The index of the second replica."""
    with postgres.cloned() as dsn:
        async with open_pool(dsn, application_name="tests") as opened:
            yield opened


class Life:
    """One random step after the other; the seed decides all of them."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.open: list[tuple[str, int]] = []
        self.deals: list[int] = []

    def step(self) -> None:
        steps = (self.allocate, self.claim, self.publish, self.activate, self.terminate, self.fork, self.skip, self.age)
        self.random.choice(steps)()

    def allocate(self) -> None:
        provider, client = self.random.choice(PROVIDERS), self.random.choice(CLIENTS)
        ids = self.world.onboard(provider, count=self.random.randint(1, 4), claimed=0, client=client)
        self.open += [(provider, one) for one in ids]

    def claim(self) -> None:
        if self.open:
            provider, one = self.open.pop(self.random.randrange(len(self.open)))
            self.world.order("Onboard", provider, [one])

    def publish(self) -> None:
        start = self.world.epoch + self.random.randint(40, 3000)
        verified = self.random.random() < 0.7
        label = self.random.choice(["text", "", [0xFF]])
        self.deals.append(self.world.deal(label, VerifiedDeal=verified, StartEpoch=start))

    def activate(self) -> None:
        known = self.world.ask("StateMarketDeals", [])
        if (waiting := [one for one in self.deals if str(one) in known]) and self.random.random() < 0.8:
            self.deals.remove(waiting[0])
            if known[str(waiting[0])]["Proposal"]["StartEpoch"] > self.world.epoch + 30:
                self.world.order("ActivateDeals", waiting[:1])

    def terminate(self) -> None:
        provider = self.random.choice(PROVIDERS)
        sectors = sorted(claim["Sector"] for claim in self.world.ask("StateGetClaims", provider, []).values())
        if sectors:
            self.world.order("Terminate", provider, self.random.choice(sectors))

    def fork(self) -> None:
        self.world.order("Fork", self.random.randint(1, 3))

    def skip(self) -> None:
        self.world.order("NullRounds", self.random.randint(1, 3))
        self.world.order("Mine", 1)

    def age(self) -> None:
        """A thousand epochs pass, so that deals lapse and much becomes final; then enough that no fork undoes that."""
        if self.random.random() < 0.4:
            self.world.settle()
        self.world.order("Mine", 20)


@pytest.mark.parametrize("seed", [1, 4, 9])
async def test_replicas_have_no_drift_and_agree(pool: asyncpg.Pool, late_pool: asyncpg.Pool, seed: int) -> None:
    world = World(seed)
    world.order("Mine", 3)
    life, first = Life(world, seed), await world.follower(pool)
    second: Follower | None = None
    for number in range(STEPS):
        life.step()
        await world.follow(first)
        found = await verify(
            pool, world.chain, Wanted(seed=1, everything=True, epoch=world.epoch), told_by=lambda: "simulated"
        )
        assert (found.drifted, found.examples, found.not_compared) == (0, [], {})
        if number == LATE_AT:
            second = await world.follower(late_pool)
        if second is not None:
            await world.follow(second)
            await _demand_agreement(pool, late_pool, world.epoch, life.random)
    assert all(one["index"] for one in found.compared.values())


async def _demand_agreement(pool: asyncpg.Pool, late_pool: asyncpg.Pool, head: int, draw: random.Random) -> None:
    async with pool.acquire() as ours, late_pool.acquire() as theirs:
        start, final = await theirs.fetchrow("SELECT start_epoch, final_epoch FROM explorer.following")
        for epoch in (head, final, draw.randint(start, head)):
            mine, other = await digest_at(ours, "devnet", epoch), await digest_at(theirs, "devnet", epoch)
            assert mine.text == other.text is not None, epoch
