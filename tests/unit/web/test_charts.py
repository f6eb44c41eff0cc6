from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from explorer.web.charts import month_chart, widths

AMOUNTS = st.integers(0, 2**70)


def month(name: str | None, size: int, active: int, from_epoch: int = 0) -> dict[str, Any]:
    return {"month": name, "from_epoch": from_epoch, "bytes": str(size), "active_bytes": str(active)}


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=80))
def test_columns_stay_in_their_space(amounts: list[tuple[int, int]]) -> None:
    chart = month_chart([month(f"2024-{1 + n % 12:02}", a + b, a) for n, (a, b) in enumerate(amounts)])
    if chart is None:
        assert not any(a + b for a, b in amounts)
        return
    for column in chart.columns:
        assert 0 <= column.left <= column.left + column.width <= 100.01
        assert 0 <= column.active + column.ended <= 101
        assert (column.active > 0) == (int(column.month["active_bytes"]) > 0)


def test_the_tallest_column_takes_all_and_its_parts_keep_their_proportion() -> None:
    chart = month_chart([month("2023-12", 100, 25), month("2024-01", 50, 50)])
    assert chart is not None
    assert [(c.active, c.ended) for c in chart.columns] == [(25.0, 75.0), (50.0, 0.0)]
    assert [mark.text for mark in chart.marks] == ["2023-12", "2024"]
    assert (chart.most_bytes, chart.total_bytes, chart.active_bytes) == (100, 150, 75)


def test_a_month_alone_is_a_column_not_a_slab() -> None:
    chart = month_chart([month("2024-01", 100, 25)])
    assert chart is not None
    assert [column.width <= 10 for column in chart.columns] == [True]


def test_without_a_clock_epochs_mark_the_axis() -> None:
    chart = month_chart([month(None, 1, 1, from_epoch=n * 86_400) for n in range(20)])
    assert chart is not None
    assert [mark.text for mark in chart.marks] == [str(n * 86_400) for n in range(0, 20, 3)]


def test_what_is_little_can_be_seen_and_nothing_cannot() -> None:
    assert widths([2**60, 1, 0]) == [100.0, 0.5, 0.0]
    assert widths([0, 0]) == [0.0, 0.0]
    assert widths([]) == []
    assert month_chart([]) is None
