"""What else becomes of a review: results, comments, withdrawing, reopening."""

from typing import Any, Final

from explorer.access.actors import Actor, ActorKind
from explorer.ground.ids import new_id
from explorer.reviews import store
from explorer.reviews.desk import Desk, held, loaded, seen, tell
from explorer.reviews.digests import findings_digest, results_facts, round_facts
from explorer.reviews.documents import Document, review_document
from explorer.reviews.errors import NotReopenable, TooMuchSaid
from explorer.reviews.intake import assessed
from explorer.reviews.life import Answer, Reopen, Require, Withdraw, demand_in_time, step
from explorer.reviews.policies import Assessment
from explorer.reviews.requests import demand_words, parse_results
from explorer.reviews.rights import demand_cluster, demand_reopening, demand_withdrawal

MOST_COMMENTS: Final = 1_000
MOST_RESULTS: Final = 100
MOST_ROUNDS: Final = 100


async def add_results(desk: Desk, actor: Actor, review_id: str, body: dict[str, Any]) -> Document:
    """The review with new results, which only an open one takes. They may bring more approvals that are needed."""
    demand_cluster(actor)
    results = parse_results(body)
    cid, requested_bytes, _ = await _seen(desk, actor, review_id)
    assessment = await assessed(desk, cid, requested_bytes, results.size_bytes)
    async with desk.changing() as connection:
        review, now = await held(connection, review_id, actor), await desk.moment(connection)
        life, _ = step(review.life, Require(assessment.quorum), now)
        life, effects = step(life, Answer(), now)
        if await store.count(connection, "results", review_id) >= MOST_RESULTS:
            raise TooMuchSaid(f"a review takes results {MOST_RESULTS} times", value=MOST_RESULTS)
        await store.save_life(connection, review, life, now, findings=store.findings_text(assessment))
        number = await store.add_results(connection, review_id, results, now)
        facts = {
            **results_facts(number, results.document, results.size_bytes),
            "quorum": life.quorum,
            "findings": findings_digest(assessment.findings),
        }
        record = await tell(desk, connection, actor, review_id, "review.results", facts, effects, now=now)
    return review_document(record, desk.network)


async def _seen(desk: Desk, actor: Actor, review_id: str) -> tuple[str, int, int | None]:
    """One of a review's CIDs, the bytes that it asks for, and those of its newest results; ReviewUnknown."""
    async with desk.looking() as connection:
        review = await seen(connection, review_id, actor)
        record = await loaded(connection, review_id, desk.now())
        size_bytes = await store.load_results_bytes(connection, review_id)
    return record.inputs[0]["cid"], review.requested_bytes, size_bytes


async def add_comment(desk: Desk, actor: Actor, review_id: str, comment: str) -> Document:
    """The review with a comment, open or closed. Its cluster's is the answer to a notary's question.

    DeadlinePassed as for every other change, until the review has expired.
    """
    demand_words(comment)
    async with desk.changing() as connection:
        review, now = await held(connection, review_id, actor), await desk.moment(connection)
        if await store.count(connection, "comments", review_id) >= MOST_COMMENTS:
            raise TooMuchSaid(f"a review takes {MOST_COMMENTS} comments", value=MOST_COMMENTS)
        life = review.life
        demand_in_time(life, now)
        if actor.kind is ActorKind.CLUSTER and life.is_asked:
            life, _ = step(life, Answer(), now)
        await store.save_life(connection, review, life, now)
        await store.add_comment(connection, review_id, actor, comment, now)
        facts = {"comment": comment}
        record = await tell(desk, connection, actor, review_id, "review.commented", facts, now=now)
    return review_document(record, desk.network)


async def withdraw(desk: Desk, actor: Actor, review_id: str, comment: str) -> Document:
    """The review, withdrawn."""
    demand_words(comment)
    async with desk.changing() as connection:
        review, now = await held(connection, review_id, actor), await desk.moment(connection)
        demand_withdrawal(actor)
        life, effects = step(review.life, Withdraw(), now)
        await store.save_life(connection, review, life, now)
        await store.add_comment(connection, review_id, actor, comment, now)
        facts = {"comment": comment}
        record = await tell(desk, connection, actor, review_id, "review.withdrawn", facts, effects, now=now)
    return review_document(record, desk.network)


async def reopen(desk: Desk, actor: Actor, review_id: str, comment: str) -> Document:
    """The review in its next round: a new grant id, no approvals, a new deadline, and the rules asked again."""
    demand_words(comment)
    cid, requested_bytes, size_bytes = await _seen(desk, actor, review_id)
    assessment = await assessed(desk, cid, requested_bytes, size_bytes)
    async with desk.changing() as connection:
        review, now = await held(connection, review_id, actor), await desk.moment(connection)
        demand_reopening(actor, review.life.state)
        if review.life.round >= MOST_ROUNDS:
            raise TooMuchSaid(f"a review has {MOST_ROUNDS} rounds; ask anew, under another job id", value=MOST_ROUNDS)
        deadline = now + desk.deadline
        life, effects = step(review.life, Reopen(deadline, assessment.quorum), now)
        _demand_acceptable(assessment)
        grant_id = new_id("gra")
        await store.add_round(connection, review_id, life.round, grant_id, assessment, opened_at=now, deadline=deadline)
        await store.save_life(connection, review, life, now, findings=store.findings_text(assessment))
        await store.add_comment(connection, review_id, actor, comment, now)
        found = findings_digest(assessment.findings)
        facts = {"comment": comment, **round_facts(life.round, grant_id, life.quorum, deadline, found)}
        record = await tell(desk, connection, actor, review_id, "review.reopened", facts, effects, now=now)
    return review_document(record, desk.network)


def _demand_acceptable(assessment: Assessment) -> None:
    if assessment.rejects:
        why = "; ".join(one.text for one in assessment.findings)
        raise NotReopenable(f"a rule would reject it again: {why}")
