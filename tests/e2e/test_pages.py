"""The pages in a real browser: without JavaScript, by keyboard, on a telephone, to a screen reader."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.browsing import Visit, visiting
from tests.e2e.fake_index import ACTIVE, NONE, PAST, PAYLOAD, PENDING, UNKNOWN

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, server_url: str) -> AsyncIterator[Visit]:
    async for made in visiting(browser, server_url):
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def plain_visit(browser: Browser, server_url: str) -> AsyncIterator[Visit]:
    async for made in visiting(browser, server_url, java_script_enabled=False):
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser, server_url: str) -> AsyncIterator[Visit]:
    async for made in visiting(browser, server_url, viewport={"width": 360, "height": 740}):
        yield made


async def test_the_answer_is_there_without_javascript(plain_visit: Visit) -> None:
    await plain_visit.go("/")
    await plain_visit.page.fill("input[name=q]", f"  {ACTIVE} ")
    await plain_visit.page.click("button[type=submit]")
    assert plain_visit.page.url == f"{plain_visit.base}/cid/{ACTIVE}"
    text = await plain_visit.text()
    assert "FIL+ since 16 January 2024: 9 claims and 2 deals" in text
    assert "87884600" in text
    assert "What the index doesn\u2019t cover" in text
    assert await plain_visit.page.locator(".timeline svg rect").count() > 10


async def test_a_failed_search_keeps_the_text_without_javascript(plain_visit: Visit) -> None:
    await plain_visit.go("/search?q=bafyno%22%3E")
    assert await plain_visit.page.input_value("input[name=q]") == 'bafyno">'
    assert "Not a CID" in await plain_visit.text("h1")


@pytest.mark.parametrize(
    ("cid", "label", "sentence"),
    [
        (PAST, "Was FIL+", "Was FIL+ from"),
        (PENDING, "Pending", "waiting for 2 allocations to be claimed and 1 deal to be activated"),
        (NONE, "Not FIL+", "Not FIL+: nothing on record counts"),
        (UNKNOWN, "Not known", "Not known: nothing that counts was found"),
    ],
)
async def test_each_verdict_is_a_word_and_a_sentence(visit: Visit, cid: str, label: str, sentence: str) -> None:
    await visit.go(f"/cid/{cid}")
    assert await visit.text(".verdict .tag") == label
    assert sentence in await visit.text(".verdict h2")


async def test_a_permalink_names_the_epoch_and_json_is_one_click_away(visit: Visit) -> None:
    await visit.go(f"/cid/{PAYLOAD}")
    await visit.page.click("text=Permalink to this epoch")
    assert "at_epoch=4622139" in visit.page.url
    await visit.page.click("text=The same as JSON")
    assert '"verdict":"active"' in await visit.text("body")


async def test_more_evidence_is_a_link(visit: Visit) -> None:
    await visit.go(f"/cid/{ACTIVE}/filplus?limit=4")
    await visit.page.click("text=More claims")
    assert await visit.page.locator("[aria-labelledby=claims-title] tbody tr").count() == 4
    assert "87884604" in await visit.text()
    await visit.page.click("text=Back to the first page")
    assert "claims_cursor" not in visit.page.url


async def test_the_keyboard_finds_rows_opens_them_and_helps(visit: Visit) -> None:
    await visit.go(f"/cid/{ACTIVE}")
    page = visit.page
    await page.keyboard.press("j")
    first = await page.evaluate("document.activeElement.href")
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.href") != first
    await page.keyboard.press("k")
    assert await page.evaluate("document.activeElement.href") == first
    await page.keyboard.press("?")
    await page.wait_for_selector("dialog")
    await page.keyboard.press("Escape")
    await page.wait_for_selector("dialog", state="hidden")
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.name") == "q"
    await page.keyboard.type("j?/")
    assert await page.input_value("input[name=q]") == "j?/"
    await page.evaluate("document.querySelector('a[data-row]').focus()")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/deals/3")


async def test_the_search_box_is_in_focus_and_the_skip_link_comes_first(visit: Visit) -> None:
    await visit.go("/")
    assert await visit.page.evaluate("document.activeElement.name") == "q"
    await visit.go("/status")
    await visit.page.keyboard.press("Tab")
    assert await visit.page.evaluate("document.activeElement.className") == "skip"


async def test_untrusted_labels_are_shown_not_run(visit: Visit) -> None:
    await visit.go("/deals/61000001")
    text = await visit.text()
    assert "<script>alert(1)</script>" in text
    assert "U+202E" in text
    assert "\u202e" not in await visit.page.content()


async def test_cids_are_whole_to_screen_readers_and_in_titles(visit: Visit) -> None:
    await visit.go("/deals/61000001")
    link = visit.page.get_by_role("link", name=ACTIVE)
    assert await link.get_attribute("title") == ACTIVE
    assert await visit.page.get_by_role("button", name=f"Copy {ACTIVE}").count() == 1


async def test_tables_stay_tables_on_a_telephone(phone: Visit) -> None:
    await phone.go(f"/cid/{ACTIVE}")
    table = phone.page.get_by_role("table", name="Claims")
    assert await table.get_by_role("row").count() == 12
    assert await table.get_by_role("columnheader").count() == 9


async def test_bands_on_a_simulated_network_that_has_retired(browser: Browser, retired_url: str) -> None:
    async for visit in visiting(browser, retired_url):
        for path in ["/nothing", "/docs", "/cid/no", "/", f"/cid/{ACTIVE}", "/status", "/deals/3"]:
            await visit.go(path)
            text = await visit.text("body")
            assert "Simulated network" in text, path
            assert "FIL+ ended at epoch 4600000; this is the record." in text, path
