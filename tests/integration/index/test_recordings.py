"""Every recorded dump and event, counted independently; each CID in them is answered as the plain rules say."""

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from explorer.index.questions import AsOf, EvidenceRequest
from explorer.index.service import IndexService
from node.cid import is_empty_content, kind_of, match_key, parse_cid
from node.errors import CidError
from node.network import network_named
from tests.integration.index.importing import MAINNET, Importer, state_of
from tests.integration.index.recordings import answers, plain_records, type_of, types_of
from tests.unit.node.shared_data import SHARED, shared_json
from tests.unit.verdict import plain_rules

pytestmark = pytest.mark.shared

NV28, NV29 = "02-allocations-claims-deals-nv28", "05-nv27-28-29-fip0118-branch"
SAMPLE = "deals/market-deal-importer_StateMarketDeals_sample.json"
INDEXED_EVENTS = {"allocation", "allocation-removed", "claim", "claim-updated", "claim-removed"} | {
    "deal-published",
    "deal-activated",
    "deal-terminated",
    "deal-completed",
    "sector-terminated",
}


@pytest.fixture
def mainnet(imports: Importer) -> Importer:
    return replace(imports, network=MAINNET)


def question(epoch: int, *, nv17: int, nv22: int, retires: int | None = None) -> dict[str, Any]:
    return {"N": epoch, "nv17": nv17, "nv22": nv22, "R": retires, "payload": False, "labels_known": True}


async def assert_pieces(
    service: IndexService, records: list[dict[str, Any]], covered: set[str], asked: dict[str, Any]
) -> None:
    """Each piece is answered as the plain rules say, in the items' statuses too."""
    for piece in {record["Piece"] for record in records}:
        ours = [record for record in records if record["Piece"] == piece]
        document = await service.verdict(piece, at=AsOf(epoch=asked["N"]), evidence=EvidenceRequest(full=True))
        assert document["verdict"] == plain_rules.verdict(ours, covered, asked), (piece, asked)
        said = [plain_rules.record_says(record, ours, covered, asked) for record in ours]
        found = [
            item["status"]
            for kind in ("claims", "deals", "allocations")
            for item in document["evidence"][kind]["items"]
        ]
        assert sorted(found) == sorted(status for one in said if one for status in one[1])


