"""What must be counted of every party, worked out record by record from the answers about every piece of the index."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import asyncpg

from explorer.index.questions import EvidenceRequest
from explorer.index.service import IndexService
from explorer.parties.counting import MOST_COPIES
from explorer.parties.naming import OTHER, Role
from explorer.parties.service import PartyService
from explorer.verdict.records import RECORD_KINDS
from node.piece import piece_v1

Document = dict[str, Any]
_FULL = EvidenceRequest(full=True, limit=100_000)
_PIECES = "SELECT piece FROM explorer.{kind} WHERE piece IS NOT NULL"


async def all_records(pool: asyncpg.Pool, service: IndexService) -> dict[str, list[Document]]:
    """Every record that the answers about pieces name, or that names no piece, with its status; of deals the verified
    ones."""
    pieces = {row["piece"] for kind in RECORD_KINDS for row in await pool.fetch(_PIECES.format(kind=kind))}
    found: dict[str, list[Document]] = {kind: [] for kind in RECORD_KINDS}
    for piece in sorted(pieces):
        document = await service.verdict(piece_v1(piece).to_text(), evidence=_FULL)
        for kind in RECORD_KINDS:
            found[kind] += document["evidence"][kind]["items"]
    for kind, ask in (("claims", service.claim), ("deals", service.deal), ("allocations", service.allocation)):
        for row in await pool.fetch(f"SELECT id FROM explorer.{kind} WHERE piece IS NULL"):
            document = await ask(row["id"])
            del document["as_of"]
            found[kind] += [document] if document["status"] is not None else []
    return {kind: [one for one in those if one.get("verified", True)] for kind, those in found.items()}


def parties_in(records: dict[str, list[Document]]) -> list[tuple[Role, str]]:
    """Every party that a record names."""
    named = {(role, one[role]) for role in OTHER for kind in RECORD_KINDS for one in records[kind]}
    return sorted(named)


def due_counts(records: list[Document], role: Role, address: str) -> Document:
    """The figures of one party and one kind of record."""
    mine = [one for one in records if one[role] == address]
    active = [one for one in mine if one["status"] == "active"]
    statuses = Counter(one["status"] for one in mine)
    other = OTHER[role]
    return {
        "records": len(mine),
        "bytes": size_of(mine),
        "active_records": len(active),
        "active_bytes": size_of(active),
        "statuses": {
            status: (number, size_of(one for one in mine if one["status"] == status))
            for status, number in statuses.items()
        },
        "shares": {
            name: (
                sum(one[other] == name for one in mine),
                size_of(one for one in active if one[other] == name),
            )
            for name in {one[other] for one in mine}
        },
        "pieces": _due_pieces(with_piece(records), with_piece(mine), role, address),
        "copies": _due_copies(with_piece(mine), role),
    }


def with_piece(records: list[Document]) -> list[Document]:
    """Those that are about a piece; the chain takes any CID."""
    return [one for one in records if one["piece_cid"] and one["piece_cid"].startswith("baga6ea4seaq")]


def size_of(records: Iterable[Document]) -> str:
    """Their bytes together, as the API writes them."""
    return str(sum(one["size_bytes"] for one in records))


def _due_pieces(records: list[Document], mine: list[Document], role: Role, address: str) -> Document:
    pieces = {one["piece_cid"] for one in mine}
    if role == "client":
        shared = {one["piece_cid"] for one in records if one["client"] != address} & pieces
    else:
        clients = defaultdict(set)
        for one in mine:
            clients[one["piece_cid"]].add(one["client"])
        shared = {piece for piece, those in clients.items() if len(those) > 1}
    active = {one["piece_cid"] for one in mine if one["status"] == "active"}
    return {"distinct": len(pieces), "active": len(active), "shared": len(shared)}


def _due_copies(mine: list[Document], role: Role) -> dict[int, int]:
    found: dict[str, list[str]] = {one["piece_cid"]: [] for one in mine}
    for one in mine:
        if one["status"] == "active":
            found[one["piece_cid"]].append(one["provider"])
    copies = (len(set(those)) if role == "client" else len(those) for those in found.values())
    return dict(Counter(min(number, MOST_COPIES) for number in copies))


def told_counts(counts: Document) -> Document:
    """The figures of an answer, in the shape of `due_counts`."""
    return {
        **{name: counts[name] for name in ("records", "bytes", "active_records", "active_bytes")},
        "statuses": {one["status"]: (one["records"], one["bytes"]) for one in counts["statuses"]},
        "shares": {one["address"]: (one["records"], one["active_bytes"]) for one in counts["shares"]["items"]},
        "pieces": {name: counts["pieces"][name] for name in ("distinct", "active", "shared")},
        "copies": {one["copies"]: one["pieces"] for one in counts["copies"]},
    }


async def assert_counted(
    pool: asyncpg.Pool, service: IndexService, note: str, *, is_ahead: bool = False, others_too: bool = True
) -> int:
    """Every party's document says what the answers about the pieces say; how many parties there are.

    Without `others_too` it is not looked at whether others have records of the same pieces: who is counted ahead is
    not counted again because of them.
    """
    records = await all_records(pool, service)
    named = parties_in(records)
    asked = PartyService(index=service, large_records=0) if is_ahead else PartyService(index=service)
    for role, address in named:
        document = await asked.party(role, address, limit=500)
        where = f"{note}: {role} {address}"
        assert document["summary"] is not None, f"{where} was not counted"
        for kind in RECORD_KINDS:
            due = due_counts(records[kind], role, address)
            told = told_counts(document["summary"][kind])
            if not others_too and role == "client":
                told["pieces"]["shared"] = due["pieces"]["shared"]
            assert told == due, f"{where}, {kind}: {told} is told, {due} is due"
            mine = sorted((one for one in records[kind] if one[role] == address), key=lambda one: -one["id"])
            listed = [one for one in document["evidence"][kind]["items"] if one["status"] is not None]
            assert listed == mine, f"{where}, {kind} listed"
    return len(named)
