"""Reviews in the database: read as rows, and changed by whoever holds the row of the review."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import asyncpg

from explorer.access.actors import Actor
from explorer.ground.queries import load_queries
from explorer.reviews.documents import Record
from explorer.reviews.life import Life, Notary, State
from explorer.reviews.policies import Assessment
from explorer.reviews.requests import Request, Results
from node.address import Address, parse_address

_QUERIES: Final = load_queries("explorer.reviews.sql", "reviews.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A review as far as its life goes. `findings` is what the rules found, as JSON."""

    id: str
    cluster_id: str
    cluster_name: str
    job_id: str
    publisher: Address
    requested_bytes: int
    grant_id: str
    findings: str
    proof: tuple[str, str] | None
    life: Life


async def load_now(connection: asyncpg.Connection, now: datetime | None) -> datetime:
    """The given moment, else the database's."""
    moment: datetime = await connection.fetchval(_QUERIES["now"], now)
    return moment


async def find_review(
    connection: asyncpg.Connection, cluster_id: str, job_id: str
) -> tuple[str, Mapping[str, str]] | None:
    """The id of the review of a cluster's job, and the digests of what was posted; None where there is none."""
    row = await connection.fetchrow(_QUERIES["find"], cluster_id, job_id)
    return None if row is None else (row["id"], json.loads(row["digests"]))


