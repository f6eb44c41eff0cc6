"""The reason is one sentence, names the evidence, and names every hole."""

import re
from typing import Any

import pytest

from explorer.verdict.coverage import Coverage
from explorer.verdict.decide import Verdict
from explorer.verdict.reason import Subject, reason
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord
from tests.unit.verdict.builders import NV22, RETIRING, R, allocation, ask, claim, covering, deal, proposal

PIECE = Subject(kind="piece")
PAYLOAD = Subject(kind="payload", pieces=1)


def said(verdict: Verdict, epoch: int | None = 45, subject: Subject = PIECE) -> str:
    text = reason(verdict, subject, epoch)
    assert_one_sentence(text)
    return text


def assert_one_sentence(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".")
    assert re.search(r"[.!?]\s", text[:-1]) is None
    assert "\n" not in text


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([claim()], "FIL+: 1 active claim, until epoch 70; a claim says that DataCap was spent on the piece, not"),
        ([claim(), claim(id=5, term_max_epochs=50), deal()], "FIL+: 2 active claims and 1 active deal, the longest"),
        ([deal()], "FIL+: 1 active deal, until epoch 80."),
        ([proposal(start_epoch=60), allocation()], "Not FIL+ yet: 1 published deal and 1 pending allocation, not yet"),
        ([claim(term_max_epochs=5)], "No longer FIL+: 1 expired claim, ended by epoch 35."),
        ([claim(sector_terminated_epoch=40)], "No longer FIL+: 1 sector terminated claim, ended by epoch 40."),
        ([claim(gone_epoch=44), deal(slash_epoch=41)], "1 gone claim and 1 slashed deal, the last ended by epoch 44."),
        ([], "Not FIL+: no claim, allocation or verified deal was found, and the index holds every record that could"),
        ([deal(verified=False)], "Not FIL+: nothing that counts was found, only 1 unverified deal, and the index"),
    ],
)
def test_what_the_verdict_rests_on(records: list[ClaimRecord | DealRecord | AllocationRecord], expected: str) -> None:
    assert expected in said(ask(*records, at=45))


@pytest.mark.parametrize("record", [None, claim(), proposal(start_epoch=60), claim(term_max_epochs=5)])
def test_holes_are_named_beside_every_verdict(record: ClaimRecord | DealRecord | None) -> None:
    records = [record] if record else []
    assert said(ask(*records, at=45, coverage=covering("deals"))).endswith(
        "; not all claims and allocations of epoch 45 are indexed."
    )
    assert "not all deals, claims and allocations of epoch 45" in said(ask(*records, at=45, coverage=Coverage()))


def test_a_payload_hears_of_both_its_holes() -> None:
    text = said(ask(at=NV22, coverage=covering("deals"), payload=True), NV22, Subject(kind="payload"))
    assert "not all claims and allocations" in text
    assert "onboarded without labels" in text
    assert "no deal label or imported map names its piece" in text


def test_a_record_that_vanished_is_a_hole() -> None:
    assert "1 record vanished between two complete files" in said(ask(claim(gone_epoch=60), at=45))
    two = ask(claim(gone_epoch=60), claim(id=9, gone_epoch=60), at=45)
    assert "2 records vanished" in said(two)


@pytest.mark.parametrize("record", [claim(), proposal(start_epoch=60), claim(term_max_epochs=5)])
def test_a_label_is_evidence_not_proof(record: ClaimRecord | DealRecord) -> None:
    assert "is the word of a deal's client or of an imported map" in said(
        ask(record, at=45, payload=True), subject=PAYLOAD
    )
    assert "word of" not in said(ask(record, at=45))


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (Subject(kind="inline"), "an identity CID"),
        (Subject(kind="sealed"), "a sealed sector's CID"),
        (Subject(kind="payload", empty="the empty block"), "the empty block"),
    ],
)
def test_cids_that_the_chain_cannot_answer_for(subject: Subject, expected: str) -> None:
    assert subject.refusal is not None
    assert expected in said(ask(at=45, answerable=False), 45, subject)
    assert expected in said(ask(at=None, answerable=False), None, subject)


def test_an_empty_index_says_so() -> None:
    assert said(ask(at=None), None) == "Not known: the index is empty."


@pytest.mark.parametrize(
    "record",
    [
        allocation(expiration_epoch=40),
        allocation(claimed_epoch=40),
        proposal(start_epoch=41),
        deal(sector_start_epoch=40, end_epoch=44, slash_epoch=42),
        deal(gone_epoch=44, end_epoch=2**62),
        proposal(terminated_epoch=41),
        claim(removed_epoch=45),
    ],
)
@pytest.mark.parametrize("coverage", [Coverage(), covering()])
def test_every_ending_gives_one_sentence(record: Any, coverage: Coverage) -> None:
    said(ask(record, at=45, coverage=coverage))


ENDED = "FIL+ ended at epoch 90, and what had not spent its DataCap by then counts as nothing"


@pytest.mark.parametrize(
    "records",
    [
        [allocation(expiration_epoch=200)],
        [proposal(start_epoch=200, end_epoch=300)],
        [deal(sector_start_epoch=95, start_epoch=100, end_epoch=300)],
        [allocation(expiration_epoch=200), claim()],
    ],
)
@pytest.mark.parametrize("coverage", [Coverage(), covering()])
def test_from_the_end_on_it_says_why_a_record_counts_as_nothing(records: list[Any], coverage: Coverage) -> None:
    assert ENDED in retired(records, at=100, coverage=coverage)
    assert ENDED not in retired(records, at=89, coverage=coverage)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [claim(term_max_epochs=200)],
        [claim(term_max_epochs=200), allocation(expiration_epoch=200)],
        [claim()],
        [allocation()],
        [allocation(expiration_epoch=200, removed_epoch=60)],
        [deal(verified=False, end_epoch=300)],
    ],
)
def test_the_end_is_not_named_where_it_changes_nothing(records: list[Any]) -> None:
    assert "FIL+ ended" not in retired(records, at=100, coverage=covering())


def retired(records: list[Any], *, at: int, coverage: Coverage) -> str:
    text = reason(ask(*records, at=at, coverage=coverage, milestones=RETIRING), PIECE, at, retires_at_epoch=R)
    assert_one_sentence(text)
    return text
