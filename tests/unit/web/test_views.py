"""What pages show of a document: spans, timeline, sentence, holders, coverage, search."""

from typing import Any

import pytest

from explorer.web.coverage import coverage_bars, gaps_between, merged
from explorer.web.evidence import Span, holders_of, spans_of
from explorer.web.formats import EpochClock
from explorer.web.problems import Problem, problem_document, shortened
from explorer.web.searching import cid_within
from explorer.web.sentences import beyond_headline, headline, reach
from explorer.web.timeline import timeline_of
from tests.e2e.fake_index import ACTIVE, HEAD, HEAD_TIME, PAST, PENDING, RECORDS, YEAR, claim, deal

CLOCK = EpochClock(HEAD, HEAD_TIME)


def evidence(claims: list[Any] | None = None, deals: list[Any] | None = None) -> dict[str, Any]:
    def page(items: list[Any]) -> dict[str, Any]:
        active = sum(item["status"] == "active" for item in items)
        return {"total": len(items), "active": active, "items": items}

    allocations = page([])
    return {"claims": page(claims or []), "deals": page(deals or []), "allocations": allocations}


def said(word: str, found: dict[str, Any], clock: EpochClock | None = CLOCK, kind: str = "piece") -> str:
    return headline({"verdict": word, "kind": kind, "evidence": found, "as_of": {"epoch": HEAD}}, clock)


def test_the_sentence_of_an_active_cid() -> None:
    one, two = claim(1, start=HEAD - 1000), claim(2, start=HEAD - YEAR)
    assert said("active", evidence([one])) == "FIL+ since 15 January 2025: 1 claim, until 17 April 2026."
    many = said("active", evidence([one, two], [deal(1, start=HEAD)]))
    assert many == "FIL+ since 16 January 2024: 2 claims and 1 deal, the longest until 20 June 2026."


def test_the_sentence_says_at_least_when_not_all_is_shown_and_epochs_without_a_clock() -> None:
    one = claim(1, start=HEAD - 1000)
    assert "since at least 15 January 2025" in said(
        "active", evidence([one]) | {"claims": {"total": 5, "active": 5, "items": [one]}}
    )
    assert f"since epoch {HEAD - 1000}" in said("active", evidence([one]), None)
    assert said("active", evidence()) == "FIL+: one record."


def test_sentences_of_the_other_verdicts() -> None:
    records = RECORDS[PENDING]
    found = evidence(records["claims"], records["deals"])
    found["allocations"]["items"] = records["allocations"]
    assert said("pending", found) == "Not FIL+ yet: waiting for 2 allocations to be claimed and 1 deal to be activated."
    past = RECORDS[PAST]
    assert said("past", evidence(past["claims"], past["deals"])).startswith("Was FIL+ from ")
    assert said("unknown", evidence()).startswith("Not known")
    assert said("unknown", evidence(), kind="inline").startswith("Not known: the chain cannot")
    assert said("none", evidence()).startswith("Not FIL+")


def test_the_reason_beside_the_headline_does_not_repeat_it() -> None:
    def beyond(word: str, found: dict[str, Any], text: str) -> str:
        return beyond_headline({"verdict": word, "reason": text, "evidence": found, "as_of": {"epoch": HEAD}})

    one, text = evidence([claim(1, start=HEAD - 1000)]), "FIL+: 1 active claim, until epoch 9; all of it is old."
    assert beyond("active", one, text) == "all of it is old."
    assert beyond("active", one, "FIL+: 1 active claim, until epoch 9.") == ""
    assert beyond("active", evidence(), text) == text
    assert beyond("unknown", evidence(), "Not known: no claim was found; x.") == "Not known: no claim was found; x."
    assert beyond("none", evidence(), "Not FIL+: no claim was found.") == ""
    assert beyond("none", one, "Not FIL+: only one that does not count.") == "Not FIL+: only one that does not count."


def test_a_span_that_ended_early_does_not_pretend_to_know_when() -> None:
    [span] = spans_of(evidence([claim(1, start=HEAD - 1000, status="sector_terminated")]), asked_epoch=HEAD)
    assert (span.end_known, span.certain_end_epoch, span.end_epoch) == (False, HEAD - 1000, HEAD)


