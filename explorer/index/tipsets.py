"""The followed chain in the database: growth and reorg are one operation, in one transaction of the caller's.

advance   take back what is no longer in the chain, apply what is, and say what is covered now
unwound   an import beside a follower: tipsets that are not final are taken back, and applied again after it
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import asyncpg

from explorer.errors import HeadMoved
from explorer.ground.queries import load_queries
from explorer.index.backfill import forget_backfilled
from explorer.index.deal_rows import live_deals_on, save_published
from explorer.index.event_rows import apply_batch, is_indexed
from explorer.index.feed import changed_from, note_advance
from explorer.index.followed import FORMER_SOURCE, SOURCE, Hole, Link, Move, followed_spans, move_of, without
from explorer.index.spans import load_coverage
from explorer.index.tally import Tally
from explorer.index.told import Told, told_document, told_of
from explorer.verdict.records import RECORD_KINDS

_QUERIES = load_queries("explorer.index.sql", "tipsets.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A tipset to apply, with what the messages of the one below it did."""

    link: Link
    parent_weight: int
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How far following is. All epochs are heights; `genesis_time` is in Unix seconds."""

    genesis_cid: bytes
    genesis_time: int
    start_epoch: int
    final_epoch: int
    final_source: str
    safe_epoch: int
    network_version: int
    retires_at_epoch: int | None

    def finality_of(self, epoch: int) -> Literal["head", "safe", "final"]:
        """How sure the tipset of an epoch is."""
        if epoch <= self.final_epoch:
            return "final"
        return "safe" if epoch <= self.safe_epoch else "head"


async def load_following(connection: asyncpg.Connection) -> Following | None:
    """How far following is; None where no node was ever followed."""
    row = await connection.fetchrow(_QUERIES["following"])
    return None if row is None else Following(**row)


async def load_links(connection: asyncpg.Connection) -> list[Link]:
    """The followed tipsets that are not final, from the top down, and the newest that is."""
    return [_link(row) for row in await connection.fetch(_QUERIES["links"])]


async def load_head(connection: asyncpg.Connection) -> tuple[Link, int] | None:
    """The head of the followed chain and its parents' weight; None where nothing is followed."""
    row = await connection.fetchrow(_QUERIES["head"])
    return None if row is None else (_link(row), int(row["parent_weight"]))


async def load_tipset_at(connection: asyncpg.Connection, epoch: int) -> Link | None:
    """The followed tipset of an epoch, that before a null round; None below the start."""
    row = await connection.fetchrow(_QUERIES["tipset_at"], epoch)
    return None if row is None else _link(row)


async def load_holes(connection: asyncpg.Connection) -> list[Hole]:
    """Every stretch of heights whose events are not known."""
    return [Hole(**row) for row in await connection.fetch(_QUERIES["holes"])]


async def begin(
    connection: asyncpg.Connection,
    link: Link,
    *,
    parent_weight: int,
    genesis_cid: bytes,
    genesis_time: int,
    final_source: str,
    network_version: int,
) -> None:
    """Begins following with a final tipset whose state is, or will be, in the index."""
    await connection.execute(_QUERIES["take_back"], 0)
    await _forget_tipsets(connection)
    await connection.execute(
        _QUERIES["begin_following"], genesis_cid, genesis_time, link.height, final_source, network_version
    )
    await connection.execute(_QUERIES["add_tipset"], link.height, list(link.key), parent_weight, None)
    await rewrite_spans(connection)


async def forget_chain(connection: asyncpg.Connection) -> None:
    """Forgets the followed chain, its rows as they stand: for a chain that nobody will ever ask for again."""
    await connection.execute(_QUERIES["forget_all_undo"])
    await _forget_tipsets(connection)
    await connection.execute(_QUERIES["forget_following"])
    await connection.execute(_QUERIES["settle_spans"], SOURCE, FORMER_SOURCE)


async def _forget_tipsets(connection: asyncpg.Connection) -> None:
    """Leaves no tipset, and so no heights whose events could be missing, nor a start below which some were told."""
    await connection.execute(_QUERIES["forget_tipsets"])
    await connection.execute(_QUERIES["forget_holes"])
    await forget_backfilled(connection)


async def advance(
    connection: asyncpg.Connection, *, head: Link, revert_from: int | None, steps: Sequence[Step]
) -> Move:
    """Takes back the tipsets from `revert_from` on, and applies the steps, which stand on one another.

    HeadMoved where `head` isn't the followed head any more.
    """
    found = await load_head(connection)
    if found is None or found[0] != head:
        raise HeadMoved(f"the followed head is {found and found[0].height}, not the tipset at {head.height}")
    links = [] if revert_from is None else await load_links(connection)
    move = move_of(links, revert_from, [step.link for step in steps])
    reverted = await changed_from(connection, revert_from)
    if revert_from is not None:
        await connection.execute(_QUERIES["take_back"], revert_from)
        await connection.execute(_QUERIES["shorten_holes"])
        await connection.execute(_QUERIES["close_holes"])
        await rewrite_spans(connection)
    for step in steps:
        await _apply(connection, step)
    await rewrite_spans(connection)
    applied_from = steps[0].link.height if steps else None
    await note_advance(connection, move, reverted_from=revert_from, reverted=reverted, applied_from=applied_from)
    return move


