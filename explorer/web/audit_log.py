"""`GET /audit`: what was done, by whom, for notaries and operators. As JSON, or as the lines that an export has."""

import json
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from explorer.audit.chain import Head
from explorer.audit.reading import Page, Wanted
from explorer.web import asking
from explorer.web.audit_page import audit_page
from explorer.web.caching import NO_STORE, cacheable
from explorer.web.headers import timed
from explorer.web.keys import AUDIT
from explorer.web.negotiation import HTML, NDJSON, representation
from explorer.web.notary_view import given, without_empty
from explorer.web.problems import Problem
from explorer.web.reviews import actor_of


async def get_audit(request: web.Request) -> web.StreamResponse:
    """`GET /audit`. The head's hash is in both representations: noted elsewhere, it shows later that nothing went."""
    wants = representation(request, NDJSON)
    asked = given(asking.read_request(request, "getAudit"))
    if wants == HTML and (tidied := without_empty(request)) is not None:
        raise web.HTTPSeeOther(tidied)
    service = request.app[AUDIT]
    if service is None:
        raise Problem("database_unavailable", "This service has no database with a log.")
    with timed(request, "database"):
        page, head = await service.page(_wanted(asked))
    following = None if page.next_cursor is None else _next_address(asked, page.next_cursor)
    if wants == HTML:
        return audit_page(request, actor_of(request), asked, page, head, following)
    headers = {} if head is None else {"Filplus-Audit-Head": f'seq={head.seq}, hash="{head.hash}"'}
    if following is not None:
        headers["Link"] = f'<{following}>; rel="next"'
    body = _lines(page) if wants == NDJSON else _document(page, head)
    return cacheable(request, body, content_type=wants, cache_control=NO_STORE, headers=headers)


def _wanted(asked: dict[str, Any]) -> Wanted:
    since = asked["since"]
    return Wanted(
        action=asked["action"],
        actor=asked["actor"],
        subject=asked["subject"],
        since=None if since is None else asking.parse_time(since),
        newest_first=asked["order"] == "newest",
        cursor=asked["cursor"],
        limit=asked["limit"],
    )


def _next_address(asked: dict[str, Any], cursor: str) -> str:
    return f"/audit?{urlencode({**{k: v for k, v in asked.items() if v is not None}, 'cursor': cursor})}"


def _lines(page: Page) -> bytes:
    return "".join(f"{entry.line()}\n" for entry in page.entries).encode("ascii")


def _document(page: Page, head: Head | None) -> bytes:
    """The page as JSON. Facts may hold texts that only escapes can spell, so the entries go in as they are."""
    rest = {
        "head": None if head is None else {"seq": head.seq, "hash": head.hash},
        "next_cursor": page.next_cursor,
    }
    entries = ",".join(entry.line() for entry in page.entries)
    return f'{{"entries":[{entries}],{json.dumps(rest, separators=(",", ":"))[1:]}'.encode("ascii")
