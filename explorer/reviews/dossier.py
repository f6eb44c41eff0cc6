"""Everything about one review that its page shows: itself, what is known of its inputs now, and its publisher."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from explorer.access.actors import Actor
from explorer.ground.queries import load_queries
from explorer.index.questions import HEAD, EvidenceRequest
from explorer.reviews import store
from explorer.reviews.desk import Desk, loaded
from explorer.reviews.documents import Document, Record, review_document, time_text
from explorer.reviews.job_reading import JobSays, read_job
from explorer.reviews.rights import demand_sight, owner_of
from explorer.reviews.risks import Case, Input, Shared, risks_of
from explorer.reviews.sharing import MOST_COUNTED, load_sharing
from explorer.reviews.tones import Risk

LOOKED_UP: Final = 1_000
"""So many inputs are looked up anew; of the others the page has the verdict of the intake."""
WITH_EVIDENCE: Final = 5
"""Of so many the records are read too."""
MOST_EARLIER: Final = 1_000
SHOWN_EARLIER: Final = 5
_SIMULATED: Final = "simulated"
_EVIDENCE: Final = EvidenceRequest(full=True, limit=100)

_QUERIES: Final = load_queries("explorer.reviews.sql", "dashboard.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One review and what is around it; `earlier` are the newest others of its publisher."""

    review: Document
    """As the document `Review`, its `job` left out."""
    job: str
    now: list[str]
    """The verdicts of now, of the first LOOKED_UP inputs."""
    verdicts: list[Document]
    """The same with their evidence, of the first WITH_EVIDENCE."""
    earlier: list[Document]
    publisher_id: str | None
    """The publisher as records name parties, f0…; None where nobody told."""
    risks: list[Risk]


async def load_dossier(
    desk: Desk, actor: Actor | None, review_id: str, *, actor_id_of: Callable[[str], Awaitable[int | None]]
) -> Dossier:
    """The dossier of a review; ReviewUnknown where there is none that the actor may see.

    `actor_id_of` tells whose an address is on the chain, as far as that is known.
    """
    async with desk.reading() as connection:
        record = await loaded(connection, review_id, desk.now())
        demand_sight(actor, review_id, record.review["cluster_id"])
        publisher = record.review["publisher"]
        owner = owner_of(actor)
        rows = await connection.fetch(_QUERIES["publisher"], publisher, review_id, MOST_EARLIER, owner)
        shared = await load_sharing(connection, review_id, publisher, owner=owner)
        size_bytes = await store.load_results_bytes(connection, review_id)
        moment = await desk.moment(connection)
    review = review_document(record, desk.network)
    cids = [row["cid"] for row in record.inputs[:LOOKED_UP]]
    found = await desk.index.verdicts(cids, at=HEAD)
    now = [row["verdict"] for row in found["results"]]
    verdicts = [await desk.index.verdict(cid, at=HEAD, evidence=_EVIDENCE) for cid in cids[:WITH_EVIDENCE]]
    states = dict(Counter(row["state"] for row in rows))
    actor_id = await actor_id_of(publisher)
    job = await asyncio.to_thread(read_job, record.review["job"], [row["cid"] for row in record.inputs])
    index_age = _index_age(desk, found["as_of"], moment)
    publisher_id = None if actor_id is None else f"{desk.network.address_prefix}0{actor_id}"
    return Dossier(
        review={name: value for name, value in review.items() if name != "job"},
        job=record.review["job"],
        now=now,
        verdicts=verdicts,
        earlier=[_earlier(row) for row in rows[:SHOWN_EARLIER]],
        publisher_id=publisher_id,
        risks=risks_of(
            _case(record, review, now, verdicts, states, size_bytes, shared, publisher_id, job=job, index_age=index_age)
        ),
    )


def _index_age(desk: Desk, as_of: Document, moment: datetime) -> timedelta | None:
    """How old the newest epoch of the index is; a simulated chain has a time of its own."""
    if as_of["time"] is None or desk.network.name == _SIMULATED:
        return None
    return moment - datetime.fromisoformat(as_of["time"])


def _earlier(row: asyncpg.Record) -> Document:
    return {
        "id": row["id"],
        "state": row["state"],
        "cluster": row["cluster_name"],
        "job_id": row["job_id"],
        "requested_bytes": str(row["requested_bytes"]),
        "created_at": time_text(row["created_at"]),
    }


def _case(
    record: Record,
    review: Document,
    now: list[str],
    verdicts: list[Document],
    states: dict[str, int],
    size_bytes: int | None,
    shared: tuple[Shared, ...],
    publisher_id: str | None,
    *,
    job: JobSays,
    index_age: timedelta | None,
) -> Case:
    return Case(
        names=[("the job's id", review["job_id"]), ("the cluster's name", review["cluster"])],
        job=job,
        exit_code=None if review["results"] is None else review["results"]["exit_code"],
        index_age=index_age,
        requested_bytes=int(review["requested_bytes"]),
        results_bytes=size_bytes,
        is_proven=review["publisher_proof"] is not None,
        is_cluster_revoked=record.review["cluster_revoked_at"] is not None,
        intake=[row["verdict"] for row in record.inputs],
        now=now,
        inputs=[_input(verdict) for verdict in verdicts],
        earlier=states,
        findings=review["policy"],
        publisher_id=publisher_id,
        shared=shared,
        shared_most=MOST_COUNTED,
    )


def _input(verdict: Document) -> Input:
    evidence: dict[str, Any] = verdict["evidence"]
    records = [*evidence["claims"]["items"], *evidence["deals"]["items"]]
    return Input(
        cid=verdict["cid"],
        clients=frozenset(one["client"] for one in records),
        providers=frozenset(one["provider"] for one in records),
        active_copies=evidence["claims"]["active"] + evidence["deals"]["active"],
    )
