"""`/me`: whom the credentials of a request are taken for; for a browser who one is, and where one is signed in."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from aiohttp import web

from explorer.access.actors import Actor, ActorKind
from explorer.access.sessions import IDLE, LONGEST, Session
from explorer.reviews import queue
from explorer.reviews.reading import Filters
from explorer.reviews.records import load_notary_record
from explorer.signatures.values import time_text
from explorer.web import asking, cookies
from explorer.web.caching import NO_STORE, json_answer
from explorer.web.headers import timed
from explorer.web.keys import CONFIG, RENDERER, REVIEWS, SIGN_IN
from explorer.web.negotiation import HTML, representation
from explorer.web.notary_view import notary_view, private_page
from explorer.web.ports import Document
from explorer.web.sign_in_pages import see_other
from explorer.web.signing_in import actor_document, sign_in_of
from node.address import PROTOCOL_BLS, PROTOCOL_SECP256K1, parse_address

SHOWN_DECISIONS: Final = 5
_KEYS: Final = {
    PROTOCOL_SECP256K1: "a secp256k1 key, as Lotus keeps it (f1)",
    PROTOCOL_BLS: "a BLS key, as Lotus keeps it (f3)",
}
_ETHEREUM_KEY: Final = "an Ethereum account (f410)"


async def get_me(request: web.Request) -> web.StreamResponse:
    """`GET /me`."""
    wants = representation(request)
    asking.read_request(request, "getMe")
    actor = asking.actor_of(request)
    if wants == HTML:
        return await _page(request, actor)
    document = {**actor_document(actor), "network": request.app[CONFIG].network}
    return json_answer(request, document, cache_control=NO_STORE)


async def post_sign_out_everywhere(request: web.Request) -> web.StreamResponse:
    """`POST /me/sign-out`: ends every session of the notary, and leads to the first page."""
    asking.read_request(request, "postSignOutEverywhere")
    await sign_in_of(request).sign_out_everywhere(asking.actor_of(request).id)
    response = see_other("/")
    cookies.drop_session(request, response)
    return response


async def _page(request: web.Request, actor: Actor) -> web.StreamResponse:
    view: dict[str, Any] = {"me": actor, "own": None, "key": None, "sessions": [], "waiting": None}
    if actor.kind is ActorKind.NOTARY:
        with timed(request, "database"):
            view |= await _notary(request, actor)
    return await private_page(
        request, partial(request.app[RENDERER].page, "me.html", actor=notary_view(actor), idle=IDLE, longest=LONGEST,
                         **view)
    )  # fmt: skip


async def _notary(request: web.Request, actor: Actor) -> dict[str, Any]:
    """What a notary's page has beyond that of a key: what it said, what waits for it, where it is signed in."""
    address, desk = parse_address(actor.id), request.app[REVIEWS]
    view: dict[str, Any] = {"key": _KEYS.get(address.protocol, _ETHEREUM_KEY), "sessions": await _sessions(request)}
    if desk is None:
        return view
    own, waiting = await asyncio.gather(
        load_notary_record(desk, address, cursor=None, limit=SHOWN_DECISIONS),
        queue.count_waiting(desk, actor, Filters()),
    )
    return {**view, "own": own, "waiting": min(waiting, queue.MOST_COUNTED), "is_more": waiting > queue.MOST_COUNTED}


async def _sessions(request: web.Request) -> list[Document]:
    service, token = request.app[SIGN_IN], cookies.session_token(request)
    found: Sequence[Session] = []
    if service is not None and token is not None:
        found = await service.sessions(asking.actor_of(request).id, token)
    return [
        {
            "began_at": time_text(one.began_at.replace(microsecond=0)),
            "seen_at": time_text(one.seen_at.replace(microsecond=0)),
            "ends_at": time_text(one.ends_at.replace(microsecond=0)),
            "is_this": one.is_this,
        }
        for one in found
    ]
