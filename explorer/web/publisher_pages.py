"""`/publishers/{address}`: who asks for DataCap, as far as reviews tell."""

from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from explorer.reviews.publishers import load_publisher
from explorer.web import asking
from explorer.web.headers import timed
from explorer.web.keys import RENDERER
from explorer.web.negotiation import HTML, representation
from explorer.web.notary_view import notary_view, private_page
from explorer.web.parties import actor_id_soon
from explorer.web.ports import Document
from explorer.web.reviews import desk_of, review_answer


async def get_publisher(request: web.Request) -> web.StreamResponse:
    """`GET /publishers/{address}`."""
    wants = representation(request)
    asked = asking.read_request(request, "getPublisher")
    desk, actor = desk_of(request), asking.actor_of(request)
    with timed(request, "database"):
        record = await load_publisher(desk, actor, asked["address"], cursor=asked["cursor"], limit=asked["limit"])
    if wants == HTML:
        client_id = await actor_id_soon(request, record["address"])
        return await private_page(request, partial(_written, request, asked, record, client_id))
    following = _following(asked, record)
    links = {} if following is None else {"Link": f'<{following}>; rel="next"'}
    return await review_answer(request, record, headers=links)


def _written(request: web.Request, asked: dict[str, Any], record: Document, client_id: int | None) -> str:
    return request.app[RENDERER].page(
        "publisher.html",
        actor=notary_view(asking.actor_of(request)),
        publisher=record,
        client=None if client_id is None else f"{record['address'][0]}0{client_id}",
        path=_path(record),
        following=_following(asked, record),
        paging=asked["cursor"] is not None,
    )


def _path(record: Document) -> str:
    return f"/publishers/{quote(record['address'], safe='')}"


def _following(asked: dict[str, Any], record: Document) -> str | None:
    """The address of the next page, relative; None on the last."""
    if record["next_cursor"] is None:
        return None
    return f"{_path(record)}?{urlencode({'limit': asked['limit'], 'cursor': record['next_cursor']})}"