class TestMainnetDumps:
    """What other projects recorded of mainnet's market and registry."""

    async def test_the_sample_of_a_dump(self, mainnet: Importer) -> None:
        deals = shared_json(SAMPLE)
        report = await mainnet((SHARED / SAMPLE).read_bytes(), at_epoch=2_300_000)
        assert (report["kind"], report["added"], report["rejected"], report["complete"]) == ("deals", 6, {}, True)
        records = plain_records(2_300_000, deals=deals)
        for epoch in (2_100_000, 2_133_632, 2_299_999, 2_300_000):
            covered = {"deals"} if epoch == 2_300_000 else set()
            await assert_pieces(mainnet.service(), records, covered, question(epoch, nv17=2_383_680, nv22=3_855_360))

    async def test_every_label_of_the_sample_leads_to_its_piece(self, mainnet: Importer) -> None:
        await mainnet((SHARED / SAMPLE).read_bytes(), at_epoch=2_300_000)
        verified = [deal["Proposal"] for deal in shared_json(SAMPLE).values() if deal["Proposal"]["VerifiedDeal"]]
        assert verified
        for proposal in verified:
            document = await mainnet.service().verdict(proposal["Label"])
            assert proposal["PieceCID"]["/"] in {one["piece_cid"] for one in document["evidence"]["pieces"]}
            assert document["verdict"] == (await mainnet.service().verdict(proposal["PieceCID"]["/"]))["verdict"]

    async def test_without_an_epoch_the_sample_is_as_old_as_its_newest_deal(self, mainnet: Importer) -> None:
        states = [deal["State"] for deal in shared_json(SAMPLE).values()]
        newest = max(max(state["SectorStartEpoch"], state["LastUpdatedEpoch"], state["SlashEpoch"]) for state in states)
        report = await mainnet((SHARED / SAMPLE).read_bytes())
        assert (report["epoch"], report["complete"]) == (newest, False)

    async def test_a_deal_of_nv21_and_one_that_lost_its_label(self, mainnet: Importer) -> None:
        legacy = shared_json("deals/legacy_nv21_shape_single_deal.json")["entry"]
        assert (await mainnet({18_000_000: legacy}))["epoch"] == 3_106_586
        report = await mainnet((SHARED / "deals/empty_label_deal_13508334.json").read_bytes())
        assert (report["kind"], report["added"]) == ("deals", 1)
        deal = await mainnet.service().deal(13_508_334)
        assert (deal["label"], deal["label_known"], deal["status"]) == ("", False, "active")
        assert (await mainnet.service().deal(18_000_000))["status"] == "active"

    async def test_the_excerpts_of_the_registry(self, mainnet: Importer) -> None:
        excerpt = shared_json("deals/allocations_claims_excerpt_lotus_pr11631.json")
        claims, allocations = excerpt["StateGetAllClaims_excerpt"], excerpt["StateGetAllAllocations_excerpt"]
        assert (await mainnet(claims, at_epoch=2_400_000))["added"] == 1
        assert (await mainnet(allocations, at_epoch=2_400_000))["added"] == 2
        await mainnet({1: excerpt["StateGetAllAllocations_excerpt"]["1"]}, at_epoch=2_420_000, partial=True)
        records = plain_records(2_400_000, claims=claims, allocations=allocations)
        for epoch in (2_385_953, 2_385_954, 2_400_000, 2_414_100, 2_414_101, 2_420_000):
            covered = {"claims", "allocations"} if epoch == 2_400_000 else set()
            await assert_pieces(mainnet.service(), records, covered, question(epoch, nv17=2_383_680, nv22=3_855_360))

    async def test_five_thousand_payloads_as_a_map(self, mainnet: Importer, pool: asyncpg.Pool) -> None:
        path = SHARED / "deals/mainnet_filplus_deals_5k.csv"
        with path.open() as file:
            rows = list(csv.DictReader(file))
        usable = [row for row in rows if names_payload(row["payload_cid"])]
        report = await mainnet(path.read_bytes(), kind="pieces", source="spark")
        assert (report["records"], report["rejected"]) == (len(rows), rejected_of(len(rows) - len(usable)))
        pairs = {(row["payload_cid"], row["piece_cid"]) for row in usable}
        assert report["added"] == len(pairs) == await pool.fetchval("SELECT count(*) FROM explorer.payload_pieces")
        await mainnet({1: shared_json(SAMPLE)["9686908"]}, at_epoch=2_300_000)
        for row in usable[::500]:
            found = (await mainnet.service().verdict(row["payload_cid"]))["evidence"]["pieces"]
            assert {"piece_cid": row["piece_cid"], "source": "spark"} in found


def names_payload(text: str) -> bool:
    try:
        cid = parse_cid(text)
    except CidError:
        return False
    return kind_of(cid) == "payload" and not is_empty_content(cid)


def rejected_of(number: int) -> dict[str, int]:
    return {"no_payload_cid": number} if number else {}


