"""What notaries' pages stand on: what waits for whom, what others there are, the stream of all reviews."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from explorer.access.clusters import revoke_cluster
from explorer.access.notaries import load_notary, revoke_notary
from explorer.access.sessions import IDLE, end_session, end_sessions, find_session
from explorer.ground.supervision import Supervisor
from explorer.index.feed_watch import FeedWatch
from explorer.web.broadcast import Broadcast
from node.address import Address
from tests.e2e.fake_index import ACTIVE, FakeIndex
from tests.e2e.sse import Stream
from tests.integration.reviews.conftest import OPERATOR, World, code, document, opened_world
from tests.many_reviews import copy_review
from tests.patience import PATIENCE_S
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F1, OTHER_F1

PAGE = {"Accept": "text/html"}


async def waiting(world: World, who: Address, query: str = "") -> list[str]:
    """The jobs that wait for a notary, in the order in which they are given."""
    got = await world.ask("GET", f"/reviews?waits_for=me{query}", session=who)
    assert got.status == 200, got.body
    return [one["job_id"] for one in document(got)["reviews"]]


async def test_what_waits_is_open_not_ones_own_and_not_approved_yet(world: World) -> None:
    for job_id in ("a", "b", "c", "own"):
        changes = {"publisher": str(NOTARY_0X)} if job_id == "own" else {}
        review = await world.report(job_id=job_id, requested_bytes=str(1 << 50), **changes)
        if job_id == "a":
            await world.prove(review)
            assert (await world.decide(review)).status == 200
        if job_id == "b":
            assert (await world.decide(review, decision="reject")).status == 200
    assert await waiting(world, NOTARY_F1) == ["c", "own"]
    assert await waiting(world, OTHER_F1) == ["a", "c", "own"]
    assert await waiting(world, NOTARY_0X) == ["c"], "of the same key as one that approved, or its own"


async def test_the_nearest_deadline_comes_first_and_pages_follow(world: World) -> None:
    began = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for number, hours in enumerate([5, 1, 3, 4, 2]):
        world.now = began + timedelta(hours=hours)
        await world.report(job_id=f"j-{number}")
    seen, query = [], "&limit=2"
    while query:
        got = document(await world.ask("GET", f"/reviews?waits_for=me{query}", session=NOTARY_F1))
        seen += [one["job_id"] for one in got["reviews"]]
        query = got["next_cursor"] and f"&limit=2&cursor={got['next_cursor']}"
    assert seen == ["j-1", "j-4", "j-2", "j-3", "j-0"]
    world.now = began + timedelta(days=7, hours=3, seconds=1)
    assert await waiting(world, NOTARY_F1) == ["j-3", "j-0"], "whose deadline has passed waits for nobody"


async def test_filters_go_with_it_and_negate(world: World) -> None:
    await world.report(job_id="eu-1")
    await world.report(job_id="us-1", key="us")
    assert await waiting(world, NOTARY_F1, "&cluster=us") == ["us-1"]
    assert await waiting(world, NOTARY_F1, "&cluster=!us") == ["eu-1"]


async def test_the_page_counts_and_links_what_it_shows(world: World) -> None:
    """Narrowed, the count is of what fits; as JSON and on the next page it is the same question."""
    for number in range(3):
        await world.report(job_id=f"us-{number}", key="us")
    await world.report(job_id="eu-1")
    narrowed = "/reviews?waits_for=me&cluster=us&limit=2"
    shown = (await world.ask("GET", narrowed, session=NOTARY_F1, headers=PAGE)).body.decode()
    assert "3 reviews wait for you" in shown
    links = [html.unescape(link) for link in re.findall(r'href="(/reviews\?[^"]+)"', shown)]
    assert f"{narrowed}&format=json" in links
    [further] = [link for link in links if "cursor=" in link]
    assert "limit=2" in further
    rest = (await world.ask("GET", further, session=NOTARY_F1, headers=PAGE)).body.decode()
    assert len(re.findall('<tr role="row" data-key', rest)) == 1
    assert f'<a href="{html.escape(narrowed)}">Back to the first</a>' in rest
    queue = (await world.ask("GET", "/reviews", session=NOTARY_F1, headers=PAGE)).body.decode()
    assert "4 reviews wait for you" in queue
    link = '<a href="/reviews?waits_for=me&amp;format=json">'
    assert link in queue
    assert len(document(await world.ask("GET", "/reviews?waits_for=me&format=json", session=NOTARY_F1))["reviews"]) == 4


@pytest.mark.parametrize("query", ["waits_for=me&state=open", "waits_for=me&cursor=AAAA", "waits_for=you"])
async def test_a_queue_that_is_not_to_be_had(world: World, query: str) -> None:
    assert (await world.ask("GET", f"/reviews?{query}", session=NOTARY_F1)).status == 400


async def test_nothing_waits_for_a_cluster(world: World) -> None:
    assert (await world.ask("GET", "/reviews?waits_for=me")).status == 400
    assert (await world.ask("GET", "/reviews", headers=PAGE)).status == 200


async def test_of_ten_thousand_waiting_reviews_the_most_urgent_are_shown(world: World) -> None:
    review = await world.report()
    async with world.pool.acquire() as connection:
        await copy_review(connection, review["id"], 10_000, cid=ACTIVE)
    got = await world.ask("GET", "/reviews", session=NOTARY_F1, headers=PAGE)
    assert b"<title>(more than 1000) Reviews" in got.body
    assert got.body.count(b"data-row") == 51
    last = (await waiting(world, NOTARY_F1, "&limit=500"))[-1]
    assert last == "j-499"


async def test_a_notarys_record_pages_and_outlives_the_right_to_decide(world: World) -> None:
    for number in range(3):
        review = await world.proven(job_id=f"j-{number}")
        await world.decide(review, decision="approve" if number else "reject")
    path = f"/notaries/{NOTARY_F1}"
    first = document(await world.ask("GET", f"{path}?limit=2", session=OTHER_F1))
    assert [one["job_id"] for one in first["decisions"]] == ["j-2", "j-1"]
    rest = document(await world.ask("GET", f"{path}?limit=2&cursor={first['next_cursor']}", session=OTHER_F1))
    assert [one["decision"] for one in rest["decisions"]] == ["reject"]
    assert [(one["approve"], one["reject"]) for one in rest["months"]] == [(2, 1)]
    async with world.pool.acquire() as connection:
        await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
    after = document(await world.ask("GET", path, session=OTHER_F1))
    assert (after["revoked_at"] is not None, len(after["decisions"])) == (True, 3)
    nobody = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"
    assert code(await world.ask("GET", f"/notaries/{nobody}", session=OTHER_F1)) == (404, "not_found")


@asynccontextmanager
async def streaming(world: World, query: str, headers: dict[str, str]) -> AsyncIterator[Stream]:
    async with world.client.session.get(f"{world.client.url}/events?{query}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        stream = Stream(answer)
        await stream.block()
        yield stream


@pytest.fixture
async def pulsing(dsn: str, pool: asyncpg.Pool, index: FakeIndex) -> AsyncIterator[World]:
    """A world whose streams are fed, with a heartbeat each tenth of a second."""
    broadcast, stop = Broadcast(), asyncio.Event()
    feed = {"feed": FeedWatch(dsn, broadcast).run}
    feeding = asyncio.create_task(Supervisor(feed, registry=CollectorRegistry()).run(stop))
    try:
        async with opened_world(pool, index, broadcast, heartbeat_s=0.1) as opened:
            yield opened
    finally:
        stop.set()
        await feeding


def session_of(world: World, who: Address) -> dict[str, str]:
    return {"Cookie": f"__Host-filplus-session={world.cookies[who]}"}


async def test_a_notary_hears_of_every_review_and_of_nothing_else(watched: World) -> None:
    async with streaming(watched, "reviews=all", session_of(watched, NOTARY_F1)) as stream:
        one, other = await watched.report(job_id="one"), await watched.report(job_id="two", key="us")
        events = [await stream.event(), await stream.event()]
        assert [event.data["review"] for event in events] == [one["id"], other["id"]]
        async with watched.pool.acquire() as connection:
            await connection.execute("INSERT INTO explorer.feed (type, data) VALUES ('import', '{}')")
        await watched.prove(one)
        assert (await stream.event()).data["change"] == "proved"


@pytest.mark.parametrize(
    ("query", "session", "refusal"),
    [
        ("reviews=all", None, (403, "not_allowed")),
        ("reviews=some", NOTARY_F1, (400, "malformed_parameter")),
        ("reviews=all&types=cid", NOTARY_F1, (400, "conflicting_parameters")),
        ("reviews=all&review={id}", NOTARY_F1, (400, "conflicting_parameters")),
    ],
)
async def test_a_stream_of_all_that_is_not_to_be_had(
    watched: World, query: str, session: Address | None, refusal: tuple[int, str]
) -> None:
    review = await watched.report()
    got = await watched.ask("GET", f"/events?{query.format(id=review['id'])}", session=session)
    assert code(got) == refusal
    assert code(await watched.ask("GET", "/events?reviews=all", key=None)) == (401, "credentials_missing")


async def ended(stream: Stream) -> None:
    """Returns once the stream has said that it has ended, and ended."""
    async with asyncio.timeout(PATIENCE_S):
        event = await stream.event()
        while event.name != "ended":
            event = await stream.event()
        assert await stream.answer.content.read() == b""


async def test_a_revoked_notary_is_cut_off(pulsing: World) -> None:
    async with streaming(pulsing, "reviews=all", session_of(pulsing, NOTARY_F1)) as stream:
        async with pulsing.pool.acquire() as connection:
            await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
        await ended(stream)


async def test_a_revoked_cluster_is_cut_off_from_its_review(pulsing: World) -> None:
    review = await pulsing.report()
    headers = {"Authorization": f"Bearer {pulsing.keys['eu']}"}
    async with streaming(pulsing, f"review={review['id']}", headers) as stream:
        async with pulsing.pool.acquire() as connection:
            await revoke_cluster(connection, "eu", by=OPERATOR)
        await ended(stream)


REVOKED, SIGNED_OUT, EVERYWHERE = "revoked", "signed out", "signed out everywhere"


async def end_access(world: World, how: str) -> None:
    """Ends the session of NOTARY_F1, as another process would."""
    async with world.pool.acquire() as connection:
        if how == REVOKED:
            await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
        elif how == SIGNED_OUT:
            await end_session(connection, world.cookies[NOTARY_F1])
        else:
            await end_sessions(connection, await load_notary(connection, NOTARY_F1))


@pytest.mark.parametrize("how", [REVOKED, SIGNED_OUT, EVERYWHERE])
async def test_who_may_no_longer_look_is_cut_off_without_waiting_for_a_heartbeat(watched: World, how: str) -> None:
    review = await watched.report()
    async with (
        streaming(watched, "reviews=all", session_of(watched, NOTARY_F1)) as gone,
        streaming(watched, f"review={review['id']}", session_of(watched, NOTARY_F1)) as gone_too,
        streaming(watched, "reviews=all", session_of(watched, OTHER_F1)) as kept,
    ):
        await end_access(watched, how)
        await ended(gone)
        await ended(gone_too)
        await watched.prove(review)
        assert (await kept.event()).data["change"] == "proved"


async def test_a_revoked_cluster_is_cut_off_without_waiting_for_a_heartbeat(watched: World) -> None:
    review = await watched.report()
    headers = {"Authorization": f"Bearer {watched.keys['eu']}"}
    async with streaming(watched, f"review={review['id']}", headers) as stream:
        async with watched.pool.acquire() as connection:
            await revoke_cluster(connection, "eu", by=OPERATOR)
        await ended(stream)


async def test_what_ended_while_nobody_could_hear_of_it_is_found_at_the_next_connection(watched: World) -> None:
    async with streaming(watched, "reviews=all", session_of(watched, NOTARY_F1)) as stream:
        async with watched.pool.acquire() as connection:
            await connection.execute("UPDATE access.notaries SET revoked_at = now() WHERE name = 'Ada'")
            ears = "SELECT pid FROM pg_stat_activity WHERE application_name = 'filplus endings'"
            await connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({ears} AND datname = current_database())")
        await ended(stream)


async def test_an_open_page_does_not_keep_a_session_from_ending(world: World) -> None:
    token = world.cookies[NOTARY_F1]
    later = datetime.now(UTC) + IDLE - timedelta(seconds=5)
    async with world.pool.acquire() as connection:
        began = await connection.fetchval("SELECT min(seen_at) FROM access.sessions")
        await connection.execute("UPDATE access.sessions SET seen_at = seen_at - interval '10 minutes'")
        headers = {"Filplus-Unattended": "1"}
        assert (await world.ask("GET", "/reviews", session=NOTARY_F1, headers=headers)).status == 200
        assert await connection.fetchval("SELECT max(seen_at) FROM access.sessions") < began
        assert await find_session(connection, token, is_attended=False, now=later) is None
        assert (await world.ask("GET", "/reviews", session=NOTARY_F1)).status == 200
        assert await find_session(connection, token, is_attended=False, now=later) is not None
