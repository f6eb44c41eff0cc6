"""The feed: small events, appended in the transaction of what they tell, read by those who watch.

head     the followed chain moved                cid     the records over a piece changed
import   a file was read: written by a trigger of the table `imports`
review   a review changed: appended by `explorer.reviews`, told only to those who may see that review
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import asyncpg

from explorer.ground.queries import load_queries
from explorer.index.followed import Move
from node.cid import cid_from_bytes
from node.piece import piece_v1

CHANNEL = "explorer_feed"
KEPT_EVENTS = 20_000
KEPT_FOR = timedelta(days=7)
MOST_PIECES = 1_000
"""Where more pieces change at once, as while catching up, one event without a piece stands for all of them."""

_QUERIES = load_queries("explorer.index.sql", "feed.sql")
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event. `keys` are the match keys of the CIDs it is about, and the keys of clients and providers; none where
    it may bear on all of them."""

    id: int
    at: datetime
    type: str
    piece: bytes | None
    data: Mapping[str, Any]
    keys: frozenset[bytes]
    review_id: str | None = None
    """Of a review event: for nobody but those who watch that review."""


@dataclass(frozen=True, slots=True)
class PieceChange:
    """What became of the records over a piece, whose they are, and the payloads (multihashes) that its deals' labels
    name."""

    piece: bytes
    changes: frozenset[str]
    payloads: frozenset[bytes]
    client_ids: frozenset[int]
    provider_ids: frozenset[int]
    digest: str
    """Of the changed rows, before and after: a change that a reorg took back and made again has the same."""


async def changed_from(connection: asyncpg.Connection, height: int | None) -> list[PieceChange]:
    """What the followed tipsets from a height on changed; nothing for None. To be asked before they are taken back."""
    if height is None:
        return []
    rows = await connection.fetch(_QUERIES["changed_pieces"], height)
    sets = ("changes", "payloads", "client_ids", "provider_ids")
    return [
        PieceChange(piece=row["piece"], digest=row["digest"], **{name: frozenset(row[name]) for name in sets})
        for row in rows
    ]


async def note_advance(
    connection: asyncpg.Connection,
    move: Move,
    *,
    reverted_from: int | None,
    reverted: Sequence[PieceChange],
    applied_from: int | None,
) -> None:
    """Appends the new head, and an event for each piece that the tipsets taken back or applied have changed."""
    head = await connection.fetchrow(_QUERIES["head"])
    if head is None or (reverted_from is None and applied_from is None):
        return
    changes = _news(reverted, await changed_from(connection, applied_from))
    events: list[tuple[str, bytes | None, dict[str, Any]]] = [
        ("head", None, _head_data(head, move, reverted_from)),
        *_piece_events(changes, head["epoch"]),
    ]
    types, pieces, data = zip(*events, strict=True)
    await connection.execute(_QUERIES["append"], types, pieces, [json.dumps(one) for one in data])


def _news(reverted: Sequence[PieceChange], applied: Sequence[PieceChange]) -> list[PieceChange]:
    """One change a piece; none where a reorg made the same change again."""
    before, after = ({one.piece: one for one in part} for part in (reverted, applied))
    news = []
    for piece in dict.fromkeys([*before, *after]):
        was, now = before.get(piece), after.get(piece)
        if was is None or now is None or was.digest != now.digest:
            news.append(_together(was, now))
    return news


def _together(was: PieceChange | None, now: PieceChange | None) -> PieceChange:
    taken_back = None if was is None else replace(was, changes=frozenset({"reverted"}))
    if taken_back is None or now is None:
        return cast("PieceChange", now or taken_back)
    return replace(
        now,
        changes=now.changes | taken_back.changes,
        payloads=now.payloads | taken_back.payloads,
        client_ids=now.client_ids | taken_back.client_ids,
        provider_ids=now.provider_ids | taken_back.provider_ids,
    )


def _head_data(head: asyncpg.Record, move: Move, reverted_from: int | None) -> dict[str, Any]:
    return {
        "epoch": head["epoch"],
        "tipset": [cid_from_bytes(raw).to_text() for raw in head["key"]],
        "safe_epoch": head["safe_epoch"],
        "final_epoch": head["final_epoch"],
        "change": move.change,
        "depth": move.depth,
        "reverted_from_epoch": reverted_from,
    }


def _piece_events(changes: Sequence[PieceChange], epoch: int) -> list[tuple[str, bytes | None, dict[str, Any]]]:
    if len(changes) > MOST_PIECES:
        return [("cid", None, {"epoch": epoch, "piece_cid": None, "pieces": len(changes)})]
    return [("cid", one.piece, _piece_data(one, epoch)) for one in changes]


def _piece_data(change: PieceChange, epoch: int) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "piece_cid": piece_v1(change.piece).to_text(),
        "changes": sorted(change.changes),
        "multihashes": sorted(payload.hex() for payload in change.payloads),
        "client_ids": sorted(change.client_ids),
        "provider_ids": sorted(change.provider_ids),
    }


async def load_newest(connection: asyncpg.Connection) -> list[FeedEvent]:
    """Every event that is kept, the oldest first."""
    return [_event(row) for row in await connection.fetch(_QUERIES["newest"], KEPT_EVENTS)]


async def load_after(connection: asyncpg.Connection, event_id: int) -> list[FeedEvent]:
    """The next events, the oldest first, at most a batch of them; none: there are no more."""
    return [_event(row) for row in await connection.fetch(_QUERIES["after"], event_id, _BATCH)]


async def prune(connection: asyncpg.Connection) -> None:
    """Forgets what is beyond KEPT_EVENTS or older than KEPT_FOR."""
    await connection.execute(_QUERIES["prune"], KEPT_EVENTS, KEPT_FOR)


def _event(row: asyncpg.Record) -> FeedEvent:
    data = json.loads(row["data"])
    keys = frozenset() if row["piece"] is None else frozenset({row["piece"], *_keys_of(data)})
    return FeedEvent(row["id"], row["at"].astimezone(UTC), row["type"], row["piece"], data, keys, row["review_id"])


def _keys_of(data: Mapping[str, Any]) -> Iterator[bytes]:
    """The keys of the payloads and of the parties that an event names."""
    yield from (bytes.fromhex(multihash) for multihash in data.get("multihashes", ()))
    yield from (party_key("client", actor_id) for actor_id in data.get("client_ids", ()))
    yield from (party_key("provider", actor_id) for actor_id in data.get("provider_ids", ()))


def party_key(role: str, actor_id: int) -> bytes:
    """What has an event concern a client or a provider; no CID's key is like it."""
    return f"{role} {actor_id}".encode()
