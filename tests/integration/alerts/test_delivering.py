"""What becomes of messages, hours and days in the clock of a test, at receivers that are really called."""

import asyncio
import random
from datetime import timedelta
from itertools import pairwise

import asyncpg
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from explorer.alerts.addresses import Policy
from explorer.alerts.deliveries import load_attempts, replay_dead, replay_delivery
from explorer.alerts.endpoints import (
    add_webhook,
    enable_endpoint,
    load_endpoint,
    remove_endpoint,
    rotate_secret,
    send_test,
)
from explorer.alerts.errors import EndpointRefused, TypesRefused, UrlRefused
from explorer.alerts.outbox import enqueue, free_leases, load_figures, make_all_due, prune
from explorer.alerts.schedule import GIVE_UP_AFTER_S, PROBE_S, REFUSED_FOR_S
from explorer.alerts.standard_webhooks import is_genuine
from tests.integration.alerts.conftest import BEGAN, World, opened_world
from tests.integration.alerts.receiver import Received, Receiver, answering, receiving, well

HOUR_S = 3600


async def test_a_message_is_signed_and_delivered_at_once(world: World) -> None:
    async with receiving() as receiver:
        added = await world.add(receiver.url)
        message = await world.tell("r1", id="r1", name="Zoë")
        assert await world.turn() == 1
    [received] = receiver.taken
    assert received.id == message
    assert received.document == {
        "type": "review.requested",
        "timestamp": "2026-11-23T00:00:00.000Z",
        "data": {"id": "r1", "name": "Zoë"},
    }
    assert is_genuine(added.secret, received.headers, received.body, now=world.now)
    assert received.headers["content-type"] == "application/json"
    assert await world.states() == ["delivered"]


async def test_the_reference_library_believes_a_message_of_now(world: World) -> None:
    async with receiving() as receiver:
        added = await world.add(receiver.url)
        await world.tell(id="r1")
        world.now = await world.pool.fetchval("SELECT now()")
        await world.turn()
    [received] = receiver.taken
    assert Webhook(added.secret).verify(received.body, received.headers)["data"] == {"id": "r1"}


async def test_nothing_is_told_of_a_transaction_that_was_rolled_back(world: World) -> None:
    async with receiving() as receiver:
        await world.add(receiver.url)
        async with world.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await enqueue(connection, "review.requested", "r1", {}, now=world.now)
            await transaction.rollback()
        assert await world.turn(seconds=60) == 0
    assert await world.pool.fetchval("SELECT count(*) FROM alerts.messages") == 0


async def test_only_wanted_types_and_only_from_the_addition_on(world: World) -> None:
    async with receiving() as some, receiving() as every:
        await world.tell(id="before")
        await world.add(some.url, "grant.granted", "review.decided")
        await world.add(every.url)
        for type_ in ("review.requested", "review.decided", "grant.granted", "grant.failed"):
            await world.tell(type_, type_, type=type_)
        await world.turn()
    assert sorted(one.data["type"] for one in some.taken) == ["grant.granted", "review.decided"]
    assert len(every.taken) == 4


async def test_a_malformed_type_is_refused(world: World) -> None:
    with pytest.raises(TypesRefused):
        await world.tell("r1", "no type")


async def test_retries_come_after_5_and_30_seconds_with_the_same_id_and_body(world: World) -> None:
    async with receiving(answering(500)) as receiver:
        added = await world.add(receiver.url)
        await world.tell(id="r1")
        await world.turn(seconds=60)
        receiver.behaviour = well
        await world.turn(seconds=PROBE_S)
    assert len({(one.id, one.body) for one in receiver.requests}) == 1
    assert all(
        is_genuine(added.secret, receiver.requests[-1].headers, one.body, now=world.now) for one in receiver.taken
    )
    first, second, third, last = world.attempts
    assert 4 <= (second - first).total_seconds() <= 6
    assert 24 <= (third - second).total_seconds() <= 36
    assert 240 <= (last - third).total_seconds() <= 300
    async with world.pool.acquire() as connection:
        log = await load_attempts(connection, (await world.deliveries())[0].id)
    assert [one["status"] for one in log] == [500, 500, 500, 204]
    assert [one["error"] for one in log] == ["answered 500"] * 3 + [None]


