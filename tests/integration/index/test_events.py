"""Recorded actor events: what each changes, from which epoch on, and which have no use here."""

import json

import asyncpg
import pytest

from explorer.errors import CorruptFile
from explorer.index.questions import AsOf, EvidenceRequest
from node.event_types import (
    AllocationCreated,
    AllocationRemoved,
    ClaimCreated,
    ClaimEvent,
    ClaimRemoved,
    ClaimUpdated,
    DealActivated,
    DealPublished,
    DealTerminated,
    Payload,
    SectorPrecommitted,
    SectorTerminated,
    VerifierBalance,
)
from tests.integration.index.importing import Importer, everything_of, state_of
from tests.unit.index.dumps import (
    allocation_entry,
    claim_entry,
    deal_entry,
    event_entry,
    payload_cid,
    piece_cid,
    piece_text,
)

pytestmark = pytest.mark.every_postgres

SIZE = 2**35


def claim_event(kind: type[ClaimEvent], number: int = 1, term_max: int = 500) -> ClaimEvent:
    return kind(number, 100, 1000, piece_cid(number), SIZE, 1, term_max, 50, 7)


def told(*events: tuple[Payload, int]) -> str:
    return json.dumps([event_entry(payload, height) for payload, height in events])


async def statuses(imports: Importer, kind: str, epochs: range | list[int]) -> list[str | None]:
    """The status of the one record of a kind over piece 1 at each epoch; None where it says nothing."""
    found = []
    for epoch in epochs:
        document = await imports.service().verdict(
            piece_text(1), at=AsOf(epoch=epoch), evidence=EvidenceRequest(full=True)
        )
        items = document["evidence"][kind]["items"]
        found.append(items[0]["status"] if items else None)
    return found


async def test_a_claims_whole_life(imports: Importer) -> None:
    report = await imports(
        told(
            (claim_event(ClaimCreated), 50),
            (claim_event(ClaimUpdated, term_max=900), 60),
            (claim_event(ClaimRemoved, term_max=900), 1000),
        )
    )
    assert (report["kind"], report["records"], report["added"], report["rejected"]) == ("events", 3, 1, {})
    assert await statuses(imports, "claims", [49, 50, 949, 950, 1000, 1001]) == [
        None,
        "active",
        "active",
        "expired",
        "expired",
        "removed",
    ]


async def test_terms_as_they_were_seen_at_each_epoch(imports: Importer) -> None:
    events = [
        (claim_event(ClaimCreated, term_max=10), 50),
        (claim_event(ClaimUpdated, term_max=20), 70),
        (claim_event(ClaimUpdated, term_max=90), 80),
    ]
    for one in (events[2], events[0], events[1]):
        await imports(told(one))
    await imports({}, at_epoch=900, kind="deals")
    assert await statuses(imports, "claims", [59, 60, 70, 71, 80, 81, 139, 140]) == [
        "active",
        "expired",  # an expired claim can be extended
        "expired",
        "expired",
        "expired",
        "active",
        "active",
        "expired",
    ]


async def test_a_removal_counts_from_the_epoch_after_its_height(imports: Importer) -> None:
    await imports({1: claim_entry(1, TermStart=50)}, at_epoch=60)
    await imports(told((claim_event(ClaimRemoved), 99)))
    assert await statuses(imports, "claims", [98, 99, 100]) == ["active", "active", "removed"]
    assert (await imports.service().verdict(piece_text(1)))["as_of"]["epoch"] == 100


async def test_a_claim_at_its_height_reaches_just_there(imports: Importer) -> None:
    await imports(told((claim_event(ClaimCreated), 50)))
    document = await imports.service().verdict(piece_text(1))
    assert (document["as_of"]["epoch"], document["verdict"]) == (50, "active")


async def test_an_allocation_shows_from_the_epoch_after_its_height(imports: Importer) -> None:
    fields = (1, 100, 1000, piece_cid(1), SIZE, 1, 500, 70)
    await imports(told((AllocationRemoved(*fields), 80)))
    await imports(told((AllocationCreated(*fields), 50)))
    assert await statuses(imports, "allocations", [50, 51, 69, 70, 80, 81]) == [
        None,
        "pending",
        "pending",
        "expired",
        "expired",
        "removed",
    ]


async def test_a_claimed_allocation(imports: Importer) -> None:
    await imports({1: allocation_entry(1)}, at_epoch=40)
    await imports(told((claim_event(ClaimCreated), 50)))
    assert await statuses(imports, "allocations", [49, 50]) == ["pending", "claimed"]


async def test_a_deals_events_stand_beside_its_row(imports: Importer) -> None:
    await imports({1: deal_entry(1, StartEpoch=70, EndEpoch=800)}, at_epoch=60)
    parties = (1, 100, 1000)
    events: list[tuple[Payload, int]] = [
        (DealTerminated(*parties), 90),
        (DealPublished(*parties), 40),
        (DealActivated(*parties), 65),
    ]
    report = await imports(told(*events))
    assert (report["added"], report["unchanged"]) == (3, 0)
    assert (await imports(told(*events)))["unchanged"] == 3
    assert await statuses(imports, "deals", [40, 41, 64, 65, 90, 91]) == [
        None,
        "published",
        "published",
        "active",
        "active",
        "terminated",
    ]


