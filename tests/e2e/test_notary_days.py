"""What befalls notaries at an open page: signed out elsewhere, a restart, two wallets, a key in a file."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from explorer.signatures.verify import verify_record
from tests.e2e.browsing import Visit, has_decided, says, visiting
from tests.e2e.dashboard import Dashboard, Wallet, printed, sign_in
from tests.e2e.program import Filplus, program_with_demo_records
from tests.unit.signatures.builders import secret

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

PASSPHRASE = "correct horse battery staple"
AT_ONCE_S = 3.0
"""Far less than the fifteen seconds between heartbeats; the page itself may take a moment."""


async def visiting_as(browser: Browser, url: str, wallet: Wallet) -> AsyncIterator[Visit]:
    """A visit of the wallet's owner, signed in."""
    async for visit in visiting(browser, url):
        await wallet.put_into(visit.page)
        await sign_in(visit)
        yield visit


async def test_a_revoked_notarys_open_queue_says_so_at_once(browser: Browser, dashboard: Dashboard) -> None:
    wallet = Wallet(secret("revoked soon"))
    printed(await asyncio.to_thread(dashboard.program, "--json", "notary", "add", wallet.account, "--name", "Eve"))
    async for visit in visiting_as(browser, dashboard.url, wallet):
        await says(visit.page, "[data-live-state]", "Live Changes show by themselves.")
        printed(await asyncio.to_thread(dashboard.program, "--json", "notary", "revoke", wallet.account))
        await says(visit.page, "[data-live-state]", "You are no longer signed in.", seconds=AT_ONCE_S)


async def test_signing_out_everywhere_ends_what_is_open_elsewhere_at_once(
    ada: tuple[Visit, Wallet], browser: Browser, dashboard: Dashboard
) -> None:
    visit, wallet = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=ask")
    await says(visit.page, "[data-live-state]", "Live")
    await visit.page.fill("#comment", "half a question")
    await asyncio.sleep(1)  # two sign-ins within one second would sign the same text
    async for other in visiting_as(browser, dashboard.url, wallet):
        await other.go("/me")
        await other.page.click("text=Sign out everywhere")
        await says(visit.page, "[data-live-state]", "You are no longer signed in.", seconds=AT_ONCE_S)
    assert await visit.page.input_value("#comment") == "half a question"


IS_READ_FIRST = """() => {
  const text = document.querySelector("pre.signed"), button = document.querySelector("[data-wallet-list] button");
  return Boolean(text.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING)
    && text.getBoundingClientRect().bottom <= button.getBoundingClientRect().top;
}"""


async def test_the_text_comes_before_the_button_that_has_it_signed(
    ada: tuple[Visit, Wallet], dashboard: Dashboard
) -> None:
    visit, _ = ada
    review = dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    await visit.page.wait_for_selector("text=Approve with Test Wallet")
    assert await visit.page.evaluate(IS_READ_FIRST)


OTHER_WALLET = """() => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: {
  info: { uuid: "other", name: "Other Wallet", rdns: "test", icon: "" },
  provider: { request: async () => { window.otherAsked = true; return []; } } } }))"""


