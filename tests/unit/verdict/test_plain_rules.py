"""`decide` and the plain statement of the rules agree, over records drawn so near each other that they collide."""

from collections.abc import Mapping
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from explorer.verdict.coverage import Coverage, Milestones, Span
from explorer.verdict.decide import Judged, Question, decide
from explorer.verdict.records import RECORD_KINDS, AllocationRecord, ClaimRecord, DealRecord, Evidence
from tests.unit.verdict import plain_rules

epochs = st.integers(0, 14)
lengths = st.integers(0, 8)
maybe_epochs = st.one_of(st.none(), epochs)
parties = st.integers(1, 2)
pieces = st.sampled_from([b"a" * 32, b"b" * 32])


@st.composite
def sights(draw: st.DrawFn) -> dict[str, int | None]:
    """The first and last sight of a record, and when it was found gone, if it was."""
    first = draw(epochs)
    last = first + draw(lengths)
    return {"first": first, "last": last, "gone": draw(st.one_of(st.none(), st.integers(last + 1, last + 6)))}


def drawn(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    common = {"is": st.just(kind), "Client": parties, "Provider": parties, "Piece": pieces}
    return st.builds(lambda seen, record: {**record, **seen}, sights(), st.fixed_dictionaries({**common, **fields}))


claims = drawn("claim", TermStart=epochs, TermMax=lengths, removed=maybe_epochs, terminated=maybe_epochs)
deals = drawn(
    "deal",
    VerifiedDeal=st.sampled_from([True, True, True, False]),
    StartEpoch=epochs,
    EndEpoch=epochs,
    SectorStartEpoch=st.one_of(st.just(-1), epochs),
    SlashEpoch=st.one_of(st.just(-1), st.just(-1), epochs),
    terminated=maybe_epochs,
)
allocations = drawn("allocation", Expiration=epochs, removed=maybe_epochs, claimed=maybe_epochs)
questions = st.fixed_dictionaries(
    {
        "N": epochs,
        "nv17": st.just(3),
        "nv22": st.just(6),
        "R": st.sampled_from([None, 9]),
        "payload": st.booleans(),
        "labels_known": st.booleans(),
    }
)


def claim_record(number: int, plain: Mapping[str, Any]) -> ClaimRecord:
    return ClaimRecord(
        id=number,
        client_id=plain["Client"],
        provider_id=plain["Provider"],
        piece=plain["Piece"],
        size_bytes=1,
        term_min_epochs=0,
        term_max_epochs=plain["TermMax"],
        term_start_epoch=plain["TermStart"],
        sector=0,
        seen_epoch=plain["last"],
        removed_epoch=plain["removed"],
        sector_terminated_epoch=plain["terminated"],
        gone_epoch=plain["gone"],
    )


def deal_record(number: int, plain: Mapping[str, Any]) -> DealRecord:
    return DealRecord(
        id=number,
        client_id=plain["Client"],
        provider_id=plain["Provider"],
        piece=plain["Piece"],
        size_bytes=1,
        label=b"",
        label_known=True,
        verified=plain["VerifiedDeal"],
        start_epoch=plain["StartEpoch"],
        end_epoch=plain["EndEpoch"],
        sector_start_epoch=plain["SectorStartEpoch"],
        slash_epoch=plain["SlashEpoch"],
        first_seen_epoch=plain["first"],
        seen_epoch=plain["last"],
        terminated_epoch=plain["terminated"],
        gone_epoch=plain["gone"],
    )


def allocation_record(number: int, plain: Mapping[str, Any]) -> AllocationRecord:
    return AllocationRecord(
        id=number,
        client_id=plain["Client"],
        provider_id=plain["Provider"],
        piece=plain["Piece"],
        size_bytes=1,
        term_min_epochs=0,
        term_max_epochs=0,
        expiration_epoch=plain["Expiration"],
        first_seen_epoch=plain["first"],
        seen_epoch=plain["last"],
        claimed_epoch=plain["claimed"],
        removed_epoch=plain["removed"],
        gone_epoch=plain["gone"],
    )


def evidence_of(records: list[dict[str, Any]]) -> Evidence:
    numbered = list(enumerate(records))
    return Evidence(
        claims=tuple(claim_record(n, one) for n, one in numbered if one["is"] == "claim"),
        deals=tuple(deal_record(n, one) for n, one in numbered if one["is"] == "deal"),
        allocations=tuple(allocation_record(n, one) for n, one in numbered if one["is"] == "allocation"),
    )


@settings(max_examples=700)
@given(
    records=st.lists(st.one_of(claims, deals, deals, allocations), max_size=5),
    covered=st.sets(st.sampled_from(RECORD_KINDS)),
    asked=questions,
)
def test_decide_agrees_with_the_plain_statement(
    records: list[dict[str, Any]], covered: set[str], asked: dict[str, Any]
) -> None:
    spans = tuple(Span(kind=kind, from_epoch=0, through_epoch=99, source="s") for kind in sorted(covered))  # type: ignore[arg-type]
    milestones = Milestones(nv17_epoch=asked["nv17"], nv22_epoch=asked["nv22"], retires_at_epoch=asked["R"])
    question = Question(
        epoch=asked["N"], milestones=milestones, payload=asked["payload"], labels_known=asked["labels_known"]
    )
    answer = decide(evidence_of(records), Coverage(spans), question)

    expected = plain_rules.verdict(records, covered, asked)
    event(expected)
    assert answer.name == expected
    everything: list[Judged[Any]] = [*answer.claims, *answer.deals, *answer.allocations]
    judged = {one.record.id: one.standing for one in everything}
    said = [plain_rules.record_says(record, records, covered, asked) for record in records]
    assert sorted(judged) == [number for number, one in enumerate(said) if one]
    for number, standing in judged.items():
        counts, statuses = said[number] or ("", set())
        assert standing.counts.value == ("nothing" if counts == "?" else counts)
        assert standing.status in statuses
    lost = any(one is not None and one[0] == "?" for one in said)
    assert answer.complete is not (lost or plain_rules.has_hole(covered, asked))