async def _apply(connection: asyncpg.Connection, step: Step) -> None:
    """Applies one tipset; what it changes is remembered until it is final."""
    told = json.dumps(told_document(step.told))
    await connection.execute(_QUERIES["add_tipset"], step.link.height, list(step.link.key), step.parent_weight, told)
    await connection.execute(_QUERIES["remember_for"], str(step.link.height))
    await apply_told(connection, step.told)
    await connection.execute(_QUERIES["remember_for"], "")
    for kind, reason in step.told.missing.items():
        await _note_hole(connection, Hole(kind, step.told.height, step.link.height - 1, reason))


async def apply_told(connection: asyncpg.Connection, told: Told) -> None:
    """Takes what a tipset's messages did into the rows of the index. Doing it twice changes nothing."""
    if not told.deals and not told.events:
        return
    coverage = await load_coverage(connection)
    await save_published(connection, told.deals, told.height, coverage)
    await apply_batch(connection, [event for event in told.events if is_indexed(event)], coverage, Tally())
    await live_deals_on(connection, told, coverage)


@asynccontextmanager
async def unwound(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Takes tipsets that are not final back, lets the caller change the index, and applies them again.

    What they changed is remembered as rows, which would bring back what was there before the caller's change.
    """
    following = await load_following(connection)
    rows = [] if following is None else await connection.fetch(_QUERIES["not_final"])
    if not rows or following is None:
        yield
    else:
        await connection.execute(_QUERIES["take_back"], rows[0]["height"])
        await rewrite_spans(connection)
        yield
        for row in rows:
            told = told_of(json.loads(row["told"]))
            await _apply(connection, Step(link=_link(row), parent_weight=int(row["parent_weight"]), told=told))
    if following is not None:
        await rewrite_spans(connection)


async def set_finality(connection: asyncpg.Connection, *, final_epoch: int, source: str, safe_epoch: int) -> None:
    """Says what is final now. It never goes back; what it takes to undo final tipsets is forgotten."""
    await connection.execute(_QUERIES["forget_told"], final_epoch)
    await connection.execute(_QUERIES["set_finality"], final_epoch, source, safe_epoch)
    await connection.execute(_QUERIES["forget_undo"])


async def set_programme(connection: asyncpg.Connection, *, network_version: int, retires_at_epoch: int | None) -> None:
    """Says which network version holds at the head, and since when FIL+ is over, if it is."""
    await connection.execute(_QUERIES["set_programme"], network_version, retires_at_epoch)


async def _note_hole(connection: asyncpg.Connection, hole: Hole) -> None:
    values = (hole.kind, hole.from_height, hole.through_height, hole.reason)
    if await connection.execute(_QUERIES["widen_hole"], *values) == "UPDATE 0":
        await connection.execute(_QUERIES["add_hole"], *values)


async def load_links_over(connection: asyncpg.Connection, hole: Hole, limit: int) -> list[Link]:
    """The tipsets over a hole, upward, from the one at its first height to the one that tells of its last; so many."""
    rows = await connection.fetch(_QUERIES["links_over"], hole.from_height, hole.through_height, limit)
    return [_link(row) for row in rows]


async def retell(connection: asyncpg.Connection, links: Sequence[Link], told: Sequence[Told]) -> bool:
    """Takes in what a node tells now of heights whose events were missing; False where the chain was left meanwhile.

    `links` are the tipsets over those heights, upward; each but the first tells of the one before it.
    """
    for link in links:
        if await load_tipset_at(connection, link.height) != link:
            return False
    for link, one in zip(links[1:], told, strict=True):
        await connection.execute(_QUERIES["tell_again"], link.height, json.dumps(told_document(one)))
    following = await load_following(connection)
    async with unwound(connection):
        for link, one in zip(links[1:], told, strict=True):
            if following is not None and link.height <= following.final_epoch:
                await apply_told(connection, one)
            await _narrow_holes(connection, one, link.height - 1)
    return True


async def _narrow_holes(connection: asyncpg.Connection, told: Told, through_height: int) -> None:
    """Takes what was told off the holes."""
    for hole in await load_holes(connection):
        left = without(hole, told.height, through_height)
        if hole.kind in told.missing or left == (hole,):
            continue
        await connection.execute(_QUERIES["fill_hole"], hole.kind, hole.from_height)
        for one in left:
            await connection.execute(_QUERIES["add_hole"], one.kind, one.from_height, one.through_height, one.reason)


async def rewrite_spans(connection: asyncpg.Connection) -> None:
    """Says anew what following covers, from the whole states that were read and the holes since."""
    await connection.execute(_QUERIES["drop_spans"], SOURCE)
    following, head = await load_following(connection), await load_head(connection)
    if following is None or head is None:
        return
    anchors = await connection.fetch(_QUERIES["anchors"], SOURCE, following.start_epoch)
    holes = await load_holes(connection)
    for kind in RECORD_KINDS:
        epochs = [row["epoch"] for row in anchors if row["kind"] == kind]
        spans = followed_spans(kind, epochs, start=following.start_epoch, head=head[0].height, holes=holes)
        rows = [(one.kind, one.from_epoch, one.through_epoch, one.source) for one in spans]
        await connection.executemany(_QUERIES["add_span"], [row for row in rows if row[1] < row[2]])


def _link(row: asyncpg.Record) -> Link:
    return Link(row["height"], tuple(row["key"]))
