"""What has to hold on every page: for axe, at every width, in both schemes, without JavaScript, from one origin."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route

from explorer.web.buckets import Rate
from explorer.web.config import Limits
from explorer.web.contract import Contract
from tests.e2e.axe import ALL, COLOURS, violations
from tests.e2e.browsing import Visit, visiting
from tests.e2e.conftest import config_for, serving
from tests.e2e.dashboard import Dashboard, sign_in, visit_with_wallet
from tests.e2e.every_page import (
    EVERY,
    INDEX,
    NOTARY,
    PARTIES,
    PROBLEM,
    RETIRED,
    STRANGER,
    TROUBLED,
    Shown,
    report_reviews,
)
from tests.e2e.fake_index import FakeIndex
from tests.e2e.parties import f1_sign
from tests.unit.signatures.builders import OTHER_F1, secret

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

LOOKS = ((1440, "light", ALL), (1440, "dark", COLOURS), (360, "light", COLOURS), (360, "dark", ALL))
WIDTHS = (360, 768, 1024, 1440, 1920)
WITHOUT_REVIEWS = {"index": INDEX, "retired": RETIRED, "parties": PARTIES}
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
SPARE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WITHOUT_ROLE = """[...document.querySelectorAll('table, thead, tbody, tr, th, td')]
  .filter((element) => !element.hasAttribute('role')).map((element) => element.outerHTML.slice(0, 80))"""
TWICE = "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, n, all) => all.indexOf(id) !== n)"
DANGLING = """[...document.querySelectorAll('[aria-labelledby]')].map(e => e.getAttribute('aria-labelledby'))
  .filter(id => !document.getElementById(id))"""


@pytest.fixture(scope="module")
def reviews(dashboard: Dashboard) -> dict[str, str]:
    """The ids of the reviews that pages are about, by their names in addresses."""
    return report_reviews(dashboard)


@pytest_asyncio.fixture(loop_scope="session")
async def troubled(browser: Browser) -> AsyncIterator[Visit]:
    """A visit to a service in trouble, by a browser with an old cookie."""
    index = FakeIndex()
    index.down = True
    limits = Limits(stranger_rate=Rate(burst=0, per_minute=1))
    async with serving(index, replace(config_for(index), limits=limits)) as url:
        async for visit in visiting(browser, url, extra_http_headers={"Cookie": "filplus-session=of-old"}):
            await visit.page.route("**/events", only_pages)
            yield visit


async def only_pages(route: Route) -> None:
    """Has the browser say that it takes pages and nothing else."""
    await route.continue_(headers={**route.request.headers, "accept": "text/html"})


@pytest.fixture(scope="module")
def urls(server_url: str, retired_url: str, party_url: str) -> dict[str, str]:
    """The addresses of the services without reviews."""
    return {"index": server_url, "retired": retired_url, "parties": party_url}


async def test_every_route_with_a_page_is_in_the_list() -> None:
    contract = Contract.load(public_url="http://filplus.test", version="0.0.0")
    with_page = {one.operation_id for one in contract.operations.values() if one.has_page}
    assert with_page == {shown.operation for shown in EVERY} - {PROBLEM}


@pytest.mark.parametrize("service", WITHOUT_REVIEWS)
async def test_pages_keep_the_rules(browser: Browser, urls: dict[str, str], service: str) -> None:
    async for visit in visiting(browser, urls[service]):
        await judge(visit, WITHOUT_REVIEWS[service], {})


async def test_pages_of_reviews_keep_the_rules(browser: Browser, dashboard: Dashboard, reviews: dict[str, str]) -> None:
    async with visit_with_wallet(browser, dashboard.url) as (visit, _):
        await judge(visit, STRANGER, reviews)
        await sign_in(visit)
        await judge(visit, NOTARY, reviews)
        await visit.go(f"/reviews/{reviews['open']}")
        await visit.page.keyboard.press("?")
        await visit.page.wait_for_selector("dialog[open] >> text=ask a question")
        assert await faults_of(visit, "help") == []
        await send_nowhere(visit, reviews)
        assert await faults_of(visit, "a refused form") == []
        await lose_session(visit, reviews)
        assert await faults_of(visit, "signed out") == []


async def test_pages_of_a_service_in_trouble_keep_the_rules(troubled: Visit) -> None:
    await judge(troubled, TROUBLED, {})
    await read_each(troubled, TROUBLED, {})


@pytest.mark.parametrize("service", WITHOUT_REVIEWS)
async def test_pages_read_without_javascript(browser: Browser, urls: dict[str, str], service: str) -> None:
    async for visit in visiting(browser, urls[service], java_script_enabled=False):
        await read(visit, WITHOUT_REVIEWS[service], {})


async def test_pages_of_reviews_read_without_javascript(
    browser: Browser, dashboard: Dashboard, reviews: dict[str, str]
) -> None:
    async for visit in visiting(browser, dashboard.url, java_script_enabled=False):
        await read(visit, STRANGER, reviews)
        await sign_in_by_form(visit)
        await read(visit, NOTARY, reviews)
        await lose_session(visit, reviews)
        assert await visit.page.input_value("#typed") == "half a question"


async def judge(visit: Visit, pages: Iterable[Shown], names: Mapping[str, str]) -> None:
    """Goes to each page, and fails with everything that is wrong with any of them."""
    faults = []
    for shown in pages:
        await visit.go(shown.path.format_map(names))
        faults += await faults_of(visit, shown.path)
    assert faults == []
    assert visit.complaints == []
    assert foreign(visit) == []


async def faults_of(visit: Visit, name: str) -> list[str]:
    """What is wrong with the page that is open."""
    page, found = visit.page, []
    await page.evaluate(OPEN_ALL)
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        if spare := await page.evaluate(SPARE):
            found.append(f"{name} {width}: scrolls sideways by {spare} px")
    if twice := await page.evaluate(TWICE):
        found.append(f"{name}: ids that are there twice: {twice}")
    if bare := await page.evaluate(WITHOUT_ROLE):
        found.append(f"{name}: parts of tables that are none where tables become cards: {bare}")
    if dangling := await page.evaluate(DANGLING):
        found.append(f"{name}: named after what isn't there: {dangling}")
    if (count := await page.locator("h1").count()) != 1:
        found.append(f"{name}: {count} main headings")
    for width, scheme, rules in LOOKS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [f"{name} {width} {scheme}: {fault}" for fault in await violations(page, rules)]
    return found


async def read(visit: Visit, pages: Iterable[Shown], names: Mapping[str, str]) -> None:
    """Goes to each page, whose heading and content have to stand there."""
    await read_each(visit, pages, names)
    assert [url for url in visit.requested if "/events" in url or ".js" in url] == []
    assert foreign(visit) == []


async def read_each(visit: Visit, pages: Iterable[Shown], names: Mapping[str, str]) -> None:
    """Goes to each page, and finds its words."""
    for shown in pages:
        await visit.go(shown.path.format_map(names))
        assert shown.heading in str(await visit.page.text_content("h1")), shown.path
        assert shown.says in " ".join((await visit.text()).split()), shown.path


def foreign(visit: Visit) -> list[str]:
    """What was asked of somebody else."""
    return [url for url in visit.requested if not url.startswith(visit.base)]


async def lose_session(visit: Visit, reviews: Mapping[str, str]) -> None:
    """Sends a question after the session ended."""
    await visit.go(f"/reviews/{reviews['open']}?decide=ask")
    await visit.page.fill("#comment", "half a question")
    await visit.page.context.clear_cookies()
    await visit.page.click("button:text-is('Ask')")
    await visit.page.wait_for_selector("h1:has-text('You are no longer signed in')")


async def send_nowhere(visit: Visit, reviews: Mapping[str, str]) -> None:
    """Sends a question to where nothing takes it; the page gives it back."""
    await visit.go(f"/reviews/{reviews['open']}?decide=ask")
    await visit.page.fill("#comment", "half a question")
    await visit.page.evaluate("document.querySelector('form[data-deciding]').action = '/nowhere'")
    await visit.page.click("button:text-is('Ask')")
    await visit.page.wait_for_selector("h1:text-is('Nothing here')")
    assert await visit.page.input_value("#written") == "half a question"


async def sign_in_by_form(visit: Visit) -> None:
    """Signs in as Ben, whose key is elsewhere."""
    await visit.go(f"/sign-in?address={OTHER_F1}")
    await visit.page.fill("#signature", f1_sign(secret("another notary"), await visit.text("pre.signed")))
    await visit.page.click("button:has-text('Sign in')")
    assert await visit.text(".who a") == "Ben"