class TestMainnetEvents:
    """What other projects recorded of mainnet's events."""

    async def test_the_claims_of_eleven_epochs(self, mainnet: Importer, pool: asyncpg.Pool) -> None:
        events = shared_json("events/mainnet_claim_events_4622129-4622139.json")
        decoded = [dict(event["fields"]) for event in shared_json("events/mainnet_claim_events_decoded.json")]
        report = await mainnet(json.dumps({"jsonrpc": "2.0", "result": events, "id": 1}))
        assert (report["records"], report["added"], report["rejected"]) == (360, 360, {})
        assert report["epoch"] == max(event["height"] for event in events) == 4_622_139
        rows = await pool.fetch(
            "SELECT id, client_id, provider_id, size_bytes, term_start_epoch, sector FROM explorer.claims"
        )
        fields = ("id", "client", "provider", "piece-size", "term-start", "sector")
        assert {tuple(row) for row in rows} == {tuple(one[name] for name in fields) for one in decoded}

        service = mainnet.service()
        pieces = [piece_of(event) for event in decoded]
        answered = (await service.verdicts(pieces))["results"]
        assert [row["verdict"] for row in answered] == ["active"] * 360
        starts: dict[str, int] = {}
        for event in decoded:
            starts[piece_of(event)] = min(event["term-start"], starts.get(piece_of(event), 2**63))
        early = (await service.verdicts(list(starts), at=AsOf(epoch=4_622_133)))["results"]
        assert [row["verdict"] for row in early] == [
            "active" if start <= 4_622_133 else "unknown" for start in starts.values()
        ]

    async def test_eight_hundred_extended_terms(self, mainnet: Importer, pool: asyncpg.Pool) -> None:
        events = shared_json("events/fil-parser_nativelog_3897964.json.gz")
        path = SHARED / "events/fil-parser_nativelog_3897964.json.gz"
        report = await mainnet(path.read_bytes())
        kinds = types_of(events)
        assert kinds == {"claim-updated": 800, "sector-precommitted": 8}
        assert (report["added"], report["rejected"], report["epoch"]) == (800, {"event_not_indexed": 8}, 3_897_964)
        assert await pool.fetchval("SELECT count(*) FROM explorer.claims") == 800
        again = await mainnet(path.read_bytes())
        assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 800)

    async def test_events_of_contracts_are_passed_over(self, mainnet: Importer) -> None:
        report = await mainnet((SHARED / "events/fil-parser_nativelog_1162295.json.gz").read_bytes())
        assert (report["records"], report["rejected"]) == (3, {"foreign_event": 3})

    async def test_a_notarys_allowance_changes_no_verdict(self, imports: Importer) -> None:
        calibration = replace(imports, network=network_named("calibration"))
        report = await calibration((SHARED / "events/fil-parser_nativelog_1467665.json.gz").read_bytes())
        assert (report["records"], report["rejected"]) == (1, {"event_not_indexed": 1})


def piece_of(event: dict[str, Any]) -> str:
    cid = event["piece-cid"]
    return str(cid["/"] if isinstance(cid, dict) else cid)


