"""The index as the API asks it: each answer from one snapshot of the database."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from explorer.errors import MalformedCid, NotFound
from explorer.ground.connection import database_errors
from explorer.ground.settings import Settings
from explorer.index import store
from explorer.index.answers import Document, Standpoint, as_of, hole_document, verdict_document
from explorer.index.backfill import load_backfilled
from explorer.index.describe import describe
from explorer.index.items import record_document
from explorer.index.judging import Judgement, apart, judge
from explorer.index.questions import HEAD, SUMMARY, AsOf, EvidenceRequest
from explorer.index.spans import load_coverage
from explorer.index.standpoints import Standpoints
from explorer.index.tipsets import Following, load_following, load_holes
from explorer.index.verifications import load_last_verification
from explorer.verdict.decide import Question, decide
from explorer.verdict.records import Evidence, RecordKind
from node.cid import Cid, commitment_of, parse_cid
from node.errors import CidError
from node.network import Network

CIDS_PER_ROUND = 500
"""So many CIDs of a large request are answered at a time; between rounds other requests get their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexService:
    """Answers from what was imported. DatabaseUnavailable and QueryTimeout where the database fails.

    `retires_at_epoch`: the operator's word for the first epoch at network version 29, if given.
    """

    pool: asyncpg.Pool
    network: Network
    now: Callable[[], datetime]
    retires_at_epoch: int | None = None
    node: Callable[[int | None, Document | None], Document] | None = None
    """What is known of the followed node, given the index's epoch and what is final; None where none is followed."""
    vouches: Callable[[int], bool] | None = None
    """Whether the head of the index, at that epoch, counts as one that a node has now; None: nobody can say so."""

    async def verdict(self, cid: str, *, at: AsOf = HEAD, evidence: EvidenceRequest = SUMMARY) -> Document:
        """The document of `GET /cid/{cid}/filplus`; MalformedCid, MalformedEpoch, EpochNotIndexed, MalformedCursor."""
        parsed = _parse(cid)
        async with self.snapshot() as connection:
            standpoint = await self._standpoints.load(connection, at)
            [judged] = await judge(connection, [parsed], standpoint)
        return await apart(
            len(judged.verdict.claims) + len(judged.verdict.deals),
            lambda: verdict_document(
                cid,
                parsed,
                judged.verdict,
                subject=judged.subject,
                pieces=judged.pieces,
                standpoint=standpoint,
                request=evidence,
            ),
        )

    async def verdicts(self, cids: Sequence[str], *, at: AsOf = HEAD) -> Document:
        """The document of `POST /cids/filplus`: a row per CID in the order asked, a malformed one with its error."""
        parsed = await apart(len(cids), lambda: [_parse_or_error(cid) for cid in cids])
        async with self.snapshot() as connection:
            standpoint = await self._standpoints.load(connection, at)
            whole = list(dict.fromkeys(cid for cid in parsed if isinstance(cid, Cid)))
            judged: dict[Cid, Judgement] = {}
            for start in range(0, len(whole), CIDS_PER_ROUND):
                for one in await judge(connection, whole[start : start + CIDS_PER_ROUND], standpoint):
                    judged[one.cid] = one
        results = [_row(asked, cid, judged) for asked, cid in zip(cids, parsed, strict=True)]
        return {"results": results, "as_of": as_of(standpoint)}

    async def describe(self, cid: str) -> Document:
        """The document of `GET /cid/{cid}`; MalformedCid."""
        parsed = _parse(cid)
        commitment = commitment_of(parsed)
        if commitment is None:
            return describe(cid, parsed, ())
        async with self.snapshot() as connection:
            return describe(cid, parsed, await store.load_piece_sizes(connection, commitment))

    async def deal(self, deal_id: int) -> Document:
        """The document of `GET /deals/{id}`, with its status as of the head; NotFound."""
        return await self._record("deals", deal_id)

    async def claim(self, claim_id: int) -> Document:
        """The document of `GET /claims/{id}`, with its status as of the head; NotFound."""
        return await self._record("claims", claim_id)

    async def allocation(self, allocation_id: int) -> Document:
        """The document of `GET /allocations/{id}`, with its status as of the head; NotFound."""
        return await self._record("allocations", allocation_id)

    async def status(self) -> Document:
        """The document of `GET /status`."""
        async with self.snapshot() as connection:
            standpoint = await self._standpoints.load(connection, HEAD)
            coverage = await load_coverage(connection)
            counts = await store.load_counts(connection)
            examples = await store.load_examples(connection)
            holes = await load_holes(connection)
            following = await load_following(connection)
            verification = await load_last_verification(connection)
            backfilled = None if following is None else await load_backfilled(connection, following.start_epoch)
        moment = as_of(standpoint)
        spans = [
            {
                "kind": span.kind,
                "from_epoch": span.from_epoch,
                "through_epoch": span.through_epoch,
                "source": span.source,
                "complete": True,
            }
            for span in coverage.spans
        ]
        return {
            "network": self.network.name,
            "index": {
                **moment,
                "coverage": spans,
                "holes": [hole_document(hole) for hole in holes],
                "counts": counts,
                "verification": None if verification is None else verification.summary(),
                "terminations": None if backfilled is None else backfilled.document(),
            },
            "node": None if self.node is None else self.node(standpoint.epoch, finality_document(following)),
            "programme": standpoint.programme,
            "examples": examples,
        }

    async def present(self) -> Document:
        """What `status` says of the head and the programme alone: `index`, `programme`."""
        async with self.at_head() as (_, standpoint):
            return {"index": as_of(standpoint), "programme": standpoint.programme}

    async def ping(self) -> None:
        """Returns once the database has answered."""
        with database_errors("asking the database"):
            await self.pool.fetchval("SELECT 1")

    @asynccontextmanager
    async def at_head(self) -> AsyncIterator[tuple[asyncpg.Connection, Standpoint]]:
        """One state of the index, and where answers about its head stand; for what else is known of it."""
        async with self.snapshot() as connection:
            yield connection, await self.standpoint(connection)

    async def standpoint(self, connection: asyncpg.Connection) -> Standpoint:
        """Where answers about the head stand, as a connection sees the index."""
        return await self._standpoints.load(connection, HEAD)

    @property
    def _standpoints(self) -> Standpoints:
        return Standpoints(
            network=self.network, now=self.now, retires_at_epoch=self.retires_at_epoch, vouches=self.vouches
        )

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection that sees one state of the index, whatever is imported meanwhile."""
        with database_errors("reading the index"):
            async with (
                self.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection

    async def _record(self, kind: RecordKind, record_id: int) -> Document:
        """One record, judged beside all that bears on its piece."""
        async with self.snapshot() as connection:
            standpoint = await self._standpoints.load(connection, HEAD)
            record = await store.load_record(connection, kind, record_id, standpoint.epoch or 0)
            if record is None:
                raise NotFound(f"the index has no {kind[:-1]} {record_id}", value=record_id)
            evidence = await self._evidence_beside(connection, kind, record, standpoint)
        question = Question(epoch=standpoint.epoch, milestones=standpoint.milestones)
        verdict = await apart(len(evidence.deals), lambda: decide(evidence, standpoint.coverage, question))
        judged: Sequence[Any] = getattr(verdict, kind)
        status = next((one.standing.status for one in judged if one.record.id == record_id), None)
        return {**record_document(record, status, self.network), "as_of": as_of(standpoint)}

    async def _evidence_beside(
        self, connection: asyncpg.Connection, kind: RecordKind, record: Any, standpoint: Standpoint
    ) -> Evidence:
        if record.piece is None:
            return Evidence(**{kind: (record,)})
        return (await store.load_evidence(connection, [record.piece], standpoint.epoch or 0))[record.piece]


def finality_document(following: Following | None) -> Document | None:
    """What is final, and who says so; None where no node was ever followed."""
    if following is None:
        return None
    return {
        "final_epoch": following.final_epoch,
        "safe_epoch": following.safe_epoch,
        "source": following.final_source,
    }


def index_service(
    settings: Settings,
    pool: asyncpg.Pool,
    *,
    node: Callable[[int | None, Document | None], Document] | None = None,
    vouches: Callable[[int], bool] | None = None,
) -> IndexService:
    """The index over a pool, as the settings say; `node` and `vouches` tell of the one that is followed, if any."""
    return IndexService(
        pool=pool,
        network=settings.network,
        now=lambda: datetime.now(UTC),
        retires_at_epoch=settings.retires_at_epoch,
        node=node,
        vouches=vouches,
    )


def _parse(text: str) -> Cid:
    try:
        return parse_cid(text)
    except CidError as error:
        raise MalformedCid(str(error), value=text[:100]) from error


def _parse_or_error(text: str) -> Cid | MalformedCid:
    try:
        return _parse(text)
    except MalformedCid as error:
        return error


def _row(asked: str, cid: Cid | MalformedCid, judged: dict[Cid, Judgement]) -> Document:
    if isinstance(cid, MalformedCid):
        return {"cid": asked, "error": {"code": cid.code, "detail": str(cid)}}
    verdict = judged[cid].verdict
    return {"cid": asked, "filplus": verdict.filplus, "verdict": verdict.name}
