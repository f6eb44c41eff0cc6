"""The pages of parties, made of the same documents as the API's answers."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from explorer.web.caching import HEAD_MAX_AGE_S, max_age, page_answer, written_page
from explorer.web.charts import month_chart, widths
from explorer.web.formats import document_clock
from explorer.web.keys import RENDERER
from explorer.web.ports import EVIDENCE_KINDS, Document

_CACHE = max_age(HEAD_MAX_AGE_S)
SHOWN_ROWS = 500
"""A page shows no more rows of a counted table; its CSV has all."""


async def party_page(request: web.Request, party: Document, live: Document) -> web.StreamResponse:
    """`GET /clients/{address}`, `/providers/{address}` for a browser."""
    view = {"party": party, **_summary_view(party), "kinds": EVIDENCE_KINDS, "live": _followed(live, party)}
    return await written_page(request, partial(_page, request, "party.html", party, **view), cache_control=_CACHE)


async def table_page(
    request: web.Request, table: Document, asked: dict[str, Any], following: str | None, *, live: Document
) -> web.StreamResponse:
    """`GET /clients/{address}/{table}` and that of providers for a browser. Pages behind the first are not live."""
    rows, paging = table["items"][:SHOWN_ROWS], asked["cursor"] is not None
    view = {
        "table": {**table, "items": rows},
        "hidden": len(table["items"]) - len(rows),
        "of": asked["of"],
        "is_records": table["table"] in EVIDENCE_KINDS,
        "following": following,
        "paging": paging,
        "live": None if paging else _followed(live, table),
        "bars": _bars(table["table"], rows),
    }
    return await written_page(request, partial(_page, request, "party_table.html", table, **view), cache_control=_CACHE)


def allocator_page(request: web.Request, allocator: Document) -> web.StreamResponse:
    """`GET /allocators/{address}` for a browser."""
    return page_answer(request, _page(request, "allocator.html", allocator, allocator=allocator), cache_control=_CACHE)


def _followed(live: Document, party: Document) -> Document:
    """What has the page follow the records of that party: the stream is asked for by the f0, which needs no node."""
    query = urlencode({party["role"]: party["address"], "types": "head,cid,import"})
    return {**live, "address": f"/events?{query}"}


def _page(request: web.Request, template: str, document: Document, **view: Any) -> str:
    clock = document_clock(document["as_of"])
    return request.app[RENDERER].page(template, clock=clock, **view)


def _summary_view(party: Document) -> dict[str, Any]:
    """What the page draws: the claims' figures, or the deals' where there is no claim."""
    summary = party["summary"]
    if summary is None:
        return {"summary": None, "main": None, "shown": "claims", "chart": None, "bars": {}}
    shown = "claims" if summary["claims"]["records"] or not summary["deals"]["records"] else "deals"
    main = summary[shown]
    bars = {"shares": _bars("shares", main["shares"]["items"]), "copies": _bars("copies", main["copies"])}
    return {"summary": summary, "main": main, "shown": shown, "chart": month_chart(main["months"]), "bars": bars}


def _bars(table: str, items: list[Document]) -> list[float]:
    """How long the bar of each row is, in percent of the longest; none for tables that have no bars."""
    measure = {
        "shares": "active_bytes",
        "providers": "active_bytes",
        "clients": "active_bytes",
        "copies": "pieces",
        "months": "bytes",
    }
    return widths([int(item[measure[table]]) for item in items]) if table in measure else []
