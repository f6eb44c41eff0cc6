"""What every page is told beyond its own document."""

from datetime import UTC, datetime, timedelta

import pytest

from explorer.web.assets import Assets
from explorer.web.config import WebConfig
from explorer.web.formats import EpochClock
from explorer.web.rendering import Renderer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def band(network: str, behind: timedelta) -> str:
    """A page after one that knew where the index ends, up to the end of its band."""
    config = WebConfig(network=network, public_url="http://127.0.0.1", version="0", now=lambda: NOW)
    renderer = Renderer(config, Assets.load())
    renderer.page("search.html", index_head=EpochClock(4_622_139, NOW - behind))
    return renderer.page("search.html").partition('<div class="wide">')[0]


def test_a_simulated_chain_says_where_its_clock_stands() -> None:
    assert 'Its clock stands at 2025-01-23, epoch <span class="num">4622139</span>.' in band(
        "simulated", timedelta(days=669)
    )


@pytest.mark.parametrize(("network", "days"), [("simulated", 1), ("mainnet", 669)])
def test_a_chain_that_is_up_to_date_or_real_says_nothing_of_it(network: str, days: int) -> None:
    assert "clock stands" not in band(network, timedelta(days=days))
