"""Notaries at work in a real browser: sign in, see, judge, decide; with a wallet, by keyboard, without JavaScript."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from explorer.signatures.verify import verify_record
from tests.e2e.browsing import Visit, has_decided, says, visiting
from tests.e2e.dashboard import FILPLUS_CID, Dashboard, Wallet, sign_in, visit_with_wallet
from tests.e2e.parties import ask, f1_sign
from tests.unit.signatures.builders import OTHER_F1, secret

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest_asyncio.fixture(loop_scope="session")
async def ben(browser: Browser, dashboard: Dashboard) -> AsyncIterator[Visit]:
    """A notary with an f1 key and no JavaScript, signed in by the form."""
    async for visit in visiting(browser, dashboard.url, java_script_enabled=False):
        await visit.go("/reviews")
        await visit.page.fill("#address", str(OTHER_F1))
        await visit.page.click("text=Show the text")
        await paste_signature(visit.page)
        await visit.page.click("button:has-text('Sign in')")
        assert visit.page.url == f"{visit.base}/reviews"
        yield visit


async def paste_signature(page: Page) -> None:
    """Signs the text that the page shows, and pastes the signature."""
    text = await page.inner_text("pre.signed")
    await page.fill("#signature", f" {f1_sign(secret('another notary'), text)} ")  # as it comes out of a terminal


async def decide(visit: Visit, review: dict[str, Any], decision: str, comment: str) -> None:
    """Goes to a review and decides with the wallet."""
    await visit.go(f"/reviews/{review['id']}")
    await visit.page.click(f".decide >> text={decision}")
    await visit.page.fill("#comment", comment)
    await visit.page.click(f"button:has-text('{decision} with Test Wallet')")
    await has_decided(visit.page, decision.lower())


async def test_a_notary_is_led_to_sign_in_and_back(browser: Browser, dashboard: Dashboard) -> None:
    review = dashboard.report()
    async with visit_with_wallet(browser, dashboard.url) as (visit, wallet):
        await visit.go(f"/reviews/{review['id']}")
        assert "/sign-in?next=" in visit.page.url
        await visit.page.click("text=Sign in with Test Wallet")
        await visit.page.wait_for_url(f"**/reviews/{review['id']}")
        assert wallet.account in wallet.texts[0]
        assert await visit.text(".who a") == "Ada"
        [cookie] = await visit.page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        await visit.page.click("text=Sign out")
        await visit.page.wait_for_url(f"{visit.base}/")
        await visit.go("/reviews")
        assert "/sign-in" in visit.page.url


async def test_a_link_in_an_alert_from_elsewhere_leads_there_at_once(ada: tuple[Visit, Wallet]) -> None:
    """From another site the browser keeps the cookie back at first."""
    visit, _ = ada
    await visit.page.goto("data:text/html,<a href='" + visit.base + "/reviews?state=open'>the alert</a>")
    await visit.page.click("text=the alert")
    await visit.page.wait_for_url(f"{visit.base}/reviews?state=open")
    assert await visit.text(".who a") == "Ada"
    visit.requested = [url for url in visit.requested if not url.startswith("data:")]


async def test_an_old_wallet_works_and_a_refusal_is_no_failure(browser: Browser, dashboard: Dashboard) -> None:
    async with visit_with_wallet(browser, dashboard.url, legacy=True) as (visit, wallet):
        await visit.go("/reviews")
        wallet.is_willing = False
        await visit.page.click("text=Sign in with this browser\u2019s wallet")
        await says(visit.page, "[data-wallet-says]", "You said no in the wallet.")
        wallet.is_willing = True
        await visit.page.click("text=Sign in with this browser\u2019s wallet")
        await visit.page.wait_for_url(f"{visit.base}/reviews")


async def test_who_is_no_notary_is_told_so(browser: Browser, dashboard: Dashboard) -> None:
    async for visit in visiting(browser, dashboard.url):
        await Wallet(secret("somebody else")).put_into(visit.page)
        await visit.go("/sign-in")
        await visit.page.click("text=Sign in with Test Wallet")
        await says(visit.page, "[data-wallet-says]", "isn't a notary here")
        assert "/sign-in" in visit.page.url


async def test_approving_with_the_wallet(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, wallet = ada
    review = dashboard.report()
    await decide(visit, review, "Approve", "Open climate data, four copies.")
    text = await visit.text(".judge")
    assert "Approved, waits for DataCap. This version grants none yet" in text
    assert "I approve a grant of 1099511627776 bytes (1 TiB)" in wallet.texts[-1]
    kept = dashboard.show(review)
    verify_record(kept["decisions"][0])
    assert (kept["state"], kept["decisions"][0]["comment"]) == ("approved", "Open climate data, four copies.")


async def test_the_wallet_signs_exactly_what_the_page_shows(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, wallet = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=reject")
    shown = await visit.page.text_content("pre.signed")
    await visit.page.fill("#comment", "Too many copies.")
    await visit.page.click("text=Reject with Test Wallet")
    await has_decided(visit.page, "reject")
    assert wallet.texts[-1] == shown
    assert dashboard.show(review)["state"] == "rejected"


async def test_asking_keeps_the_review_open_and_the_answer_shows(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}")
    await visit.page.click(".decide >> text=Ask")
    await visit.page.fill("#comment", "Who else stores this?")
    await visit.page.click("button:text-is('Ask')")
    await says(visit.page, "#conversation", "Who else stores this?")
    assert "waits for an answer to a notary's question" in await visit.text(".title")
    mine = f"section[aria-labelledby=mine-title] a[href$='{review['id']}']"
    await visit.go("/reviews")
    await visit.page.wait_for_selector(f"section[aria-labelledby=asked-title] a[href$='{review['id']}']")
    assert await visit.page.query_selector(mine) is None
    path = f"{dashboard.url}/reviews/{review['id']}/comments"
    assert ask(path, {"comment": "Nobody yet."}, key=dashboard.cluster_key).status == 200
    await visit.page.wait_for_selector(mine)  # the page is live
    await visit.go(f"/reviews/{review['id']}")
    await says(visit.page, "#conversation", "Nobody yet.")
    assert dashboard.show(review)["state"] == "open"


async def test_by_keyboard_alone_from_the_queue_to_the_decision_and_the_next(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review, following = dashboard.report(), dashboard.report()
    await visit.go("/reviews?state=open")
    keys = visit.page.keyboard
    await keys.press("j")
    await keys.press("j")
    await keys.press("Enter")
    await visit.page.wait_for_url(f"**/reviews/{review['id']}")
    await keys.press("a")
    await visit.page.wait_for_url("**decide=approve*")
    await visit.page.wait_for_selector("text=Approve with Test Wallet")
    assert await visit.page.evaluate("document.activeElement.id") == "comment"
    await keys.type("As it should be: a, r and ? are letters here.")
    for _ in range(8):
        await keys.press("Tab")
        if await visit.page.evaluate("document.activeElement.textContent") == "Approve with Test Wallet":
            break
    await keys.press("Enter")
    await has_decided(visit.page, "approve")
    assert dashboard.show(review)["state"] == "approved"
    await keys.press("?")
    await visit.page.wait_for_selector("dialog")
    await keys.press("Escape")
    await visit.page.wait_for_selector("dialog", state="hidden")
    await keys.press("n")
    await visit.page.wait_for_url(f"**/reviews/{following['id']}")


async def test_rejecting_by_key_opens_the_form(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}")
    await visit.page.keyboard.press("r")
    await visit.page.wait_for_url("**decide=reject*")
    assert await visit.text("#deciding-title") == "Reject this"


async def test_without_javascript_one_signs_elsewhere(ben: Visit, dashboard: Dashboard) -> None:
    review = dashboard.report()
    await ben.go("/reviews")
    await ben.page.click(f"a[href='/reviews/{review['id']}']")
    for words in ("regrid", "ghcr.io/example/regrid:2.1", "FIL+ since", "grid 0.25\u00b0 written", "exit code 0"):
        assert words in await ben.page.text_content("main")
    assert "\x1b" not in await ben.page.content()
    await ben.page.click(".decide >> text=Approve")
    await ben.page.fill("#comment", "Two lines,\nand umlauts: \u00e4\u00f6\u00fc.")
    await paste_signature(ben.page)
    await ben.page.click("button:text-is('Approve')")
    assert ben.page.url == f"{ben.base}/reviews/{review['id']}#decided"
    assert "You said approve" in await ben.text("#decided")
    [kept] = dashboard.show(review)["decisions"]
    assert kept["comment"] == "Two lines,\nand umlauts: \u00e4\u00f6\u00fc."
    verify_record(kept)


async def test_without_javascript_one_asks_and_comments(ben: Visit, dashboard: Dashboard) -> None:
    review = dashboard.report()
    await ben.go(f"/reviews/{review['id']}?decide=ask")
    await ben.page.fill("#comment", "How many copies?")
    await ben.page.click("button:text-is('Ask')")
    await ben.page.fill("#remark", "Never mind.")
    await ben.page.click("button:text-is('Comment')")
    assert ben.page.url.endswith("#said")
    assert await ben.page.locator(".words").all_inner_texts() == ["How many copies?", "Never mind."]


async def test_a_wrong_signature_gives_everything_back(ben: Visit, dashboard: Dashboard) -> None:
    review = dashboard.report()
    await ben.go(f"/reviews/{review['id']}?decide=approve")
    shown = await ben.page.text_content("pre.signed")
    await ben.page.fill("#comment", "A reason, <b>kept</b>.")
    await ben.page.fill("#signature", "01abcd")
    await ben.page.click("button:text-is('Approve')")
    assert "The signature is not taken" in await ben.text("[role=alert]")
    assert await ben.page.input_value("#comment") == "A reason, <b>kept</b>."
    assert await ben.page.input_value("#signature") == "01abcd"
    assert await ben.page.text_content("pre.signed") == shown
    await paste_signature(ben.page)
    await ben.page.click("button:text-is('Approve')")
    assert dashboard.show(review)["state"] == "approved"


async def test_a_decision_without_a_reason_is_asked_for_one(ben: Visit, dashboard: Dashboard) -> None:
    review = dashboard.report()
    await ben.go(f"/reviews/{review['id']}?decide=reject")
    await ben.page.fill("#comment", "   ")
    await paste_signature(ben.page)
    await ben.page.click("button:text-is('Reject')")
    assert "Say in a sentence why" in await ben.text("[role=alert]")
    assert dashboard.show(review)["state"] == "open"


async def test_what_can_not_be_approved_says_why_before_anybody_signs(ben: Visit, dashboard: Dashboard) -> None:
    review = dashboard.report(proven=False)
    await ben.go(f"/reviews/{review['id']}?decide=approve")
    assert "Nobody has proved yet to hold the publisher's address" in await ben.text("#deciding")
    assert await ben.page.locator("pre.signed").count() == 0


UNSEEN = "\u200b\u200b"


async def test_a_decision_elsewhere_shows_and_what_was_typed_stays(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    await says(visit.page, "[data-live-state]", "Live")
    await visit.page.fill("#comment", "half a sent")
    shown = await visit.page.text_content("pre.signed")
    assert dashboard.decide_elsewhere(review, "reject").status == 200
    await says(visit.page, "#decided", "This was decided while you were here")
    await says(visit.page, "#decided", "Rejected by Ben.")
    assert await visit.page.input_value("#comment") == "half a sent"
    assert await visit.page.evaluate("document.activeElement.id") == "comment"
    assert await visit.page.text_content("pre.signed") == shown
    assert await visit.page.is_disabled("text=Approve with Test Wallet")
    await visit.page.click("text=Only comment")
    await says(visit.page, "#conversation", "half a sent")
    assert dashboard.show(review)["comments"][-1]["comment"] == "half a sent"


async def test_a_review_that_was_opened_anew_asks_for_a_new_text(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    page, review = visit.page, dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    await says(page, "[data-live-state]", "Live")
    await page.fill("#comment", "   ")
    await page.click("text=Approve with Test Wallet")
    assert await page.evaluate("document.getElementById('comment').validationMessage") == "Say in a sentence why."
    await page.fill("#comment", "half a sent")
    for what in ("withdraw", "reopen"):
        path = f"{dashboard.url}/reviews/{review['id']}/{what}"
        assert ask(path, {"comment": "once more"}, key=dashboard.cluster_key).status == 200
    await says(page, "#deciding", "The review was opened anew")
    assert await page.is_disabled("text=Approve with Test Wallet")
    await page.click("text=Take a new text to sign")
    await page.wait_for_selector("text=Approve with Test Wallet")
    assert await page.input_value("#comment") == "half a sent"
    await page.click("text=Approve with Test Wallet")
    await has_decided(page, "approve")


ANNOUNCE = """
([uuid, name]) => dispatchEvent(new CustomEvent("eip6963:announceProvider", {
  detail: { info: { uuid, name, rdns: "test", icon: "" }, provider: { request: async () => [] } } }))
