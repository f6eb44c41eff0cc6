"""Is the index right? It is compared with what a node says of the same state, and nothing is mended.

node's records, in any order ─► batches, each against the index's rows of those ids ─► missing, different
index's records of the scope, in pages ─► those that the node didn't tell           ─► surplus

Both sides flow past: what is held is a batch, and a bit for each id that both have. No transaction is held meanwhile.
"""

import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from explorer.errors import EpochNotIndexed, ForkBelowFinal
from explorer.follow.forks import key_of
from explorer.follow.sampling import DEALS_PER_PROVIDER, Draw, Scope, addresses_of
from explorer.follow.unchanged import Mark, demand_unchanged, mark_at
from explorer.ground.connection import database_errors
from explorer.index import state
from explorer.index.drift import Comparison, SeenIds, drift_counts, drift_of, told_fields
from explorer.index.spans import load_coverage, load_index_epoch
from explorer.index.state import Held, gaps_at
from explorer.index.tipsets import load_following
from explorer.index.verifications import Verification, save_verification
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.address import actor_address
from node.chain.errors import ActorNotFound, NotSupported
from node.chain.protocol import Chain
from node.chain.results import RejectedRecord
from node.chain.tipset import TipSet

SAMPLE = 20
"""How many providers a sample has where nothing else is said."""

Progress = Callable[[RecordKind, int], None]
"""Told of a kind how many of its records were compared so far."""
Records = AsyncGenerator[Any, None]
Pages = AsyncIterator[Sequence[Held]]

_BATCH = 1000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to compare: everything, the claims of some providers, or a sample drawn by a seed."""

    seed: int
    epoch: int | None = None
    """None: the newest final tipset."""
    everything: bool = False
    providers: tuple[int, ...] = ()
    sample: int = SAMPLE
    prefix: str = "f"
    """That of the network's addresses."""


@dataclass(slots=True)
class _Run:
    """One comparison under way."""

    connection: asyncpg.Connection
    chain: Chain
    asked_epoch: int
    tipset: TipSet
    network_version: int
    mark: Mark
    progress: Progress
    not_compared: dict[str, str] = field(default_factory=dict)
    strangers: list[int] = field(default_factory=list)
    """Providers of whom neither the index nor the node has a claim."""

    def scope_document(self, scope: Scope, prefix: str) -> dict[str, Any]:
        """The scope as JSON, with what it says beside what was asked for."""
        document = scope.document(prefix)
        if self.asked_epoch != self.tipset.epoch:
            document["asked_epoch"] = self.asked_epoch
        if scope.what == "providers" and self.strangers:
            document["without_claims"] = addresses_of(prefix, self.strangers)
        return document


async def verify(
    pool: asyncpg.Pool,
    chain: Chain,
    wanted: Wanted,
    *,
    told_by: Callable[[], str],
    progress: Progress = lambda _kind, _count: None,
) -> Verification:
    """Compares the index with the node, and keeps what it finds; `told_by` names the nodes that answered.

    EpochNotIndexed where the index doesn't reach, ForkBelowFinal where the node's chain is another one; HeadMoved and
    IndexChanged where the index changed under it. Any ChainError ends it without a trace.
    """
    at, began = datetime.now(UTC), time.monotonic()
    with database_errors("comparing the index with a node"):
        async with pool.acquire() as connection:
            run = await _begin(connection, chain, wanted, progress)
            scope = await _scope_of(run, wanted)
            comparisons = [one async for one in _compare_kinds(run, scope)]
            await demand_unchanged(connection, run.mark, comparisons)
            found = Verification(
                at=at,
                epoch=run.tipset.epoch,
                node=told_by(),
                scope=run.scope_document(scope, wanted.prefix),
                compared={one.kind: _compared(one) for one in comparisons},
                drift=drift_counts(comparisons),
                examples=[drift.document() for one in comparisons for drift in one.examples],
                not_compared=run.not_compared,
                seconds=time.monotonic() - began,
            )
            await save_verification(connection, found)
    _say(found)
    return found


def _compared(one: Comparison) -> dict[str, int]:
    return {"index": one.in_index, "node": one.in_node, "rejected": one.rejected.total()}


def _say(found: Verification) -> None:
    log = _log.warning if found.drifted else _log.info
    log("index_verified", epoch=found.epoch, drifted=found.drifted, drift=found.drift, compared=found.compared)


async def _begin(connection: asyncpg.Connection, chain: Chain, wanted: Wanted, progress: Progress) -> _Run:
    """Finds the tipset to compare at, and what can't be compared there."""
    asked = await _asked_epoch(connection, wanted.epoch)
    mark = await mark_at(connection, asked)
    tipset = await _tipset(chain, mark)
    version = await chain.network_version(at=tipset.key)
    run = _Run(connection, chain, asked, tipset, version, mark, progress)
    run.not_compared.update(gaps_at(await load_coverage(connection), tipset.epoch))
    return run


async def _asked_epoch(connection: asyncpg.Connection, epoch: int | None) -> int:
    """The epoch that is asked for, else the newest final one; EpochNotIndexed."""
    following, head = await load_following(connection), await load_index_epoch(connection)
    if epoch is None and following is None:
        raise EpochNotIndexed("no node was followed, so no epoch is known to be final: say --at-epoch N")
    asked = following.final_epoch if epoch is None and following is not None else epoch
    if asked is None or head is None or asked > head:
        raise EpochNotIndexed(f"epoch {asked} is not indexed: the index ends at epoch {head}", value=asked)
    return asked


