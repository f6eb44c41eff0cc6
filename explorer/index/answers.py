"""The documents of the HTTP interface (CONTRACT, "Explorer HTTP"), out of verdicts and records. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from explorer.index.describe import codec_name
from explorer.index.followed import Hole
from explorer.index.items import record_document
from explorer.index.questions import EvidenceRequest, cursor_of, id_of_cursor
from explorer.verdict.coverage import Coverage, Milestones
from explorer.verdict.decide import Judged, Verdict
from explorer.verdict.reason import Subject, reason
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord, PieceSource, RecordKind
from explorer.verdict.rules import Counts
from node.cid import Cid, canonical, piece_of
from node.label import label_cid
from node.network import LAST_VERSION_WITH_DATACAP, Network, time_of_epoch
from node.piece import piece_v1

Document = dict[str, Any]
AnyRecord = TypeVar("AnyRecord", ClaimRecord, DealRecord, AllocationRecord)


Finality = Literal["head", "safe", "final"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """From where an answer is given. `epoch` is None for an empty index; `coverage` holds at least the spans there.

    `tipset` are the block CIDs of the followed tipset at the epoch, `finality` what a node said of it.
    """

    network: Network
    epoch: int | None
    coverage: Coverage
    programme: Document
    milestones: Milestones
    tipset: tuple[Cid, ...] | None = None
    finality: Finality | None = None


def verdict_document(
    asked: str,
    cid: Cid,
    verdict: Verdict,
    *,
    subject: Subject,
    pieces: Sequence[PieceSource],
    standpoint: Standpoint,
    request: EvidenceRequest,
) -> Document:
    """The answer of `GET /cid/{cid}/filplus`; MalformedCursor."""
    return {
        "cid": asked,
        "canonical": canonical(cid).to_text(),
        "kind": subject.kind,
        "filplus": verdict.filplus,
        "verdict": verdict.name,
        "reason": reason(verdict, subject, standpoint.epoch, retires_at_epoch=standpoint.milestones.retires_at_epoch),
        "notes": _notes(cid, verdict, subject, pieces),
        "evidence": {
            "claims": _page("claims", verdict.claims, standpoint.network, request),
            "deals": _page("deals", verdict.deals, standpoint.network, request),
            "allocations": _page("allocations", verdict.allocations, standpoint.network, request),
            "pieces": _pieces(pieces),
        },
        "as_of": as_of(standpoint),
        "coverage": {
            "complete": verdict.complete and subject.refusal is None,
            "gaps": list(verdict.gaps),
            "sources": _sources(standpoint),
        },
        "programme": standpoint.programme,
    }


def as_of(standpoint: Standpoint) -> Document:
    """Which epoch an answer speaks of, and how sure that is; tipset and finality are null where no node told them."""
    return {
        "epoch": standpoint.epoch,
        "tipset": None if standpoint.tipset is None else [cid.to_text() for cid in standpoint.tipset],
        "time": _time_of(standpoint.network, standpoint.epoch),
        "finality": standpoint.finality,
    }


def hole_document(hole: Hole) -> Document:
    """Heights whose events are not known."""
    return {
        "kind": hole.kind,
        "from_epoch": hole.from_height,
        "through_epoch": hole.through_height,
        "reason": hole.reason,
    }


def _time_of(network: Network, epoch: int | None) -> str | None:
    return None if epoch is None else rfc3339(time_of_epoch(network, epoch))


def programme_document(
    network: Network, retires_at_epoch: int | None, now: datetime, *, network_version: int | None = None
) -> Document:
    """Whether FIL+ is open now: by the version that a followed node reports, else by a known end and the clock."""
    return {
        "network": network.name,
        "network_version": network_version,
        "status": _programme_status(network, retires_at_epoch, now, network_version),
        "retires_at_epoch": retires_at_epoch,
    }


def _programme_status(
    network: Network, retires_at_epoch: int | None, now: datetime, network_version: int | None
) -> str:
    if network_version is not None:
        return "retired" if network_version > LAST_VERSION_WITH_DATACAP else "open"
    end = None if retires_at_epoch is None else time_of_epoch(network, retires_at_epoch)
    return "unknown" if end is None else ("retired" if now >= end else "open")


def rfc3339(time: datetime | None) -> str | None:
    """The time in UTC with a Z; None stays None."""
    return None if time is None else time.isoformat().replace("+00:00", "Z")


def _page(
    kind: RecordKind, judged: Sequence[Judged[AnyRecord]], network: Network, request: EvidenceRequest
) -> Document:
    """One kind's totals and, if asked for, the page of items behind its cursor."""
    after = id_of_cursor(kind, request.cursors.get(kind))
    rest = [one for one in judged if one.record.id > after] if request.full else []
    shown = rest[: request.limit]
    return {
        "total": len(judged),
        "active": sum(one.standing.counts is Counts.ACTIVE for one in judged),
        "items": [record_document(one.record, one.standing.status, network) for one in shown],
        "next_cursor": cursor_of(kind, shown[-1].record.id) if len(rest) > len(shown) else None,
    }


def _sources(standpoint: Standpoint) -> list[Document]:
    """The complete sources at the epoch of the answer."""
    spans = standpoint.coverage.at(standpoint.epoch) if standpoint.epoch is not None else ()
    return [
        {
            "name": f"{span.kind}: {span.source}",
            "kind": span.kind,
            "from_epoch": span.from_epoch,
            "through_epoch": span.through_epoch,
        }
        for span in spans
    ]


def _notes(cid: Cid, verdict: Verdict, subject: Subject, pieces: Sequence[PieceSource]) -> list[str]:
    """What a reader should know of how the CID was matched."""
    if subject.kind == "payload":
        return _codec_notes(cid, (one.record for one in verdict.deals), pieces)
    piece = piece_of(cid)
    if subject.kind != "piece" or piece is None:
        return []
    sizes = {size for judged in (verdict.claims, verdict.deals, verdict.allocations) for size in _sizes(judged)}
    return [
        f"this piece CID says {piece.padded_size_bytes} bytes, the chain recorded {size}"
        for size in sorted(sizes - {piece.padded_size_bytes})
    ]


def _pieces(pieces: Sequence[PieceSource]) -> list[Document]:
    """Through which pieces, each source once."""
    told = dict.fromkeys((one.piece, one.source) for one in pieces)
    return [{"piece_cid": piece_v1(piece).to_text(), "source": source} for piece, source in told]


def _codec_notes(cid: Cid, deals: Iterable[DealRecord], pieces: Iterable[PieceSource]) -> list[str]:
    """Which other codecs labels and maps give the same multihash."""
    labels = (label_cid(deal.label) for deal in deals if deal.verified)
    labelled = {label.codec for label in labels if label and label.multihash == cid.multihash}
    mapped = {one.codec for one in pieces if one.codec is not None}
    return [
        f"asked as {codec_name(cid.codec)}, found as {codec_name(codec)}: the same bytes under another codec"
        for codec in sorted((labelled | mapped) - {cid.codec})
    ]


def _sizes(judged: Sequence[Judged[Any]]) -> set[int]:
    return {one.record.size_bytes for one in judged}
