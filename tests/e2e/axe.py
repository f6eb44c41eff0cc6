"""Pages judged by axe-core, as its wheel brings it."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

ALL: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},  # axe leaves it out unless asked by name
}
"""What WCAG 2.2 AA demands as far as a program can tell, and axe's good habits."""

COLOURS: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""The rules that the colour scheme can change the answer of."""

_REPEATED = ".operation ~ .operation, .fields > :nth-child(n+5), tbody tr:nth-child(n+5), .timeline li:nth-child(n+5)"
_THIN_OUT = "(repeated) => document.querySelectorAll(repeated).forEach((element) => element.remove())"
_RUN = """
async (options) => (await axe.run(document, { ...options, resultTypes: ["violations"], preload: false }))
  .violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id} (${rule.impact}) at ${node.target.join(" ")}: ${node.failureSummary.replace(/\\s+/g, " ")}`))
"""


async def violations(page: Page, rules: dict[str, Any]) -> list[str]:
    """What breaks the rules on a page as it looks now, a line each.

    Of what one template repeats only the first ones are kept on the page: axe takes half a minute for 20,000 elements.
    Scripts that the debugger brings aren't subject to the page's Content-Security-Policy, so that it stays as it is.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_THIN_OUT, _REPEATED)
        await page.evaluate(AXE_SCRIPT)
    return list(await page.evaluate(_RUN, rules))
