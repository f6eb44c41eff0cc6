"""What the chain itself says was in the state at an epoch, and what an index says: the two must be the same.

The index's own words are turned into "in the state" by their statuses. Two things are dated by the record itself, and
so are said one epoch before a node's state has them: a claim's start, and a deal's activation.
"""

from dataclasses import dataclass
from typing import Any

import asyncpg

from explorer.index import store
from explorer.index.spans import load_coverage_at
from explorer.index.tipsets import load_following
from explorer.verdict.coverage import Milestones
from explorer.verdict.decide import Judged, Question, Verdict, decide
from explorer.verdict.records import RECORD_KINDS, Evidence, RecordKind
from node.cid import Cid, commitment_of
from node.sim.chain import SimulatedChain
from node.sim.state import State, StoredDeal

Fields = dict[str, Any]
Records = dict[int, Fields]

_GONE = {
    "claims": {"removed", "gone", "unknown"},
    "allocations": {"removed", "claimed", "unknown"},
    "deals": {"terminated", "gone", "unknown"},
}


@dataclass(frozen=True, slots=True)
class Truth:
    """The records in the state at an epoch."""

    claims: Records
    allocations: Records
    deals: Records


def truth_at(chain: SimulatedChain, epoch: int) -> Truth:
    """The state at an epoch of the head's chain: that after every message of a lower height."""
    if epoch == chain.head.height:
        return truth_of(chain.state_at(chain.head))
    return truth_of(chain.state_after(chain.canon.at(epoch - 1)) if epoch else chain.state_at(chain.canon.genesis))


def truth_of(state: State) -> Truth:
    """The records of a state."""
    return Truth(
        claims={at: _fields(one, "term_start_epoch", "sector", "term_max_epochs") for at, one in _all(state, "claims")},
        allocations={at: _fields(one, "expiration_epoch", "term_max_epochs") for at, one in _all(state, "allocations")},
        deals={at: _deal(deal) for at, deal in state.market.deals.items()},
    )


def _all(state: State, name: str) -> Any:
    return getattr(state.registry, name).items()


def _data(cid: Cid) -> Fields:
    piece = commitment_of(cid)
    return {"piece": piece, "data_cid": None if piece else cid.to_bytes()}


def _fields(one: Any, *names: str) -> Fields:
    common = ("client_id", "provider_id", "size_bytes", "term_min_epochs")
    return {**_data(one.data), **{name: getattr(one, name) for name in (*common, *names)}}


def _deal(deal: StoredDeal) -> Fields:
    proposal = deal.proposal
    return {
        **_data(proposal.piece_cid),
        "client_id": proposal.client.actor_id,
        "provider_id": proposal.provider.actor_id,
        "size_bytes": proposal.size_bytes,
        "verified": proposal.verified,
        "label": proposal.label_bytes,
        "start_epoch": proposal.start_epoch,
        "end_epoch": proposal.end_epoch,
        "sector_start_epoch": deal.sector_start_epoch,
    }


async def judged_at(connection: asyncpg.Connection, epoch: int) -> Verdict:
    """Every record of the index, and what it says at the epoch."""
    following = await load_following(connection)
    milestones = Milestones(
        nv17_epoch=0, nv22_epoch=0, retires_at_epoch=None if following is None else following.retires_at_epoch
    )
    evidence = Evidence(
        claims=tuple(await store._claims(connection, "id", await _ids(connection, "claims"), epoch)),
        deals=tuple(await store._deals(connection, "id", await _ids(connection, "deals"), epoch)),
        allocations=tuple(await store._allocations(connection, "id", await _ids(connection, "allocations"))),
    )
    coverage = await load_coverage_at(connection, epoch)
    return decide(evidence, coverage, Question(epoch=epoch, milestones=milestones))


async def _ids(connection: asyncpg.Connection, table: str) -> list[int]:
    return [row["id"] for row in await connection.fetch(f"SELECT id FROM explorer.{table}")]


async def assert_true(connection: asyncpg.Connection, chain: SimulatedChain, epoch: int, kinds: Any, note: str) -> None:
    """What the index says of these kinds at the epoch is what the chain's state has, record by record."""
    await _assert(connection, truth_at(chain, epoch), epoch, kinds, note)


async def assert_true_of(connection: asyncpg.Connection, truth: Truth, epoch: int, note: str) -> None:
    """What the index covers at the epoch is what this state has."""
    coverage = await load_coverage_at(connection, epoch)
    kinds = [kind for kind in RECORD_KINDS if coverage.covers(kind, epoch)]
    await _assert(connection, truth, epoch, kinds, note)


async def _assert(connection: asyncpg.Connection, truth: Truth, epoch: int, kinds: Any, note: str) -> None:
    verdict = await judged_at(connection, epoch)
    for kind in kinds:
        due, found = getattr(truth, kind), getattr(verdict, kind)
        _assert_same(kind, due, _in_state(kind, found, epoch, due), found, f"{note}: {kind} at {epoch}")


def _in_state(kind: RecordKind, judged: tuple[Judged[Any], ...], epoch: int, due: Records) -> Records:
    """The records that the index has in the state, with the fields that are in `due`, as of the epoch."""
    found: Records = {}
    for one in judged:
        record, status = one.record, one.standing.status
        gone = status in _GONE[kind]
        if kind == "claims":
            gone = gone or record.term_start_epoch >= epoch
        elif kind == "allocations":
            gone = gone and not (status == "claimed" and record.claimed_epoch == epoch)
        elif _has_left(record, epoch):
            gone = True
        elif _is_over(record, epoch):
            gone = gone or record.id not in due
        if not gone:
            found[record.id] = _as_of(kind, record, epoch)
            if kind == "deals" and not record.label_known and record.id in due:
                found[record.id]["label"] = due[record.id]["label"]  # it says that it doesn't know
    return found


def _has_left(deal: Any, epoch: int) -> bool:
    return any(ended is not None and ended <= epoch for ended in (deal.terminated_epoch, deal.gone_epoch))


def _is_over(deal: Any, epoch: int) -> bool:
    """Whether the deal ended or lapsed: it leaves the state some time later, which changes no verdict."""
    ends: int = deal.end_epoch if -1 < deal.sector_start_epoch < epoch else deal.start_epoch
    return epoch >= ends


def _as_of(kind: RecordKind, record: Any, epoch: int) -> Fields:
    fields: Fields = {
        name: getattr(record, name) for name in ("piece", "data_cid", "client_id", "provider_id", "size_bytes")
    }
    if kind == "deals":
        started = record.sector_start_epoch if record.sector_start_epoch < epoch else -1
        dealt = ("verified", "label", "start_epoch", "end_epoch")
        return fields | {name: getattr(record, name) for name in dealt} | {"sector_start_epoch": started}
    names = ("term_min_epochs", "term_max_epochs")
    own = ("term_start_epoch", "sector") if kind == "claims" else ("expiration_epoch",)
    return fields | {name: getattr(record, name) for name in (*names, *own)}


def _assert_same(kind: str, due: Records, found: Records, judged: Any, note: str) -> None:
    if due == found:
        return
    odd = sorted(at for at in due.keys() | found.keys() if due.get(at) != found.get(at))
    lines = [f"{at}: the chain has {due.get(at)}, the index {found.get(at)}" for at in odd[:5]]
    records = [one for one in judged if one.record.id in odd[:5]]
    raise AssertionError("\n".join([note, *lines, *map(str, records)]))
