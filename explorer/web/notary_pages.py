"""`/notaries/{address}`: who that is, and what this notary said."""

from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlencode

from aiohttp import web

from explorer.access.notaries import parse_signing_address
from explorer.reviews.records import load_notary_record
from explorer.web import asking
from explorer.web.headers import timed
from explorer.web.keys import RENDERER
from explorer.web.negotiation import HTML, representation
from explorer.web.notary_view import notary_view, private_page
from explorer.web.ports import Document
from explorer.web.reviews import desk_of, review_answer

KINDS: Final = ("approve", "reject", "ask")


async def get_notary(request: web.Request) -> web.StreamResponse:
    """`GET /notaries/{address}`."""
    wants = representation(request)
    asked = asking.read_request(request, "getNotary")
    address = parse_signing_address(asked["address"])
    with timed(request, "database"):
        record = await load_notary_record(desk_of(request), address, cursor=asked["cursor"], limit=asked["limit"])
    if wants == HTML:
        return await private_page(request, partial(_written, request, asked, record))
    return await review_answer(request, record)


def _written(request: web.Request, asked: dict[str, Any], record: Document) -> str:
    path = f"/notaries/{quote(record['address'], safe='')}"
    following = (
        record["next_cursor"] and f"{path}?{urlencode({'limit': asked['limit'], 'cursor': record['next_cursor']})}"
    )
    return request.app[RENDERER].page(
        "notary.html",
        actor=notary_view(asking.actor_of(request)),
        notary=record,
        path=path,
        following=following,
        paging=asked["cursor"] is not None,
        bars=_bars(record["months"]),
    )


def _bars(months: list[Document]) -> list[dict[str, Any]]:
    """A bar for each month: where its parts begin and end, in percent of the busiest month."""
    most = max((sum(month[kind] for kind in KINDS) for month in months), default=0)
    bars = []
    for month in months:
        left, parts = 0.0, []
        for kind in KINDS:
            width = month[kind] / most * 100
            parts.append({"kind": kind, "left": round(left, 2), "width": round(width, 2), "number": month[kind]})
            left += width
        bars.append({"month": month["month"], "parts": [part for part in parts if part["number"]]})
    return bars
