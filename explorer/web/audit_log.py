"""`GET /audit`: what was done, by whom, for notaries and operators. As JSON, or as the lines that an export has."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from explorer.audit.chain import Entry, Head
from explorer.audit.reading import Page, Wanted
from explorer.errors import QuestionError
from explorer.web import asking
from explorer.web.audit_page import audit_page, beginning_of, refused_list
from explorer.web.caching import NO_STORE, cacheable, etag_of, is_known
from explorer.web.downloads import StreamedTable
from explorer.web.headers import timed
from explorer.web.keys import AUDIT
from explorer.web.negotiation import HTML, NDJSON, representation
from explorer.web.notary_view import given, without_empty
from explorer.web.ports import AuditLog
from explorer.web.problems import Problem
from explorer.web.sign_in_pages import see_other

_EXPORTED_AT_ONCE: Final = 500


async def get_audit(request: web.Request) -> web.StreamResponse:
    """`GET /audit`. The head's hash is in both representations: noted elsewhere, it shows later that nothing went.

    A browser whose filters can't be taken gets the form back, as it was typed.
    """
    wants = representation(request, NDJSON)
    if wants != HTML:
        return await _document_of(request, wants)
    try:
        return await _page(request)
    except (Problem, QuestionError) as error:
        return await refused_list(request, asking.actor_of(request), error)


async def _page(request: web.Request) -> web.StreamResponse:
    """The page. Its form takes a day alone for the moment at which it begins, UTC."""
    asked = given(asking.read_request(request, "getAudit"))
    if (tidied := without_empty(request)) is not None:
        return see_other(tidied)
    asked["since"] = beginning_of(asked["since"])
    with timed(request, "database"):
        page, head = await _log_of(request).page(_wanted(asked))
    return await audit_page(request, asking.actor_of(request), asked, page, head, _following(asked, page))


async def _document_of(request: web.Request, wants: str) -> web.StreamResponse:
    asked = given(asking.read_request(request, "getAudit"))
    service, wanted = _log_of(request), _wanted(asked)
    if wants == NDJSON and not {"limit", "cursor"} & request.query.keys():
        return await _export(request, service, replace(wanted, limit=_EXPORTED_AT_ONCE))
    with timed(request, "database"):
        page, head = await service.page(wanted)
    following, headers = _following(asked, page), _head_field(head)
    if following is not None:
        headers["Link"] = f'<{following}>; rel="next"'
    body = _lines(page.entries) if wants == NDJSON else _document(page, head)
    return cacheable(request, body, content_type=wants, cache_control=NO_STORE, headers=headers)


def _following(asked: dict[str, Any], page: Page) -> str | None:
    """The address of the next page; None on the last."""
    return None if page.next_cursor is None else _next_address(asked, page.next_cursor)


def _log_of(request: web.Request) -> AuditLog:
    service = request.app[AUDIT]
    if service is None:
        raise Problem("database_unavailable", "This service has no database with a log.")
    return service


def _head_field(head: Head | None) -> dict[str, str]:
    """The header that says where the log ended."""
    return {} if head is None else {"Filplus-Audit-Head": f'seq={head.seq}, hash="{head.hash}"'}


async def _export(request: web.Request, service: AuditLog, wanted: Wanted) -> web.StreamResponse:
    """All entries that are wanted, up to the log's end at this moment, sent while they are read."""
    with timed(request, "database"):
        first, head = await service.page(wanted)
    headers = {
        "ETag": etag_of(repr((wanted, head)).encode("utf-8", "replace")),
        "Cache-Control": NO_STORE,
        "Content-Disposition": 'attachment; filename="audit.ndjson"',
        **_head_field(head),
    }
    if is_known(request.headers.get("If-None-Match"), headers["ETag"]):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = NDJSON
    if request.method == "HEAD":
        return web.Response(headers=headers)
    parts = _parts(service, wanted, first, head)
    return web.Response(body=StreamedTable(request, "audit", parts, content_type=NDJSON), headers=headers)


async def _parts(service: AuditLog, wanted: Wanted, page: Page, head: Head | None) -> AsyncIterator[bytes]:
    """The lines from a first page on, to the head: what is written meanwhile is left out."""
    while True:
        entries = [entry for entry in page.entries if head is not None and entry.seq <= head.seq]
        yield _lines(entries)
        if page.next_cursor is None or len(entries) < len(page.entries):
            return
        page, _ = await service.page(replace(wanted, cursor=page.next_cursor))


def _wanted(asked: dict[str, Any]) -> Wanted:
    since = asked["since"]
    return Wanted(
        action=asked["action"],
        actor=asked["actor"],
        subject=asked["subject"],
        since=None if since is None else asking.parse_time("since", since),
        newest_first=asked["order"] == "newest",
        cursor=asked["cursor"],
        limit=asked["limit"],
    )


def _next_address(asked: dict[str, Any], cursor: str) -> str:
    return f"/audit?{urlencode({**{k: v for k, v in asked.items() if v is not None}, 'cursor': cursor})}"


def _lines(entries: Sequence[Entry]) -> bytes:
    return "".join(f"{entry.line()}\n" for entry in entries).encode("ascii")


def _document(page: Page, head: Head | None) -> bytes:
    """The page as JSON. Facts may hold texts that only escapes can spell, so the entries go in as they are."""
    rest = {
        "head": None if head is None else {"seq": head.seq, "hash": head.hash},
        "next_cursor": page.next_cursor,
    }
    entries = ",".join(entry.line() for entry in page.entries)
    return f'{{"entries":[{entries}],{json.dumps(rest, separators=(",", ":"))[1:]}'.encode("ascii")
