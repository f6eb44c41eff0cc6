"""The pages about CIDs and records, made of the same documents as the API's answers."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from explorer.web import asking
from explorer.web.caching import HEAD_MAX_AGE_S, MAX_AGE_S, max_age, page_answer
from explorer.web.coverage import coverage_bars
from explorer.web.evidence import VERDICT_LABELS, holders_of, is_partial, next_cursors, spans_of, totals
from explorer.web.formats import document_clock, rfc3339
from explorer.web.headers import timed
from explorer.web.keys import BROADCAST, CONFIG, INDEX, RENDERER
from explorer.web.ports import EVIDENCE_KINDS, AsOf, Document
from explorer.web.present import PRESENT
from explorer.web.sentences import beyond_headline, headline, reach
from explorer.web.timeline import timeline_of


async def home_page(request: web.Request) -> web.StreamResponse:
    """`GET /`: the search box, examples, how fresh the index is, what the programme's state is."""
    asking.read_request(request, "getHome")
    live = live_view(request, {"types": "head,import"})
    status = await _status(request)
    examples = request.app[CONFIG].example_cids or status.get("examples", [])
    text = request.app[RENDERER].page(
        "home.html",
        programme=status["programme"],
        clock=document_clock(status["index"]),
        status=status,
        examples=list(examples)[:3],
        live=live,
    )
    return page_answer(request, text, cache_control=max_age(HEAD_MAX_AGE_S))


async def _status(request: web.Request) -> Document:
    with timed(request, "index"):
        return await request.app[INDEX].status()


def live_view(request: web.Request, query: dict[str, str]) -> Document:
    """What has a page follow the feed: the stream's address, the event that the page is surely past, since when no
    node is heard.

    To be asked before the page's document is, so that nothing falls between the two.
    """
    broadcast = request.app[BROADCAST]
    since = broadcast.silent_since
    return {
        "address": f"/events?{urlencode(query)}",
        "after": broadcast.position,
        "silent_since": None if since is None else rfc3339(since),
    }


async def status_page(request: web.Request, status: Document, live: Document) -> web.StreamResponse:
    """`GET /status` for a browser: coverage as bars with their gaps."""
    text = request.app[RENDERER].page(
        "status.html",
        programme=status["programme"],
        clock=document_clock(status["index"]),
        status=status,
        bars=coverage_bars(status),
        reach=reach(status["node"]),
        live=live,
    )
    return page_answer(request, text, cache_control=max_age(HEAD_MAX_AGE_S))


async def verdict_page(request: web.Request, asked: dict[str, Any], at: AsOf) -> web.StreamResponse:
    """`GET /cid/{cid}` and `GET /cid/{cid}/filplus` for a browser: the verdict, and why."""
    index, wanted = request.app[INDEX], asking.evidence_of(asked, full=True)
    live = live_view(request, {"cid": asked["cid"], "types": "head,cid,import"}) if _is_live(asked, at) else None
    with timed(request, "index"):
        verdict, described = await asyncio.gather(
            index.verdict(asked["cid"], at=at, evidence=wanted), index.describe(asked["cid"])
        )
    verdict = asking.without_ended(verdict, asked)
    text = request.app[RENDERER].page("cid.html", **_verdict_view(verdict, described, asked, at), live=live)
    return page_answer(request, text, cache_control=max_age(HEAD_MAX_AGE_S if at.is_head else MAX_AGE_S))


def _verdict_view(verdict: Document, described: Document, asked: dict[str, Any], at: AsOf) -> dict[str, Any]:
    """What the template of a verdict is told."""
    evidence, clock = verdict["evidence"], document_clock(verdict["as_of"])
    epoch = verdict["as_of"]["epoch"]
    label, tone = VERDICT_LABELS[verdict["verdict"]]
    return {
        "clock": clock,
        "verdict": verdict,
        "cid": described,
        "label": label,
        "tone": tone,
        "headline": headline(verdict, clock),
        "reason": beyond_headline(verdict),
        "timeline": timeline_of(spans_of(evidence, asked_epoch=epoch), asked_epoch=epoch, clock=clock),
        "holders": holders_of(evidence),
        "partial": is_partial(evidence),
        "kinds": list(totals(evidence)),
        "more": _more_addresses(verdict, asked),
        "paging": _is_paging(asked),
        "at_head": at.is_head,
        "json_query": urlencode({**_moment_query(asked), "evidence": "full", "format": "json"}),
    }


def _is_paging(asked: dict[str, Any]) -> bool:
    return any(asked.get(f"{kind}_cursor") for kind in EVIDENCE_KINDS)


def _is_live(asked: dict[str, Any], at: AsOf) -> bool:
    """Whether the page shows what is now, from the first record on; a permalink shows what was."""
    return at.is_head and not _is_paging(asked)


def _moment_query(asked: dict[str, Any]) -> dict[str, str]:
    return {name: str(asked[name]) for name in ("at_epoch", "at") if asked.get(name) is not None}


def _more_addresses(verdict: Document, asked: dict[str, Any]) -> dict[str, str]:
    """For each kind with a further page, the query that leads there; the other kinds are left out of that page."""
    cursors = next_cursors(verdict["evidence"])
    epoch = verdict["as_of"]["epoch"]
    fixed = {} if epoch is None else {"at_epoch": str(epoch)}
    others = {kind: {f"{k}_cursor": asking.END for k in EVIDENCE_KINDS if k != kind} for kind in cursors}
    return {
        kind: urlencode({**fixed, "limit": asked["limit"], f"{kind}_cursor": cursor, **others[kind]})
        for kind, cursor in cursors.items()
    }


async def record_page(request: web.Request, record: Document, kind: str) -> web.StreamResponse:
    """`GET /deals/{id}`, `/claims/{id}`, `/allocations/{id}` for a browser."""
    clock = request.app[PRESENT].head
    text = request.app[RENDERER].page("record.html", clock=clock, record=record, kind=kind)
    return page_answer(request, text, cache_control=max_age(HEAD_MAX_AGE_S))
