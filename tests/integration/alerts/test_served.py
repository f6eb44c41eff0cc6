"""`filplus serve` as the one that delivers: a day without its receiver, kill -9, a bad receiver among good ones."""

import asyncio
import json
import os
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from explorer.alerts.endpoints import add_webhook
from explorer.alerts.outbox import enqueue
from tests.integration.alerts.conftest import LOCAL
from tests.integration.alerts.receiver import Received, answering, receiving, unreliable
from tests.integration.alerts.served import Service, pass_time, service
from tests.integration.alerts.test_processes import Facts, all_delivered, demand_nothing_lost
from tests.patience import until

ALERTS = 10_000
SUBJECTS = 700
RECOVERY = timedelta(minutes=5)


@pytest.fixture
def served(dsn: str, data_dir: Path) -> Iterator[Service]:
    """A service over the test's database, not started."""
    with service(dsn, data_dir) as made:
        yield made


async def added(pool: asyncpg.Pool, url: str) -> str:
    """The secret of a new webhook."""
    async with pool.acquire() as connection:
        return (await add_webhook(connection, url, None, LOCAL)).secret


async def enqueue_many(pool: asyncpg.Pool, numbers: range) -> None:
    async with pool.acquire() as connection, connection.transaction():
        for number in numbers:
            subject = f"rev_{number % SUBJECTS}"
            await enqueue(connection, "review.requested", subject, {"subject": subject, "number": number})


async def test_a_day_without_its_receiver_loses_nothing(pool: asyncpg.Pool, served: Service) -> None:
    believed: list[tuple[str, int, str]] = []
    async with receiving(answering(503)) as receiver:
        verifier = Webhook(await added(pool, receiver.url))

        async def verify(_: web.Request, received: Received) -> web.StreamResponse:
            data = verifier.verify(received.body, received.headers)["data"]
            believed.append((data["subject"], data["number"], received.id))
            return web.Response(status=204)

        served.start()
        await served.answers()
        for hour in range(24):
            await enqueue_many(pool, range(hour * ALERTS // 24, (hour + 1) * ALERTS // 24))
            before = len(receiver.requests)
            await pass_time(pool, timedelta(hours=1))
            await until(lambda before=before: len(receiver.requests) > before)  # type: ignore[misc]
        assert len(receiver.requests) < ALERTS / 10  # an endpoint that is down is not hammered
        receiver.behaviour = verify
        waited = await wait_for_first(pool, believed)
        assert waited <= RECOVERY
        await until(lambda: all_delivered(pool), seconds=150)
    first = list({one[2]: one for one in reversed(believed)}.values())[::-1]
    assert sorted(number for _, number, _ in first) == list(range(ALERTS))
    for subject in {subject for subject, _, _ in first}:
        numbers = [number for one, number, _ in first if one == subject]
        assert all(earlier < later for earlier, later in pairwise(numbers)), subject


async def wait_for_first(pool: asyncpg.Pool, believed: list[tuple[str, int, str]]) -> timedelta:
    """How much time has to pass until something arrives, in steps of half a minute."""
    step, waited = timedelta(seconds=30), timedelta(0)
    while not believed and waited <= RECOVERY:
        await pass_time(pool, step)
        waited += step
        await asyncio.sleep(1.5)
    return waited


async def kill_often(pool: asyncpg.Pool, served: Service, kills: int) -> None:
    """Kills the service at random moments, while it starts, too, as facts are written."""
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    chance = random.Random(seed)
    async with receiving(unreliable(chance, longest_s=0.05)) as receiver:
        await added(pool, receiver.url)
        facts = Facts(pool, chance, pause_s=0.3)
        writing = asyncio.create_task(facts.write())
        for _ in range(kills):
            served.start()
            if chance.random() < 0.8:
                await served.answers()
            await asyncio.sleep(chance.uniform(0, 0.8))
            await served.kill()
        facts.stop = True
        await writing
        served.start()
        await until(lambda: all_delivered(pool), seconds=90)
    assert len(facts.committed) > kills
    demand_nothing_lost(receiver, facts, seed)


async def test_killed_at_25_random_moments_the_service_loses_nothing(pool: asyncpg.Pool, served: Service) -> None:
    await kill_often(pool, served, 25)


@pytest.mark.soak
async def test_killed_at_1000_random_moments_the_service_loses_nothing(pool: asyncpg.Pool, served: Service) -> None:
    await kill_often(pool, served, int(os.environ.get("KILLS") or 1000))


async def hanging(request: web.Request, _: Received) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def dripping(request: web.Request, _: Received) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(600):
        await response.write(b".")
        await asyncio.sleep(0.1)
    return response


async def flooding(request: web.Request, _: Received) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(1 << 30)})
    await response.prepare(request)
    for _ in range(1 << 14):
        await response.write(bytes(1 << 16))
    return response


