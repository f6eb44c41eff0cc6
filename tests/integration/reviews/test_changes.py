"""What else becomes of a review, and who may see and do it."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from explorer.access.actors import Actor, ActorKind, Scope
from explorer.access.clusters import add_cluster, revoke_cluster
from explorer.ground.queries import load_queries
from explorer.reviews.changes import MOST_ROUNDS, reopen
from explorer.reviews.deciding import MOST_QUESTIONS, ask
from explorer.reviews.desk import loaded
from explorer.reviews.documents import ALERT_INPUTS, alert_document
from explorer.reviews.dossier import load_dossier
from explorer.reviews.errors import TooMuchSaid
from explorer.reviews.reading import count_open_of
from tests.e2e.fake_index import ACTIVE, PAYLOAD
from tests.integration.reviews.conftest import OPERATOR, World, code, document
from tests.integration.reviews.requests import TIB
from tests.plans import rows_read
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F1, OTHER_F1, PUBLISHER_F1

RESULTS = {"outputs": [{"cid": PAYLOAD, "size_bytes": TIB}], "exit_code": 0, "log_tail": "done"}
SMALL = {"outputs": [{"cid": PAYLOAD, "size_bytes": 1}]}


def path(review: Any, rest: str = "") -> str:
    return f"/reviews/{review['id']}{rest}"


async def test_results_are_kept_and_the_newest_shown(world: World) -> None:
    review = await world.report()
    await world.ask("POST", path(review, "/results"), RESULTS)
    shown = document(await world.ask("POST", path(review, "/results"), {**RESULTS, "exit_code": 3}))
    assert (shown["results"]["exit_code"], shown["results"]["number"], shown["results_total"]) == (3, 2, 2)
    assert await world.pool.fetchval("SELECT count(*) FROM reviews.results") == 2
    assert await world.told() == [("review.requested", review["id"])]


async def test_results_far_smaller_than_the_request_need_one_more(world: World) -> None:
    review = await world.proven()
    shown = document(await world.ask("POST", path(review, "/results"), SMALL))
    assert (shown["quorum"], [one["rule"] for one in shown["policy"]]) == (2, ["far_above_results"])
    shown = document(await world.ask("POST", path(review, "/results"), RESULTS))
    assert shown["quorum"] == 2, "a quorum never falls within a round"


@pytest.mark.parametrize("decision", ["approve", "reject"])
async def test_results_after_the_decision_are_refused(world: World, decision: str) -> None:
    review = await world.proven()
    await world.decide(review, decision=decision)
    assert code(await world.ask("POST", path(review, "/results"), RESULTS)) == (409, "review_closed")
    assert (await world.show(review))["results"] is None


async def test_a_decided_review_can_still_be_talked_about(world: World) -> None:
    review = await world.proven()
    await world.decide(review)
    shown = document(await world.ask("POST", path(review, "/comments"), {"comment": "thanks \u202e<b>"}))
    assert (shown["state"], [one["comment"] for one in shown["comments"]]) == ("approved", ["thanks \u202e<b>"])
    shown = document(await world.ask("POST", path(review, "/comments"), {"comment": "welcome"}, session=NOTARY_F1))
    assert shown["comments"][1]["by"] == {"kind": "notary", "id": str(NOTARY_F1), "name": "Ada"}


async def test_withdrawing_ends_it_and_the_cluster_reopens_it(world: World) -> None:
    review = await world.proven()
    assert code(await world.ask("POST", path(review, "/withdraw"), {"comment": "x"}, session=NOTARY_F1)) == (
        403,
        "scope_missing",
    )
    shown = document(await world.ask("POST", path(review, "/withdraw"), {"comment": "a mistake"}))
    assert (shown["state"], shown["sentence"]) == ("withdrawn", "withdrawn by who asked")
    assert code(await world.ask("POST", path(review, "/withdraw"), {"comment": "x"})) == (409, "review_closed")
    anew = document(await world.ask("POST", path(review, "/reopen"), {"comment": "no, it wasn't"}))
    assert (anew["state"], anew["round"], anew["sentence"]) == ("open", 2, "open, waits for 1 approval")
    assert anew["grant_id"] != review["grant_id"]
    assert [one[0] for one in await world.told()] == ["review.requested", "review.decided", "review.requested"]


async def test_a_rejection_is_not_for_its_cluster_to_undo(world: World) -> None:
    review = await world.proven()
    assert code(await world.ask("POST", path(review, "/reopen"), {"comment": "x"})) == (409, "not_reopenable")
    await world.decide(review, decision="reject")
    assert code(await world.ask("POST", path(review, "/reopen"), {"comment": "please"})) == (403, "not_allowed")
    assert (await world.ask("POST", path(review, "/reopen"), {"comment": "sure"}, session=OTHER_F1)).status == 200


async def test_an_approved_review_is_not_reopened(world: World) -> None:
    review = await world.proven()
    await world.decide(review)
    for who in ({"session": NOTARY_F1}, {}):
        got = await world.ask("POST", path(review, "/reopen"), {"comment": "x"}, **who)
        assert code(got) == (409, "not_reopenable")


async def test_the_rules_look_again_when_a_review_is_reopened(world: World) -> None:
    review = await world.report()
    await world.ask("POST", path(review, "/results"), SMALL)
    await world.ask("POST", path(review, "/withdraw"), {"comment": "x"})
    anew = document(await world.ask("POST", path(review, "/reopen"), {"comment": "x"}))
    assert (anew["quorum"], anew["policy"][0]["rule"]) == (2, "far_above_results")


OTHERS = [
    ("GET", "", None),
    ("GET", "/publisher-proof", None),
    ("POST", "/results", RESULTS),
    ("POST", "/comments", {"comment": "x"}),
    ("POST", "/withdraw", {"comment": "x"}),
    ("POST", "/reopen", {"comment": "x"}),
    ("POST", "/publisher-proof", {"message": "x", "signature": "y"}),
]


@pytest.mark.parametrize(("method", "rest", "body"), OTHERS)
async def test_to_others_a_review_is_not_there(world: World, method: str, rest: str, body: Any) -> None:
    review = await world.report()
    refused = await world.ask(method, path(review, rest), body, key="us")
    unknown = await world.ask(method, f"/reviews/rev_{'0' * 26}{rest}", body, key="us")
    assert code(refused) == code(unknown) == (404, "not_found")
    assert code(await world.ask(method, path(review, rest), body, key=None)) == (401, "credentials_missing")
    assert (await world.show(review))["revision"] == review["revision"]


@pytest.mark.parametrize("name", ["x", "rev_", f"rev_{'0' * 25}U", "%00", "%ff", "rev_" + "9" * 400, "..%2f"])
async def test_what_is_no_id_is_not_found(world: World, name: str) -> None:
    assert code(await world.ask("GET", f"/reviews/{name}")) == (404, "not_found")


async def test_a_key_without_the_scope_does_not_write(world: World) -> None:
    async with world.pool.acquire() as connection:
        world.keys["reader"] = (await add_cluster(connection, "reader", (Scope.READ,), by=OPERATOR)).key or ""
        world.keys["admin"] = (await add_cluster(connection, "desk", (Scope.ADMIN,), by=OPERATOR)).key or ""
    review = await world.report()
    assert code(await world.ask("POST", "/reviews", {}, key="reader")) == (403, "scope_missing")
    assert document(await world.ask("GET", "/reviews", key="reader"))["reviews"] == []
    assert (await world.ask("GET", path(review), key="admin")).status == 200
    assert document(await world.ask("POST", path(review, "/withdraw"), {"comment": "x"}, key="admin"))["state"] == (
        "withdrawn"
    )
    assert (await world.ask("POST", path(review, "/reopen"), {"comment": "x"}, key="admin")).status == 200


async def test_a_list_pages_and_narrows(world: World) -> None:
    world.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    made = []
    for number in range(7):
        world.now += timedelta(minutes=1)
        publisher = str(NOTARY_0X) if number % 3 == 0 else str(PUBLISHER_F1)
        made.append(await world.report(job_id=f"j-{number}", publisher=publisher))
    await world.report(key="us", job_id="theirs")
    await world.ask("POST", path(made[0], "/withdraw"), {"comment": "x"})
    newest = [one["id"] for one in reversed(made)]

    async def listed(query: str, **who: Any) -> list[str]:
        found, address = [], f"/reviews?{query}"
        while address:
            got = await world.ask("GET", address, **who)
            assert got.status == 200, got.body
            found += [one["id"] for one in document(got)["reviews"]]
            address = got.headers.get("Link", "").partition(">")[0].removeprefix("<")
        return found

    assert await listed("limit=2") == newest == await listed("limit=7")
    assert len(await listed("", session=NOTARY_F1)) == 8
    assert await listed("cluster=!eu", session=NOTARY_F1) == (await listed("", key="us"))
    assert len(await listed("cluster=eu,us", session=NOTARY_F1)) == 8
    assert await listed("state=open") == newest[:-1] == await listed("state=!withdrawn")
    assert await listed("state=!open") == newest[-1:]
    assert await listed("state=open,!open") == []
    assert await listed("state=") == newest, "as a form sends it where nothing was chosen"
    assert len(await listed(f"publisher={NOTARY_0X.to_eth()}")) == 3
    assert len(await listed(f"publisher=!{NOTARY_0X}&limit=2")) == 4
    assert await listed("job_id=j-3") == [made[3]["id"]]
    cut = quote(made[4]["created_at"])
    assert await listed(f"since={cut}&limit=1") == newest[:3]
    assert await listed(f"until={cut}&limit=1") == newest[3:]
    first = document(await world.ask("GET", "/reviews"))["reviews"][0]
    assert "job" not in first
    assert first["inputs_total"] == 1


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("state=closed", "malformed_parameter"),
        ("state=!", "malformed_parameter"),
        ("publisher=x", "malformed_address"),
        (f"publisher={PUBLISHER_F1.to_text('t')}", "address_of_other_network"),
        ("since=never", "malformed_time"),
        ("cursor=zzz", "malformed_cursor"),
        ("cursor=YmVmb3JlOnJldl8w", "malformed_cursor"),
        ("limit=0", "malformed_parameter"),
        ("limit=501", "malformed_parameter"),
        ("nonsense=1", "unknown_parameter"),
        ("cluster=%00", "malformed_parameter"),
        ("job_id=%00", "malformed_parameter"),
        ("state=open&state=open", "repeated_parameter"),
    ],
)
async def test_bad_questions_are_refused(world: World, query: str, refusal: str) -> None:
    got = await world.ask("GET", f"/reviews?{query}")
    assert document(got)["code"] == refusal
    assert 400 <= got.status < 500


@pytest.mark.parametrize(
    "query", ["cluster=%ff", "job_id=%ed%a0%80", "cluster=%F0%9F%98%80,!x", "job_id=%E2%80%AE", "cluster=!"]
)
async def test_strange_filters_find_nothing_and_do_no_harm(world: World, query: str) -> None:
    got = await world.ask("GET", f"/reviews?{query}")
    assert got.status in (200, 400), got.body


@pytest.mark.parametrize(
    "query",
    [
        "since=0001-01-01T00:00:00%2B23:59",
        "until=9999-12-31T23:59:59-23:59",
        "waits_for=me&cursor=" + base64.urlsafe_b64encode(b"waiting 0001-01-01T00:00:00+23:59 x").decode().rstrip("="),
        "job_id=%00",
        "cluster=%00",
    ],
)
async def test_times_beyond_the_calendar_are_no_fault_of_ours(world: World, query: str) -> None:
    got = await world.ask("GET", f"/reviews?{query}", session=NOTARY_F1)
    assert got.status in (200, 400), got.body


async def test_what_is_kept_of_a_review_is_bounded(world: World) -> None:
    review = await world.report()
    operator, notary = OPERATOR, Actor(ActorKind.NOTARY, str(NOTARY_F1), "Ada")
    await world.pool.execute("UPDATE reviews.reviews SET state = 'withdrawn', round = $1", MOST_ROUNDS)
    await world.pool.execute("UPDATE reviews.rounds SET round = $1", MOST_ROUNDS)
    with pytest.raises(TooMuchSaid, match="rounds"):
        await reopen(world.desk, operator, review["id"], "again and again")
    await world.pool.execute("UPDATE reviews.reviews SET state = 'open'")
    await world.pool.execute(
        """INSERT INTO reviews.decisions (review_id, round, notary, notary_name, addresses, decision, comment, at)
           SELECT $1, $2, $3, 'Ada', ARRAY[$3], 'ask', 'why?', now() FROM generate_series(1, $4)""",
        review["id"],
        MOST_ROUNDS,
        str(NOTARY_F1),
        MOST_QUESTIONS,
    )
    with pytest.raises(TooMuchSaid, match="questions"):
        await ask(world.desk, notary, review["id"], "and why?")
    async with world.pool.acquire() as connection:
        alert = alert_document(await loaded(connection, review["id"], None), world.desk.network)
    assert len(alert["decisions"]) == ALERT_INPUTS


async def test_what_was_said_of_one_review_is_found_among_all_that_was_said(world: World) -> None:
    talked_of, other = await world.report(job_id="a"), await world.report(job_id="b")
    query = load_queries("explorer.reviews.sql", "reviews.sql")["decisions"]
    async with world.pool.acquire() as connection:
        await connection.execute(
            """INSERT INTO reviews.decisions (review_id, round, notary, notary_name, addresses, decision, comment, at)
               SELECT $1, 1, 'f1', 'Ada', ARRAY['f1'], 'ask', repeat('why? ', 100), now()
               FROM generate_series(1, 5000)""",
            talked_of["id"],
        )
        await connection.execute("ANALYZE reviews.decisions")
        plan = await connection.fetch(f"EXPLAIN {query.replace('$1', chr(39) + '{' + other['id'] + '}' + chr(39))}")
    assert any("decisions_review" in row[0] for row in plan), plan


async def test_lists_tell_how_many_inputs_there_are_without_reading_them(world: World) -> None:
    review = await world.report(cids=[ACTIVE])
    async with world.pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO reviews.inputs (review_id, place, cid, verdict)"
            " SELECT $1, place, 'bafy' || place, 'none' FROM generate_series(2, 5000) AS place",
            review["id"],
        )
        await connection.execute("VACUUM ANALYZE reviews.inputs")
        page = load_queries("explorer.reviews.sql", "reviews.sql")["page"]
        assert await rows_read(connection, page, *[None] * 10, 101, None) < 100
    for query, session in (("", None), ("?waits_for=me", NOTARY_F1)):
        [listed] = document(await world.ask("GET", f"/reviews{query}", session=session))["reviews"]
        assert listed["inputs_total"] == 5_000


async def test_of_many_results_the_newest_alone_is_read(world: World) -> None:
    review = await world.report()
    for size_bytes in (TIB, 2 * TIB):
        body = {"outputs": [{"cid": ACTIVE, "size_bytes": size_bytes}]}
        assert (await world.ask("POST", path(review, "/results"), body)).status < 300
    async with world.pool.acquire() as connection:
        rows = await connection.fetch(load_queries("explorer.reviews.sql", "reviews.sql")["results"], review["id"])
    assert [row["size_bytes"] for row in rows] == [2 * TIB]
    shown = await world.show(review)
    assert (shown["results"]["number"], shown["results_total"]) == (2, 2)


async def test_a_notary_is_told_that_the_cluster_was_revoked(world: World) -> None:
    """The review stays, and can be approved: whoever decides has to know."""
    review, notary = await world.report(), Actor(ActorKind.NOTARY, str(NOTARY_F1), "Ada")
    assert not any("revoked" in text for text in await _risks(world, notary, review["id"]))
    async with world.pool.acquire() as connection:
        cluster_id = await revoke_cluster(connection, "eu", by=OPERATOR)
        assert await count_open_of(connection, cluster_id) == 1
    assert any("revoked" in text for text in await _risks(world, notary, review["id"]))


async def _risks(world: World, notary: Actor, review_id: str) -> list[str]:
    dossier = await load_dossier(world.desk, notary, review_id, actor_id_of=_nobody)
    return [risk.text for risk in dossier.risks]


async def _nobody(_: str) -> int | None:
    """Tells whose an address is where no node is asked."""
    return None


async def test_a_private_answer_is_kept_by_nobody_and_known_again(world: World) -> None:
    review = await world.report(cids=[ACTIVE])
    got = await world.ask("GET", path(review))
    assert got.headers["Cache-Control"] == "private, no-store"
    assert "Access-Control-Allow-Origin" not in got.headers
    again = await world.ask("GET", path(review), headers={"If-None-Match": got.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    head = await world.ask("HEAD", path(review))
    assert (head.status, head.headers["ETag"]) == (200, got.headers["ETag"])
    browser = await world.ask("GET", "/reviews", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (browser.status, browser.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert browser.headers["Cache-Control"] == "private, no-store"