def test_deals_never_activated_or_unverified_have_no_span_and_slashed_ones_end_there() -> None:
    deals = [
        deal(1, start=HEAD, sector_start_epoch=-1),
        deal(2, start=HEAD, verified=False),
        deal(3, start=HEAD - 5000, slash_epoch=HEAD - 10, status="slashed"),
    ]
    [span] = spans_of(evidence(deals=deals), asked_epoch=HEAD)
    assert (span.record_id, span.end_epoch) == (3, HEAD - 10)


@pytest.mark.parametrize(
    "span",
    [
        Span("claim", 1, "f01", "active", 0, 0, 0, True),
        Span("claim", 1, "f01", "active", 0, 2**62, 2**62, True),
        Span("deal", 1, "f01", "active", HEAD, HEAD, 36_744_320, True),
    ],
)
def test_absurd_spans_stay_inside_the_timeline(span: Span) -> None:
    found = timeline_of([span], asked_epoch=HEAD, clock=CLOCK)
    assert found is not None
    assert found.asked_epoch == HEAD
    [bar] = found.bars
    assert 0 <= bar.left < 100
    assert 0 < bar.solid <= 100
    assert bar.left + bar.solid + bar.faint <= 100.1
    assert all(0 <= tick.left <= 100 for tick in found.ticks)


def test_a_timeline_needs_something_to_draw_and_draws_no_more_than_a_page() -> None:
    assert timeline_of([], asked_epoch=HEAD, clock=CLOCK) is None
    found = timeline_of(
        [Span("claim", n, "f01", "active", n, n, n, True) for n in range(100)], asked_epoch=None, clock=None
    )
    assert found is not None
    assert (len(found.bars), found.hidden, found.ticks, found.asked) == (60, 40, [], None)


def test_holders_count_a_claim_and_its_deal_once() -> None:
    found = evidence([claim(0, start=HEAD, provider="f07")], [deal(1, start=HEAD, provider="f07")])
    [holder] = holders_of(found)
    assert (holder.provider, holder.records, holder.size_bytes) == ("f07", 1, 34_359_738_368)


def test_coverage_ranges_are_merged_and_gaps_found() -> None:
    assert merged([(5, 9), (0, 4), (20, 20), (7, 8)]) == [(0, 9), (20, 20)]
    assert gaps_between([(0, 9), (20, 20)], 30) == [(10, 19), (21, 30)]
    assert gaps_between([], 3) == [(0, 3)]
    assert gaps_between([(0, 3)], 3) == []


def test_a_kind_without_imports_has_an_empty_bar() -> None:
    status = {"index": {"epoch": 100, "coverage": []}}
    assert [(bar.kind, bar.gaps) for bar in coverage_bars(status)] == [
        ("claims", [(0, 100)]),
        ("deals", [(0, 100)]),
        ("allocations", [(0, 100)]),
    ]
    assert coverage_bars({"index": {"epoch": None, "coverage": []}}) == []


@pytest.mark.parametrize(
    ("text", "cid"),
    [
        (f"https://ipfs.io/ipfs/{ACTIVE}/a/b?c#d", ACTIVE),
        (f"http://localhost:8080/cid/{ACTIVE}/filplus", ACTIVE),
        (f"ipfs://{ACTIVE}", f"ipfs://{ACTIVE}"),
        ("anything", "anything"),
    ],
)
def test_a_pasted_address_is_searched_for_its_cid(text: str, cid: str) -> None:
    assert cid_within(text) == cid


def test_long_and_broken_values_are_shortened_and_encodable() -> None:
    assert shortened("a" * 1000, 100).count("a") == 99
    problem = Problem("malformed_cid", "d" * 10_000, "\ud800" + "v" * 10_000)
    document = problem_document(problem, request_id="r", public_url="http://x")
    assert len(document["value"]) == 100
    assert len(document["detail"]) == 500
    document["value"].encode()


@pytest.mark.parametrize(
    ("lag", "error", "said"),
    [
        (0, None, "the index is level with it"),
        (1, None, "the index is 1 epoch behind"),
        (12, "no answer", "the index is 12 epochs behind"),
        (0, "no answer", ""),
        (None, "no answer", ""),
        (None, None, ""),
    ],
)
def test_the_index_is_only_called_level_with_a_node_that_is_heard(
    lag: int | None, error: str | None, said: str
) -> None:
    assert reach({"lag_epochs": lag, "error": error}) == said


def test_without_a_node_there_is_nothing_to_be_level_with() -> None:
    assert reach(None) == ""
