"""Processes that take reviews and decide, dying of kill -9 at any moment: what was acknowledged is there, once."""

import asyncio
import multiprocessing
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

import asyncpg
import pytest

from explorer.access.actors import Actor, ActorKind
from explorer.access.clusters import add_cluster
from explorer.access.notaries import add_notary
from explorer.audit.verifying import verify_database
from explorer.index.networks import claim_network
from tests.integration.reviews.conftest import OPERATOR
from tests.integration.reviews.processes import SIGNERS, started


@dataclass
class Workers:
    """Running processes, and what they said was done."""

    dsn: str
    cluster: Actor
    chance: random.Random
    running: list[tuple[ForkServerProcess, Connection]] = field(default_factory=list)
    reviews: dict[str, str] = field(default_factory=dict)
    decisions: set[tuple[str, str]] = field(default_factory=set)

    def start(self) -> None:
        heard, say = multiprocessing.Pipe(duplex=False)
        self.running.append((started(self.dsn, self.cluster, self.chance.randrange(2**32), say), heard))
        say.close()

    def kill(self) -> None:
        """Kills one of them, and hears what it had said."""
        process, heard = self.running.pop(self.chance.randrange(len(self.running)))
        process.kill()
        process.join()
        try:
            while True:
                kind, first, second = heard.recv()
                if kind == "review":
                    assert self.reviews.setdefault(first, second) == second, "a job became two reviews"
                else:
                    self.decisions.add((first, second))
        except EOFError:
            heard.close()


async def kill_often(dsn: str, pool: asyncpg.Pool, kills: int) -> None:
    """Three processes at once; one of them is killed at a random moment and started anew, again and again."""
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    print(f"SEED={seed}")
    async with pool.acquire() as connection:
        await claim_network(connection, "mainnet")
        added = await add_cluster(connection, "eu", by=OPERATOR)
        for address in SIGNERS:
            await add_notary(connection, address, str(address), by=OPERATOR)
    chance = random.Random(seed)
    workers = Workers(dsn, Actor(ActorKind.CLUSTER, added.id, added.name, frozenset(added.scopes)), chance)
    for _ in range(3):
        workers.start()
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        await asyncio.to_thread(workers.kill)
        workers.start()
    while workers.running:
        await asyncio.to_thread(workers.kill)
    await demand_nothing_lost(pool, workers)


async def demand_nothing_lost(pool: asyncpg.Pool, workers: Workers) -> None:
    """Every acknowledged fact is there, none twice; a message and an entry of the log for each fact, and no other."""
    reviews = {row["job_id"]: row["id"] for row in await pool.fetch("SELECT job_id, id FROM reviews.reviews")}
    decided = {(row["review_id"], row["message"]) for row in await pool.fetch("SELECT * FROM reviews.decisions")}
    assert workers.reviews.items() <= reviews.items()
    assert workers.decisions <= decided
    assert len(workers.decisions) > 10
    facts = Counter[tuple[str, str]]()
    for row in await pool.fetch("SELECT review_id FROM reviews.rounds"):
        facts["review.requested", row["review_id"]] += 1
    for review_id, _ in decided:
        facts["review.decided", review_id] += 1
    told = Counter(tuple(row) for row in await pool.fetch("SELECT type, subject_id FROM alerts.messages"))
    assert told == facts
    written = "SELECT replace(action, 'reopened', 'requested'), subject FROM audit.entries WHERE action LIKE 'review.%'"
    assert Counter(tuple(row) for row in await pool.fetch(written)) == facts
    watched = "SELECT count(*) FROM explorer.feed WHERE type = 'review'"
    assert await pool.fetchval(watched) == facts.total()
    async with pool.acquire() as connection:
        await verify_database(connection, signatures=False)


async def test_killed_at_25_random_moments_nothing_is_lost(dsn: str, pool: asyncpg.Pool) -> None:
    await kill_often(dsn, pool, 25)


@pytest.mark.soak
async def test_killed_at_1000_random_moments_nothing_is_lost(dsn: str, pool: asyncpg.Pool) -> None:
    await kill_often(dsn, pool, int(os.environ.get("KILLS") or 1000))
