"""Evidence out of the database. Everything takes a connection, so that one answer reads one snapshot."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import asyncpg

from explorer.ground.queries import load_queries
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord, Evidence, PieceSource, RecordKind
from node.label import label_cid
from node.piece import piece_v1

ROUGH_COUNT_FROM = 1_000_000
"""Tables that PostgreSQL estimates to be larger are not counted row by row."""

_QUERIES = load_queries("explorer.index.sql", "store.sql")
Record = TypeVar("Record", ClaimRecord, DealRecord, AllocationRecord)


async def load_pieces(
    connection: asyncpg.Connection, payloads: Collection[bytes], epoch: int
) -> dict[bytes, list[PieceSource]]:
    """The pieces that hold each payload (multihash) as far as told at `epoch`, ordered; payloads without any are left
    out."""
    pieces: dict[bytes, list[PieceSource]] = defaultdict(list)
    for row in await connection.fetch(_QUERIES["pieces_of_payloads"], list(payloads), epoch):
        pieces[row["payload"]].append(PieceSource(row["piece"], row["source"], row["codec"]))
    return pieces


async def load_evidence(connection: asyncpg.Connection, pieces: Collection[bytes], epoch: int) -> dict[bytes, Evidence]:
    """Every record over each of these pieces (commitments), ordered by id; what changes, as it was at `epoch`."""
    keys = list(pieces)
    claims = _grouped(await _claims(connection, "piece", keys, epoch))
    deals = _grouped(await _deals(connection, "piece", keys, epoch))
    allocations = _grouped(await _allocations(connection, "piece", keys))
    return {
        piece: Evidence(
            claims=tuple(claims.get(piece, ())),
            deals=tuple(deals.get(piece, ())),
            allocations=tuple(allocations.get(piece, ())),
        )
        for piece in keys
    }


async def load_record(
    connection: asyncpg.Connection, kind: RecordKind, record_id: int, epoch: int
) -> ClaimRecord | DealRecord | AllocationRecord | None:
    """One record by its id; None if the index has none."""
    records = await load_records(connection, kind, [record_id], epoch)
    return records[0] if records else None


async def load_records(
    connection: asyncpg.Connection, kind: RecordKind, ids: list[int], epoch: int
) -> Sequence[ClaimRecord | DealRecord | AllocationRecord]:
    """The records of these ids, ordered by id; those that the index has not are left out."""
    if kind == "claims":
        return await _claims(connection, "id", ids, epoch)
    if kind == "deals":
        return await _deals(connection, "id", ids, epoch)
    return await _allocations(connection, "id", ids)


async def load_piece_sizes(connection: asyncpg.Connection, piece: bytes) -> list[int]:
    """The padded sizes that records give a piece: one, unless somebody lies."""
    return sorted(row["size_bytes"] for row in await connection.fetch(_QUERIES["piece_sizes"], piece))


async def load_examples(connection: asyncpg.Connection) -> list[str]:
    """Up to three CIDs that the index has something to say about."""
    cids = (
        piece_v1(row["piece"]) if row["piece"] else label_cid(row["label"])
        for row in await connection.fetch(_QUERIES["examples"])
    )
    return list(dict.fromkeys(cid.to_text() for cid in cids if cid))


async def load_labels_known(connection: asyncpg.Connection, epoch: int) -> bool:
    """Whether the index knows the label of every verified deal that there was at `epoch`."""
    return not await connection.fetchval(_QUERIES["labels_unknown"], epoch)


async def load_counts(connection: asyncpg.Connection) -> dict[str, int]:
    """How many rows each table of the index has; large tables by PostgreSQL's estimate."""
    rough = dict(await connection.fetchrow(_QUERIES["rough_counts"]))
    if max(rough.values()) >= ROUGH_COUNT_FROM:
        return rough
    return dict(await connection.fetchrow(_QUERIES["counts"]))


async def _claims(connection: asyncpg.Connection, key: str, values: list[Any], epoch: int) -> list[ClaimRecord]:
    return [ClaimRecord(**row) for row in await connection.fetch(_QUERIES["claims"].format(key=key), values, epoch)]


async def _deals(connection: asyncpg.Connection, key: str, values: list[Any], epoch: int) -> list[DealRecord]:
    return [DealRecord(**row) for row in await connection.fetch(_QUERIES["deals"].format(key=key), values, epoch)]


async def _allocations(connection: asyncpg.Connection, key: str, values: list[Any]) -> list[AllocationRecord]:
    return [AllocationRecord(**row) for row in await connection.fetch(_QUERIES["allocations"].format(key=key), values)]


def _grouped(records: Iterable[Record]) -> dict[bytes | None, list[Record]]:
    groups: dict[bytes | None, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.piece].append(record)
    return groups