async def add_review(
    connection: asyncpg.Connection,
    review_id: str,
    actor: Actor,
    request: Request,
    as_of: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Adds a review, whose first round is yet to be added; false where the job has one already."""
    added = await connection.fetchval(
        _QUERIES["add"],
        review_id,
        actor.id,
        actor.name,
        request.job_id,
        request.job,
        str(request.publisher),
        request.requested_bytes,
        json.dumps(dict(request.digests)),
        json.dumps(dict(as_of)),
        now,
    )
    return added is not None


async def add_inputs(connection: asyncpg.Connection, review_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds the CIDs of a job with their verdicts."""
    cids, verdicts = [row["cid"] for row in rows], [row["verdict"] for row in rows]
    await connection.execute(_QUERIES["add_inputs"], review_id, cids, verdicts)


async def add_round(
    connection: asyncpg.Connection,
    review_id: str,
    number: int,
    grant_id: str,
    assessment: Assessment,
    *,
    opened_at: datetime,
    deadline: datetime,
) -> None:
    """Begins a round."""
    findings = findings_text(assessment)
    await connection.execute(
        _QUERIES["add_round"], review_id, number, grant_id, assessment.quorum, findings, opened_at, deadline
    )


def findings_text(assessment: Assessment) -> str:
    """What the rules found, as JSON."""
    return json.dumps([one.document() for one in assessment.findings])


async def lock_review(connection: asyncpg.Connection, review_id: str) -> Held | None:
    """The review, whose row is held until the transaction ends, as is who has approved; None where there is none."""
    await connection.execute(_QUERIES["lock"], review_id)
    await connection.execute(_QUERIES["hold_approvers"], review_id)
    return await load_head(connection, review_id)


async def load_head(connection: asyncpg.Connection, review_id: str) -> Held | None:
    """The review as far as its life goes; None where there is none."""
    row = await connection.fetchrow(_QUERIES["head"], review_id)
    if row is None:
        return None
    approvals = await connection.fetch(_QUERIES["approvals"], review_id, row["round"])
    return Held(
        id=row["id"],
        cluster_id=row["cluster_id"],
        cluster_name=row["cluster_name"],
        job_id=row["job_id"],
        publisher=parse_address(row["publisher"]),
        requested_bytes=int(row["requested_bytes"]),
        grant_id=row["grant_id"],
        findings=row["findings"],
        proof=None if row["proof_message"] is None else (row["proof_message"], row["proof_signature"]),
        life=_life(row, approvals),
    )


def _life(row: asyncpg.Record, approvals: Sequence[asyncpg.Record]) -> Life:
    return Life(
        state=State(row["state"]),
        round=row["round"],
        quorum=row["quorum"],
        deadline=row["expires_at"],
        publisher=frozenset({row["publisher"], *(row["proof_addresses"] or ())}),
        approvals=tuple(Notary(one["notary"], frozenset(one["addresses"])) for one in approvals),
        is_proven=row["proof_addresses"] is not None,
        is_asked=row["is_asked"],
        is_reminded=row["reminded_at"] is not None,
    )


async def save_life(
    connection: asyncpg.Connection, held: Held, life: Life, now: datetime, *, findings: str | None = None
) -> None:
    """Writes the life after a step down; its round is there. Approvals are rows of their own."""
    await connection.execute(_QUERIES["save"], held.id, life.state.value, life.round, life.is_asked, now)
    found = held.findings if findings is None else findings
    await connection.execute(
        _QUERIES["save_round"], held.id, life.round, life.quorum, found, life.is_reminded, life.state.value, now
    )


async def save_proof(
    connection: asyncpg.Connection, review_id: str, proof: tuple[str, str], addresses: frozenset[str], now: datetime
) -> None:
    """Keeps the publisher's proof: the text, its signature, and all addresses of the key."""
    await connection.execute(_QUERIES["save_proof"], review_id, *proof, now, sorted(addresses))


async def find_decision(connection: asyncpg.Connection, message: str) -> tuple[str, str] | None:
    """Of which review a signed text decided, and the signature; None where it never did."""
    row = await connection.fetchrow(_QUERIES["decision_of_message"], message)
    return None if row is None else (row["review_id"], row["signature"])


async def count(
    connection: asyncpg.Connection, what: Literal["comments", "results", "questions"], review_id: str
) -> int:
    """How many of those a review has."""
    return int(await connection.fetchval(_QUERIES[f"count_{what}"], review_id))


async def has_decided(connection: asyncpg.Connection, held: Held, notary: str) -> bool:
    """Whether the notary of an address has approved or rejected in the review's round, though it may count no more."""
    return bool(await connection.fetchval(_QUERIES["has_decided"], held.id, held.life.round, notary))


async def add_decision(
    connection: asyncpg.Connection,
    held: Held,
    notary: Notary,
    name: str,
    decision: str,
    comment: str,
    signed: tuple[str, str] | None,
    at: datetime,
) -> None:
    """Keeps a decision, for ever; `signed` is the text and the signature, None for a question."""
    message, signature = signed or (None, None)
    await connection.execute(
        _QUERIES["add_decision"],
        held.id,
        held.life.round,
        notary.address,
        name,
        sorted(notary.addresses),
        decision,
        comment,
        message,
        signature,
        at,
    )


async def add_comment(connection: asyncpg.Connection, review_id: str, actor: Actor, body: str, at: datetime) -> None:
    """Keeps a comment."""
    await connection.execute(_QUERIES["add_comment"], review_id, at, actor.kind.value, actor.id, actor.name, body)


async def add_results(connection: asyncpg.Connection, review_id: str, results: Results, at: datetime) -> int:
    """Keeps results; returns which they are, from 1."""
    return int(await connection.fetchval(_QUERIES["add_results"], review_id, at, results.document, results.size_bytes))


async def load_results_bytes(connection: asyncpg.Connection, review_id: str) -> int | None:
    """The bytes of the newest results; None where they are not known."""
    found = await connection.fetchval(_QUERIES["results_bytes"], review_id)
    return None if found is None else int(found)


async def load_record(connection: asyncpg.Connection, review_id: str, now: datetime | None) -> Record | None:
    """Everything about a review; None where there is none."""
    review = await connection.fetchrow(_QUERIES["load"], review_id, now)
    if review is None:
        return None
    return Record(
        review=review,
        inputs=await connection.fetch(_QUERIES["inputs"], review_id),
        decisions=await connection.fetch(_QUERIES["decisions"], [review_id]),
        comments=await connection.fetch(_QUERIES["comments"], review_id),
        results=await connection.fetchrow(_QUERIES["results"], review_id),
        rounds=await connection.fetch(_QUERIES["rounds"], review_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which reviews a list is to show. None takes all; the pairs are what it must be one of, and must not be."""

    before: str | None = None
    owner: str | None = None
    states: Sequence[str] | None = None
    cluster: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None)
    publisher: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None)
    since: datetime | None = None
    until: datetime | None = None
    job_id: str | None = None
    limit: int = 100
    now: datetime | None = None


async def load_page(
    connection: asyncpg.Connection, wanted: Wanted
) -> list[tuple[asyncpg.Record, list[asyncpg.Record]]]:
    """Reviews with their decisions, the newest first."""
    rows = await connection.fetch(
        _QUERIES["page"],
        wanted.before,
        wanted.owner,
        wanted.states,
        *wanted.cluster,
        *wanted.publisher,
        wanted.since,
        wanted.until,
        wanted.job_id,
        wanted.limit,
        wanted.now,
    )
    decisions = await load_decisions(connection, [row["id"] for row in rows])
    return [(row, decisions[row["id"]]) for row in rows]


async def load_decisions(connection: asyncpg.Connection, review_ids: Sequence[str]) -> dict[str, list[asyncpg.Record]]:
    """The decisions on each of some reviews, the oldest first."""
    decisions: dict[str, list[asyncpg.Record]] = {review_id: [] for review_id in review_ids}
    for one in await connection.fetch(_QUERIES["decisions"], list(decisions)):
        decisions[one["review_id"]].append(one)
    return decisions


async def load_due(connection: asyncpg.Connection, reminder: timedelta, *, now: datetime | None) -> list[str]:
    """Reviews whose reminder or deadline has come, some of them where there are many."""
    return [row["id"] for row in await connection.fetch(_QUERIES["due"], now, reminder)]


async def load_next_due_s(connection: asyncpg.Connection, reminder: timedelta, *, now: datetime | None) -> float | None:
    """Seconds until another one's has; None where none runs."""
    seconds: float | None = await connection.fetchval(_QUERIES["next_due"], now, reminder)
    return seconds


async def append_to_feed(connection: asyncpg.Connection, review_id: str, data: Mapping[str, Any]) -> None:
    """Tells those who watch the review."""
    await connection.execute(_QUERIES["tell"], review_id, json.dumps(dict(data)))
