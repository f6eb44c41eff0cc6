"""The pages of parties in a real browser: without JavaScript, by keyboard, on a telephone, in the dark."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from explorer.ground.database import open_pool
from explorer.index.feed import FeedEvent, party_key
from explorer.web.broadcast import Broadcast
from tests.clusters import KINDS, Server
from tests.e2e.browsing import Visit, visiting
from tests.e2e.party_index import CLIENT, HEAD, NOBODY, party_service
from tests.integration.index.importing import MAINNET, Importer
from tests.unit.index.dumps import claim_entry

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, party_url: str) -> AsyncIterator[Visit]:
    async for made in visiting(browser, party_url):
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def plain_visit(browser: Browser, party_url: str) -> AsyncIterator[Visit]:
    async for made in visiting(browser, party_url, java_script_enabled=False):
        yield made


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_columns_and_bars_can_be_told_from_the_ground(visit: Visit, scheme: str) -> None:
    await visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await visit.go(f"/clients/{CLIENT}")
    fills = await visit.page.evaluate(
        "['.months .active', '.months .ended', '.bar rect', 'body'].map((what) => {"
        " const style = getComputedStyle(document.querySelector(what));"
        " return what === 'body' ? style.backgroundColor : style.fill; })"
    )
    assert len(set(fills)) >= 3
    assert fills[-1] not in fills[:-1]


async def test_without_script_the_page_reads_and_leads_on(plain_visit: Visit) -> None:
    await plain_visit.go(f"/clients/{CLIENT}")
    text = await plain_visit.text()
    for words in ("DataCap by month", "By provider", "Replicas", "Newest claims", "still active", "10 of 29"):
        assert words in text, words
    await plain_visit.page.click("#claims-title ~ .downloads a:text('All claims')")
    assert plain_visit.page.url.endswith(f"/clients/{CLIENT}/claims?format=html")
    await plain_visit.page.click("a[rel=next]")
    assert "cursor=" in plain_visit.page.url
    assert await plain_visit.page.locator("tbody tr").count() == 100
    await plain_visit.page.click("tbody a[href^='/providers/']")
    assert "/providers/f0" in plain_visit.page.url


async def test_what_the_chart_draws_stands_beside_it_as_a_table(plain_visit: Visit) -> None:
    await plain_visit.go(f"/clients/{CLIENT}")
    drawn = await plain_visit.page.locator(".months rect").count()
    await plain_visit.page.click("details summary")
    rows = await plain_visit.page.locator("details tbody tr").count()
    assert 0 < drawn <= 2 * rows


async def test_rows_are_walked_and_opened_by_keyboard(visit: Visit) -> None:
    await visit.go(f"/clients/{CLIENT}")
    await visit.page.keyboard.press("j")
    first = await visit.page.evaluate("document.activeElement.getAttribute('href')")
    await visit.page.keyboard.press("j")
    second = await visit.page.evaluate("document.activeElement.getAttribute('href')")
    assert first.startswith("/providers/")
    assert first != second
    await visit.page.keyboard.press("Enter")
    await visit.page.wait_for_url(f"**{second}")
    assert "Provider" in await visit.text("header.title")


async def test_hostile_labels_are_text(visit: Visit) -> None:
    await visit.go(f"/clients/{CLIENT}/deals")
    text = await visit.text("table")
    assert "<script>" in text
    assert "U+202E" in text
    assert await visit.page.evaluate("document.title") != "owned"


async def test_an_empty_party_says_what_will_appear(visit: Visit) -> None:
    await visit.go(f"/clients/{NOBODY}")
    text = await visit.text()
    assert "appear here as soon as the index holds" in text
    await visit.page.click("text=Look it up as a provider")
    assert visit.page.url.endswith(f"/providers/{NOBODY}")


async def test_filfox_is_a_link_that_nobody_needs(visit: Visit) -> None:
    await visit.go(f"/clients/{CLIENT}")
    outward = await visit.page.locator("a[href^='https://filfox.info']").all()
    assert len(outward) == 1
    assert await outward[0].get_attribute("rel") == "noreferrer noopener"


async def test_a_page_follows_its_partys_records_and_says_when_it_does_not(
    browser: Browser, postgres_of_kind: Callable[[str], Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.web.broadcast.AWAY_AFTER_S", 0.1)
    feed, parties = Broadcast(), (party_key("client", 5000), party_key("provider", 1000))
    with postgres_of_kind(KINDS[0]).cloned() as dsn:
        async with party_service(dsn, tmp_path, fills=False, feed=feed) as url:
            async for visit in visiting(browser, url):
                await visit.go(f"/clients/{CLIENT}")
                await says(visit, "[data-live-state]", "Live Changes show by themselves.")
                await visit.page.evaluate("window.marked = true")
                async with open_pool(dsn, application_name="change") as pool:
                    taken = claim_entry(1, Client=5000, Provider=1000, TermStart=4_000_000)
                    await Importer(pool, tmp_path, MAINNET)({1: taken}, at_epoch=HEAD, kind="claims")
                feed.add([FeedEvent(1, datetime.now(UTC), "cid", b"p", {}, frozenset({b"p", *parties}))])
                await says(visit, "header.title", "Spent DataCap on 1 piece at 1 provider.")
                await says(visit, "[data-live-state]", "The last one came at")
                assert "Newest claims" in await visit.text()
                assert await visit.page.evaluate("window.marked")
                asked = len(visit.requested)
                feed.add([FeedEvent(2, datetime.now(UTC), "cid", b"p", {}, frozenset({b"p", party_key("client", 7)}))])
                feed.lose()
                await says(visit, "[data-live-state]", "Not live since ")
                assert len(visit.requested) == asked, "another client's change is none of this page"
                assert visit.complaints == []


async def says(visit: Visit, selector: str, words: str) -> None:
    """Returns once an element says that."""
    await visit.page.wait_for_function(
        "([selector, words]) => document.querySelector(selector)?.innerText.includes(words)", arg=[selector, words]
    )


async def test_an_allocator_page_claims_nothing(visit: Visit) -> None:
    await visit.go(f"/allocators/{CLIENT}")
    text = await visit.text()
    assert "the index does not know" in text
    assert "None yet" in text
