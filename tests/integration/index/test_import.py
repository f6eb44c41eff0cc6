"""Imports of state: what each file changes, what it must not change, and what is refused."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from explorer.errors import (
    CorruptFile,
    DatabaseUnavailable,
    DataDirError,
    EpochMissing,
    ImportFailed,
    KindUnknown,
    NetworkMismatch,
    OtherNetwork,
    TooFewRecords,
    UnreadableFile,
)
from explorer.ground.connection import open_connection
from explorer.index.importer import ImportRequest, import_file
from explorer.index.questions import AsOf
from node.network import network_named
from tests.clusters import run_apart
from tests.integration.index.importing import DEVNET, MAINNET, Importer, everything_of, state_of
from tests.unit.index.dumps import (
    allocation_entry,
    as_answer,
    as_lines,
    as_map,
    claim_entry,
    deal_entry,
    payload_cid,
    piece_text,
)

pytestmark = pytest.mark.every_postgres

CLAIMS = {number: claim_entry(number) for number in range(1, 11)}
DEALS = {number: deal_entry(number, state={"SectorStartEpoch": 8}) for number in range(1, 11)}
ALLOCATIONS = {number: allocation_entry(number) for number in range(1, 11)}
KINDS = [("claims", CLAIMS, "ClaimID"), ("deals", DEALS, "DealID"), ("allocations", ALLOCATIONS, "AllocationID")]


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report[word] for word in ("records", "added", "changed", "unchanged", "removed"))


async def end_backend(dsn: str, process_id: int) -> None:
    async with open_connection(dsn) as connection:
        await connection.execute("SELECT pg_terminate_backend($1)", process_id)


def rejected_records(report: dict[str, Any]) -> list[tuple[int, str]]:
    """Place and key of each line in the rejects file."""
    lines = [json.loads(line) for line in Path(report["rejects_file"]).read_text().splitlines()]
    return [(line["record"], line["key"]) for line in lines]


@pytest.mark.parametrize(("kind", "entries", "id_field"), KINDS, ids=["claims", "deals", "allocations"])
async def test_every_shape_of_each_kind_gives_the_same_rows(
    imports: Importer, pool: asyncpg.Pool, kind: str, entries: dict[int, Any], id_field: str
) -> None:
    report = await imports(as_map(entries), at_epoch=100)
    assert (report["kind"], counts(report)) == (kind, (10, 10, 0, 0, 0))
    assert (report["at_epoch"], report["complete"], report["rejected"], report["rejects_file"]) == (100, True, {}, None)
    rows = await everything_of(pool)
    for text in (as_answer(json.loads(as_map(entries))), as_lines(entries, id_field)):
        again = await imports(text, at_epoch=100)
        assert (again["kind"], counts(again)) == (kind, (10, 0, 0, 10, 0))
    packed = await imports(gzip.compress(as_map(entries).encode()), at_epoch=100)
    assert counts(packed) == (10, 0, 0, 10, 0)
    assert packed["bytes"] < report["bytes"]
    now = await everything_of(pool)
    assert len(now.pop("imports")) == len(rows.pop("imports")) + 3
    assert now == rows


async def test_a_report_counts_every_record_once(imports: Importer) -> None:
    await imports(as_map(DEALS), at_epoch=100)
    changed = {**DEALS, 3: deal_entry(3, state={"SectorStartEpoch": 8, "SlashEpoch": 120}), 11: deal_entry(11), 12: {}}
    del changed[1]
    report = await imports(as_map(changed), at_epoch=150)
    assert counts(report) == (11, 1, 1, 8, 0)
    assert report["rejected"] == {"other_kind": 1}
    whole = await imports(as_map({number: entry for number, entry in changed.items() if number != 12}), at_epoch=160)
    assert counts(whole) == (10, 0, 0, 10, 1)


async def test_a_label_and_a_state_that_change_at_once_are_one_changed_record(imports: Importer) -> None:
    await imports({1: deal_entry(1, Label="")}, at_epoch=100)
    report = await imports({1: deal_entry(1, state={"SectorStartEpoch": 120})}, at_epoch=150)
    assert counts(report) == (1, 0, 1, 0, 0)


class TestOrder:
    """Per row the newest epoch wins; an older file only teaches more of the past."""

    async def test_an_older_file_undoes_nothing(self, imports: Importer, pool: asyncpg.Pool) -> None:
        newer = {1: deal_entry(1, state={"SectorStartEpoch": 8, "SlashEpoch": 150}), 2: deal_entry(2)}
        await imports(newer, at_epoch=200)
        report = await imports({1: deal_entry(1), 2: deal_entry(2), 3: deal_entry(3)}, at_epoch=100)
        assert counts(report) == (3, 1, 0, 2, 0)
        row = await pool.fetchrow("SELECT * FROM explorer.deals WHERE id = 1")
        assert (row["sector_start_epoch"], row["slash_epoch"], row["first_seen_epoch"]) == (8, 150, 100)
        assert await pool.fetchval("SELECT gone_epoch FROM explorer.deals WHERE id = 3") == 200

    async def test_a_partial_file_makes_nothing_vanish(self, imports: Importer, pool: asyncpg.Pool) -> None:
        await imports(CLAIMS, at_epoch=100)
        report = await imports({1: CLAIMS[1]}, at_epoch=200, partial=True)
        assert (counts(report), report["complete"]) == ((1, 0, 0, 1, 0), False)
        assert await pool.fetchval("SELECT count(*) FROM explorer.claims WHERE gone_epoch IS NOT NULL") == 0
        assert await pool.fetch("SELECT through_epoch FROM explorer.coverage") == [(100,)]

    async def test_what_comes_back_is_no_longer_gone(self, imports: Importer, pool: asyncpg.Pool) -> None:
        await imports(CLAIMS, at_epoch=100)
        await imports({number: CLAIMS[number] for number in range(2, 11)}, at_epoch=200)
        await imports({number: CLAIMS[number] for number in range(2, 11)}, at_epoch=400)
        await imports({1: CLAIMS[1]}, at_epoch=300, partial=True)
        assert await pool.fetchval("SELECT gone_epoch FROM explorer.claims WHERE id = 1") == 400
        await imports(CLAIMS, at_epoch=500)
        assert await pool.fetchval("SELECT gone_epoch FROM explorer.claims WHERE id = 1") is None


class TestVanished:
    """A row that a complete file lacks is gone from there; in between it is not known."""

    async def test_its_verdict_epoch_by_epoch(self, imports: Importer) -> None:
        for kind in ("deals", "allocations"):
            await imports({}, at_epoch=100, kind=kind)
            await imports({}, at_epoch=200, kind=kind)
        await imports(CLAIMS, at_epoch=100)
        report = await imports({number: CLAIMS[number] for number in range(2, 11)}, at_epoch=200)
        assert report["removed"] == 1
        service = imports.service()
        said = {
            epoch: (await service.verdict(piece_text(1), at=AsOf(epoch=epoch)))["verdict"]
            for epoch in (4, 5, 99, 100, 101, 199, 200)
        }
        assert said == {
            4: "unknown",
            5: "active",
            99: "active",
            100: "active",
            101: "unknown",
            199: "unknown",
            200: "past",
        }
        document = await service.verdict(piece_text(1), at=AsOf(epoch=150))
        assert "vanished between two complete files" in document["reason"]

    async def test_a_file_in_between_narrows_the_gap(self, imports: Importer, pool: asyncpg.Pool) -> None:
        without = {number: CLAIMS[number] for number in range(2, 11)}
        await imports(CLAIMS, at_epoch=100)
        await imports(without, at_epoch=500)
        await imports(CLAIMS, at_epoch=200)
        await imports(without, at_epoch=400)
        row = await pool.fetchrow("SELECT first_seen_epoch, seen_epoch, gone_epoch FROM explorer.claims WHERE id = 1")
        assert tuple(row) == (100, 200, 400)

    async def test_an_allocation_is_claimed_where_its_id_is_a_claim(self, imports: Importer) -> None:
        await imports({1: allocation_entry(1), 2: allocation_entry(1)}, at_epoch=100)
        await imports({}, at_epoch=200, kind="allocations", force=True)
        await imports({1: claim_entry(1, TermStart=150)}, at_epoch=200)
        service = imports.service()
        assert [(await service.allocation(number))["status"] for number in (1, 2)] == ["claimed", "removed"]

    async def test_a_record_before_the_first_sight_says_nothing(self, imports: Importer) -> None:
        await imports({1: allocation_entry(1)}, at_epoch=100)
        await imports({1: allocation_entry(1)}, at_epoch=50)
        service = imports.service()
        said = [(await service.verdict(piece_text(1), at=AsOf(epoch=n)))["verdict"] for n in (49, 50, 100)]
        assert said == ["unknown", "pending", "pending"]


class TestShare:
    """A complete file with less than 90 % of what the index holds is taken for a broken one."""

    @pytest.mark.parametrize(("kept", "refused"), [(10, False), (9, False), (8, True), (0, True)])
    async def test_the_boundary(self, imports: Importer, pool: asyncpg.Pool, kept: int, refused: bool) -> None:
        await imports(CLAIMS, at_epoch=100)
        before = await everything_of(pool)
        smaller = {number: CLAIMS[number] for number in range(1, kept + 1)}
        if refused:
            with pytest.raises(TooFewRecords, match=r"say --force; if the file isn't whole, --partial"):
                await imports(smaller, at_epoch=200, kind="claims")
            assert await everything_of(pool) == before
        report = await imports(smaller, at_epoch=200, kind="claims", force=True)
        assert report["removed"] == 10 - kept

    async def test_partial_files_and_older_ones_are_not_measured(self, imports: Importer) -> None:
        await imports(CLAIMS, at_epoch=100)
        await imports({1: CLAIMS[1]}, at_epoch=200, partial=True)
        await imports({1: CLAIMS[1]}, at_epoch=50)

    async def test_allocations_that_were_claimed_are_not_missed(self, imports: Importer) -> None:
        await imports(ALLOCATIONS, at_epoch=100)
        await imports({number: claim_entry(number, TermStart=150) for number in range(1, 9)}, at_epoch=200)
        report = await imports({9: ALLOCATIONS[9], 10: ALLOCATIONS[10]}, at_epoch=200)
        assert report["removed"] == 8
        with pytest.raises(TooFewRecords):
            await imports({9: ALLOCATIONS[9]}, at_epoch=150)

    async def test_an_empty_file_is_complete_where_the_index_holds_nothing(self, imports: Importer) -> None:
        for empty in ("{}", "[]", "null", as_answer({}), as_answer(None)):
            report = await imports(empty, at_epoch=100, kind="claims")
            assert (counts(report), report["complete"]) == ((0, 0, 0, 0, 0), True)


class TestRejected:
    """A record that can't be taken is told with its reason, and the file is not complete."""

    async def test_the_others_are_taken(self, imports: Importer, pool: asyncpg.Pool) -> None:
        bad = {2: {"TermStart": 1}, 3: claim_entry(3, Size=-1), "x": claim_entry(4), 5: None, 6: {}}
        report = await imports({1: CLAIMS[1], **bad}, at_epoch=100)
        assert counts(report) == (6, 1, 0, 0, 0)
        assert report["rejected"] == {
            "malformed_piece_cid": 1,
            "size_out_of_range": 1,
            "malformed_id": 1,
            "malformed_record": 1,
            "other_kind": 1,
        }
        assert report["complete"] is False
        assert await pool.fetchval("SELECT count(*) FROM explorer.coverage") == 0
        assert rejected_records(report) == [(2, "2"), (3, "3"), (4, "x"), (5, "5"), (6, "6")]

    async def test_they_make_nothing_vanish(self, imports: Importer, pool: asyncpg.Pool) -> None:
        await imports(CLAIMS, at_epoch=100)
        report = await imports({**{n: CLAIMS[n] for n in range(1, 10)}, 10: claim_entry(10, Size=-1)}, at_epoch=200)
        assert (report["removed"], report["complete"]) == (0, False)
        assert await pool.fetchval("SELECT count(*) FROM explorer.claims WHERE gone_epoch IS NULL") == 10

    async def test_an_id_that_comes_again_with_other_values(self, imports: Importer, pool: asyncpg.Pool) -> None:
        lines = [{"ClaimID": 1, **claim_entry(1, Sector=n)} for n in (1, 2, 3, 3)]
        report = await imports("\n".join(json.dumps(line) for line in lines), at_epoch=100)
        assert (counts(report), report["rejected"]) == ((4, 1, 0, 1, 0), {"repeated_id": 2})
        assert report["complete"] is False
        assert await pool.fetchval("SELECT sector FROM explorer.claims") == 3

    async def test_an_id_that_comes_again_with_the_same_values(self, imports: Importer) -> None:
        lines = [{"ClaimID": 1, **claim_entry(1)}] * 3
        report = await imports("\n".join(json.dumps(line) for line in lines), at_epoch=100)
        assert (counts(report), report["rejected"], report["complete"]) == ((3, 1, 0, 2, 0), {}, True)

    async def test_a_rejects_folder_that_cannot_be_written_fails_the_import(
        self, imports: Importer, pool: asyncpg.Pool, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(DataDirError, match="can't be written"):
            await imports({1: {"TermStart": 1}}, rejects_dir=tmp_path / "file", at_epoch=5)
        assert not any((await everything_of(pool)).values())


class TestFailed:
    """An import that fails changes nothing: no row, no coverage, no network, no rejects."""

    @pytest.mark.parametrize("cut", [0, 1, 200, 1500, -1])
    async def test_a_file_cut_off(self, imports: Importer, pool: asyncpg.Pool, cut: int) -> None:
        with pytest.raises(CorruptFile):
            await imports(as_map({**CLAIMS, 0: {"TermStart": 1}})[:cut], at_epoch=100, kind="claims")
        assert not any((await everything_of(pool)).values())
        assert not list(imports.folder.glob("rejects/*"))
        await imports(CLAIMS, at_epoch=100)
        before = await everything_of(pool)
        newer = as_map({number: claim_entry(number, TermStart=9) for number in range(100)})
        for content in (newer[:-1], gzip.compress(newer.encode())[:-1]):
            with pytest.raises(CorruptFile):
                await imports(content, at_epoch=200, force=True)
        assert await everything_of(pool) == before

    @pytest.mark.parametrize(
        ("content", "options", "error"),
        [
            ("{}", {"at_epoch": 5}, KindUnknown),
            (as_answer(None), {}, KindUnknown),
            (json.dumps([{"x": 1}] * 200), {"at_epoch": 5}, KindUnknown),
            (as_map({1: deal_entry(1)}), {}, EpochMissing),
            ('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}', {"kind": "claims"}, CorruptFile),
        ],
    )
    async def test_refusals(
        self, imports: Importer, pool: asyncpg.Pool, content: str, options: dict[str, Any], error: type[ImportFailed]
    ) -> None:
        with pytest.raises(error):
            await imports(content, **options)
        assert not any((await everything_of(pool)).values())

    async def test_a_database_that_goes_away(self, imports: Importer, pool: asyncpg.Pool, dsn: str) -> None:
        path = imports.folder / "claims.json"
        await asyncio.to_thread(path.write_text, as_map({number: claim_entry(number % 9) for number in range(30_000)}))
        request = ImportRequest(file=str(path), network=DEVNET, rejects_dir=imports.folder, at_epoch=100)
        async with open_connection(dsn) as connection:

            def end_the_backend(_bytes: int, records: int) -> None:
                if records == 1000:
                    run_apart(end_backend(dsn, connection.get_server_pid()))

            with pytest.raises(DatabaseUnavailable, match=r"importing .*claims\.json"):
                await import_file(connection, request, end_the_backend)
        assert not any((await everything_of(pool)).values())

    async def test_a_file_that_is_not_there(self, imports: Importer, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile):
            await imports("", file=str(tmp_path / "missing"))


class TestNetwork:
    """A database holds one network, the one of its first import that succeeded."""

    async def test_another_one_is_refused(self, imports: Importer, pool: asyncpg.Pool) -> None:
        await imports(CLAIMS, at_epoch=100)
        before = await everything_of(pool)
        with pytest.raises(NetworkMismatch, match=r"an index of devnet, not of mainnet: set FILPLUS_NETWORK=devnet"):
            await imports(CLAIMS, at_epoch=100, network=MAINNET)
        assert await everything_of(pool) == before

    async def test_a_failed_first_import_leaves_it_open(self, imports: Importer) -> None:
        with pytest.raises(CorruptFile):
            await imports("{", network=MAINNET)
        assert (await imports(CLAIMS, at_epoch=100))["added"] == 10

    @pytest.mark.parametrize(("network", "prefix"), [("mainnet", "t"), ("calibration", "f")])
    async def test_deals_with_another_prefix_are_rejected(self, imports: Importer, network: str, prefix: str) -> None:
        own_prefix = "f" if prefix == "t" else "t"
        own = deal_entry(1, Client=f"{own_prefix}0100", Provider=f"{own_prefix}01000")
        other = deal_entry(2, Client=f"{prefix}0100", Provider=f"{prefix}01000")
        report = await imports({1: own, 2: other}, at_epoch=100, network=network_named(network))
        assert (report["added"], report["rejected"], report["complete"]) == (1, {"wrong_network": 1}, False)

    async def test_a_file_of_another_network_is_refused(self, imports: Importer, pool: asyncpg.Pool) -> None:
        before = await everything_of(pool)
        with pytest.raises(OtherNetwork, match=r"no record of mainnet.*--network"):
            await imports({1: deal_entry(1, Client="t0100", Provider="t01000")}, at_epoch=100, network=MAINNET)
        assert await everything_of(pool) == before

    @pytest.mark.parametrize("prefix", ["f", "t"])
    async def test_a_devnet_takes_either_prefix(self, imports: Importer, prefix: str) -> None:
        deal = deal_entry(1, Client=f"{prefix}0100", Provider=f"{prefix}01000")
        assert (await imports({1: deal}, at_epoch=100))["added"] == 1


class TestEpoch:
    """Without --at-epoch a file is as old as its newest record, and covers only its own records."""

    async def test_it_is_told_by_the_records(self, imports: Importer) -> None:
        report = await imports({1: claim_entry(1, TermStart=70), 2: claim_entry(2, TermStart=30)})
        assert (report["at_epoch"], report["epoch"], report["complete"]) == (None, 70, False)
        assert (await imports.service().status())["index"]["epoch"] == 70

    async def test_a_date_in_the_future_tells_nothing(self, imports: Importer) -> None:
        future = {1: claim_entry(1, TermStart=70), 2: claim_entry(2, TermStart=10**12)}
        assert (await imports(future, latest_epoch=1000))["epoch"] == 70

    async def test_undated_records_take_the_epoch_of_the_index(self, imports: Importer) -> None:
        await imports(CLAIMS, at_epoch=100)
        assert (await imports({1: deal_entry(1)}))["epoch"] == 100


class TestLabels:
    """A source that prints a bytes label as an empty one neither tells nor erases it."""

    async def labels(self, pool: asyncpg.Pool) -> tuple[bytes, bool, bytes | None]:
        return tuple(await pool.fetchrow("SELECT label, label_known, label_key FROM explorer.deals WHERE id = 1"))

    async def test_a_later_source_fills_it_and_none_erases_it(self, imports: Importer, pool: asyncpg.Pool) -> None:
        key = payload_cid(1).multihash
        await imports({1: deal_entry(1, Label="")}, at_epoch=100)
        assert await self.labels(pool) == (b"", False, None)
        report = await imports({1: deal_entry(1, Label=list(payload_cid(1).to_bytes()))}, at_epoch=50, partial=True)
        assert counts(report) == (1, 0, 1, 0, 0)
        assert await self.labels(pool) == (payload_cid(1).to_bytes(), True, key)
        for epoch in (60, 100, 200):
            changed = deal_entry(1, Label="", state={"SectorStartEpoch": 9})
            await imports({1: changed}, at_epoch=epoch)
            assert await self.labels(pool) == (payload_cid(1).to_bytes(), True, key)
        assert await pool.fetchval("SELECT sector_start_epoch FROM explorer.deals") == 9

    @pytest.mark.parametrize("label", ["\x00", "a\x00b", "\udcff\udcfe", "\ud800", "'; DROP TABLE deals --", "é" * 128])
    async def test_any_bytes_are_kept(self, imports: Importer, pool: asyncpg.Pool, label: str) -> None:
        await imports({1: deal_entry(1, Label=label)}, at_epoch=100)
        item = await imports.service().deal(1)
        stored, known, key = await self.labels(pool)
        assert (stored.decode("utf-8", "surrogatepass" if label == "\ud800" else "surrogateescape"), known) == (
            label,
            True,
        )
        assert key is None
        assert item["label"] == (None if any("\ud800" <= char <= "\udfff" for char in label) else label)


async def test_absurd_values_are_kept_and_shown(imports: Importer) -> None:
    most = 2**63 - 1
    await imports({most: claim_entry(1, Size=12345, TermMax=most, TermMin=most, Sector=most, Client=most)}, at_epoch=9)
    await imports({0: deal_entry(1, PieceSize=0, EndEpoch=36744320, state={"SectorStartEpoch": 0})}, at_epoch=9)
    service = imports.service()
    claim, deal = await service.claim(most), await service.deal(0)
    assert (claim["size_bytes"], claim["expires_epoch"], claim["client"]) == (12345, most + 5, f"f0{most}")
    assert (deal["end_epoch"], deal["size_bytes"], deal["status"]) == (36744320, 0, "unclaimed")
    assert (await service.verdict(piece_text(1)))["verdict"] == "active"


async def test_the_order_of_records_in_a_file_is_all_the_same(imports: Importer, pool: asyncpg.Pool) -> None:
    await imports(dict(reversed(CLAIMS.items())), at_epoch=100)
    backwards = await state_of(pool)
    await imports(CLAIMS, at_epoch=100)
    assert await state_of(pool) == backwards