@pytest.mark.parametrize("seed", [1])
async def test_a_receiver_down_for_a_day(dsn: str, pool: asyncpg.Pool, seed: int) -> None:
    chance = random.Random(seed)
    async with opened_world(dsn, pool, seed=seed) as world, receiving(answering(503)) as receiver:
        await world.add(receiver.url)
        sent = []
        for number in range(300):
            subject = f"r{chance.randrange(40)}"
            sent.append((subject, number, await world.tell(subject, subject=subject, number=number)))
            await world.turn(seconds=chance.uniform(0, 2 * 24 * HOUR_S / 300))
        await world.turn(until=max(world.now, world.attempts[0] + timedelta(hours=24)))
        before = len(receiver.requests)
        assert before < 24 * 12 + 300 + 300  # probes, and one for each that was new
        recovered_at, receiver.behaviour = world.now, well
        world.attempts.clear()
        await world.turn(seconds=PROBE_S)
        assert world.attempts[0] - recovered_at <= timedelta(minutes=5)
        await world.turn(seconds=PROBE_S)
    got = [(one.data["subject"], one.data["number"], one.id) for one in receiver.first_taken()]
    assert sorted(got, key=lambda one: one[1]) == sent, f"seed {seed}"
    assert all(
        earlier[1] < later[1]
        for earlier, later in pairwise(sorted(got, key=lambda one: one[0]))
        if earlier[0] == later[0]
    )
    assert set(await world.states()) == {"delivered"}


async def test_a_later_message_of_a_subject_waits_for_the_earlier_one(world: World) -> None:
    async def refuse_first(_: web.Request, received: Received) -> web.StreamResponse:
        return web.Response(status=500 if received.data["number"] == 1 else 200)

    async with receiving(refuse_first) as receiver:
        await world.add(receiver.url)
        for number, subject in ((1, "a"), (2, "a"), (3, "b"), (4, "a")):
            await world.tell(subject, number=number)
        await world.turn(seconds=20)
        assert [one.data["number"] for one in receiver.taken] == [3]
        receiver.behaviour = well
        await world.turn(seconds=PROBE_S)
    assert [one.data["number"] for one in receiver.taken] == [3, 1, 2, 4]


async def test_ids_of_a_subject_ascend_in_the_order_of_the_commits(world: World) -> None:
    async with receiving() as receiver:
        await world.add(receiver.url)
        async with world.pool.acquire() as first:
            transaction = first.transaction()
            await transaction.start()
            await enqueue(first, "review.requested", "a", {"number": 1}, now=world.now)
            later = asyncio.create_task(world.tell("a", number=2))
            await world.tell("b", number=3)
            await asyncio.sleep(0.1)
            assert not later.done()
            await world.turn()
            assert [one.data["number"] for one in receiver.taken] == [3]
            await transaction.commit()
        await later
        await world.turn()
    assert [one.data["number"] for one in receiver.taken] == [3, 1, 2]


async def test_one_message_that_always_fails_delays_no_other_for_long(world: World) -> None:
    async def poisoned(_: web.Request, received: Received) -> web.StreamResponse:
        return web.Response(status=500 if received.data.get("poison") else 200)

    async with receiving(poisoned) as receiver:
        await world.add(receiver.url)
        await world.tell("bad", poison=True)
        delays = []
        for number in range(100):
            await world.turn(seconds=600)
            at = world.now
            await world.tell(f"good{number}", number=number)
            await world.turn(seconds=20)
            assert receiver.taken[-1].data["number"] == number
            delays.append((world.attempts[-1] - at).total_seconds())
    assert max(delays) <= 20
    assert (await world.deliveries())[0].state == "pending"