async def test_events_of_a_deal_without_a_row_wait_for_it(imports: Importer) -> None:
    await imports(told((DealTerminated(1, 100, 1000), 90)))
    await imports({1: deal_entry(1, state={"SectorStartEpoch": 12})}, at_epoch=20)
    assert await statuses(imports, "deals", [90, 91]) == ["active", "terminated"]


async def test_a_terminated_deal_was_active_whatever_its_old_row_says(imports: Importer) -> None:
    await imports({1: deal_entry(1, StartEpoch=70)}, at_epoch=60)
    await imports(told((DealTerminated(1, 100, 1000), 90)))
    assert await statuses(imports, "deals", [90, 91]) == ["lapsed", "terminated"]
    assert (await imports.service().verdict(piece_text(1)))["verdict"] == "past"


async def test_a_terminated_sector_ends_its_claims(imports: Importer) -> None:
    await imports({1: claim_entry(1, TermStart=50)}, at_epoch=60)
    await imports(told((SectorTerminated(7), 40), (SectorTerminated(8), 70), (SectorTerminated(7), 90)))
    assert await statuses(imports, "claims", [70, 90, 91]) == ["active", "active", "sector_terminated"]


async def test_a_sector_of_another_provider_ends_nothing(imports: Importer) -> None:
    await imports({1: claim_entry(1, TermStart=50, Provider=1001)}, at_epoch=60)
    await imports(told((SectorTerminated(7), 90)))
    assert await statuses(imports, "claims", [91]) == ["active"]


async def test_events_cover_nothing(imports: Importer, pool: asyncpg.Pool) -> None:
    report = await imports(told((claim_event(ClaimCreated), 50)), at_epoch=50)
    assert (report["complete"], report["at_epoch"]) == (False, None)
    assert await pool.fetchval("SELECT count(*) FROM explorer.coverage") == 0
    assert (await imports.service().verdict(piece_text(2)))["verdict"] == "unknown"


async def test_what_is_of_no_use_is_told_with_its_reason(imports: Importer) -> None:
    good = event_entry(claim_event(ClaimCreated), 50)
    evm = {**good, "entries": [{"Flags": 3, "Key": "t1", "Codec": 85, "Value": "AA=="}]}
    unknown = {**good, "entries": [{"Flags": 3, "Key": "$type", "Codec": 81, "Value": "ZG5ld3M="}]}
    entries = [
        good,
        {**good, "reverted": True},
        event_entry(VerifierBalance(5, 1), 50),
        event_entry(SectorPrecommitted(5), 50),
        evm,
        unknown,
        {**good, "height": -1},
        {**good, "height": 2**63 - 1},
        {**good, "emitter": "f05"},
        {**good, "entries": good["entries"][:-1]},
        {"entries": [], "emitter": 5},
        None,
    ]
    report = await imports(json.dumps(entries))
    assert (report["records"], report["added"], report["epoch"]) == (12, 1, 50)
    assert report["rejected"] == {
        "reverted_event": 1,
        "event_not_indexed": 2,
        "foreign_event": 2,
        "unknown_event_type": 1,
        "malformed_event": 4,
        "number_out_of_range": 1,
    }


async def test_importing_events_again_changes_nothing(imports: Importer, pool: asyncpg.Pool) -> None:
    recording = told(
        *((claim_event(ClaimCreated, number), 50) for number in range(1, 30)),
        *((claim_event(ClaimUpdated, number, 900), 60) for number in range(1, 30, 2)),
        (claim_event(ClaimRemoved, 4), 1000),
    )
    first = await imports(recording)
    state = await state_of(pool)
    again = await imports(recording)
    assert (first["added"], first["changed"], again["added"], again["changed"]) == (29, 0, 0, 0)
    assert again["unchanged"] == again["records"] == 45
    assert await state_of(pool) == state


async def test_a_truncated_recording_changes_nothing(imports: Importer, pool: asyncpg.Pool) -> None:
    recording = told(*((claim_event(ClaimCreated, number), 50) for number in range(1, 30)))
    with pytest.raises(CorruptFile):
        await imports(recording[:-40])
    assert not any((await everything_of(pool)).values())


async def test_more_events_than_a_batch_hold_together(
    imports: Importer, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    story: list[tuple[Payload, int]] = [
        step
        for number in range(1, 8)
        for step in (
            (claim_event(ClaimRemoved, number, 900), 1000),
            (claim_event(ClaimUpdated, number, 900), 60),
            (claim_event(ClaimCreated, number), 50),
        )
    ]
    await imports(told(*story))
    whole = await state_of(pool)
    await pool.execute("TRUNCATE explorer.claims, explorer.claim_terms")
    monkeypatch.setattr("explorer.index.events.BATCH_EVENTS", 2)
    report = await imports(told(*story))
    assert await state_of(pool) == whole
    assert report["added"] == 7
    assert report["added"] + report["changed"] + report["unchanged"] == 21


async def test_data_that_is_no_piece_is_kept(imports: Importer) -> None:
    await imports(told((ClaimCreated(1, 100, 1000, payload_cid(1), SIZE, 1, 500, 50, 7), 50)))
    assert (await imports.service().claim(1))["piece_cid"] == payload_cid(1).to_text()