"""
TEST_WALLET = "350670db-19fa-4704-a166-e52e178b59d2"


async def test_a_wallet_that_announces_itself_late_or_again_disturbs_nothing(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, wallet = ada
    review = dashboard.report()
    page, button = visit.page, "button:has-text('Approve with Test Wallet')"
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    await says(page, "[data-live-state]", "Live")
    await page.fill("#comment", "a reason")
    await page.click("summary:has-text('Paste a signature')")
    await page.focus("#signature")
    await page.evaluate(ANNOUNCE, [TEST_WALLET, "Test Wallet"])
    await page.evaluate(ANNOUNCE, ["late", "Late Wallet"])
    assert await page.locator("[data-wallet-list] button").all_inner_texts() == [
        "Approve with Test Wallet", "Approve with Late Wallet"]  # fmt: skip
    assert await page.evaluate("[document.activeElement.id, document.querySelector('[data-paste]').open]") == [
        "signature", True]  # fmt: skip
    wallet.answer = asyncio.Event()
    await page.click(button)
    await says(page, "[data-wallet-says]", "Look at your wallet")
    await page.evaluate(ANNOUNCE, [TEST_WALLET, "Test Wallet"])
    await page.evaluate(ANNOUNCE, ["later", "Later Wallet"])
    assert await page.is_disabled(button)
    assert dashboard.decide_elsewhere(review, "reject").status == 200
    await says(page, "#decided", "This was decided while you were here")
    wallet.answer.set()
    await says(page, "[data-wallet-says]", "This was decided while your wallet was open: nothing was sent.")
    await page.evaluate(ANNOUNCE, ["last", "Last Wallet"])
    assert await page.locator("[data-wallet-list] button:enabled").count() == 0
    assert page.url.endswith("?decide=approve")
    assert await page.input_value("#comment") == "a reason"
    await page.click("text=Only comment")
    await says(page, "#conversation", "a reason")
    assert [one["decision"] for one in dashboard.show(review)["decisions"]] == ["reject"]


async def test_a_comment_that_was_refused_stays_when_the_page_is_renewed(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}")
    await visit.page.fill("#remark", UNSEEN)
    await visit.page.click("button:text-is('Comment')")
    await says(visit.page, "[role=alert]", "says nothing that can be seen")
    await says(visit.page, "[data-live-state]", "Live")
    path = f"{dashboard.url}/reviews/{review['id']}/comments"
    ask(path, {"comment": "Something happens."}, key=dashboard.cluster_key)
    await says(visit.page, "#conversation", "Something happens.")
    assert await visit.page.input_value("#remark") == UNSEEN
    assert "says nothing that can be seen" in await visit.text("[role=alert]")


async def test_other_changes_leave_the_form_alone(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    await says(visit.page, "[data-live-state]", "Live")
    await visit.page.fill("#comment", "still typing")
    await visit.page.fill("#remark", "and here")
    shown = await visit.page.text_content("pre.signed")
    path = f"{dashboard.url}/reviews/{review['id']}/comments"
    ask(path, {"comment": "One more thing."}, key=dashboard.cluster_key)
    await says(visit.page, "#conversation", "One more thing.")
    assert await visit.page.input_value("#comment") == "still typing"
    assert await visit.page.input_value("#remark") == "and here"
    assert await visit.page.text_content("pre.signed") == shown
    await visit.page.click("text=Approve with Test Wallet")
    await has_decided(visit.page, "approve")


async def test_a_session_that_ends_in_mid_decision_loses_nothing(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=ask")
    await visit.page.fill("#comment", "a long question")
    await visit.page.context.clear_cookies()
    await visit.page.click("button:text-is('Ask')")
    await says(visit.page, "h1", "You are no longer signed in")
    assert await visit.page.input_value("#typed") == "a long question"
    await visit.page.click("text=Sign in again")
    await visit.page.click("text=Sign in with Test Wallet")
    await visit.page.wait_for_url("**decide=ask*")
    assert await visit.page.input_value("#comment") == "a long question"
    await visit.page.click("button:text-is('Ask')")
    await says(visit.page, "#conversation", "a long question")
    await visit.page.fill("#remark", "and another thing")
    await visit.page.reload()
    assert await visit.page.input_value("#remark") == "and another thing", "only what was sent is no draft any more"
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    assert await visit.page.input_value("#comment") == "", "what was sent is no draft any more"
    await visit.page.fill("#comment", "a second thought")
    await visit.go(f"/reviews/{review['id']}#decided")
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    assert await visit.page.input_value("#comment") == "a second thought"


async def test_a_signed_decision_counts_though_the_session_ended(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    await visit.page.fill("#comment", "just in time")
    await visit.page.context.clear_cookies()
    await visit.page.click("text=Approve with Test Wallet")
    await says(visit.page, "main", "You said approve, and it counts")
    assert dashboard.show(review)["state"] == "approved"


async def test_an_open_page_of_one_who_signed_out_says_so_and_keeps_what_was_typed(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.page.clock.install()
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    await says(visit.page, "[data-live-state]", "Live")
    await visit.page.fill("#comment", "not lost")
    await visit.page.route("**/reviews/*", lambda route: route.abort())
    path = f"{dashboard.url}/reviews/{review['id']}/comments"
    ask(path, {"comment": "Something happens."}, key=dashboard.cluster_key)
    await says(visit.page, "[data-live-state]", "reconnecting")  # and will ask for the page again in three seconds
    await visit.page.unroute_all()
    await visit.page.context.clear_cookies()
    await visit.page.evaluate("dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'))")
    await says(visit.page, "[data-live-state]", "You are no longer signed in.")
    visit.requested.clear()
    await visit.page.clock.fast_forward(30_000)
    await visit.page.evaluate("fetch('/static/icon.svg')")
    assert [url for url in visit.requested if "/reviews/" in url] == [], "who is signed out asks no more"
    assert await visit.page.input_value("#comment") == "not lost"
    await visit.page.click("text=sign in again")
    await visit.page.click("text=Sign in with Test Wallet")
    await visit.page.wait_for_url("**decide=approve*")
    assert await visit.page.input_value("#comment") == "not lost"


async def test_the_queue_fills_and_empties_by_itself(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, _ = ada
    await visit.go("/reviews")
    await says(visit.page, "[data-live-state]", "Live")
    await visit.page.evaluate("window.marked = true")
    review = dashboard.report()
    row = f"[aria-labelledby=mine-title] a[href='/reviews/{review['id']}']"
    await visit.page.wait_for_selector(row)
    count = int(re.findall(r"^\((\d+)\)", await visit.page.title())[0])
    assert f"{count} review" in await visit.text("h1")
    dashboard.decide_elsewhere(review, "reject")
    await visit.page.wait_for_selector(row, state="detached")
    assert await visit.page.evaluate("window.marked")
    await visit.page.wait_for_selector(f"[aria-labelledby=others-title] a[href='/reviews/{review['id']}']")


async def test_filters_are_in_the_address_and_negate(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, _ = ada
    closed, waiting = dashboard.report(), dashboard.report()
    dashboard.decide_elsewhere(closed, "reject")
    await visit.go("/reviews")
    await visit.page.click("text=Filter")
    await visit.page.fill("#state", "!open")
    await visit.page.click("button:text-is('Show')")
    await visit.page.wait_for_url(f"{visit.base}/reviews?state=!open")
    links = await visit.page.eval_on_selector_all("a[data-row]", "links => links.map(link => link.pathname)")
    assert f"/reviews/{closed['id']}" in links
    assert f"/reviews/{waiting['id']}" not in links
    await visit.page.click("text=Filter")
    await visit.page.fill("#view-name", "What is closed")
    await visit.page.click("text=Save this view")
    await visit.page.wait_for_selector(".views a[aria-current=page]:text-is('What is closed')")
    await visit.go("/views")
    await visit.page.click("button:has-text('Remove')")
    await says(visit.page, "main", "None yet")
    await visit.go("/reviews?cluster=!berlin")
    assert "No review is as you asked" in await visit.text()


async def test_a_notary_sees_no_review_of_its_own_among_those_that_wait(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, wallet = ada
    own = dashboard.report(publisher=str(wallet.address), proven=False)
    await visit.go("/reviews")
    assert await visit.page.locator(f"[aria-labelledby=mine-title] a[href='/reviews/{own['id']}']").count() == 0
    assert await visit.page.locator(f"[aria-labelledby=others-title] a[href='/reviews/{own['id']}']").count() == 1


EVIL = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}</textarea></pre>\u202ejavascript:alert(1)\x1b[31m"
)
CORPUS = [
    EVIL,
    "<svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<style>*{display:none}</style>",
    "<form action=https://evil.example><button>Approve</button></form>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "' autofocus onfocus=alert(1) x='",
]
FOREIGN = """
() => [...document.querySelectorAll('script:not([src^="/static/"]), img, iframe, base, style, object, embed, ' +
  'meta[http-equiv], [onerror], [onload], [onfocus], [onclick], form[action^="http"],' +
  'a[href^="javascript"]')].map((e) => e.outerHTML)