async def test_410_disables_the_endpoint_and_enabling_delivers_what_waited(world: World) -> None:
    async with receiving(answering(410)) as receiver, receiving() as other:
        added = await world.add(receiver.url)
        there = await world.add(other.url)
        await world.tell("a", number=1)
        await world.tell("a", number=2)
        await world.turn(seconds=HOUR_S)
        assert len(receiver.requests) == 1
        await world.tell("a", number=3)
        await world.turn(seconds=24 * HOUR_S)
        assert len(receiver.requests) == 1
        assert len(other.taken) == 3
        async with world.pool.acquire() as connection:
            row = await load_endpoint(connection, added.endpoint_id)
            assert (row.state, row.disabled_reason) == ("disabled", "the endpoint answered 410 Gone")
            assert (row.dead, row.pending) == (1, 2)
            assert {one.endpoint_id: one.pending for one in await load_figures(connection, now=world.now)} == {
                added.endpoint_id: 2,
                there.endpoint_id: 0,
            }
            with pytest.raises(EndpointRefused, match="disabled"):
                await send_test(connection, added.endpoint_id, now=world.now)
            with pytest.raises(EndpointRefused, match="disabled"):
                await replay_dead(connection, added.endpoint_id, now=world.now)
            [dead] = await world.deliveries(endpoint_id=added.endpoint_id, state="dead")
            with pytest.raises(EndpointRefused, match="enable it first"):
                await replay_delivery(connection, dead.id, now=world.now)
            await enable_endpoint(connection, added.endpoint_id, now=world.now)
            [dead] = await world.deliveries(endpoint_id=added.endpoint_id, state="dead")
            receiver.behaviour = well
            await replay_delivery(connection, dead.id, now=world.now)
        await world.turn()
    assert [one.data["number"] for one in receiver.taken] == [1, 2, 3]


async def test_a_disabled_endpoint_is_told_of_five_days_when_it_is_enabled_and_the_rest_is_dead(world: World) -> None:
    async with receiving(answering(410)) as receiver:
        added = await world.add(receiver.url, "review.requested")
        await world.tell("first", number=0)
        await world.turn()
        for number in range(1, 25):  # one every six hours, of three subjects
            await world.turn(seconds=6 * HOUR_S)
            await world.tell(f"r{number % 3}", number=number)
            await world.tell("g", "grant.failed", number=number)
        assert len(receiver.requests) == 1
        receiver.behaviour = well
        async with world.pool.acquire() as connection:
            await enable_endpoint(connection, added.endpoint_id, now=world.now)
        assert await world.turn() == 20
        assert numbers_by_subject(receiver) == [[n for n in range(5, 25) if n % 3 == subject] for subject in range(3)]
        *late, gone = (await world.deliveries(state="dead"))[::-1]
        assert gone.dead_reason == "the endpoint answered 410 Gone"
        assert {one.dead_reason for one in late} == {"the endpoint was disabled, and five days went by"}
        async with world.pool.acquire() as connection:
            assert len(await replay_dead(connection, added.endpoint_id, now=world.now)) == 5
        await world.turn()
    assert {one.data["number"] for one in receiver.taken} == set(range(25))
    assert set(await world.states()) == {"delivered"}


def numbers_by_subject(receiver: Receiver) -> list[list[int]]:
    """The numbers as they came, of each of three subjects."""
    numbers = [one.data["number"] for one in receiver.taken]
    return [[number for number in numbers if number % 3 == subject] for subject in range(3)]


async def test_what_failed_before_its_endpoint_was_disabled_is_due_when_it_is_enabled(world: World) -> None:
    async def first_gone(_: web.Request, received: Received) -> web.StreamResponse:
        return web.Response(status=410 if received.data["number"] == 2 else 500)

    async with receiving(first_gone) as receiver:
        added = await world.add(receiver.url)
        await world.tell("a", number=1)
        await world.turn(seconds=60)
        await world.tell("b", number=2)
        await world.turn(seconds=60)
        receiver.behaviour = well
        async with world.pool.acquire() as connection:
            assert (await load_endpoint(connection, added.endpoint_id)).state == "disabled"
            await enable_endpoint(connection, added.endpoint_id, now=world.now)
        await world.turn()
    assert [one.data["number"] for one in receiver.taken] == [1]


async def test_a_removed_endpoint_is_told_of_nothing_more(world: World) -> None:
    async with receiving(answering(410)) as receiver:
        added = await world.add(receiver.url)
        await world.tell("a")
        await world.turn()
        await world.tell("a")
        async with world.pool.acquire() as connection:
            await remove_endpoint(connection, added.endpoint_id, now=world.now)
        await world.tell("a")
    assert [(row.state, row.dead_reason) for row in await world.deliveries()] == [
        ("dead", "the endpoint answered 410 Gone"),
        ("dead", "the endpoint was removed"),
    ]


