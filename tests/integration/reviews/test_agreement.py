"""Whether the tables of reviews agree with the audit log, and what tampering with either shows."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from explorer.access.notaries import add_notary, revoke_notary
from explorer.audit.log import record
from explorer.audit.reading import read_entries
from explorer.ground.queries import load_queries
from explorer.reviews.agreeing import Agreement, verify_with_reviews
from explorer.reviews.deadlines import Deadlines
from explorer.reviews.differing import differences
from explorer.reviews.retold import Replay
from tests.integration.reviews.conftest import OPERATOR, World, document
from tests.integration.reviews.requests import proof_of
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F1, OTHER_F1

PIB = 1 << 50
_ROWS = load_queries("explorer.reviews.sql", "agreement.sql")["rows"]
RESULTS = {"outputs": [], "exit_code": 0}


async def agreement(world: World) -> Agreement:
    async with world.pool.acquire() as connection:
        _, found = await verify_with_reviews(connection)
    return found


async def say(world: World, review: Mapping[str, Any], what: str, body: Mapping[str, Any], **options: Any) -> None:
    got = await world.ask("POST", f"/reviews/{review['id']}/{what}", body, **options)
    assert got.status in {200, 201}, got.body


async def test_whatever_is_done_with_reviews_agrees_with_the_log(world: World) -> None:
    assert await agreement(world) == Agreement(0, {})
    proven = await world.report(publisher_proof=proof_of())
    await world.decide(proven)
    large = await world.proven(job_id="large", requested_bytes=str(PIB))
    await world.decide(large)
    async with world.pool.acquire() as connection:
        await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
        await add_notary(connection, NOTARY_F1, "Ada", by=OPERATOR)
    await world.decide(large, OTHER_F1)
    await say(world, large, "results", RESULTS)
    await say(world, large, "decisions", {"decision": "ask", "comment": "Which licence?"}, session=NOTARY_0X)
    await say(world, large, "comments", {"comment": "CC0"})
    await world.decide(large, NOTARY_0X, "reject")
    await say(world, large, "reopen", {"comment": "thought again"}, session=NOTARY_0X)
    for signer in (NOTARY_F1, OTHER_F1):
        await world.decide(large, signer)
    assert (await world.show(large))["state"] == "approved"
    taken_back = await world.report(job_id="withdrawn")
    await say(world, taken_back, "withdraw", {"comment": "not needed"})
    await world.report(job_id="refused", requested_bytes="0")
    late = await world.report(job_id="late")
    world.now = datetime.now(UTC) + timedelta(days=8)
    await Deadlines(world.desk).once()
    assert (await world.show(late))["state"] == "expired"
    assert await agreement(world) == Agreement(5, {})


TAMPERING = {
    "UPDATE reviews.reviews SET state = 'open' WHERE id = $1": "state is open, by the log approved",
    "UPDATE reviews.rounds SET quorum = 1 WHERE review_id = $1": "quorum is 1, by the log 2",
    "UPDATE reviews.reviews SET publisher = 'f1x' WHERE id = $1": "publisher is f1x",
    "UPDATE reviews.reviews SET requested_bytes = 1 WHERE id = $1": "requested_bytes is 1, by the log",
    "UPDATE reviews.reviews SET proof_signature = '01' WHERE id = $1": "the publisher's proof isn't",
    "UPDATE reviews.decisions SET comment = 'x' WHERE review_id = $1": "2 of its decisions aren't",
    "DELETE FROM reviews.decisions WHERE review_id = $1": "2 decisions of the log aren't there",
    "UPDATE reviews.rounds SET grant_id = 'gra_0' WHERE review_id = $1": "grant_id is gra_0",
    "UPDATE reviews.reviews SET cluster_name = 'other' WHERE id = $1": "cluster_name is other, by the log",
    "UPDATE reviews.reviews SET job = '{}' WHERE id = $1": "the job isn't the one in the log",
    "UPDATE reviews.reviews SET job = 'no JSON' WHERE id = $1": "the job isn't the one in the log",
    "UPDATE reviews.inputs SET verdict = 'past' WHERE review_id = $1": "their verdicts",
    "UPDATE reviews.inputs SET cid = 'bafy' WHERE review_id = $1": "the CIDs",
    "DELETE FROM reviews.inputs WHERE review_id = $1": "the CIDs",
    "UPDATE reviews.reviews SET inputs_as_of = '{}' WHERE id = $1": "the moment of these",
    "UPDATE reviews.results SET document = '{}' WHERE review_id = $1 AND number = 1": "results 1 aren't those",
    "UPDATE reviews.results SET size_bytes = 7 WHERE review_id = $1 AND number = 2": "results 2 aren't those",
    "DELETE FROM reviews.results WHERE review_id = $1 AND number = 2": "results 2 of the log aren't there",
    "INSERT INTO reviews.results SELECT $1, 3, now(), '{}', 1": "results 3 aren't in the log",
    "UPDATE reviews.rounds SET expires_at = expires_at + interval '1 d' WHERE review_id = $1": "deadline of round 1",
    "UPDATE reviews.rounds SET expires_at = 'infinity' WHERE review_id = $1": "deadline of round 1",
    "UPDATE reviews.rounds SET findings = '[]' WHERE review_id = $1": "what the rules found",
    "UPDATE reviews.comments SET body = 'x' WHERE review_id = $1 AND body = 'CC0'": "1 of its comments aren't",
    "UPDATE reviews.comments SET actor_name = 'Ada' WHERE review_id = $1": "2 of its comments aren't in the log",
    "DELETE FROM reviews.comments WHERE review_id = $1": "2 comments of the log aren't there",
    "UPDATE reviews.comments SET id = DEFAULT WHERE review_id = $1 AND body = 'CC0'": "in another order",
    "UPDATE reviews.decisions SET at = at + interval '1 d' WHERE review_id = $1": "2 of its decisions aren't",
    "UPDATE reviews.decisions SET addresses = '{}' WHERE review_id = $1": "the addresses of a notary's key",
    "UPDATE reviews.reviews SET proof_addresses = '{}' WHERE id = $1": "the addresses of the publisher's key",
    "UPDATE reviews.decisions SET notary_name = 'Eve' WHERE review_id = $1": "2 of its decisions aren't",
}


async def test_a_row_that_was_tampered_with_is_named(world: World) -> None:
    review = await world.report(requested_bytes=str(PIB), publisher_proof=proof_of(), results=RESULTS)
    await say(world, review, "results", {**RESULTS, "exit_code": 1})
    for comment in ("CC0", "since May"):
        await say(world, review, "comments", {"comment": comment})
    for signer in (NOTARY_F1, OTHER_F1):
        await world.decide(review, signer)
    assert await agreement(world) == Agreement(1, {})
    async with world.pool.acquire() as connection:
        await connection.execute("ALTER TABLE reviews.decisions DISABLE TRIGGER ALL")
        for statement, why in TAMPERING.items():
            found = await _found_after(connection, statement, review["id"])
            assert why in found.differing[review["id"]][0], (statement, found)


async def test_a_comment_that_was_moved_to_another_review_is_missed_here_and_found_there(world: World) -> None:
    review, other = await world.report(), await world.report(job_id="other")
    await say(world, review, "comments", {"comment": "CC0"})
    async with world.pool.acquire() as connection:
        moved = "UPDATE reviews.comments SET review_id = $2 WHERE review_id = $1"
        found = (await _found_after(connection, moved, review["id"], other["id"])).differing
    assert found[review["id"]] == ["1 comments of the log aren't there, or were altered"]
    assert found[other["id"]] == ["1 of its comments aren't in the log, or were altered"]


NEWER_FACTS = ("inputs", "results", "expires_at", "findings", "digest", "size_bytes", "addresses")


async def test_entries_of_an_older_release_are_compared_as_far_as_they_go(world: World) -> None:
    """They hold no digests of CIDs and results, and no deadline; of the job they do."""
    plain, told = await world.report(), await world.report(job_id="with results", results=RESULTS)
    await say(world, told, "results", RESULTS)
    async with world.pool.acquire() as connection:
        replay = await _replayed_without(connection, NEWER_FACTS)
        rows = {row["id"]: dict(row) for row in await connection.fetch(_ROWS)}
    for review in (plain, told):
        assert differences(replay.reviews[review["id"]], rows[review["id"]]) == []
    forged = {**rows[told["id"]], "job": "{}", "inputs": "[]", "results": "[]"}
    assert differences(replay.reviews[told["id"]], forged) == [
        "the job isn't the one in the log",
        "results 1 of the log aren't there",
        "results 2 of the log aren't there",
    ]


async def _replayed_without(connection: asyncpg.Connection, names: tuple[str, ...]) -> Replay:
    replay = Replay()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for entry in read_entries(connection):
            facts = {name: fact for name, fact in json.loads(entry.facts).items() if name not in names}
            replay.take(replace(entry, facts=json.dumps(facts)))
    return replay


async def _found_after(connection: asyncpg.Connection, statement: str, *arguments: object) -> Agreement:
    transaction = connection.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await connection.execute(statement, *arguments)
        return (await verify_with_reviews(connection))[1]
    finally:
        await transaction.rollback()


async def test_an_entry_that_a_review_can_not_have_is_named(world: World) -> None:
    """The chain and the signatures hold: whoever owns the database can write entries, no approval."""
    review, other = await world.proven(requested_bytes=str(PIB)), await world.proven(job_id="other")
    decided = document(await world.decide(other))["decisions"][0]
    stolen = {name: decided[name] for name in ("notary", "decision", "comment", "message", "signature", "at")}
    async with world.pool.acquire() as connection:
        notary = await connection.fetchrow("SELECT actor_id FROM audit.entries WHERE action = 'review.decided'")
        actor = type("Ada", (), {"kind": "notary", "id": notary["actor_id"], "name": "Ada"})()
        async with connection.transaction():
            facts = {**stolen, "round": 1, "state": "approved"}
            await record(connection, actor, "review.decided", review["id"], facts)
            await record(connection, OPERATOR, "review.withdrawn", "rev_nowhere", {"comment": "x"})
    found = (await agreement(world)).differing
    assert set(found) == {review["id"], "rev_nowhere"}
    assert any("about something else than this review" in why for why in found[review["id"]])
    assert any("1 of 2 approvals count" in why for why in found[review["id"]])


@pytest.mark.parametrize("facts", [{}, {"message": 1, "notary": [], "round": "x", "quorum": "no", "state": {}}])
async def test_entries_of_any_shape_are_read(world: World, facts: dict[str, Any]) -> None:
    review = await world.report()
    actions = ("decided", "asked", "proved", "results", "reopened", "requested", "unheard_of", "decided", "expired")
    async with world.pool.acquire() as connection, connection.transaction():
        for action in actions:
            await record(connection, OPERATOR, f"review.{action}", review["id"], facts)
        await record(connection, OPERATOR, "notary.added", "nty_1", {"address": facts})
    assert list((await agreement(world)).differing) == [review["id"]]