async def delays(pool: asyncpg.Pool, arrived: dict[int, list[float]], numbers: range, receivers: int) -> list[float]:
    """How long each alert took to each of the good receivers, one alert after the other."""
    found: list[float] = []
    for number in numbers:
        began = time.monotonic()
        await enqueue_many(pool, range(number, number + 1))
        await until(lambda number=number: len(arrived.get(number, ())) >= receivers)  # type: ignore[misc]
        found += [at - began for at in arrived[number]]
    return sorted(found)


async def test_one_bad_receiver_of_a_hundred_slows_no_other(pool: asyncpg.Pool, served: Service) -> None:
    arrived: dict[int, list[float]] = {}

    async def note(_: web.Request, received: Received) -> web.StreamResponse:
        arrived.setdefault(received.data["number"], []).append(time.monotonic())
        return web.Response(status=204)

    async with receiving(note) as good, receiving(hanging) as bad:
        for number in range(99):
            await added(pool, f"{good.url}/{number}")
        served.start()
        await served.answers()
        usual = await delays(pool, arrived, range(10), 99)
        await added(pool, bad.url)
        for place, behaviour in enumerate(
            (hanging, dripping, flooding, answering(302, Location="http://127.0.0.1:1/"))
        ):
            bad.behaviour = behaviour
            beside = await delays(pool, arrived, range(10 * place + 10, 10 * place + 20), 99)
            p99, usual_p99 = beside[len(beside) * 99 // 100], usual[len(usual) * 99 // 100]
            assert p99 < 2 * usual_p99 + 2, f"{behaviour.__name__}: {p99:.2f} s beside it, else {usual_p99:.2f} s"
        assert bad.requests
        assert memory_bytes(served) < 400 << 20


def memory_bytes(served: Service) -> int:
    """The most that the process ever held."""
    assert served.process is not None
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


async def test_channels_that_cant_be_told_are_named_at_the_start_and_by_check(
    dsn: str, data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "apprise.py").write_text("raise ImportError('not installed')")
    secret = "TIiajkdnlazkcOXrIdevi7FQ"
    settings = {"FILPLUS_NOTIFY_URLS": f"slack://T1JJ3T3L2/A1BRTD4JD/{secret}/#general", "PYTHONPATH": str(tmp_path)}
    with service(dsn, data_dir, **settings) as served:
        served.start()
        await served.answers()
        assert "alerts_channels_fail" in served.log()
        checked = await asyncio.to_thread(served.program, "--json", "check")
        found = {row["component"]: row for row in json.loads(checked.stdout)["components"]}
        assert (found["channels"]["state"], checked.returncode) == ("fails", 1)
        assert "pip install 'filplus-explorer[alerts]'" in found["channels"]["fact"]
        listed = await asyncio.to_thread(served.program, "--json", "webhook", "list")
        assert [row["url"] for row in json.loads(listed.stdout)["webhooks"]] == ["slack://"]
        assert not any(secret in text for text in (served.log(), checked.stdout, checked.stderr, listed.stdout))


async def test_what_is_no_channel_stops_the_start_in_one_line(dsn: str, data_dir: Path) -> None:
    with service(dsn, data_dir, FILPLUS_NOTIFY_URLS="json://geheim@10.0.0.1/") as served:
        ended = await asyncio.to_thread(served.program, "serve")
    assert ended.returncode == 2
    assert "error: FILPLUS_NOTIFY_URLS: json://… is no channel" in ended.stderr
    assert "geheim" not in ended.stderr
