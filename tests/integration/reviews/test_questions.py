"""A review that a notary asked about waits for the cluster's answer, apart from those that need a decision."""

import html
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from node.address import Address
from tests.integration.reviews.conftest import World, code, document
from tests.unit.signatures.builders import NOTARY_F1, OTHER_F1

PAGE = {"Accept": "text/html"}
RESULTS = {"outputs": [], "exit_code": 0}


async def listed(world: World, waits_for: str, who: Address = NOTARY_F1, query: str = "") -> list[str]:
    """The jobs of a list of what waits, in its order."""
    got = await world.ask("GET", f"/reviews?waits_for={waits_for}{query}", session=who)
    assert got.status == 200, got.body
    return [one["job_id"] for one in document(got)["reviews"]]


async def page(world: World, path: str = "/reviews", who: Address = NOTARY_F1) -> str:
    """A page as the notary sees it."""
    got = await world.ask("GET", path, session=who, headers=PAGE)
    assert got.status == 200, got.body
    return html.unescape(got.body.decode())


async def ask(world: World, review: dict[str, Any], who: Address = NOTARY_F1) -> None:
    said = {"decision": "ask", "comment": "Whose data is it?"}
    got = await world.ask("POST", f"/reviews/{review['id']}/decisions", said, session=who)
    assert got.status == 200, got.body


async def comment(world: World, review: dict[str, Any], session: Address | None = None) -> None:
    got = await world.ask("POST", f"/reviews/{review['id']}/comments", {"comment": "Ours."}, session=session)
    assert got.status == 200, got.body


async def tell_results(world: World, review: dict[str, Any]) -> None:
    got = await world.ask("POST", f"/reviews/{review['id']}/results", RESULTS)
    assert got.status == 200, got.body


async def begin_anew(world: World, review: dict[str, Any]) -> None:
    for what in ("withdraw", "reopen"):
        got = await world.ask("POST", f"/reviews/{review['id']}/{what}", {"comment": "Again."})
        assert got.status == 200, got.body


async def test_who_asked_waits_and_who_did_not_decides(world: World) -> None:
    one, _ = await world.report(job_id="a"), await world.report(job_id="b")
    await ask(world, one)
    assert (await listed(world, "me"), await listed(world, "answer")) == (["b"], ["a"])
    assert (await listed(world, "me", OTHER_F1), await listed(world, "answer", OTHER_F1)) == (["a", "b"], [])
    await comment(world, one, NOTARY_F1)
    assert await listed(world, "answer") == ["a"], "what a notary says is no answer"
    await comment(world, one)
    assert (await listed(world, "me"), await listed(world, "answer")) == (["a", "b"], [])


async def test_results_are_an_answer_too(world: World) -> None:
    review = await world.report(job_id="a")
    await ask(world, review)
    await tell_results(world, review)
    assert (await listed(world, "me"), await listed(world, "answer")) == (["a"], [])


async def test_anothers_later_question_does_not_bring_an_answered_one_back(world: World) -> None:
    review = await world.report(job_id="a")
    await ask(world, review)
    await comment(world, review)
    await ask(world, review, OTHER_F1)
    assert (await listed(world, "me"), await listed(world, "answer")) == (["a"], [])
    assert (await listed(world, "me", OTHER_F1), await listed(world, "answer", OTHER_F1)) == ([], ["a"])


async def test_a_new_round_waits_for_a_decision_again(world: World) -> None:
    review = await world.report(job_id="a")
    await ask(world, review)
    await begin_anew(world, review)
    assert (await listed(world, "me"), await listed(world, "answer")) == (["a"], [])


async def test_it_can_be_decided_before_the_answer_and_is_then_gone(world: World) -> None:
    review = await world.proven(job_id="a")
    await ask(world, review)
    assert (await world.decide(review)).status == 200
    assert (await listed(world, "me"), await listed(world, "answer")) == ([], [])


async def test_the_page_counts_what_needs_a_decision_and_shows_the_others_after_it(world: World) -> None:
    for job_id in ("a", "b", "c"):
        review = await world.report(job_id=job_id)
        if job_id != "c":
            await ask(world, review)
    shown = await page(world)
    assert "<title>(1) Reviews" in shown
    assert "1 review waits for you" in shown
    mine, asked = shown.index("Needs your decision"), shown.index("Waits for an answer")
    assert mine < shown.index('title="c"') < asked < shown.index('title="a"') < shown.index('title="b"')
    assert "1 review waits for you" in await page(world, "/me")
    assert document(await world.ask("GET", "/status", key=None))["queues"] is None
    assert "Waits for an answer" not in await page(world, who=OTHER_F1)


async def test_nothing_needs_a_decision_while_all_wait_for_answers(world: World) -> None:
    await ask(world, await world.report(job_id="a", key="us"))
    shown = await page(world)
    assert "Nothing waits for you" in shown
    assert 'title="a"' in shown
    assert 'title="a"' not in await page(world, "/reviews?waits_for=me&cluster=eu")
    assert 'title="a"' in await page(world, "/reviews?waits_for=me&cluster=us")


async def test_a_long_list_of_questions_pages(world: World) -> None:
    world.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for number in range(22):
        world.now += timedelta(seconds=1)
        await ask(world, await world.report(job_id=f"j-{number:02}"))
    shown = await page(world)
    assert shown.count('title="j-') == 20
    assert 'href="/reviews?waits_for=answer"' in shown
    first = await page(world, "/reviews?waits_for=answer&limit=15")
    assert "<h1>More than 15 reviews wait for an answer</h1>" in first
    [further] = [link for link in re.findall(r'href="(/reviews\?[^"]+)"', first) if "cursor=" in link]
    rest = await page(world, further)
    assert [*re.findall('title="(j-..)"', first), *re.findall('title="(j-..)"', rest)] == [
        f"j-{number:02}" for number in range(22)
    ]
    assert "No question of yours waits" in await page(world, "/reviews?waits_for=answer", OTHER_F1)


async def test_the_list_is_a_notarys_and_of_nothing_else(world: World) -> None:
    assert code(await world.ask("GET", "/reviews?waits_for=answer")) == (400, "malformed_parameter")
    got = await world.ask("GET", "/reviews?waits_for=answer&state=open", session=NOTARY_F1)
    assert code(got) == (400, "malformed_parameter")


async def test_whatever_happens_each_review_is_in_one_list_of_each_notary(world: World) -> None:
    """Random questions, answers and rounds, against who asked since the last answer."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    reviews = [await world.report(job_id=f"j-{number}") for number in range(4)]
    due: dict[str, set[Address]] = {one["job_id"]: set() for one in reviews}
    for _ in range(60):
        review, who = draw.choice(reviews), draw.choice([NOTARY_F1, OTHER_F1])
        match draw.choice(["ask", "ask", "answer", "results", "chat", "anew"]):
            case "ask":
                await ask(world, review, who)
                due[review["job_id"]].add(who)
            case "answer":
                await comment(world, review)
                due[review["job_id"]].clear()
            case "results":
                await tell_results(world, review)
                due[review["job_id"]].clear()
            case "chat":
                await comment(world, review, who)
            case _:
                await begin_anew(world, review)
                due[review["job_id"]].clear()
        for notary in (NOTARY_F1, OTHER_F1):
            expected = sorted(job_id for job_id, asked in due.items() if notary in asked)
            assert sorted(await listed(world, "answer", notary)) == expected
            assert sorted(await listed(world, "me", notary)) == sorted(due.keys() - set(expected))