async def _tipset(chain: Chain, mark: Mark) -> TipSet:
    """The node's tipset at the epoch; where the index followed that epoch, it must be the same there."""
    epoch = mark.epoch
    tipset = await chain.tipset_at(epoch)
    if mark.link is not None and mark.link.key != key_of(tipset.key):
        raise ForkBelowFinal(
            f"the node has another tipset at epoch {epoch} than the followed one: it is on another chain, or the head "
            "is just moving; final epochs don't"
        )
    return tipset


async def _scope_of(run: _Run, wanted: Wanted) -> Scope:
    """Whose records are compared; a sample is drawn from what can be compared."""
    if wanted.everything:
        return Scope(what="all")
    if wanted.providers:
        for kind in ("allocations", "deals"):
            run.not_compared.setdefault(kind, "a node doesn't tell them by provider")
        return Scope(what="providers", providers=wanted.providers)
    draw = Draw(run.connection, run.tipset.epoch, random.Random(wanted.seed))  # noqa: S311 - no secret is drawn
    scope = Scope(
        what="sample",
        seed=wanted.seed,
        providers=tuple(await draw.providers(wanted.sample)),
        clients=tuple(await draw.clients(wanted.sample)),
        deal_ids=tuple(await draw.deal_ids(wanted.sample * DEALS_PER_PROVIDER)),
    )
    return replace(
        scope,
        providers=() if "claims" in run.not_compared else scope.providers,
        clients=() if "allocations" in run.not_compared else scope.clients,
        deal_ids=() if "deals" in run.not_compared else scope.deal_ids,
    )


async def _compare_kinds(run: _Run, scope: Scope) -> AsyncIterator[Comparison]:
    """Each kind that can be compared, one after the other."""
    for kind in RECORD_KINDS:
        if kind in run.not_compared:
            continue
        comparison = Comparison(kind)
        try:
            for whose, told, held in _parts(run, scope, kind):
                before = comparison.records
                await _compare(run, comparison, told, held)
                if kind == "claims" and whose is not None and comparison.records == before:
                    run.strangers.append(whose)
        except NotSupported as error:
            run.not_compared[kind] = f"the node can't tell: {error}"
        else:
            yield comparison


def _parts(run: _Run, scope: Scope, kind: RecordKind) -> Iterable[tuple[int | None, Records, Pages]]:
    """What the node has and what the index holds, part by part of the scope, and whose; made as they are asked for."""
    connection, chain, epoch, key = run.connection, run.chain, run.tipset.epoch, run.tipset.key
    if scope.what == "all":
        yield None, getattr(chain, kind)(at=key), state.held_pages(connection, kind, epoch)
    elif kind == "claims":
        for one in scope.providers:
            told = _none_of_nobody(chain.claims_of(actor_address(one), at=key))
            yield one, told, state.claims_of_provider(connection, epoch, one)
    elif kind == "allocations":
        for one in scope.clients:
            told = _none_of_nobody(chain.allocations_of(actor_address(one), at=key))
            yield one, told, state.allocations_of_client(connection, epoch, one)
    elif scope.deal_ids:
        yield None, _deals_of(run, scope.deal_ids), _held_deals(run, scope.deal_ids)


async def _none_of_nobody(told: Records) -> Records:
    """What the node tells of somebody; nothing of one without an actor."""
    try:
        async with aclosing(told) as records:
            async for record in records:
                yield record
    except ActorNotFound:
        return


async def _deals_of(run: _Run, deal_ids: Sequence[int]) -> Records:
    """Those of the deals that the node has."""
    for deal_id in deal_ids:
        deal = await run.chain.deal(deal_id, at=run.tipset.key)
        if deal is not None:
            yield deal


async def _held_deals(run: _Run, deal_ids: Sequence[int]) -> Pages:
    for start in range(0, len(deal_ids), _BATCH):
        ids = list(deal_ids[start : start + _BATCH])
        yield list((await state.held_by_id(run.connection, "deals", run.tipset.epoch, ids)).values())


async def _compare(run: _Run, comparison: Comparison, told: Records, held: Pages) -> None:
    """Compares one part: first all that the node has, then what the index has beside that."""
    seen = SeenIds()
    async with aclosing(told) as records:
        async for batch in _batches(records):
            await _compare_batch(run, comparison, batch, seen)
    async for page in held:
        for row in page:
            if row["in_state"]:
                comparison.in_index += 1
                if row["id"] not in seen:
                    comparison.add(drift_of(comparison.kind, row["id"], row, None, run.network_version))


async def _compare_batch(run: _Run, comparison: Comparison, batch: Sequence[Any], seen: SeenIds) -> None:
    """Compares some of the node's records with the index's of the same ids."""
    kind, epoch = comparison.kind, run.tipset.epoch
    comparison.rejected.update(one.reason for one in batch if isinstance(one, RejectedRecord))
    records = {one.id: one for one in batch if not isinstance(one, RejectedRecord)}
    held = await state.held_by_id(run.connection, kind, epoch, list(records))
    for record_id, record in records.items():
        told, ours = told_fields(kind, record, epoch), held.get(record_id)
        if told is None or (ours is not None and not seen.add(record_id)):
            continue
        comparison.in_node += 1
        comparison.add(drift_of(kind, record_id, ours, told, run.network_version))
    run.progress(kind, comparison.in_node)


async def _batches(records: Records) -> AsyncIterator[list[Any]]:
    """The records in lists of _BATCH, the last one shorter."""
    batch: list[Any] = []
    async for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