async def test_no_second_wallet_is_asked_while_one_is(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, wallet = ada
    page, review = visit.page, dashboard.report()
    await visit.go(f"/reviews/{review['id']}?decide=approve")
    await page.fill("#comment", "a reason")
    await page.evaluate(OTHER_WALLET)
    wallet.is_willing, wallet.answer = False, asyncio.Event()
    await page.click("text=Approve with Test Wallet")
    await says(page, "[data-wallet-says]", "Look at your wallet")
    await page.evaluate("document.querySelectorAll('[data-wallet-list] button').forEach((button) => button.click())")
    assert await page.locator("[data-wallet-list] button:disabled").count() == 2
    wallet.answer.set()
    await says(page, "[data-wallet-says]", "You said no in the wallet.")
    assert await page.locator("[data-wallet-list] button:enabled").count() == 2
    assert (len(wallet.texts), await page.evaluate("window.otherAsked")) == (len(set(wallet.texts)), None)
    wallet.is_willing = True
    await page.click("text=Approve with Test Wallet")
    await has_decided(page, "approve")


@contextmanager
def restartable() -> Iterator[Filplus]:
    """A program with records whose service answers at the same address each time."""
    with program_with_demo_records() as program, socket.create_server(("127.0.0.1", 0)) as free:
        address = "{}:{}".format(*free.getsockname())
        free.close()
        program.environment["FILPLUS_LISTEN"] = address
        yield program


async def test_a_restart_of_the_service_costs_an_open_page_nothing(browser: Browser) -> None:
    wallet = Wallet(secret("patient"))
    with restartable() as program:
        printed(program("--json", "notary", "add", wallet.account, "--name", "Pat"))
        key = printed(program("--json", "cluster", "add", "berlin"))["key"]
        async for visit in visiting(browser, "unknown yet"):
            await wallet.put_into(visit.page)
            with program.serving() as visit.base:
                dashboard = Dashboard(program, visit.base, key)
                review = dashboard.report()
                await sign_in(visit, f"/reviews/{review['id']}?decide=approve")
                await typed(visit.page)
            await says(visit.page, "[data-live-state]", "Not live since")
            await demand_typed(visit.page)
            with program.serving():
                await says(visit.page, "[data-live-state]", "Live Changes show by themselves.")
                await demand_typed(visit.page)
                await visit.page.click("text=Approve with Test Wallet")
                await has_decided(visit.page, "approve")
                assert dashboard.show(review)["decisions"][0]["comment"] == "half a reason"


async def typed(page: Page) -> None:
    """Types a reason into the live page, and marks it so that a reload would show."""
    await says(page, "[data-live-state]", "Live Changes show by themselves.")
    await page.fill("#comment", "half a reason")
    await page.evaluate("window.marked = document.querySelector('pre.signed').textContent")


async def demand_typed(page: Page) -> None:
    """Returns where the form is as it was left."""
    assert await page.input_value("#comment") == "half a reason"
    assert await page.evaluate("window.marked === document.querySelector('pre.signed').textContent")


@pytest.fixture
def key_file(dashboard: Dashboard, tmp_path: Path) -> tuple[Filplus, dict[str, Any]]:
    """The program with a passphrase, and a notary's key that it has sealed with it."""
    program = Filplus(dashboard.program.data_dir, FILPLUS_NOTARY_PASSPHRASE=PASSPHRASE)
    key = printed(program("--json", "notary", "keygen", "--key", str(tmp_path / "key.json")))
    printed(program("--json", "notary", "add", key["address"], "--name", "Flo"))
    return program, key


async def paste(page: Page, program: Filplus, key: dict[str, Any]) -> None:
    """Puts the page's text into `filplus notary sign`, and what that prints into the page."""
    text = str(await page.text_content("pre.signed"))
    done = await asyncio.to_thread(program, "notary", "sign", "-", "--key", key["file"], "--yes", stdin=text)
    assert done.returncode == 0, done.stderr
    await page.fill("#signature", done.stdout)


async def test_approving_with_a_key_file_and_without_javascript(
    browser: Browser, dashboard: Dashboard, key_file: tuple[Filplus, dict[str, Any]]
) -> None:
    program, key = key_file
    assert key["address"].startswith("f1")
    review = dashboard.report()
    async for visit in visiting(browser, dashboard.url, java_script_enabled=False):
        page = visit.page
        await visit.go(f"/reviews/{review['id']}?decide=approve")
        await page.fill("#address", key["address"])
        await page.click("text=Show the text")
        await paste(page, program, key)
        await page.click("button:has-text('Sign in')")
        assert page.url == f"{visit.base}/reviews/{review['id']}?decide=approve"
        await page.fill("#comment", "As it should be.")
        await paste(page, program, key)
        await page.click("button:text-is('Approve')")
        assert "You said approve" in await visit.text("#decided")
    [kept] = dashboard.show(review)["decisions"]
    assert (kept["notary"], kept["comment"]) == (key["address"], "As it should be.")
    verify_record(kept)


FACTS = """() => [...document.querySelectorAll(".log-table details")].map((one) => {
  one.open = true;
  const summary = one.querySelector("summary"), words = one.querySelector("dd");
  const names = [...one.querySelectorAll("dt")].map((name) => name.innerText).join();
  return [summary.innerText, names, words.innerText, words.clientWidth];
})"""


async def test_what_was_done_is_read_whole_on_a_telephone(ada: tuple[Visit, Wallet], dashboard: Dashboard) -> None:
    visit, wallet = ada
    dashboard.report()
    await visit.page.set_viewport_size({"width": 360, "height": 740})
    await visit.go("/audit")
    shown = await visit.page.evaluate(FACTS)
    assert any(summary == "asks for 1.00 TiB" and "publisher" in names for summary, names, _, _ in shown)
    assert not any("\u2026" in names for _, names, _, _ in shown)
    assert wallet.texts[-1] in [words for _, _, words, _ in shown], "the signed text, its lines apart"
    assert min(width for *_, width in shown) > 250