"""


@pytest.mark.parametrize("evil", CORPUS)
async def test_nothing_that_a_cluster_writes_becomes_part_of_a_page(
    ada: tuple[Visit, Wallet], dashboard: Dashboard, evil: str
) -> None:
    visit, _ = ada
    job = {"Name": evil, "Type": evil, "Labels": {evil: evil}, evil: [evil], "Tasks": [
        {"Name": evil, "Engine": {"Type": evil, "Params": {"Image": evil, "Parameters": [evil]}},
         "InputSources": [{"Source": {"Type": evil, "Params": {"CID": evil}}, "Target": evil}],
         "ResultPaths": [{"Path": evil}], "Publisher": {"Type": evil}, "Resources": {evil: evil},
         "Network": {"Type": evil, "Domains": [evil]}}]}  # fmt: skip
    results = {"outputs": [{"cid": FILPLUS_CID}], "exit_code": 1, "log_tail": evil}
    job_id = re.sub(r"[\x00-\x1f]", "", evil)[:100] + str(dashboard.number)
    review = dashboard.report(job=job, job_id=job_id, results=results, proven=False)
    path = f"/reviews/{review['id']}"
    ask(f"{dashboard.url}{path}/comments", {"comment": evil}, key=dashboard.cluster_key)
    for shown in (path, f"{path}?decide=reject", "/reviews?state=open", f"/audit?subject={review['id']}"):
        answer = await visit.page.goto(visit.base + shown)
        assert answer is not None
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert await visit.page.evaluate(FOREIGN) == [], shown
        assert "\u202e" not in await visit.page.content()
        assert visit.page.url == visit.base + shown
    await visit.page.fill("input[name=actor]", "x")
    assert dashboard.show(review)["state"] == "open"


async def test_no_other_page_frames_or_posts(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, _ = ada
    review = dashboard.report()
    answer = await visit.page.goto(f"{visit.base}/reviews/{review['id']}")
    assert answer is not None
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "private, no-store"
    posted = await visit.page.context.request.post(
        f"{visit.base}/reviews/{review['id']}",
        form={"action": "comment", "comment": "forged"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert posted.status == 403
    assert dashboard.show(review)["comments"] == []


async def test_a_job_of_a_megabyte_is_shown_capped(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, _ = ada
    review = dashboard.report(job={"Name": "large", "x": ["\u202ey" * 50] * 5_150})
    assert len(json.dumps({"x": ["\u202ey" * 50] * 5_150}, ensure_ascii=False).encode()) > 1_000_000
    await visit.go(f"/reviews/{review['id']}")
    assert "more: the whole as JSON" in re.sub(r"\s+", " ", str(await visit.page.text_content("main")))
    assert len(await visit.page.content()) < 2_000_000


async def test_many_notaries_may_look_while_one_decides(browser: Browser, dashboard: Dashboard) -> None:
    """Two open pages of one review: one decides, the other shows it."""
    review = dashboard.report()
    async with (
        visit_with_wallet(browser, dashboard.url) as (first, _),
        visit_with_wallet(browser, dashboard.url) as (second, _),
    ):
        await sign_in(first)
        await asyncio.sleep(1)  # two sign-ins within one second would sign the same text
        await sign_in(second)
        await second.go(f"/reviews/{review['id']}")
        await says(second.page, "[data-live-state]", "Live")
        await decide(first, review, "Approve", "first")
        await says(second.page, "#decided", "Approved, waits for DataCap.")
        assert await second.page.locator(".decide").count() == 0
