"""Open pages follow what happens, without being loaded again."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from explorer.demo.story import dump_path
from explorer.index.feed import FeedEvent
from explorer.web.app import make_app
from explorer.web.broadcast import Broadcast
from explorer.web.listening import answering
from explorer.web.ports import Document
from node.cid import match_key, parse_cid
from tests.clusters import open_folder
from tests.e2e.browsing import Visit, says, visiting
from tests.e2e.conftest import config_for
from tests.e2e.fake_index import ACTIVE, HEAD, NONE, RECORDS, FakeIndex, claim
from tests.e2e.program import Filplus
from tests.patience import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


class MovingIndex(FakeIndex):
    """An index whose head moves, and where a piece of which nothing is known can become FIL+."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = 0
        self.granted = False

    async def verdict(self, cid: str, **asked: Any) -> Document:
        found = await super().verdict(ACTIVE if self.granted and cid == NONE else cid, **asked)
        return {**found, "cid": cid, "canonical": cid}

    def _present(self) -> Document:
        return {**super()._present(), "epoch": HEAD + self.moved}

    def _as_of(self, epoch: int) -> Document:
        return super()._as_of(epoch + self.moved)


class Service:
    """A service that can be stopped and started again at its address, and its feed."""

    def __init__(self) -> None:
        self.index, self.feed = MovingIndex(), Broadcast()
        self.feed.begin([])
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://{}:{}".format(*self.socket.getsockname())
        self.number = 0

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        self.feed.closed = False
        app = make_app(self.index, config=config_for(self.index), broadcast=self.feed)
        async with answering(app, self.socket.dup()):
            yield

    async def is_left(self) -> None:
        """Returns once nobody watches."""
        await until(lambda: not self.feed.count())

    def tell(self, kind: str, cid: str | None = None) -> None:
        self.number += 1
        piece = None if cid is None else match_key(parse_cid(cid))
        keys = frozenset() if piece is None else frozenset({piece})
        self.feed.add([FeedEvent(self.number, datetime.now(UTC), kind, piece, {"epoch": HEAD}, keys)])


@pytest_asyncio.fixture(loop_scope="session")
async def service() -> AsyncIterator[Service]:
    made = Service()
    async with made.answering():
        yield made
    made.socket.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, service: Service) -> AsyncIterator[Visit]:
    async for made in visiting(browser, service.url):
        yield made
        assert made.complaints == []


async def opened(visit: Visit, path: str) -> Page:
    """The page, live, and marked so that a reload would show."""
    await visit.go(path)
    await says(visit.page, "[data-live-state]", "Live Changes show by themselves.")
    await visit.page.evaluate("window.marked = true")
    return visit.page


async def test_the_verdict_of_an_open_page_changes(service: Service, visit: Visit) -> None:
    page = await opened(visit, f"/cid/{NONE}")
    assert await visit.text(".verdict .tag.big") == "Not FIL+"
    service.index.granted = True
    service.tell("cid", NONE)
    await says(page, ".verdict .tag.big", "FIL+")
    await says(page, ".verdict h2", "FIL+ since 16 January 2024: 9 claims")
    assert "87884600" in await visit.text()
    assert await page.locator(".timeline svg rect").count() > 10
    assert (await page.title()).startswith("FIL+:")
    await says(page, "[data-live-state]", "The last one came at")
    assert "Changed. FIL+: FIL+ since" in str(await page.text_content("[data-announcer]"))
    assert await page.get_attribute("[data-announcer]", "aria-live") == "polite"
    assert await page.evaluate("window.marked")


async def test_other_pieces_change_nothing(service: Service, visit: Visit) -> None:
    await opened(visit, f"/cid/{NONE}")
    before = len(visit.requested)
    service.tell("cid", ACTIVE)
    await asyncio.sleep(0.5)
    assert len(visit.requested) == before


