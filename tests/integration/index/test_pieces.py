"""Payload-to-piece maps: another way from a payload to its piece, with the name of whose word it is."""

import asyncpg
import pytest

from explorer.errors import CorruptFile
from node.cid import CODEC_RAW
from tests.integration.index.importing import Importer, everything_of, state_of
from tests.unit.index.dumps import claim_entry, deal_entry, payload_cid, piece_text

pytestmark = pytest.mark.every_postgres

PAIR = f"{payload_cid(1).to_text()},{piece_text(1)}"


async def test_a_payload_is_found_through_the_map(imports: Importer) -> None:
    await imports({1: claim_entry(1)}, at_epoch=100)
    report = await imports(f"payload_cid,piece_cid,piece_size\n{PAIR},34359738368\n", kind="pieces", source="spark")
    assert (report["kind"], report["records"], report["added"], report["epoch"]) == ("pieces", 1, 1, None)
    document = await imports.service().verdict(payload_cid(1, CODEC_RAW).to_text())
    assert document["verdict"] == "active"
    assert document["evidence"]["pieces"] == [{"piece_cid": piece_text(1), "source": "spark"}]
    assert document["coverage"]["complete"] is False


async def test_each_source_keeps_its_name(imports: Importer) -> None:
    await imports({1: deal_entry(1, state={"SectorStartEpoch": 9})}, at_epoch=100)
    for source in ("spark", "ours", "spark"):
        await imports(PAIR, kind="pieces", source=source)
    document = await imports.service().verdict(payload_cid(1).to_text())
    assert [one["source"] for one in document["evidence"]["pieces"]] == ["deal label", "ours", "spark"]
    assert document["evidence"]["deals"]["total"] == 1


async def test_again_changes_nothing_and_a_size_is_filled_in(imports: Importer, pool: asyncpg.Pool) -> None:
    await imports(PAIR, kind="pieces", source="spark")
    for text, changed in ((f"{PAIR},512", 1), (f"{PAIR},512", 0), (PAIR, 0), (f"{PAIR}\n{PAIR}\n", 0)):
        report = await imports(text, kind="pieces", source="spark")
        assert (report["added"], report["changed"], report["unchanged"]) == (0, changed, report["records"] - changed)
    assert await pool.fetchval("SELECT size_bytes FROM explorer.payload_pieces") == 512


async def test_a_map_alone_makes_no_index(imports: Importer) -> None:
    await imports(PAIR, kind="pieces", source="spark")
    document = await imports.service().verdict(payload_cid(1).to_text())
    assert (document["verdict"], document["as_of"]["epoch"]) == ("unknown", None)


async def test_bad_rows_are_rejected_and_a_broken_file_changes_nothing(imports: Importer, pool: asyncpg.Pool) -> None:
    report = await imports(f"{PAIR}\nx,y\n", kind="pieces", source="spark")
    assert (report["added"], report["rejected"]) == (1, {"malformed_payload_cid": 1})
    before, everything = await state_of(pool), await everything_of(pool)
    with pytest.raises(CorruptFile):
        await imports(f'{payload_cid(2).to_text()},{piece_text(2)}\n"open', kind="pieces", source="other")
    assert await state_of(pool) == before
    assert await everything_of(pool) == everything
