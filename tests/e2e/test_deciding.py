"""The panel where one decides, in a real browser: what fits, what it offers, and what is kept where nobody answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.e2e.browsing import Visit, has_decided, says
from tests.e2e.dashboard import TIB, Dashboard, Wallet, sign_in, visit_with_wallet
from tests.e2e.parties import ask
from tests.patience import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

APPROVE, REJECT = "button:has-text('Approve with Test Wallet')", "button:has-text('Reject with Test Wallet')"


@pytest_asyncio.fixture(loop_scope="session")
async def ada(browser: Browser, dashboard: Dashboard) -> AsyncIterator[tuple[Visit, Wallet]]:
    """A notary with a wallet, signed in, whose pages complain of nothing."""
    async with visit_with_wallet(browser, dashboard.url, viewport={"width": 1440, "height": 900}) as (visit, wallet):
        await sign_in(visit)
        yield visit, wallet
        assert visit.complaints == []


async def deciding(visit: Visit, review: dict[str, Any], word: str, comment: str = "a reason") -> Page:
    """The page of a decision, live, its reason typed."""
    await visit.go(f"/reviews/{review['id']}?decide={word}")
    await says(visit.page, "[data-live-state]", "Live")
    await visit.page.fill("#comment", comment)
    return visit.page


BOTTOMS = """(selectors) => selectors.map((one) => document.querySelector(one).getBoundingClientRect().bottom)"""


@pytest.mark.parametrize("word", ["approve", "reject"])
async def test_comment_text_and_button_are_seen_at_once_and_stay(
    ada: tuple[Visit, Wallet], dashboard: Dashboard, word: str
) -> None:
    visit, _ = ada
    page = await deciding(visit, dashboard.report(), word)
    await page.wait_for_selector("[data-wallet-list] button")
    seen = ["#comment", "pre.signed", "[data-wallet-list] button"]
    assert max(await page.evaluate(BOTTOMS, seen)) <= 900
    assert f"I {word} a grant of" in await visit.text("pre.signed")
    assert (await visit.text(".judge")).index("For ") < (await visit.text(".judge")).index("What you sign")
    await page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    assert max(await page.evaluate(BOTTOMS, seen)) <= 900
    assert min(await page.evaluate(BOTTOMS, seen)) > 0


async def test_a_rejections_button_doesnt_look_like_an_approvals(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review, colours = dashboard.report(), []
    for word, button in (("approve", APPROVE), ("reject", REJECT)):
        page = await deciding(visit, review, word)
        colours.append(await page.eval_on_selector(button, "(one) => getComputedStyle(one).backgroundColor"))
        pasted = "button[data-decides]"
        assert await page.eval_on_selector(pasted, "(one) => getComputedStyle(one).backgroundColor") == colours[-1]
    assert len(set(colours)) == 2


async def test_after_ones_approval_nothing_is_offered_but_a_comment(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report(requested_bytes=str(1024 * TIB), results=None)
    page = await deciding(visit, review, "approve")
    await page.click(APPROVE)
    await has_decided(page, "approve")
    assert "waits for 1 more of 2 approvals" in await visit.text("#decided")
    for path in ("", "?decide=approve", "?decide=reject", "?decide=ask"):
        await visit.go(f"/reviews/{review['id']}{path}")
        assert await page.locator(".decide, #deciding").count() == 0, path
    await page.keyboard.press("?")
    assert "approve" not in await visit.text("#keyboard")
    await page.keyboard.press("Escape")
    await page.fill("#remark", "One more is due.")
    await page.keyboard.press("Control+Enter")
    await says(page, "#conversation", "One more is due.")


async def test_nothing_is_signed_while_the_explorer_is_away(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, wallet = ada
    review = dashboard.report()
    page = await deciding(visit, review, "approve")
    shown = len(wallet.texts)
    await page.route("**/healthz", lambda route: route.abort())
    await page.click(APPROVE)
    await says(page, "[data-wallet-says]", "Not reached: the explorer doesn\u2019t answer. Nothing was signed")
    assert len(wallet.texts) == shown
    await page.unroute_all()
    await page.click(APPROVE)
    await has_decided(page, "approve")


async def test_a_signature_outlives_an_explorer_that_went_away_meanwhile(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, wallet = ada
    review = dashboard.report()
    page = await deciding(visit, review, "approve")
    shown, wallet.answer = len(wallet.texts), asyncio.Event()
    await page.click(APPROVE)
    await says(page, "[data-wallet-says]", "Look at your wallet")
    await until(lambda: len(wallet.texts) > shown)
    await page.route("**/healthz", lambda route: route.abort())
    wallet.answer.set()
    await says(page, "[data-wallet-says]", "The signature is kept too")
    assert (await page.input_value("#comment"), dashboard.show(review)["state"]) == ("a reason", "open")
    await page.unroute_all()
    await page.click(APPROVE)
    await has_decided(page, "approve")
    assert len(wallet.texts) == shown + 1


async def test_a_question_stays_on_the_page_while_the_explorer_is_away(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    page = await deciding(visit, review, "ask", "Whose is it?")
    await page.route("**/healthz", lambda route: route.abort())
    await page.click("button:text-is('Ask')")
    await says(page, "#deciding [data-says]", "Nothing was sent, and what you typed is kept")
    assert dashboard.show(review)["decisions"] == []
    await page.unroute_all()
    await page.click("button:text-is('Ask')")
    await says(page, "#conversation", "Whose is it?")
    assert [one["comment"] for one in dashboard.show(review)["decisions"]] == ["Whose is it?"]


async def test_a_withdrawal_elsewhere_is_called_one_and_leaves_what_was_typed(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    page = await deciding(visit, review, "reject", "half a reason")
    path = f"{dashboard.url}/reviews/{review['id']}/withdraw"
    assert ask(path, {"comment": "never mind"}, key=dashboard.cluster_key).status == 200
    await says(page, "#decided", "This was withdrawn while you were here.")
    await says(page, "#deciding-title", "What you wrote")
    for gone in ("pre.signed", "[data-paste]", REJECT):
        assert not await page.is_visible(gone), gone
    assert await page.input_value("#comment") == "half a reason"
    await page.reload()
    assert await visit.text("#deciding-title") == "What you wrote"
    assert "This was withdrawn while you were here." in await visit.text("#decided")
    await page.click("text=Only comment")
    await says(page, "#conversation", "half a reason")


async def test_escape_leaves_a_decision_and_the_reason_is_kept(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, _ = ada
    review = dashboard.report()
    page = await deciding(visit, review, "approve", "")
    await page.type("#comment", "kept")
    await page.keyboard.press("Escape")
    await page.wait_for_url(f"**/reviews/{review['id']}")
    assert await page.locator("#deciding").count() == 0
    await page.keyboard.press("r")
    await page.wait_for_selector("#deciding")
    assert await page.input_value("#comment") == "kept"
    assert dashboard.show(review)["decisions"] == []


async def test_a_decision_is_sent_from_its_reason_by_one_key(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, wallet = ada
    review = dashboard.report()
    page = await deciding(visit, review, "approve")
    await page.wait_for_selector(APPROVE)
    shown = len(wallet.texts)
    await page.press("#comment", "Control+Enter")
    await has_decided(page, "approve")
    assert len(wallet.texts) == shown + 1
    await page.keyboard.press("?")
    assert not await page.is_visible("#keyboard >> text=next row")


async def test_replacing_a_saved_view_is_the_first_choice_and_on_one_line(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    page = visit.page
    for query in ("state=open", "state=closed,open"):
        await visit.go(f"/reviews?{query.replace('closed', 'rejected')}")
        await page.click("summary:has-text('Filter')")
        await page.fill("#view-name", "mine")
        await page.click("button:text-is('Save this view')")
    save, replace = page.locator("button:text-is('Save this view')"), page.locator("button[name=replace]")
    boxes = [await one.bounding_box() for one in (save, replace)]
    assert all(box is not None for box in boxes)
    assert len({round(box["y"]) for box in boxes if box is not None}) == 1
    assert await save.get_attribute("class") == "quiet"
    assert await replace.get_attribute("class") is None
    await replace.click()
    await page.wait_for_selector(".views a[aria-current=page]:text-is('mine')")
