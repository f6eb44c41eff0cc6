"""Visits to pages in a real browser."""

from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser, Page

from tests.patience import PATIENCE_S


class Visit:
    """A page that remembers what it asked for and what it complained of."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.requested: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._heard(message.type, message.text))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    async def go(self, path: str) -> None:
        await self.page.goto(self.base + path)

    async def text(self, selector: str = "main") -> str:
        return await self.page.inner_text(selector)


async def visiting(browser: Browser, base: str, **options: Any) -> AsyncIterator[Visit]:
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(1000 * PATIENCE_S)
    yield Visit(await context.new_page(), base)
    await context.close()


async def says(page: Page, selector: str, words: str, *, seconds: float = PATIENCE_S) -> None:
    """Returns once an element says that."""
    await page.wait_for_function(
        "([selector, words]) => document.querySelector(selector)?.innerText.includes(words)",
        arg=[selector, words],
        timeout=seconds * 1000,
    )


async def has_decided(page: Page, decision: str) -> None:
    """Returns once the answer to a decision is there, with its scripts: an open page says it too, a moment before."""
    await page.wait_for_url("**#decided")
    await says(page, "#decided", f"You said {decision}")