class TestDevnet:
    """What a real node answered, driven through Filecoin Plus."""

    @pytest.mark.parametrize(("folder", "retires"), [(NV28, None), (NV29, 261)], ids=["nv28", "nv29"])
    @pytest.mark.parametrize("epoch", [400, 3_000, 3_100, 3_300, 100_300, 1_600_000, 5_300_000])
    async def test_every_piece_is_answered_as_the_rules_say(
        self, imports: Importer, folder: str, retires: int | None, epoch: int
    ) -> None:
        """The last answers as complete files of one epoch: devnet's dates lie near and far, so it is asked at many."""
        last = {kind: answers(folder, kind)[-1] for kind in ("deals", "claims", "allocations")}
        for kind, answer in last.items():
            report = await imports(json.dumps(answer), at_epoch=epoch)
            assert (report["kind"], report["added"], report["rejected"]) == (kind, len(answer["result"]), {})
        records = plain_records(epoch, **{kind: answer["result"] for kind, answer in last.items()})
        asked = question(epoch, nv17=0, nv22=0, retires=retires)
        await assert_pieces(
            imports.service(retires_at_epoch=retires), records, {"deals", "claims", "allocations"}, asked
        )

    @pytest.mark.parametrize("folder", [NV28, NV29])
    @pytest.mark.parametrize("kind", ["deals", "claims", "allocations"])
    async def test_the_answers_of_a_node_one_after_the_other(
        self, imports: Importer, pool: asyncpg.Pool, folder: str, kind: str
    ) -> None:
        """Forwards and backwards, each as a complete file: the same rows, and what vanished is gone."""
        told = list(enumerate(answers(folder, kind), start=500))
        states = []
        for order in (told, told[::-1]):
            for epoch, answer in order:
                await imports(json.dumps(answer), at_epoch=epoch, force=True)
            rows = await pool.fetch(f"SELECT id, first_seen_epoch, gone_epoch FROM explorer.{kind} ORDER BY id")
            states.append([tuple(row) for row in rows])
            await pool.execute(f"TRUNCATE explorer.{kind}, explorer.claim_terms, explorer.coverage, explorer.imports")
        assert states[0] == states[1] == list(lives_of(told))

    async def test_events_and_the_final_state_tell_the_same(self, imports: Importer, pool: asyncpg.Pool) -> None:
        [recorded] = answers(NV28, "events")
        events = recorded["result"]
        report = await imports(json.dumps(recorded))
        unused = sum(type_of(event) not in INDEXED_EVENTS for event in events)
        assert (report["records"], report["rejected"]) == (35, {"event_not_indexed": unused})
        by_events = await state_of(pool)
        claims, allocations = answers(NV28, "claims")[-1]["result"], answers(NV28, "allocations")[-1]["result"]
        for final in (claims, allocations):
            final_report = await imports(final, at_epoch=248)
            assert final_report["changed"] == 0
        assert [row[0] for row in by_events["claims"]] == [3, 6, 7]
        assert (await state_of(pool))["claim_terms"] == by_events["claim_terms"]

        service = imports.service()
        waiting = {"4", "8", "9", "10"}
        assert set(allocations) == waiting
        said = {number: (await service.allocation(number))["status"] for number in range(3, 11)}
        assert said == {n: "claimed" if n in {3, 6, 7} else "pending" if str(n) in waiting else "removed" for n in said}
        for number, claim in claims.items():
            document = await service.claim(int(number))
            assert (document["term_max_epochs"], document["term_start_epoch"], document["sector"]) == (
                claim["TermMax"],
                claim["TermStart"],
                claim["Sector"],
            )

    async def test_a_claims_terms_before_and_after_it_was_extended(self, imports: Importer) -> None:
        first, second, last = answers(NV28, "claims")
        assert (second["result"]["3"]["TermMax"], last["result"]["3"]["TermMax"]) == (1_576_800, 5_256_000)
        await imports(json.dumps(last), at_epoch=300)
        await imports(json.dumps(second), at_epoch=200)
        await imports(json.dumps(first), at_epoch=100)
        piece = last["result"]["3"]["Data"]["/"]
        for epoch, term in ((200, 1_576_800), (299, 1_576_800), (300, 5_256_000)):
            document = await imports.service().verdict(piece, at=AsOf(epoch=epoch), evidence=EvidenceRequest(full=True))
            assert term in {item["term_max_epochs"] for item in document["evidence"]["claims"]["items"]}

    async def test_every_recorded_label_is_kept(self, imports: Importer) -> None:
        deals = answers(NV28, "deals")[-1]
        await imports(json.dumps(deals), at_epoch=300)
        service = imports.service()
        for number, deal in deals["result"].items():
            document = await service.deal(int(number))
            assert document["label"] == deal["Proposal"]["Label"]
            assert document["label_known"] is bool(deal["Proposal"]["Label"])
        labelled = {
            d["Proposal"]["Label"]: d for d in deals["result"].values() if d["Proposal"]["Label"].startswith("baf")
        }
        for label in labelled:
            assert match_key(parse_cid(label))
            assert (await service.verdict(label))["evidence"]["pieces"]


def lives_of(told: Iterable[tuple[int, dict[str, Any]]]) -> Iterable[tuple[int, int, int | None]]:
    """Each id with the first complete file that has it and the first after that lacks it."""
    files = [(epoch, {int(number) for number in answer["result"]}) for epoch, answer in told]
    for number in sorted(set().union(*(ids for _, ids in files))):
        having = [epoch for epoch, ids in files if number in ids]
        lacking = [epoch for epoch, ids in files if number not in ids and epoch > having[-1]]
        yield number, having[0], min(lacking, default=None)
