"""Which epochs the spans of the index hold."""

import pytest

from explorer.verdict.coverage import Coverage, Span

SPANS = Coverage(
    (
        Span(kind="claims", from_epoch=30, through_epoch=30, source="b"),
        Span(kind="claims", from_epoch=10, through_epoch=20, source="a"),
        Span(kind="deals", from_epoch=25, through_epoch=25, source="c"),
    )
)


@pytest.mark.parametrize(
    ("epoch", "covered", "before", "after"),
    [
        (9, False, None, 10),
        (10, True, None, 11),
        (11, True, 10, 12),
        (20, True, 19, 30),
        (21, False, 20, 30),
        (29, False, 20, 30),
        (30, True, 20, None),
        (31, False, 30, None),
    ],
)
def test_a_span_holds_both_its_ends(epoch: int, covered: bool, before: int | None, after: int | None) -> None:
    assert SPANS.covers("claims", epoch) is covered
    assert (SPANS.before("claims", epoch), SPANS.after("claims", epoch)) == (before, after)


def test_kinds_are_apart() -> None:
    assert (SPANS.last("claims"), SPANS.last("deals"), SPANS.last("allocations")) == (30, 25, None)
    assert not SPANS.covers("deals", 30)


def test_the_spans_at_an_epoch_come_by_kind_and_source() -> None:
    both = Coverage((*SPANS.spans, Span(kind="claims", from_epoch=25, through_epoch=25, source="z")))
    assert [(span.kind, span.source) for span in both.at(25)] == [("claims", "z"), ("deals", "c")]
