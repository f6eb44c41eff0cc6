"""Reminders and expiry, by a loop that may be killed and run twice."""

import asyncio
from datetime import UTC, datetime, timedelta

from explorer.reviews.deadlines import Deadlines
from tests.integration.reviews.conftest import World, code, document
from tests.unit.signatures.builders import NOTARY_0X

BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def types(world: World) -> list[str]:
    return [one[0] for one in await world.told()]


async def test_a_reminder_then_expiry_each_once(world: World) -> None:
    world.now = BEGAN
    review, loop = await world.report(), Deadlines(world.desk)
    for hours, told in (
        (6 * 24 - 0.01, ["review.requested"]),
        (6 * 24, ["review.requested", "review.expiring"]),
        (7 * 24 - 0.01, ["review.requested", "review.expiring"]),
        (7 * 24, ["review.requested", "review.expiring", "review.decided"]),
        (30 * 24, ["review.requested", "review.expiring", "review.decided"]),
    ):
        world.now = BEGAN + hours * HOUR
        await asyncio.gather(loop.once(), loop.once(), loop.once())
        assert await types(world) == told, hours
    shown = await world.show(review)
    assert (shown["state"], shown["sentence"]) == ("expired", "expired: nobody decided in time")
    assert await world.audited(review["id"]) == ["review.requested", "review.expiring", "review.expired"]


async def test_a_loop_that_was_away_expires_without_a_late_reminder(world: World) -> None:
    world.now = BEGAN
    await world.report()
    world.now = BEGAN + timedelta(days=30)
    await Deadlines(world.desk).once()
    assert await types(world) == ["review.requested", "review.decided"]


async def test_an_expired_review_is_reopened_by_its_cluster_with_a_new_deadline(world: World) -> None:
    world.now = BEGAN
    review, loop = await world.proven(), Deadlines(world.desk)
    world.now = BEGAN + timedelta(days=8)
    await loop.once()
    anew = document(await world.ask("POST", f"/reviews/{review['id']}/reopen", {"comment": "still wanted"}))
    assert (anew["state"], anew["expires_at"]) == ("open", "2026-12-08T12:00:00Z")
    world.now = BEGAN + timedelta(days=14, hours=1)
    await loop.once()
    assert (await types(world))[-1] == "review.expiring"
    assert document(await world.decide(anew))["state"] == "approved"
    world.now = BEGAN + timedelta(days=40)
    await loop.once()
    assert (await world.show(review))["state"] == "approved"


async def test_past_its_deadline_nothing_is_done_with_a_review_before_the_loop_comes(world: World) -> None:
    world.now = BEGAN
    review = await world.report()
    path = f"/reviews/{review['id']}"
    world.now = BEGAN + timedelta(days=7)
    for what, body, session in (
        ("comments", {"comment": "too late"}, None),
        ("comments", {"comment": "too late"}, NOTARY_0X),
        ("results", {"outputs": []}, None),
        ("withdraw", {"comment": "too late"}, None),
        ("decisions", {"decision": "ask", "comment": "too late"}, NOTARY_0X),
    ):
        got = await world.ask("POST", f"{path}/{what}", body, session=session)
        assert code(got) == (409, "review_expired"), what
    listed = document(await world.ask("GET", "/reviews"))["reviews"][0]
    for shown in (listed, await world.show(review)):
        assert shown["state"] == "open"
        assert shown["sentence"] == "open, but its deadline has passed: nobody can decide on it any more"
    await Deadlines(world.desk).once()
    commented = document(await world.ask("POST", f"{path}/comments", {"comment": "a pity"}))
    assert commented["sentence"] == "expired: nobody decided in time"


async def test_it_says_when_to_look_again(world: World) -> None:
    world.now = BEGAN
    loop = Deadlines(world.desk)
    assert await loop.once() == 15
    await world.report()
    assert await loop.once() == 15
    world.now = BEGAN + timedelta(days=6) - timedelta(seconds=3)
    assert await loop.once() == 3


async def test_more_reviews_than_one_look_finds_are_all_expired(world: World) -> None:
    world.now = BEGAN
    for number in range(130):
        await world.report(job_id=f"j-{number}")
    world.now = BEGAN + timedelta(days=8)
    await Deadlines(world.desk).once()
    assert await world.pool.fetchval("SELECT count(*) FROM reviews.reviews WHERE state = 'expired'") == 130