@pytest.mark.parametrize("status", [400, 401, 404, 302])
async def test_what_is_refused_for_good_becomes_a_dead_letter_and_the_next_goes_on(world: World, status: int) -> None:
    async def refuse_first(_: web.Request, received: Received) -> web.StreamResponse:
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status if received.data["number"] == 1 else 200, headers=headers)

    async with receiving(refuse_first) as receiver:
        await world.add(receiver.url)
        await world.tell("a", number=1)
        await world.tell("a", number=2)
        await world.turn(seconds=24 * HOUR_S)
    first, second = await world.deliveries()
    assert (first.state, second.state) == ("dead", "delivered")
    assert first.dead_reason == f"refused {first.tries} times"
    assert first.ended_at is not None
    assert timedelta(seconds=REFUSED_FOR_S) <= first.ended_at - world.attempts[0] <= timedelta(hours=12)
    assert {one.path for one in receiver.requests} == {"/hook"}


async def test_429_with_retry_after_is_honoured(world: World) -> None:
    async with receiving(answering(429, Retry_After="100")) as receiver:
        await world.add(receiver.url)
        for number in range(10):
            await world.tell(f"r{number}", number=number)
        await world.turn(seconds=99)
        assert len(receiver.requests) == 4
        receiver.behaviour = well
        await world.turn(seconds=2)
    assert len(receiver.taken) == 10


async def test_an_endless_retry_after_is_bounded(world: World) -> None:
    async with receiving(answering(503, Retry_After="9999999")) as receiver:
        await world.add(receiver.url)
        await world.tell()
        await world.turn(seconds=HOUR_S)
        receiver.behaviour = well
        await world.turn(seconds=300)
    assert len(receiver.taken) == 1


async def test_after_five_days_what_waits_is_dead_and_can_be_replayed_in_order(world: World) -> None:
    async with receiving(answering(500)) as receiver:
        added = await world.add(receiver.url)
        for number in range(20):
            await world.tell(f"r{number % 3}", number=number)
        for hour in (0, 71, 119):
            world.now = BEGAN + timedelta(hours=hour)  # between these it probes, and nothing changes
            await world.turn(seconds=HOUR_S - 1)
            assert set(await world.states()) == {"pending"}
        world.now = BEGAN + timedelta(seconds=GIVE_UP_AFTER_S)
        await world.turn(seconds=2 * PROBE_S)
        assert set(await world.states()) == {"dead"}
        receiver.behaviour = well
        async with world.pool.acquire() as connection:
            assert len(await replay_dead(connection, added.endpoint_id, now=world.now)) == 20
        await world.turn(seconds=PROBE_S)
    for subject in range(3):
        numbers = [one.data["number"] for one in receiver.first_taken() if one.data["number"] % 3 == subject]
        assert numbers == list(range(subject, 20, 3))


async def test_at_a_start_everything_undelivered_is_due(world: World) -> None:
    async with receiving(answering(500)) as receiver:
        await world.add(receiver.url)
        for number in range(5):
            await world.tell(f"r{number}", number=number)
        await world.turn(seconds=2 * HOUR_S)
        receiver.behaviour = well
        async with world.pool.acquire() as connection:
            await make_all_due(connection, now=world.now)
        await world.turn()
    assert len(receiver.taken) == 5


async def test_a_secret_is_rotated_with_overlap(world: World) -> None:
    async with receiving() as receiver:
        old = await world.add(receiver.url)
        async with world.pool.acquire() as connection:
            new = await rotate_secret(connection, old.endpoint_id, overlap=timedelta(hours=24), now=world.now)
        believed = []
        for hours in (0, 23, 2):
            await world.turn(seconds=hours * HOUR_S)
            await world.tell()
            await world.turn()
            received = receiver.taken[-1]
            pair = (old.secret, new.secret)
            believed.append([is_genuine(one, received.headers, received.body, now=world.now) for one in pair])
        async with world.pool.acquire() as connection:
            newest = await rotate_secret(connection, old.endpoint_id, overlap=timedelta(0), now=world.now)
        await world.tell()
        await world.turn()
        received = receiver.taken[-1]
        trio = (old.secret, new.secret, newest.secret)
        assert [is_genuine(one, received.headers, received.body, now=world.now) for one in trio] == [False, False, True]
    assert believed == [[True, True], [True, True], [False, True]]


