"""`GET /events?review=…`: for those who may see the review, and nobody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from explorer.index.feed import load_newest
from tests.e2e.sse import Stream
from tests.integration.reviews.conftest import World, code
from tests.unit.signatures.builders import NOTARY_F1


@asynccontextmanager
async def streaming(world: World, query: str, *, last_id: str = "", key: str | None = "eu") -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {world.keys[key]}"} if key else {}
    headers |= {"Last-Event-ID": last_id} if last_id else {}
    async with world.client.session.get(f"{world.client.url}/events?{query}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        stream = Stream(answer)
        await stream.block()
        yield stream


async def test_a_watcher_is_told_what_happens_to_its_review(watched: World) -> None:
    review, other = await watched.report(), await watched.report(job_id="j-2")
    async with streaming(watched, f"review={review['id']}") as stream:
        await watched.prove(other)
        await watched.prove(review)
        await watched.decide(review)
        events = [await stream.event(), await stream.event()]
        assert [(one.name, one.data["change"], one.data["state"]) for one in events] == [
            ("review", "proved", "open"),
            ("review", "decided", "approved"),
        ]
        assert {one.data["review"] for one in events} == {review["id"]}
        assert set(events[0].data) == {"type", "at", "review", "change", "state", "round", "revision"}


async def test_a_stream_goes_on_behind_the_last_event_that_was_seen(watched: World) -> None:
    review = await watched.report()
    async with streaming(watched, f"review={review['id']}") as stream:
        await watched.ask("POST", f"/reviews/{review['id']}/comments", {"comment": "one"})
        seen = await stream.event()
    await watched.ask("POST", f"/reviews/{review['id']}/comments", {"comment": "two"})
    async with streaming(watched, f"review={review['id']}", last_id=seen.fields["id"]) as stream:
        assert (await stream.event()).data["revision"] == seen.data["revision"] + 1


async def test_those_who_watch_everything_hear_of_no_review(watched: World) -> None:
    review = await watched.report()
    async with streaming(watched, "", key=None) as stream:
        await watched.prove(review)
        assert len(await load_feed(watched)) == 2
        async with watched.pool.acquire() as connection:
            await connection.execute("INSERT INTO explorer.feed (type, data) VALUES ('import', '{}')")
        assert (await stream.event()).name == "import"


async def load_feed(world: World) -> list[object]:
    async with world.pool.acquire() as connection:
        return [event for event in await load_newest(connection) if event.type == "review"]


@pytest.mark.parametrize(
    ("query", "key", "refusal"),
    [
        ("review={id}", None, (401, "credentials_missing")),
        ("review={id}", "us", (404, "not_found")),
        (f"review=rev_{'0' * 26}", "eu", (404, "not_found")),
        ("review=x", "eu", (404, "not_found")),
        ("review={id}&types=cid", "eu", (400, "conflicting_parameters")),
    ],
)
async def test_a_stream_that_is_not_to_be_had(watched: World, query: str, key: str, refusal: tuple[int, str]) -> None:
    review = await watched.report()
    assert code(await watched.ask("GET", f"/events?{query.format(id=review['id'])}", key=key)) == refusal


async def test_a_notarys_session_may_watch_and_public_streams_stay_public(watched: World) -> None:
    review = await watched.report()
    head = await watched.ask("HEAD", f"/events?review={review['id']}", session=NOTARY_F1)
    assert (head.status, "Access-Control-Allow-Origin" in head.headers) == (200, False)
    public = await watched.ask("HEAD", "/events", key=None)
    assert (public.status, public.headers["Access-Control-Allow-Origin"]) == (200, "*")
