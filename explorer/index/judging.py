"""CIDs judged: what bears on them is read, then the rules decide. Large work is done in a thread."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import asyncpg

from explorer.index import store
from explorer.index.answers import Standpoint
from explorer.verdict.decide import Question, Verdict, decide
from explorer.verdict.reason import Subject
from explorer.verdict.records import Evidence, PieceSource
from node.cid import Cid, is_empty_content, kind_of, match_key

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


async def judge(connection: asyncpg.Connection, cids: Sequence[Cid], standpoint: Standpoint) -> list[Judgement]:
    """Each CID with its verdict, in the order given."""
    epoch = standpoint.epoch
    if epoch is None:
        return [_judgement(cid, (), {}, standpoint, labels_known=True) for cid in cids]
    payloads = {key for cid in cids if kind_of(cid) == "payload" and (key := match_key(cid))}
    pieces_of = await store.load_pieces(connection, payloads, epoch) if payloads else {}
    commitments = {key for cid in cids if kind_of(cid) == "piece" and (key := match_key(cid))}
    commitments.update(one.piece for pieces in pieces_of.values() for one in pieces)
    evidence = await store.load_evidence(connection, commitments, epoch) if commitments else {}
    labels_known = not payloads or await store.load_labels_known(connection, epoch)
    pieces = [tuple(pieces_of.get(match_key(cid) or b"", ())) for cid in cids]
    size = sum(len(one.claims) + len(one.deals) + len(one.allocations) for one in evidence.values())
    return await apart(
        size + len(cids),
        lambda: [
            _judgement(cid, held_by, evidence, standpoint, labels_known=labels_known)
            for cid, held_by in zip(cids, pieces, strict=True)
        ],
    )


def _judgement(
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


def _together(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several pieces as one, each kind ordered by id."""
    if len(parts) == 1:
        return parts[0]
    return Evidence(
        claims=tuple(sorted((claim for part in parts for claim in part.claims), key=lambda claim: claim.id)),
        deals=tuple(sorted((deal for part in parts for deal in part.deals), key=lambda deal: deal.id)),
        allocations=tuple(sorted((one for part in parts for one in part.allocations), key=lambda one: one.id)),
    )


async def apart(size: int, work: Callable[[], T]) -> T:
    """Does the work here if it is small, else in a thread, so that the loop goes on serving others."""
    return work() if size <= RECORDS_IN_LOOP else await asyncio.to_thread(work)
