"""The index as the API asks it: each answer from one snapshot of the database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg

from explorer.errors import EpochNotIndexed, MalformedCid, MalformedEpoch, NotFound
from explorer.ground.connection import database_errors
from explorer.ground.settings import Settings
from explorer.index import store
from explorer.index.answers import (
    Document,
    Finality,
    Standpoint,
    as_of,
    hole_document,
    programme_document,
    verdict_document,
)
from explorer.index.backfill import load_backfilled
from explorer.index.describe import describe
from explorer.index.items import record_document
from explorer.index.questions import HEAD, SUMMARY, AsOf, EvidenceRequest
from explorer.index.spans import load_coverage, load_coverage_at, load_index_epoch
from explorer.index.tipsets import Following, load_following, load_holes, load_tipset_at
from explorer.index.verifications import load_last_verification
from explorer.verdict.coverage import Coverage, Milestones
from explorer.verdict.decide import Question, Verdict, decide
from explorer.verdict.reason import Subject
from explorer.verdict.records import Evidence, PieceSource, RecordKind
from node.cid import Cid, cid_from_bytes, commitment_of, is_empty_content, kind_of, match_key, parse_cid
from node.errors import CidError, NetworkError
from node.network import Network, as_fork, epoch_at_time

CIDS_PER_ROUND = 500
"""So many CIDs of a large request are answered at a time; between rounds other requests get their turn."""
RECORDS_IN_LOOP = 500
"""Judging more records than these goes to a thread: it takes longer than a loop that serves others may wait."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One CID, judged."""

    cid: Cid
    verdict: Verdict
    subject: Subject
    pieces: tuple[PieceSource, ...]


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
        async with self._snapshot() as connection:
            standpoint = await self._standpoint(connection, at)
            [judged] = await self._judge(connection, [parsed], standpoint)
        return await _apart(
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
        parsed = await _apart(len(cids), lambda: [_parse_or_error(cid) for cid in cids])
        async with self._snapshot() as connection:
            standpoint = await self._standpoint(connection, at)
            whole = list(dict.fromkeys(cid for cid in parsed if isinstance(cid, Cid)))
            judged: dict[Cid, Judgement] = {}
            for start in range(0, len(whole), CIDS_PER_ROUND):
                for one in await self._judge(connection, whole[start : start + CIDS_PER_ROUND], standpoint):
                    judged[one.cid] = one
        results = [_row(asked, cid, judged) for asked, cid in zip(cids, parsed, strict=True)]
        return {"results": results, "as_of": as_of(standpoint)}

    async def describe(self, cid: str) -> Document:
        """The document of `GET /cid/{cid}`; MalformedCid."""
        parsed = _parse(cid)
        commitment = commitment_of(parsed)
        if commitment is None:
            return describe(cid, parsed, ())
        async with self._snapshot() as connection:
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
        async with self._snapshot() as connection:
            standpoint = await self._standpoint(connection, HEAD)
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

    async def ping(self) -> None:
        """Returns once the database has answered."""
        with database_errors("asking the database"):
            await self.pool.fetchval("SELECT 1")

    @asynccontextmanager
    async def at_head(self) -> AsyncIterator[tuple[asyncpg.Connection, Standpoint]]:
        """One state of the index, and where answers about its head stand; for what else is known of it."""
        async with self._snapshot() as connection:
            yield connection, await self.standpoint(connection)

    async def standpoint(self, connection: asyncpg.Connection) -> Standpoint:
        """Where answers about the head stand, as a connection sees the index."""
        return await self._standpoint(connection, HEAD)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection that sees one state of the index, whatever is imported meanwhile."""
        with database_errors("reading the index"):
            async with (
                self.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection

    async def _standpoint(self, connection: asyncpg.Connection, at: AsOf) -> Standpoint:
        """Where the answer stands; EpochNotIndexed beyond the index, MalformedEpoch for a time without an epoch."""
        following = await load_following(connection)
        head = await load_index_epoch(connection)
        network = self._network(following, head)
        epoch = self._asked_epoch(at, head, network)
        coverage = Coverage() if epoch is None else await load_coverage_at(connection, epoch)
        link = None if following is None or epoch is None else await load_tipset_at(connection, epoch)
        return Standpoint(
            network=network,
            epoch=epoch,
            coverage=coverage,
            programme=self._programme(network, following),
            tipset=None if link is None else tuple(cid_from_bytes(raw) for raw in link.key),
            finality=self._finality(following, epoch, head),
            milestones=self._milestones(network, following),
        )

    def _finality(self, following: Following | None, epoch: int | None, head: int | None) -> Finality | None:
        """How sure the tipset of an epoch is. Of what is not even safe nobody knows more once no node is heard."""
        if following is None or epoch is None or head is None:
            return None
        said = following.finality_of(epoch)
        is_known = said != "head" or (self.vouches is not None and self.vouches(head))
        return said if is_known else None

    def _network(self, following: Following | None, head: int | None) -> Network:
        """The network, with the clock of the followed chain where nothing else tells it."""
        begins = head if following is None else following.start_epoch
        network = self.network if begins is None else as_fork(self.network, begins)
        if following is None or network.genesis_time is not None:
            return network
        return replace(network, genesis_time=following.genesis_time)

    def _asked_epoch(self, at: AsOf, head: int | None, network: Network) -> int | None:
        if at.is_head:
            return head
        epoch = at.epoch if at.epoch is not None else _epoch_at(at.time, network)
        if head is None or epoch > head:
            reach = "is empty" if head is None else f"ends at epoch {head}"
            raise EpochNotIndexed(
                f"epoch {epoch} is not indexed: the index {reach}; ask for an earlier one", value=epoch
            )
        return epoch

    async def _judge(
        self, connection: asyncpg.Connection, cids: Sequence[Cid], standpoint: Standpoint
    ) -> list[Judgement]:
        """Each CID with its verdict, in the order given."""
        epoch = standpoint.epoch
        if epoch is None:
            return [self._judgement(cid, (), {}, standpoint, labels_known=True) for cid in cids]
        payloads = {key for cid in cids if kind_of(cid) == "payload" and (key := match_key(cid))}
        pieces_of = await store.load_pieces(connection, payloads, epoch) if payloads else {}
        commitments = {key for cid in cids if kind_of(cid) == "piece" and (key := match_key(cid))}
        commitments.update(one.piece for pieces in pieces_of.values() for one in pieces)
        evidence = await store.load_evidence(connection, commitments, epoch) if commitments else {}
        labels_known = not payloads or await store.load_labels_known(connection, epoch)
        pieces = [tuple(pieces_of.get(match_key(cid) or b"", ())) for cid in cids]
        size = sum(len(one.claims) + len(one.deals) + len(one.allocations) for one in evidence.values())
        return await _apart(
            size + len(cids),
            lambda: [
                self._judgement(cid, held_by, evidence, standpoint, labels_known=labels_known)
                for cid, held_by in zip(cids, pieces, strict=True)
            ],
        )

    def _judgement(
        self,
        cid: Cid,
        held_by: tuple[PieceSource, ...],
        evidence: dict[bytes, Evidence],
        standpoint: Standpoint,
        *,
        labels_known: bool,
    ) -> Judgement:
        kind = kind_of(cid)
        subject = Subject(kind=kind, empty=is_empty_content(cid), pieces=len(held_by))
        keys = [match_key(cid)] if kind == "piece" else list(dict.fromkeys(one.piece for one in held_by))
        question = Question(
            epoch=standpoint.epoch,
            milestones=standpoint.milestones,
            payload=kind == "payload",
            answerable=subject.refusal is None,
            labels_known=labels_known,
        )
        records = _together([evidence[key] for key in keys if key in evidence])
        return Judgement(cid, decide(records, standpoint.coverage, question), subject, held_by)

    async def _record(self, kind: RecordKind, record_id: int) -> Document:
        """One record, judged beside all that bears on its piece."""
        async with self._snapshot() as connection:
            standpoint = await self._standpoint(connection, HEAD)
            record = await store.load_record(connection, kind, record_id, standpoint.epoch or 0)
            if record is None:
                raise NotFound(f"the index has no {kind[:-1]} {record_id}", value=record_id)
            evidence = await self._evidence_beside(connection, kind, record, standpoint)
        question = Question(epoch=standpoint.epoch, milestones=standpoint.milestones)
        verdict = await _apart(len(evidence.deals), lambda: decide(evidence, standpoint.coverage, question))
        judged: Sequence[Any] = getattr(verdict, kind)
        status = next((one.standing.status for one in judged if one.record.id == record_id), None)
        return {**record_document(record, status, self.network), "as_of": as_of(standpoint)}

    async def _evidence_beside(
        self, connection: asyncpg.Connection, kind: RecordKind, record: Any, standpoint: Standpoint
    ) -> Evidence:
        if record.piece is None:
            return Evidence(**{kind: (record,)})
        return (await store.load_evidence(connection, [record.piece], standpoint.epoch or 0))[record.piece]

    def _milestones(self, network: Network, following: Following | None) -> Milestones:
        """When the rules changed; the end of FIL+ by the node's word, else the operator's, else the network's."""
        told = None if following is None else following.retires_at_epoch
        retires_at = next((one for one in (told, self.retires_at_epoch) if one is not None), network.nv29_epoch)
        return Milestones(nv17_epoch=network.nv17_epoch, nv22_epoch=network.nv22_epoch, retires_at_epoch=retires_at)

    def _programme(self, network: Network, following: Following | None) -> Document:
        return programme_document(
            network,
            self._milestones(network, following).retires_at_epoch,
            self.now(),
            network_version=None if following is None else following.network_version,
        )


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


def _epoch_at(time: datetime | None, network: Network) -> int:
    assert time is not None  # noqa: S101 - AsOf holds an epoch, a time or neither
    try:
        return epoch_at_time(network, time)
    except NetworkError as error:
        raise MalformedEpoch(str(error), value=time.isoformat()) from error


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


def _together(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several pieces as one, each kind ordered by id."""
    if len(parts) == 1:
        return parts[0]
    return Evidence(
        claims=tuple(sorted((claim for part in parts for claim in part.claims), key=lambda claim: claim.id)),
        deals=tuple(sorted((deal for part in parts for deal in part.deals), key=lambda deal: deal.id)),
        allocations=tuple(sorted((one for part in parts for one in part.allocations), key=lambda one: one.id)),
    )


async def _apart(size: int, work: Callable[[], T]) -> T:
    """Does the work here if it is small, else in a thread, so that the loop goes on serving others."""
    return work() if size <= RECORDS_IN_LOOP else await asyncio.to_thread(work)
