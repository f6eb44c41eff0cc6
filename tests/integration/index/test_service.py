"""What the index answers: in every spelling the same, in the order asked, at every epoch that it reaches."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import pytest
from multiformats import multibase

from explorer.errors import EpochNotIndexed, MalformedCid, MalformedCursor, MalformedEpoch, NotFound
from explorer.index.questions import AsOf, EvidenceRequest, cursor_of
from explorer.web.contract import Contract
from node.cid import CODEC_RAW, Cid
from node.piece import piece_v2
from tests.integration.index.importing import MAINNET, Importer
from tests.unit.index.dumps import (
    allocation_entry,
    claim_entry,
    commitment,
    deal_entry,
    payload_cid,
    piece_cid,
    piece_text,
)

pytestmark = pytest.mark.every_postgres

CONTRACT = Contract.load(public_url="http://filplus.test", version="1.2.3")
SPELLINGS = ("base16", "base16upper", "base32", "base32upper", "base36", "base58btc", "base64", "base64url")
EMPTY_BLOCK = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
SEALED = "bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz"


def spellings(cid: Cid) -> Iterator[str]:
    """The CID in every multibase, and as a link."""
    for base in SPELLINGS:
        yield multibase.get(base).encode(cid.to_bytes())
    yield from (f"ipfs://{cid.to_text()}", f"/ipfs/{cid.to_text()}", f"  {cid.to_text()}/\n")


def fits(name: str, document: dict[str, Any]) -> None:
    CONTRACT.validator({"$ref": f"#/components/schemas/{name}"}).validate(document)


@pytest.fixture
async def indexed(imports: Importer) -> Importer:
    """One piece for each verdict, as of epoch 1000 of a mainnet whose nv22 is still to come."""
    mainnet = replace(imports, network=MAINNET)
    await mainnet(
        {
            1: deal_entry(1, state={"SectorStartEpoch": 8}, EndEpoch=5000),
            2: deal_entry(2, StartEpoch=3000),
            3: deal_entry(3, state={"SectorStartEpoch": 8}, EndEpoch=900),
            4: deal_entry(4, VerifiedDeal=False, state={"SectorStartEpoch": 8}),
            5: deal_entry(1, state={"SectorStartEpoch": 8}, EndEpoch=6000, Client="f0555"),
        },
        at_epoch=1000,
    )
    return mainnet


VERDICTS = {1: "active", 2: "pending", 3: "past", 4: "none", 5: "none"}


async def test_every_spelling_of_a_piece_gives_the_same_answer(indexed: Importer) -> None:
    service = indexed.service()
    for number, expected in VERDICTS.items():
        answers = [await service.verdict(text) for text in spellings(piece_cid(number))]
        for size in (2**35 // 128 * 127, 1000):
            v2 = piece_v2(commitment(number), payload_size_bytes=size)
            answers += [await service.verdict(text) for text in (v2.to_text(), f"ipfs://{v2.to_text()}")]
        assert {answer["verdict"] for answer in answers} == {expected}
        assert len({(answer["reason"], answer["canonical"], answer["filplus"]) for answer in answers}) == 1


async def test_every_spelling_of_a_payload_gives_the_same_answer(indexed: Importer) -> None:
    service = indexed.service()
    for number, expected in VERDICTS.items():
        cid = payload_cid(number)
        texts = [*spellings(cid), cid.to_v0_text() or "", f"ipfs://{cid.to_v0_text()}"]
        answers = [await service.verdict(text) for text in texts]
        assert {answer["verdict"] for answer in answers} == {"none" if number == 4 else expected}
        raw = await service.verdict(payload_cid(number, CODEC_RAW).to_text())
        assert raw["verdict"] == answers[0]["verdict"]
        assert bool(raw["notes"]) is (number < 4)


async def test_a_claim_makes_both_deal_and_claim_active(imports: Importer) -> None:
    await imports({7: deal_entry(1, state={"SectorStartEpoch": 8})}, at_epoch=100)
    await imports({9: claim_entry(1, TermStart=8)}, at_epoch=100)
    document = await imports.service().verdict(piece_text(1), evidence=EvidenceRequest(full=True))
    assert document["evidence"]["deals"]["items"][0]["status"] == "active"
    assert (document["evidence"]["claims"]["active"], document["coverage"]["complete"]) == (1, False)
    assert document["reason"].endswith("not all allocations of epoch 100 are indexed.")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("bafkqaaa", "inline"), (EMPTY_BLOCK, "payload"), (SEALED, "sealed")],
    ids=["inline", "empty", "sealed"],
)
async def test_cids_that_the_chain_cannot_answer_for(indexed: Importer, text: str, kind: str) -> None:
    await indexed({20: deal_entry(1, Label=text, state={"SectorStartEpoch": 8})}, at_epoch=1000, partial=True)
    document = await indexed.service().verdict(text)
    assert (document["kind"], document["verdict"], document["filplus"]) == (kind, "unknown", None)
    assert document["evidence"]["deals"]["total"] == 0
    assert document["coverage"]["complete"] is False
    fits("Verdict", document)


class TestMany:
    """`POST /cids/filplus`."""

    async def test_rows_come_in_the_order_asked(self, indexed: Importer) -> None:
        asked = [piece_text(3), "nonsense", payload_cid(1).to_text(), piece_text(9), "bafkqaaa", piece_text(3), ""]
        document = await indexed.service().verdicts(asked)
        assert [row["cid"] for row in document["results"]] == asked
        said = [row.get("verdict") or row["error"]["code"] for row in document["results"]]
        assert said == ["past", "malformed_cid", "active", "none", "unknown", "past", "malformed_cid"]
        assert document["as_of"]["epoch"] == 1000
        fits("Verdicts", document)

    async def test_each_row_says_what_the_single_answer_says(self, indexed: Importer) -> None:
        service = indexed.service()
        asked = [text for number in range(1, 7) for text in (piece_text(number), payload_cid(number).to_text())] * 60
        rows = (await service.verdicts(asked, at=AsOf(epoch=950)))["results"]
        single = {cid: await service.verdict(cid, at=AsOf(epoch=950)) for cid in set(asked)}
        assert [(row["cid"], row["verdict"], row["filplus"]) for row in rows] == [
            (cid, single[cid]["verdict"], single[cid]["filplus"]) for cid in asked
        ]

    async def test_ten_thousand_at_once(self, indexed: Importer) -> None:
        asked = [piece_text(number) for number in range(10_000)]
        rows = (await indexed.service().verdicts(asked))["results"]
        assert [row["cid"] for row in rows] == asked
        assert [row["verdict"] for row in rows[1:5]] == [VERDICTS[number] for number in range(1, 5)]

    async def test_none_at_all(self, indexed: Importer) -> None:
        assert (await indexed.service().verdicts([]))["results"] == []


class TestMoment:
    """N: named as an epoch or a time, else the head; never beyond the index."""

    async def test_the_head_is_the_largest_imported_epoch(self, indexed: Importer) -> None:
        await indexed({1: claim_entry(9, TermStart=1500)}, at_epoch=2000, partial=True)
        document = await indexed.service().verdict(piece_text(1))
        assert document["as_of"] == {"epoch": 2000, "tipset": None, "time": "2020-08-25T14:40:00Z", "finality": None}
        assert document["coverage"]["sources"] == []

    @pytest.mark.parametrize("epoch", [1001, 2**63 - 1])
    async def test_beyond_the_index(self, indexed: Importer, epoch: int) -> None:
        service = indexed.service()
        assert (await service.verdict(piece_text(1), at=AsOf(epoch=1000)))["as_of"]["epoch"] == 1000
        with pytest.raises(EpochNotIndexed, match="the index ends at epoch 1000; ask for an earlier one") as caught:
            await service.verdict(piece_text(1), at=AsOf(epoch=epoch))
        assert caught.value.code == "epoch_not_indexed"
        with pytest.raises(EpochNotIndexed):
            await service.verdicts([piece_text(1)], at=AsOf(epoch=epoch))

    async def test_a_time_is_the_epoch_that_has_begun(self, indexed: Importer) -> None:
        service = indexed.service()
        genesis = datetime(2020, 8, 24, 22, 0, tzinfo=UTC)
        for seconds, epoch in ((0, 0), (29, 0), (30, 1), (30_000, 1000)):
            time = (genesis + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=5)))
            assert (await service.verdict(piece_text(1), at=AsOf(time=time)))["as_of"]["epoch"] == epoch
        with pytest.raises(EpochNotIndexed):
            await service.verdict(piece_text(1), at=AsOf(time=genesis + timedelta(seconds=30_030)))
        with pytest.raises(MalformedEpoch):
            await service.verdict(piece_text(1), at=AsOf(time=genesis - timedelta(seconds=1)))

    async def test_an_empty_index_answers_unknown_and_reaches_no_epoch(self, imports: Importer) -> None:
        service = imports.service()
        document = await service.verdict(piece_text(1))
        assert (document["verdict"], document["as_of"]["epoch"]) == ("unknown", None)
        assert document["coverage"]["gaps"] == ["the index is empty"]
        fits("Verdict", document)
        with pytest.raises(EpochNotIndexed, match="is empty"):
            await service.verdict(piece_text(1), at=AsOf(epoch=0))
        assert (await service.verdicts([piece_text(1)]))["results"][0]["verdict"] == "unknown"

    async def test_labels_that_a_source_left_out_are_a_hole_for_payloads(self, indexed: Importer) -> None:
        service = indexed.service()
        assert (await service.verdict(payload_cid(77).to_text()))["verdict"] == "none"
        await indexed({30: deal_entry(30, Label="", state={"SectorStartEpoch": 900})}, at_epoch=1000, partial=True)
        said = [
            (await service.verdict(payload_cid(77).to_text(), at=AsOf(epoch=n)))["verdict"] for n in (899, 900, 1000)
        ]
        assert said == ["unknown", "unknown", "unknown"]
        assert "labels" in (await service.verdict(payload_cid(77).to_text()))["reason"]
        assert (await service.verdict(piece_text(77)))["verdict"] == "none"


class TestPages:
    """`evidence=full`, by cursors."""

    async def test_every_item_once_without_gaps(self, imports: Importer) -> None:
        await imports({n: claim_entry(1, TermStart=5 + n % 3) for n in range(0, 700, 3)}, at_epoch=100)
        await imports({n: deal_entry(1, Client=f"f0{100 + n}") for n in range(40)}, at_epoch=100)
        await imports({n: allocation_entry(1) for n in range(25)}, at_epoch=100)
        service = imports.service()
        for kind, ids in (
            ("claims", list(range(0, 700, 3))),
            ("deals", list(range(40))),
            ("allocations", list(range(25))),
        ):
            seen, cursor = [], None
            while True:
                request = EvidenceRequest(full=True, limit=20, cursors={kind: cursor})
                document = await service.verdict(piece_text(1), evidence=request)
                page = document["evidence"][kind]
                assert page["total"] == len(ids)
                seen += [item["id"] for item in page["items"]]
                cursor = page["next_cursor"]
                fits("Verdict", document)
                if cursor is None:
                    break
            assert seen == ids

    async def test_a_cursor_behind_the_end_gives_an_empty_page(self, indexed: Importer) -> None:
        request = EvidenceRequest(full=True, cursors={"deals": cursor_of("deals", 2**63 - 1)})
        page = (await indexed.service().verdict(piece_text(1), evidence=request))["evidence"]["deals"]
        assert (page["total"], page["items"], page["next_cursor"]) == (2, [], None)

    async def test_garbage_is_refused(self, indexed: Importer) -> None:
        request = EvidenceRequest(full=True, cursors={"claims": "garbage"})
        with pytest.raises(MalformedCursor):
            await indexed.service().verdict(piece_text(1), evidence=request)


class TestRecords:
    """`GET /deals/{id}` and its like."""

    async def test_one_of_each(self, imports: Importer) -> None:
        await imports({1: claim_entry(1)}, at_epoch=100)
        await imports({2: deal_entry(1, Client="f0777", state={"SectorStartEpoch": 8})}, at_epoch=100)
        await imports({1: allocation_entry(1), 3: allocation_entry(1)}, at_epoch=100)
        service = imports.service()
        claim, deal = await service.claim(1), await service.deal(2)
        claimed, waiting = await service.allocation(1), await service.allocation(3)
        assert [one["status"] for one in (claim, deal, claimed, waiting)] == [
            "active",
            "unclaimed",
            "claimed",
            "pending",
        ]
        assert deal["label"] == payload_cid(1).to_text()
        for name, document in (("Claim", claim), ("Deal", deal), ("Allocation", waiting)):
            assert document["as_of"]["epoch"] == 100
            fits(name, document)

    async def test_its_own_claim_counts_for_a_deal(self, imports: Importer) -> None:
        await imports({1: claim_entry(1)}, at_epoch=100)
        await imports({2: deal_entry(1, state={"SectorStartEpoch": 8})}, at_epoch=100)
        assert (await imports.service().deal(2))["status"] == "active"

    async def test_a_record_that_is_not_there(self, imports: Importer) -> None:
        service = imports.service()
        for ask, word in ((service.claim, "claim"), (service.deal, "deal"), (service.allocation, "allocation")):
            with pytest.raises(NotFound, match=f"the index has no {word} 5"):
                await ask(5)

    async def test_a_record_without_a_piece(self, imports: Importer) -> None:
        await imports({1: claim_entry(Data={"/": payload_cid(1).to_text()})}, at_epoch=100)
        claim = await imports.service().claim(1)
        assert (claim["piece_cid"], claim["status"]) == (payload_cid(1).to_text(), "active")
        assert (await imports.service().verdict(payload_cid(1).to_text()))["evidence"]["claims"]["total"] == 0


async def test_status_tells_counts_and_coverage(indexed: Importer) -> None:
    document = await indexed.service().status()
    assert document["index"]["counts"] == {"deals": 5, "claims": 0, "allocations": 0, "payload_pieces": 0}
    [span] = document["index"]["coverage"]
    assert (span["kind"], span["from_epoch"], span["through_epoch"]) == ("deals", 1000, 1000)
    fits("Status", document)


async def test_descriptions_fit_their_schema(indexed: Importer) -> None:
    service = indexed.service()
    for cid in (piece_text(1), payload_cid(1).to_text(), "bafkqaaa", EMPTY_BLOCK, SEALED):
        fits("CidDescription", await service.describe(cid))
    assert (await service.describe(piece_text(1)))["piece_size_bytes"] == 2**35
    with pytest.raises(MalformedCid):
        await service.describe("nonsense")


async def test_an_import_between_two_answers_shows_in_the_second(indexed: Importer, pool: asyncpg.Pool) -> None:
    service = indexed.service()
    assert (await service.verdict(piece_text(5)))["verdict"] == "none"
    await indexed({50: deal_entry(5, state={"SectorStartEpoch": 8}, EndEpoch=9000)}, at_epoch=1000, partial=True)
    assert (await service.verdict(piece_text(5)))["verdict"] == "active"
    await service.ping()


async def test_the_operators_word_for_the_end_of_the_programme(indexed: Importer) -> None:
    service = indexed.service(retires_at_epoch=900)
    document = await service.verdict(piece_text(2))
    assert document["verdict"] == "none"
    assert document["programme"]["status"] == "retired"
    assert (await service.verdict(piece_text(2), at=AsOf(epoch=899)))["verdict"] == "unknown"
    assert (await service.verdict(piece_text(1)))["verdict"] == "active"
