"""The head of every page: who is signed in, also on pages that caches may keep, and how much room it takes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.browsing import Visit
from tests.e2e.dashboard import FILPLUS_CID, Dashboard, sign_in, visit_with_wallet

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

MEASURE = """() => {
    const head = document.querySelector(".top .wide"), who = document.querySelector(".who");
    const padding = parseFloat(getComputedStyle(head).paddingRight);
    const boxes = [head, who].map((one) => one.getBoundingClientRect().toJSON());
    return [...boxes, padding, document.documentElement.scrollWidth];
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def ada(browser: Browser, dashboard: Dashboard) -> AsyncIterator[Visit]:
    """A notary who is signed in, and complains of nothing."""
    async with visit_with_wallet(browser, dashboard.url) as (visit, _):
        await sign_in(visit)
        yield visit
        assert visit.complaints == []


@pytest.mark.parametrize("path", ["/", "/status", f"/cid/{FILPLUS_CID}", "/docs", "/search", "/nowhere"])
async def test_pages_for_everybody_show_who_is_signed_in(ada: Visit, path: str) -> None:
    await ada.go(path)
    await ada.page.wait_for_selector(".top .who")
    assert await ada.text(".who a") == "Ada"
    assert await ada.page.is_visible(".top nav >> text=Audit")
    await ada.page.click(".top nav >> text=Audit")
    await ada.page.wait_for_url("**/audit")


async def test_signing_out_on_such_a_page_ends_it_everywhere(ada: Visit) -> None:
    await ada.go("/status")
    await ada.page.click("text=Sign out")
    await ada.page.wait_for_url(f"{ada.base}/")
    ada.requested.clear()
    await ada.go("/status")
    assert not await ada.page.query_selector(".who")
    assert not await ada.page.is_visible(".top nav >> text=Audit")
    assert f"{ada.base}/me" not in ada.requested, "who never signed in, or signed out, is asked nothing"


async def test_a_session_that_ended_is_forgotten(ada: Visit) -> None:
    await ada.page.context.clear_cookies()
    async with ada.page.expect_response("**/me") as answer:
        await ada.go("/docs")
    assert (await answer.value).status == 401
    await ada.page.wait_for_function("() => localStorage.getItem('notary') === null")
    assert not await ada.page.query_selector(".who")


@pytest.mark.parametrize("path", ["/reviews", "/status"])
async def test_the_head_leaves_room_for_the_page(ada: Visit, path: str) -> None:
    for width, height in ((360, 150), (900, 130), (1440, 70)):
        await ada.page.set_viewport_size({"width": width, "height": 740})
        await ada.go(path)
        await ada.page.wait_for_selector(".top .who")
        head, who, padding, wide = await ada.page.evaluate(MEASURE)
        assert head["height"] <= height, (width, head)
        assert abs(head["right"] - padding - who["right"]) < 2, (width, who)
        assert wide <= width