async def test_focus_scrolling_and_what_was_opened_stay(
    service: Service, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await opened(visit, f"/cid/{ACTIVE}")
    await page.set_viewport_size({"width": 1000, "height": 500})
    await page.focus("a[href='/claims/87884608'] >> nth=1")
    await page.evaluate("document.activeElement.scrollIntoView({block: 'center'})")
    before = await page.evaluate("document.activeElement.getBoundingClientRect().top")
    more = {**RECORDS[ACTIVE], "claims": [claim(-9, start=HEAD - 400_000), *RECORDS[ACTIVE]["claims"][1:]]}
    monkeypatch.setitem(RECORDS, ACTIVE, more)
    service.tell("cid", ACTIVE)
    await says(page, "main", "87884591")
    assert "87884600" not in await visit.text()
    assert await page.evaluate("document.activeElement.pathname") == "/claims/87884608"
    after = await page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert abs(after - before) < 60
    assert await page.evaluate("document.querySelectorAll('h1 ~ .copy').length") == 1
    assert await page.evaluate(
        "[...document.querySelectorAll('.code[data-copy]:not(h1)')].every((e) => e.querySelector('.copy'))"
    )


@pytest.mark.parametrize("path", ["/", "/status"])
async def test_the_epoch_of_the_first_and_the_status_page_moves(service: Service, visit: Visit, path: str) -> None:
    page = await opened(visit, path)
    if path == "/":
        await page.fill("input[name=q]", "half a CI")
    service.index.moved = 7
    service.tell("head")
    await says(page, "main", str(HEAD + 7))
    assert await page.text_content("[data-announcer]") == "", "a new epoch is not worth a word"
    assert await page.evaluate("window.marked")
    if path == "/":
        assert await page.input_value("input[name=q]") == "half a CI"
        assert await page.evaluate("document.activeElement.name") == "q"


async def test_the_epoch_of_a_verdict_moves_too(service: Service, visit: Visit) -> None:
    page = await opened(visit, f"/cid/{ACTIVE}")
    service.index.moved = 3
    service.tell("head")
    await says(page, ".asof", str(HEAD + 3))


@pytest.mark.parametrize("path", [f"/cid/{ACTIVE}/filplus?at_epoch=4500000", f"/cid/{ACTIVE}?at_epoch=4500000"])
async def test_a_permalink_is_not_live(visit: Visit, path: str) -> None:
    await visit.go(path)
    assert await visit.page.locator("[data-live-state]").is_hidden()
    assert [url for url in visit.requested if "/events" in url or "live." in url] == []


async def test_without_javascript_nothing_is_promised(browser: Browser, service: Service) -> None:
    async for visit in visiting(browser, service.url, java_script_enabled=False):
        await visit.go(f"/cid/{ACTIVE}")
        assert await visit.page.locator("[data-live-state]").is_hidden()


async def test_what_happened_between_the_page_and_its_stream_shows(service: Service, visit: Visit) -> None:
    service.tell("head")

    async def late(route: Any) -> None:
        service.index.granted = True
        service.tell("cid", NONE)
        await route.continue_()

    await visit.page.route("**/events?*", late)
    await visit.go(f"/cid/{NONE}")
    await says(visit.page, ".verdict h2", "9 claims")


async def test_a_page_says_when_it_is_not_live_and_catches_up(browser: Browser) -> None:
    service = Service()
    async for visit in visiting(browser, service.url):
        async with service.answering():
            page = await opened(visit, f"/cid/{NONE}")
            await page.evaluate("document.querySelector('a[href=\"/status\"]').focus()")
        await says(page, "[data-live-state]", "Not live since ")
        await says(page, "[data-live-state]", "UTC; reconnecting.")
        assert await page.text_content("[data-announcer]") == "Not live; reconnecting."
        service.index.granted = True
        service.tell("cid", NONE)
        async with service.answering():
            await says(page, ".verdict h2", "9 claims")
            await says(page, "[data-live-state]", "Live Changes show by themselves.")
            assert await page.evaluate("window.marked")
    service.socket.close()


async def test_a_database_that_is_away_is_said(service: Service, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.web.broadcast.AWAY_AFTER_S", 0.1)
    page = await opened(visit, "/status")
    service.feed.lose()
    await says(page, "[data-live-state]", "Not live since ")
    service.feed.begin([])
    await says(page, "[data-live-state]", "Live Changes show by themselves.")


HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def test_a_page_that_nobody_sees_holds_no_stream(service: Service, visit: Visit) -> None:
    page = await opened(visit, f"/cid/{NONE}")
    assert service.feed.count() == 1
    await page.evaluate(HIDE, True)
    await service.is_left()
    service.index.granted = True
    service.tell("cid", NONE)
    await page.evaluate(HIDE, False)
    await says(page, ".verdict h2", "9 claims")
    assert service.feed.count() == 1


async def test_more_evidence_is_not_live(service: Service, visit: Visit) -> None:
    await visit.go(f"/cid/{ACTIVE}/filplus?limit=4")
    await visit.page.click("text=More claims")
    assert await visit.page.locator("[data-live-state]").is_hidden()


PIECE = "baga6ea4seaqepbqg7dxrdphrvusy3pmc5lelcczwwi5nydduyog655wgnby4ijq"


async def test_an_import_beside_a_real_service_changes_an_open_page(browser: Browser) -> None:
    with open_folder() as folder:
        program = Filplus(folder / "data")
        with program.serving() as url:
            async for visit in visiting(browser, url):
                page = await opened(visit, f"/cid/{PIECE}")
                assert await visit.text(".verdict .tag.big") == "Not known"
                done = await asyncio.to_thread(program, "index", "import", dump_path("claims.json"))
                assert done.returncode == 0, done.stderr
                await says(page, ".verdict h2", "FIL+ since")
                assert await page.evaluate("window.marked")
                assert visit.complaints == []
