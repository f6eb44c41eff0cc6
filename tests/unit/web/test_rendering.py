"""What every page says of the present, whatever it shows itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from explorer.web.assets import Assets
from explorer.web.config import WebConfig
from explorer.web.formats import rfc3339
from explorer.web.ports import Document
from explorer.web.present import Present
from explorer.web.rendering import Renderer
from tests.e2e.fake_index import HEAD, FakeIndex

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class PresentIndex(FakeIndex):
    """An index whose head is so far behind, and that counts how often it is asked for the present."""

    def __init__(self, *, programme: str = "open", behind: timedelta = timedelta()) -> None:
        super().__init__(programme=programme)
        self.behind = behind
        self.asked = 0

    async def present(self) -> Document:
        self.asked += 1
        return await super().present()

    def _present(self) -> Document:
        return {"epoch": HEAD, "time": rfc3339(NOW - self.behind)}


class Pages:
    """Pages over such an index, and time that passes when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, index: PresentIndex, network: str = "mainnet") -> None:
        self.passed_s = 0.0
        monkeypatch.setattr("explorer.web.present.time.monotonic", lambda: self.passed_s)
        config = WebConfig(network=network, public_url="http://127.0.0.1", version="0", now=lambda: NOW)
        self.present = Present(index)
        self.renderer = Renderer(config, Assets.load(), self.present)

    async def band(self, **context: Any) -> str:
        """A page up to the end of its band."""
        await self.present.renew()
        return self.renderer.page("search.html", **context).partition('<div class="wide">')[0]


async def test_a_simulated_chain_says_where_its_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Pages(monkeypatch, PresentIndex(behind=timedelta(days=669)), "simulated")
    assert f'Its clock stands at 2025-01-23, epoch <span class="num">{HEAD}</span>.' in await pages.band()


@pytest.mark.parametrize(("network", "days"), [("simulated", 1), ("mainnet", 669)])
async def test_a_chain_that_is_up_to_date_or_real_says_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, network: str, days: int
) -> None:
    pages = Pages(monkeypatch, PresentIndex(behind=timedelta(days=days)), network)
    assert "clock stands" not in await pages.band()


async def test_the_end_of_the_programme_is_said_whatever_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Pages(monkeypatch, PresentIndex(programme="retired"))
    assert "FIL+ has ended" in await pages.band(programme={"status": "open"})


async def test_it_is_asked_for_every_two_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    index = PresentIndex()
    pages = Pages(monkeypatch, index)
    assert "FIL+ has ended" not in await pages.band()
    index.programme = "retired"
    assert "FIL+ has ended" not in await pages.band()
    assert index.asked == 1
    pages.passed_s = 2.1
    assert "FIL+ has ended" in await pages.band()


async def test_without_the_database_it_stays_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    index = PresentIndex(programme="retired")
    pages = Pages(monkeypatch, index)
    index.down = True
    assert "FIL+" not in (await pages.band()).partition("<body>")[2].replace("FIL+ explorer", "")
    index.down, pages.passed_s = False, 3.0
    assert "FIL+ has ended" in await pages.band()
    index.down, pages.passed_s = True, 6.0
    assert "FIL+ has ended" in await pages.band()
