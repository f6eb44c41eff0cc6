"""Files that could harm the index: from an absurd epoch, of another kind, too small, older than they look."""

import asyncio
import json
from collections.abc import Iterator

import asyncpg
import pytest

from explorer.errors import EpochInFuture, TooFewRecords
from explorer.ground.database import open_pool
from explorer.index.documents import Entry
from explorer.index.events import import_events
from explorer.index.questions import AsOf, EvidenceRequest
from explorer.index.rejects import Rejects
from explorer.index.tally import Tally
from node.cid import CODEC_RAW
from node.event_types import ClaimCreated, DealActivated, DealPublished, DealTerminated
from tests.integration.index.importing import Importer, everything_of
from tests.integration.index.test_events import claim_event, told
from tests.patience import PATIENCE_S
from tests.unit.index.dumps import claim_entry, deal_entry, payload_cid, piece_text

pytestmark = pytest.mark.every_postgres

CLAIMS = {number: claim_entry(number) for number in range(1, 11)}


async def test_an_epoch_years_ahead_of_the_clock_is_refused(imports: Importer, pool: asyncpg.Pool) -> None:
    await imports(CLAIMS, at_epoch=100)
    before = await everything_of(pool)
    with pytest.raises(EpochInFuture, match="9000000000000000000"):
        await imports(CLAIMS, at_epoch=9 * 10**18, partial=True, latest_epoch=20_000_000)
    assert await everything_of(pool) == before


async def test_an_event_years_ahead_of_the_clock_is_rejected(imports: Importer) -> None:
    events = told((DealPublished(1, 100, 1000), 2**62), (claim_event(ClaimCreated), 60))
    report = await imports(events, latest_epoch=20_000_000)
    assert (report["added"], report["rejected"], report["epoch"]) == (1, {"event_from_future": 1}, 60)


async def test_a_file_of_which_nothing_was_taken_moves_nothing(imports: Importer) -> None:
    await imports(CLAIMS, at_epoch=100)
    report = await imports(CLAIMS, at_epoch=200, kind="deals")
    assert (report["rejected"], report["epoch"], report["complete"]) == ({"other_kind": 10}, None, False)
    assert (await imports.service().status())["index"]["epoch"] == 100


async def test_repeated_records_do_not_make_a_file_larger(imports: Importer) -> None:
    await imports(CLAIMS, at_epoch=100)
    lines = [json.dumps({"ClaimID": number, **claim_entry(number)}) for number in range(1, 5)] * 3
    with pytest.raises(TooFewRecords):
        await imports("\n".join(lines), at_epoch=200)


async def test_a_repeated_record_that_says_the_same_is_unchanged(imports: Importer) -> None:
    line = json.dumps({"ClaimID": 1, **claim_entry(1)})
    report = await imports(f"{line}\n{line}\n", at_epoch=100)
    assert (report["records"], report["added"], report["unchanged"], report["complete"]) == (2, 1, 1, True)


async def test_deal_events_older_than_a_newer_file_do_not_undo_it(imports: Importer) -> None:
    running = deal_entry(1, state={"SectorStartEpoch": 20, "LastUpdatedEpoch": -1, "SlashEpoch": -1})
    waiting = deal_entry(2, StartEpoch=900)
    await imports({1: running, 2: waiting}, at_epoch=200)
    await imports(told((DealTerminated(1, 100, 1000), 150), (DealActivated(2, 100, 1000), 150)))
    assert await _status(imports, "deals", 1, 200) == "active"
    assert await _status(imports, "deals", 2, 200) == "published"
    await imports(told((DealTerminated(1, 100, 1000), 200), (DealActivated(2, 100, 1000), 200)))
    assert await _status(imports, "deals", 1, 201) == "terminated"
    assert await _status(imports, "deals", 2, 201) == "active"


async def test_a_mapped_payload_under_another_codec_says_so(imports: Importer) -> None:
    await imports(CLAIMS, at_epoch=100)
    await imports(f"{payload_cid(1).to_text()},{piece_text(1)},34359738368\n", kind="pieces", source="spark")
    asked = await imports.service().verdict(payload_cid(1, CODEC_RAW).to_text())
    assert asked["notes"] == ["asked as raw, found as dag-pb: the same bytes under another codec"]


async def test_events_are_read_before_the_index_is_locked(imports: Importer, dsn: str) -> None:
    """A slow source of events must not keep another import waiting."""
    ended = asyncio.Event()

    def slowly() -> Iterator[Entry]:
        for value in json.loads(told((claim_event(ClaimCreated), 60))):
            yield Entry(None, value)
        assert ended.is_set(), "the other import had to wait"

    async with open_pool(dsn, application_name="events") as pool, pool.acquire() as connection:
        with Rejects(imports.folder, "events") as rejects:
            async with connection.transaction():
                await asyncio.wait_for(imports(CLAIMS, at_epoch=100), PATIENCE_S)
                ended.set()
                await import_events(connection, slowly(), rejects, Tally(), latest_epoch=None)


async def _status(imports: Importer, kind: str, piece: int, epoch: int) -> str | None:
    document = await imports.service().verdict(
        piece_text(piece), at=AsOf(epoch=epoch), evidence=EvidenceRequest(full=True)
    )
    items = document["evidence"][kind]["items"]
    return str(items[0]["status"]) if items else None
