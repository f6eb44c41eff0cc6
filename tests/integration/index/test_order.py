"""Whatever the order of files and events, the index knows the same, and what it must know."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.index.questions import AsOf, EvidenceRequest
from explorer.index.service import IndexService
from explorer.verdict.coverage import Milestones
from explorer.verdict.decide import Judged, Question, Verdict, decide
from node.event_types import Payload
from tests.integration.index.histories import (
    AllocationStory,
    ClaimStory,
    DealStory,
    EventSource,
    FileSource,
    Source,
    Story,
    coverage_of,
    evidence_of,
    labels_told,
)
from tests.integration.index.importing import DEVNET, Importer, empty
from tests.unit.index.dumps import commitment, event_entry, payload_cid, piece_text

pytestmark = pytest.mark.every_postgres

NETWORK = replace(DEVNET, nv17_epoch=4, nv22_epoch=12)
PIECES = (1, 2)

small = st.integers(1, 8)
pieces = st.sampled_from(PIECES)
clients = st.sampled_from([100, 101])


@st.composite
def deal_stories(draw: st.DrawFn, number: int) -> DealStory:
    published = draw(st.integers(0, 12))
    start = published + draw(small)
    end = start + draw(small) + 4
    activated = draw(st.one_of(st.none(), st.integers(published + 1, start)))
    if activated is None:
        ending: dict[str, Any] = {"left": draw(st.one_of(st.none(), st.integers(start, start + 6)))}
    else:
        ending = draw(
            st.one_of(
                st.just({}),
                st.fixed_dictionaries({"slashed": st.integers(activated + 1, end)}),
                st.fixed_dictionaries({"left": st.integers(activated + 1, end), "terminated": st.booleans()}),
                st.fixed_dictionaries({"left": st.integers(end, end + 6)}),
            )
        )
    return DealStory(
        id=number,
        piece=draw(pieces),
        client=draw(clients),
        published=published,
        start=start,
        end=end,
        activated=activated,
        verified=draw(st.sampled_from([True, True, True, False])),
        **ending,
    )


@st.composite
def claim_stories(draw: st.DrawFn, number: int) -> list[Story]:
    """A claim and, perhaps, the allocation it came from."""
    created = draw(st.integers(2, 20))
    steps = draw(st.lists(st.tuples(small, small), max_size=2))
    terms = [(created, draw(small))]
    for later, longer in steps:
        terms.append((terms[-1][0] + later, terms[-1][1] + longer))
    last = max(terms[-1][0], created + terms[-1][1])
    claim = ClaimStory(
        id=number,
        piece=draw(pieces),
        client=draw(clients),
        created=created,
        terms=tuple(terms),
        removed=draw(st.one_of(st.none(), st.integers(last + 1, last + 6))),
        sector_terminated=draw(st.one_of(st.none(), st.none(), st.integers(created, created + 9))),
    )
    made = draw(st.one_of(st.none(), st.integers(max(created - 8, 0), created - 1)))
    if made is None:
        return [claim]
    allocation = AllocationStory(
        id=number, piece=claim.piece, client=claim.client, created=made, expiration=created + 5, claimed=created
    )
    return [claim, allocation]


@st.composite
def allocation_stories(draw: st.DrawFn, number: int) -> AllocationStory:
    created = draw(st.integers(0, 20))
    expiration = created + draw(small)
    removed = draw(st.one_of(st.none(), st.integers(expiration, expiration + 6)))
    return AllocationStory(
        id=number, piece=draw(pieces), client=draw(clients), created=created, expiration=expiration, removed=removed
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Story]:
    history: list[Story] = [draw(deal_stories(number)) for number in range(1, draw(st.integers(1, 3)) + 1)]
    for number in range(11, 11 + draw(st.integers(0, 2))):
        history += draw(claim_stories(number))
    history += [draw(allocation_stories(number)) for number in range(21, 21 + draw(st.integers(0, 1)))]
    return history


@st.composite
def told_histories(draw: st.DrawFn) -> tuple[list[Story], list[Source]]:
    """A history and sources that tell of it, in the order in which they are imported."""
    history = draw(histories())
    ids = [story.id for story in history]
    files = draw(
        st.lists(
            st.builds(
                FileSource,
                kind=st.sampled_from(["deals", "deals", "claims", "claims", "allocations"]),
                epoch=st.integers(1, 36),
                complete=st.sampled_from([True, True, False]),
                without=st.frozensets(st.sampled_from(ids), max_size=2),
                labels_lost=st.sampled_from([False, False, True]),
            ),
            min_size=2,
            max_size=7,
        )
    )
    events: list[tuple[Payload, int]] = [told for story in history for told in story.events()]
    chosen = draw(st.lists(st.sampled_from(events), max_size=8, unique_by=repr))
    cut = draw(st.integers(0, len(chosen)))
    recordings = [EventSource(tuple(part)) for part in (chosen[:cut], chosen[cut:]) if part]
    return history, draw(st.permutations([*files, *recordings]))


async def take(imports: Importer, history: list[Story], source: Source) -> None:
    if isinstance(source, EventSource):
        await imports({"result": [event_entry(event, height) for event, height in source.events]}, kind="events")
        return
    options = {"at_epoch": source.epoch, "partial": not source.complete, "force": True, "kind": source.kind}
    await imports(source.entries(history), **options)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=told_histories(), retires=st.sampled_from([None, 18]))
async def test_any_order_of_sources_gives_what_they_tell_together(
    pool: asyncpg.Pool, tmp_path: Path, told: tuple[list[Story], list[Source]], retires: int | None
) -> None:
    history, sources = told
    await empty(pool)
    imports = Importer(pool, tmp_path, NETWORK)
    for source in sources:
        await take(imports, history, source)

    service = imports.service(retires_at_epoch=retires)
    head = (await service.status())["index"]["epoch"]
    for epoch in range(head + 1):
        await assert_known(service, history, sources, epoch, retires)
    await assert_labels(service, history, sources)

    for source in reversed(sources):
        await take(imports, history, source)
    for epoch in range(0, head + 1, 5):
        await assert_known(service, history, sources, epoch, retires)


async def assert_known(
    service: IndexService, history: list[Story], sources: list[Source], epoch: int, retires: int | None
) -> None:
    milestones = Milestones(nv17_epoch=NETWORK.nv17_epoch, nv22_epoch=NETWORK.nv22_epoch, retires_at_epoch=retires)
    evidence = evidence_of(history, sources, epoch)
    for piece in {story.piece for story in history}:
        due = decide(evidence[commitment(piece)], coverage_of(sources), Question(epoch=epoch, milestones=milestones))
        document = await service.verdict(piece_text(piece), at=AsOf(epoch=epoch), evidence=EvidenceRequest(full=True))
        assert (document["verdict"], statuses(document)) == (due.name, due_statuses(due)), (epoch, piece)
        assert document["coverage"]["gaps"] == list(due.gaps)


async def assert_labels(service: IndexService, history: list[Story], sources: list[Source]) -> None:
    known = labels_told(history, sources)
    for story in history:
        if isinstance(story, DealStory):
            found = (await service.verdict(payload_cid(story.id).to_text()))["evidence"]["pieces"]
            assert [one["piece_cid"] for one in found] == ([piece_text(known[story.id])] if story.id in known else [])


def statuses(document: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [
        (kind, item["id"], item["status"])
        for kind in ("claims", "deals", "allocations")
        for item in document["evidence"][kind]["items"]
    ]


def due_statuses(due: Verdict) -> list[tuple[str, int, str]]:
    kinds: list[tuple[str, tuple[Judged[Any], ...]]] = [
        ("claims", due.claims),
        ("deals", due.deals),
        ("allocations", due.allocations),
    ]
    return [(kind, one.record.id, one.standing.status) for kind, judged in kinds for one in judged]
