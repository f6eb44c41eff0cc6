"""Clients, providers and allocators: documents, pages, and every table as JSON, CSV, lines of JSON or a page."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import cast
from urllib.parse import quote, urlencode

from aiohttp import web

from explorer.errors import QuestionError
from explorer.parties.naming import Role
from explorer.verdict.records import RECORD_KINDS, RecordKind
from explorer.web import asking, party_pages
from explorer.web.caching import HEAD_MAX_AGE_S, cacheable, etag_of, is_known, json_answer, max_age
from explorer.web.downloads import StreamedTable
from explorer.web.headers import timed
from explorer.web.keys import PARTIES
from explorer.web.negotiation import CSV, HTML, NDJSON, representation
from explorer.web.pages import live_view
from explorer.web.ports import Document, Parties, PartyTable
from explorer.web.problems import Problem
from explorer.web.tables import CONTENT_TYPES, table_head, table_rows

_CACHE = max_age(HEAD_MAX_AGE_S)
NODE_WAIT_S = 0.5
"""A page waits no longer for the node to say whose an address is; it comes with the next one."""
_ROWS_IN_LOOP = 500
"""Writing so many rows as JSON takes less than a millisecond."""


async def get_client(request: web.Request) -> web.StreamResponse:
    """`GET /clients/{address}`."""
    return await _party(request, "client", "getClient")


async def get_provider(request: web.Request) -> web.StreamResponse:
    """`GET /providers/{address}`."""
    return await _party(request, "provider", "getProvider")


async def get_client_table(request: web.Request) -> web.StreamResponse:
    """`GET /clients/{address}/{table}`."""
    return await _table(request, "client", "getClientTable")


async def get_provider_table(request: web.Request) -> web.StreamResponse:
    """`GET /providers/{address}/{table}`."""
    return await _table(request, "provider", "getProviderTable")


async def get_allocator(request: web.Request) -> web.StreamResponse:
    """`GET /allocators/{address}`."""
    wants = representation(request)
    asked = asking.read_request(request, "getAllocator")
    with timed(request, "index"):
        document = await parties_of(request).allocator(asked["address"])
    if wants == HTML:
        return party_pages.allocator_page(request, document)
    return json_answer(request, document, cache_control=_CACHE)


def parties_of(request: web.Request) -> Parties:
    """Who knows parties; the problem `not_found` where nobody does."""
    parties = request.app[PARTIES]
    if parties is None:
        raise Problem("not_found", "This service knows no parties.", request.path)
    return parties


async def actor_id_soon(request: web.Request, address: str) -> int | None:
    """The actor id of an address, where it is known or the chain's node tells it soon."""
    parties = request.app[PARTIES]
    if parties is None:
        return None
    try:
        async with asyncio.timeout(NODE_WAIT_S):
            return await parties.actor_id(address)
    except (QuestionError, TimeoutError):
        return None


async def _party(request: web.Request, role: Role, operation_id: str) -> web.StreamResponse:
    wants = representation(request)
    asked = asking.read_request(request, operation_id)
    live = live_view(request, {})  # before the records are read: what happens meanwhile is told
    with timed(request, "index"):
        document = await parties_of(request).party(role, asked["address"], limit=asked["limit"])
    if wants == HTML:
        return await party_pages.party_page(request, document, live)
    rows = sum(len(page["items"]) for page in document["evidence"].values())
    return await _json(request, document, rows)


async def _table(request: web.Request, role: Role, operation_id: str) -> web.StreamResponse:
    wants = representation(request, CSV, NDJSON)
    asked = asking.read_request(request, operation_id)
    name, of = asked["table"], cast("RecordKind", asked["of"])
    is_whole = wants in (CSV, NDJSON)
    if is_whole:
        _demand_no_page(request)
    live = live_view(request, {})
    with timed(request, "index"):
        table = await parties_of(request).table(
            role,
            asked["address"],
            name,
            of=of,
            cursor=None if is_whole else asked["cursor"],
            limit=1 if is_whole else asked["limit"],
        )
    if is_whole:
        return await _download(request, role, asked, table, wants)
    following = _next_query(asked, table)
    if wants == HTML:
        return await party_pages.table_page(request, table.document, asked, following, live=live)
    path = f"/{role}s/{quote(asked['address'], safe='')}/{name}"
    links = {} if following is None else {"Link": f'<{path}?{following}>; rel="next"'}
    return await _json(request, table.document, len(table.document["items"]), headers=links)


async def _json(
    request: web.Request, document: Document, rows: int, *, headers: dict[str, str] | None = None
) -> web.Response:
    """The document as an answer; one with many rows is written in a thread."""
    answer = partial(json_answer, request, document, cache_control=_CACHE, headers=headers)
    return answer() if rows <= _ROWS_IN_LOOP else await asyncio.to_thread(answer)


def _demand_no_page(request: web.Request) -> None:
    """Returns where no page of the table is asked for: CSV and lines of JSON have all of it."""
    for name in ("cursor", "limit"):
        if name in request.query:
            detail = f"{name} is given, but as CSV or lines of JSON a table comes whole."
            remedy = f"Leave {name} out, or ask for JSON, which has pages."
            raise Problem("conflicting_parameters", detail, name, remedy)


def _next_query(asked: Document, table: PartyTable) -> str | None:
    """The query of the next page; None on the last."""
    if table.next_cursor is None:
        return None
    form = {"format": asked["format"]} if asked["format"] else {}
    return urlencode({**form, "limit": asked["limit"], "cursor": table.next_cursor})


async def _download(
    request: web.Request, role: Role, asked: Document, table: PartyTable, media_type: str
) -> web.StreamResponse:
    """The whole table; with an ETag that is known before the table is read."""
    name, document = asked["table"], table.document
    epoch = document["as_of"]["epoch"]
    suffix = "csv" if media_type == CSV else "ndjson"
    headers = {
        "Content-Disposition": f'attachment; filename="{role}-{document["address"]}-{name}.{suffix}"',
        **({} if epoch is None else {"Filplus-As-Of": f"epoch={epoch}"}),
    }
    content_type = CONTENT_TYPES[media_type]
    if name not in RECORD_KINDS:
        return await asyncio.to_thread(_counted, request, table, media_type, headers)
    headers |= {"ETag": etag_of(f"{media_type} {table.fingerprint}".encode()), "Cache-Control": _CACHE}
    if is_known(request.headers.get("If-None-Match"), headers["ETag"]):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = content_type
    if request.method == "HEAD":
        return web.Response(headers=headers)
    pages = parties_of(request).records(role, document["address"], name, terms=table.terms)
    parts = _parts(name, pages, media_type)
    return web.Response(body=StreamedTable(request, name, parts, content_type=content_type), headers=headers)


def _counted(request: web.Request, table: PartyTable, media_type: str, headers: dict[str, str]) -> web.Response:
    """A counted table as an answer; it may have a row for every client there is."""
    name = table.document["table"]
    body = table_head(name, media_type) + table_rows(name, table.document["items"], media_type)
    content_type = CONTENT_TYPES[media_type]
    return cacheable(request, body, content_type=content_type, cache_control=_CACHE, headers=headers)


async def _parts(name: str, pages: AsyncIterator[list[Document]], media_type: str) -> AsyncIterator[bytes]:
    """The table as it is sent: its head, then some rows at a time."""
    yield table_head(name, media_type)
    async for items in pages:
        yield await asyncio.to_thread(table_rows, name, items, media_type)
