"""Processes that deliver, and die of kill -9 at any moment: nothing is lost, nothing out of order."""

import asyncio
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing.context import ForkServerProcess

import asyncpg
import pytest

from explorer.alerts.outbox import enqueue
from tests.integration.alerts.conftest import World
from tests.integration.alerts.processes import started
from tests.integration.alerts.receiver import Receiver, receiving, unreliable
from tests.patience import until

SUBJECTS = 12


@dataclass
class Facts:
    """Writes facts, and tells of each in its transaction; some are rolled back."""

    pool: asyncpg.Pool
    chance: random.Random
    pause_s: float = 0.02
    committed: list[tuple[str, int, str]] = field(default_factory=list)
    stop: bool = False

    async def write(self) -> None:
        """Goes on until it is told to stop."""
        number = 0
        while not self.stop:
            number += 1
            await self.fact(number)
            await asyncio.sleep(self.chance.uniform(0, self.pause_s))

    async def fact(self, number: int) -> None:
        subject = f"r{self.chance.randrange(SUBJECTS)}"
        async with self.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            data = {"subject": subject, "number": number}
            webhook_id = await enqueue(connection, "review.requested", subject, data)
            if self.chance.random() < 0.1:
                await transaction.rollback()
                return
            await transaction.commit()
        self.committed.append((subject, number, webhook_id))


@pytest.fixture
def processes(dsn: str) -> Iterator[list[ForkServerProcess]]:
    """Running processes, to be changed by the test; those that are left are killed."""
    running: list[ForkServerProcess] = []
    yield running
    for process in running:
        process.kill()
        process.join()


def demand_nothing_lost(receiver: Receiver, facts: Facts, seed: int) -> None:
    """Every committed message was taken, once or more often with the same id and body, in order per subject."""
    first = receiver.first_taken()
    assert sorted((one.data["number"], one.id) for one in first) == [(n, i) for _, n, i in facts.committed], seed
    assert len({(one.id, one.body) for one in receiver.requests}) == len({one.id for one in receiver.requests}), seed
    for subject in {subject for subject, _, _ in facts.committed}:
        numbers = [one.data["number"] for one in first if one.data["subject"] == subject]
        assert all(earlier < later for earlier, later in pairwise(numbers)), f"seed {seed}, {subject}: {numbers}"


async def all_delivered(pool: asyncpg.Pool) -> bool:
    return not await pool.fetchval("SELECT count(*) FROM alerts.deliveries WHERE state <> 'delivered'")


async def kill_often(dsn: str, pool: asyncpg.Pool, running: list[ForkServerProcess], kills: int) -> None:
    """Two processes at once; one of them is killed at a random moment and started anew, again and again."""
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    chance = random.Random(seed)
    async with receiving(unreliable(chance, longest_s=0.03)) as receiver:
        await World(pool).add(receiver.url)
        await pool.execute("UPDATE alerts.secrets SET not_before = '2000-01-01'")
        facts = Facts(pool, chance)
        writing = asyncio.create_task(facts.write())
        running += [started(dsn), started(dsn)]
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.0, 0.4))
            victim = chance.randrange(len(running))
            running[victim].kill()
            await asyncio.to_thread(running[victim].join)
            running[victim] = started(dsn)
        facts.stop = True
        await writing
        await until(lambda: all_delivered(pool))
    assert len(facts.committed) > kills
    demand_nothing_lost(receiver, facts, seed)


async def test_killed_at_25_random_moments_nothing_is_lost(
    dsn: str, pool: asyncpg.Pool, processes: list[ForkServerProcess]
) -> None:
    await kill_often(dsn, pool, processes, 25)


@pytest.mark.soak
async def test_killed_at_1000_random_moments_nothing_is_lost(
    dsn: str, pool: asyncpg.Pool, processes: list[ForkServerProcess]
) -> None:
    await kill_often(dsn, pool, processes, int(os.environ.get("KILLS") or 1000))


async def test_two_processes_at_once_deliver_each_message_once(
    dsn: str, pool: asyncpg.Pool, processes: list[ForkServerProcess]
) -> None:
    async with receiving() as receiver:
        await World(pool).add(receiver.url)
        await pool.execute("UPDATE alerts.secrets SET not_before = '2000-01-01'")
        facts = Facts(pool, random.Random(1))
        processes += [started(dsn), started(dsn)]
        await until(lambda: owners(pool, 2))
        for number in range(1, 301):
            await facts.fact(number)
        await until(lambda: all_delivered(pool))
    assert len(receiver.requests) == len(facts.committed)
    demand_nothing_lost(receiver, facts, 1)


async def owners(pool: asyncpg.Pool, number: int) -> bool:
    """Whether so many processes show that they live."""
    listening = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1634497140"
    return bool(await pool.fetchval(listening) >= number)


async def test_an_alert_arrives_within_a_second_and_survives_a_lost_database_connection(
    dsn: str, pool: asyncpg.Pool, processes: list[ForkServerProcess]
) -> None:
    async with receiving() as receiver:
        await World(pool).add(receiver.url)
        await pool.execute("UPDATE alerts.secrets SET not_before = '2000-01-01'")
        facts = Facts(pool, random.Random(2))
        processes.append(started(dsn))
        await until(lambda: owners(pool, 1))
        for number in range(1, 6):
            began = asyncio.get_running_loop().time()
            await facts.fact(number)
            await until(lambda: len(receiver.taken) == len(facts.committed))
            assert asyncio.get_running_loop().time() - began < 1
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'filplus alerts'"
        await pool.execute(ended)
        await facts.fact(6)
        await until(lambda: all_delivered(pool))
    demand_nothing_lost(receiver, facts, 2)
