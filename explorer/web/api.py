"""The look-ups: verdicts, CIDs, deals, claims, allocations. A script gets JSON, a browser a page of the same."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from explorer.web import asking, pages
from explorer.web.caching import HEAD_MAX_AGE_S, MAX_AGE_S, NO_STORE, encode, json_answer, max_age
from explorer.web.headers import timed
from explorer.web.keys import INDEX
from explorer.web.negotiation import HTML, JSON, NDJSON, chosen_type, representation
from explorer.web.ports import AsOf, Document, Index

_MANY = 500
"""From so many results on, JSON is written in a thread: it is beyond 64 kB."""


async def get_verdict(request: web.Request) -> web.StreamResponse:
    """`GET /cid/{cid}/filplus`."""
    wants = representation(request)
    asked = asking.read_request(request, "getVerdict")
    at = asking.moment_of(asked)
    if wants == HTML:
        return await pages.verdict_page(request, asked, at)
    evidence = asking.evidence_of(asked)
    with timed(request, "index"):
        document = await request.app[INDEX].verdict(asked["cid"], at=at, evidence=evidence)
    document = asking.without_ended(document, asked)
    following = asking.next_address(document, asked) if evidence.full else None
    links = {"Link": f'<{following}>; rel="next"'} if following else {}
    return json_answer(request, document, cache_control=cache_for(at), headers=links)


def cache_for(at: AsOf) -> str:
    """The Cache-Control of an answer about that moment: the head moves on, a named epoch may still be learned about."""
    return max_age(HEAD_MAX_AGE_S if at.is_head else MAX_AGE_S)


async def get_cid(request: web.Request) -> web.StreamResponse:
    """`GET /cid/{cid}`: the CID taken apart, or the page of its verdict."""
    if representation(request) == HTML:
        asked = asking.read_request(request, "getVerdict")
        return await pages.verdict_page(request, asked, asking.moment_of(asked))
    asked = asking.read_request(request, "getCid")
    with timed(request, "index"):
        document = await request.app[INDEX].describe(asked["cid"])
    return json_answer(request, document, cache_control=max_age(HEAD_MAX_AGE_S))


async def post_verdicts(request: web.Request) -> web.StreamResponse:
    """`POST /cids/filplus`. With NDJSON a line per result, and what they are as of in the header `Filplus-As-Of`."""
    wants = chosen_type(request, JSON, NDJSON)
    asking.read_request(request, "postVerdicts")
    body = await asking.read_body(request, "postVerdicts")
    epoch = body.get("at_epoch")
    at = AsOf(epoch=None if epoch is None else int(epoch))
    with timed(request, "index"):
        document = await request.app[INDEX].verdicts(body["cids"], at=at)
    with timed(request, "write"):
        written = await _written(document, wants)
    headers = {"Content-Type": wants, "Cache-Control": NO_STORE, "Filplus-As-Of": _as_of_field(document["as_of"])}
    return web.Response(body=written, headers=headers)


async def _written(document: Document, wants: str) -> bytes:
    large = len(document["results"]) > _MANY
    if wants == JSON:
        return await encode(document, large=large)
    lines = [orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in document["results"]]
    return b"".join(lines)


def _as_of_field(as_of: Document) -> str:
    """The moment as a structured field (RFC 9651), `epoch=4622139, time="2025-01-15T15:09:30Z"`, without nulls."""
    epoch = [] if as_of["epoch"] is None else [f"epoch={as_of['epoch']}"]
    texts = [f'{name}="{as_of[name]}"' for name in ("time", "finality") if as_of[name] is not None]
    return ", ".join([*epoch, *texts])


def record_handler(
    operation_id: str, look_up: Callable[[Index, int], Awaitable[dict[str, Any]]], kind: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler for records of one kind by number."""

    async def get_record(request: web.Request) -> web.StreamResponse:
        wants = representation(request)
        asked = asking.read_request(request, operation_id)
        with timed(request, "index"):
            document = await look_up(request.app[INDEX], asked["id"])
        if wants == HTML:
            return await pages.record_page(request, document, kind)
        return json_answer(request, document, cache_control=max_age(HEAD_MAX_AGE_S))

    return get_record


get_deal = record_handler("getDeal", lambda index, number: index.deal(number), "deal")
get_claim = record_handler("getClaim", lambda index, number: index.claim(number), "claim")
get_allocation = record_handler("getAllocation", lambda index, number: index.allocation(number), "allocation")