async def test_a_test_message_passes_every_filter_and_waits_for_nothing(world: World) -> None:
    async with receiving() as receiver:
        added = await world.add(receiver.url, "grant.failed")
        async with world.pool.acquire() as connection:
            delivery = await send_test(connection, added.endpoint_id, now=world.now)
        await world.turn()
        [received] = receiver.taken
        assert received.document["type"] == "webhook.test"
        async with world.pool.acquire() as connection:
            await replay_delivery(connection, delivery, now=world.now)
        await world.turn()
    assert [one.id for one in receiver.taken] == [received.id] * 2


async def test_what_waits_for_a_removed_endpoint_is_dead(world: World) -> None:
    async with receiving(answering(500)) as receiver:
        added = await world.add(receiver.url)
        await world.tell()
        await world.turn()
        async with world.pool.acquire() as connection:
            await remove_endpoint(connection, added.endpoint_id, now=world.now)
        assert await world.turn(seconds=HOUR_S) == 0
        [row] = await world.deliveries()
        assert (row.state, row.dead_reason) == ("dead", "the endpoint was removed")
        async with world.pool.acquire() as connection:
            with pytest.raises(EndpointRefused, match="removed: add its address again"):
                await replay_delivery(connection, row.id, now=world.now)
        await world.add(receiver.url)  # the address is free again


async def test_an_address_is_added_once_and_a_private_one_never(world: World) -> None:
    await world.add("https://notary.example/hook")
    with pytest.raises(EndpointRefused, match="already"):
        await world.add("https://notary.example/hook")
    async with world.pool.acquire() as connection:
        with pytest.raises(UrlRefused):
            await add_webhook(connection, "https://127.0.0.1/", None, Policy())


async def test_a_stalled_process_that_lost_its_lease_writes_nothing(dsn: str, world: World) -> None:
    async with receiving() as receiver:
        await world.add(receiver.url)
        await world.tell()
        assert world.deliverer is not None
        [stalled] = await world.deliverer.lease()
        world.now += timedelta(seconds=61)
        async with world.pool.acquire() as connection:
            await free_leases(connection, now=world.now)
        async with opened_world(dsn, world.pool, owner=8) as second:
            second.now = world.now
            assert second.deliverer is not None
            [taken_over] = await second.deliverer.lease()
            assert await world.deliverer.attempt(stalled) is None
            assert await world.states() == ["pending"]
            assert await second.deliverer.attempt(taken_over) is not None
    assert await world.states() == ["delivered"]
    assert len({one.id for one in receiver.taken}) == 1


async def test_the_leases_of_a_dead_process_are_free_at_once_and_those_of_a_living_one_are_not(
    dsn: str, world: World
) -> None:
    async with receiving() as receiver:
        await world.add(receiver.url)
        await world.tell("a")
        await world.tell("b")
        async with opened_world(dsn, world.pool, owner=8) as second:
            assert second.deliverer is not None
            assert len(await second.deliverer.lease()) == 2
            async with world.pool.acquire() as connection:
                await free_leases(connection, now=world.now)
            assert await world.turn() == 0
        async with world.pool.acquire() as connection:
            await free_leases(connection, now=world.now)
        assert await world.turn() == 2


async def test_figures_and_pruning(world: World) -> None:
    async with receiving(answering(500)) as receiver, receiving() as other:
        await world.add(receiver.url, "grant.failed")
        await world.add(other.url)
        await world.tell("a")
        await world.tell("g", "grant.failed")
        await world.turn(seconds=HOUR_S)
        async with world.pool.acquire() as connection:
            bad, good = sorted(await load_figures(connection, now=world.now), key=lambda one: -one.pending)
            assert (bad.pending, bad.is_down, round(bad.age_s)) == (1, True, HOUR_S)
            assert (good.pending, good.failures, good.age_s) == (0, 0, 0)
            await prune(connection, world.now + timedelta(days=29))
            assert len(await world.deliveries()) == 3
            await prune(connection, world.now + timedelta(days=31))
    [left] = {row.type for row in await world.deliveries()}
    assert left == "grant.failed"
