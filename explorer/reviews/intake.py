"""The intake: a cluster's request becomes a review, once.

parse ─► the same job before? ─► verdicts ─► proof ─► rules ─► one transaction: review, round, inputs, results, told
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from explorer.access.actors import SYSTEM, Actor
from explorer.ground.ids import new_id
from explorer.index.questions import HEAD, SUMMARY
from explorer.reviews import store
from explorer.reviews.desk import Desk, held, loaded, tell
from explorer.reviews.digests import findings_digest, inputs_digest, results_facts, round_facts
from explorer.reviews.documents import Document, Record, review_document
from explorer.reviews.errors import NotFilplus, OtherBody
from explorer.reviews.life import Effect, Refuse, step
from explorer.reviews.policies import Asked, Assessment, assess
from explorer.reviews.proving import Proven, verify_proof
from explorer.reviews.requests import FIELDS, Request, parse_request
from explorer.reviews.rights import demand_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A request with all that was found out about it before anything is written."""

    actor: Actor
    request: Request
    rows: list[Mapping[str, Any]]
    as_of: Mapping[str, Any]
    proven: Proven | None
    assessment: Assessment


async def request_review(desk: Desk, actor: Actor, body: Mapping[str, Any]) -> tuple[Document, bool]:
    """The review of a cluster's job, and whether it is new. `body` fits its schema.

    An IntakeRefused or MalformedCid where it becomes none; a SignedTextError where the proof is none.
    """
    demand_cluster(actor)
    request = await asyncio.to_thread(parse_request, body, desk.network)
    while (found := await _found(desk, actor, request)) is None:
        intake = await _looked_into(desk, actor, request)
        async with desk.changing() as connection:
            record = await _add(desk, connection, intake)
        if record is not None:
            return review_document(record, desk.network), True
    return found, False


async def _found(desk: Desk, actor: Actor, request: Request) -> Document | None:
    """The review that the job has already; OtherBody where it was posted with another body."""
    async with desk.reading() as connection:
        known = await store.find_review(connection, actor.id, request.job_id)
        if known is None:
            return None
        review_id, digests = known
        differing = [name for name in FIELDS if digests.get(name) != request.digests[name]]
        if differing:
            raise OtherBody(review_id, request.job_id, differing)
        return review_document(await loaded(connection, review_id, desk.now()), desk.network)


async def _looked_into(desk: Desk, actor: Actor, request: Request) -> Intake:
    """The request with its verdicts, its proof and what the rules say; NotFilplus."""
    verdicts = await desk.index.verdicts(request.cids, at=HEAD)
    rows, as_of = verdicts["results"], verdicts["as_of"]
    if not any(row["verdict"] == "active" for row in rows):
        raise NotFilplus(rows, as_of)
    proven = None
    if request.proof is not None:
        async with desk.reading() as connection:
            now = await desk.moment(connection)
        proven = await verify_proof(
            desk, request.proof, cluster=actor.name, job_id=request.job_id, publisher=request.publisher, now=now
        )
    results_bytes = None if request.results is None else request.results.size_bytes
    assessment = await assessed(desk, request.cids[0], request.requested_bytes, results_bytes)
    return Intake(actor=actor, request=request, rows=rows, as_of=as_of, proven=proven, assessment=assessment)


async def assessed(desk: Desk, cid: str, requested_bytes: int, results_bytes: int | None) -> Assessment:
    """What the rules say now of a request; `cid` is one of its CIDs, through which the index is asked."""
    programme = (await desk.index.verdict(cid, at=HEAD, evidence=SUMMARY))["programme"]["status"]
    asked = Asked(requested_bytes=requested_bytes, results_bytes=results_bytes, programme=programme)
    return assess(asked, quorum_bytes=desk.quorum_bytes)


async def _add(desk: Desk, connection: asyncpg.Connection, intake: Intake) -> Record | None:
    """Adds the review and tells of it; None where the job has one by now."""
    now, review_id = await desk.moment(connection), new_id("rev")
    request, assessment = intake.request, intake.assessment
    if not await store.add_review(connection, review_id, intake.actor, request, intake.as_of, now):
        return None
    grant_id = new_id("gra")
    await store.add_round(connection, review_id, 1, grant_id, assessment, opened_at=now, deadline=now + desk.deadline)
    await store.add_inputs(connection, review_id, intake.rows)
    if request.results is not None:
        await store.add_results(connection, review_id, request.results, now)
    if intake.proven is not None:
        await store.save_proof(connection, review_id, intake.proven.signed, intake.proven.addresses, now)
    facts = _told(intake, grant_id, now + desk.deadline)
    if assessment.rejects:
        return await _refuse(desk, connection, review_id, intake, facts, now)
    return await tell(
        desk, connection, intake.actor, review_id, "review.requested", facts, (Effect.REQUESTED,), now=now
    )


def _told(intake: Intake, grant_id: str, deadline: datetime) -> dict[str, Any]:
    """The request as the audit log has it: all that its review is compared with, and the proof, which verifies."""
    request, proven = intake.request, intake.proven
    message, signature = (None, None) if proven is None else proven.signed
    results, findings = request.results, findings_digest(intake.assessment.findings)
    return {
        "job_id": request.job_id,
        "publisher": str(request.publisher),
        "requested_bytes": str(request.requested_bytes),
        "digests": dict(request.digests),
        "inputs": inputs_digest(((row["cid"], row["verdict"]) for row in intake.rows), dict(intake.as_of)),
        "results": None if results is None else results_facts(1, results.document, results.size_bytes),
        **round_facts(1, grant_id, intake.assessment.quorum, deadline, findings),
        "proof": None if proven is None else {"message": message, "signature": signature},
        "addresses": [] if proven is None else sorted(proven.addresses),
    }


async def _refuse(
    desk: Desk,
    connection: asyncpg.Connection,
    review_id: str,
    intake: Intake,
    facts: Mapping[str, Any],
    now: datetime,
) -> Record:
    """Rejects a review that was just added, as a rule says: it stays, with the reason, and wants nobody's decision."""
    await tell(desk, connection, intake.actor, review_id, "review.requested", facts, now=now)
    review = await held(connection, review_id, SYSTEM)
    life, effects = step(review.life, Refuse(), now)
    await store.save_life(connection, review, life, now)
    found = {"rules": [one.document() for one in intake.assessment.findings]}
    return await tell(desk, connection, SYSTEM, review_id, "review.rejected", found, effects, now=now)
