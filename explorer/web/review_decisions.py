"""Decisions on reviews: the text that a notary signs, and the signature that comes back."""

from typing import Any

from aiohttp import web

from explorer.access.notaries import parse_signing_address
from explorer.reviews import deciding
from explorer.web import asking
from explorer.web.headers import timed
from explorer.web.keys import ACTOR
from explorer.web.ports import Document
from explorer.web.problems import Problem
from explorer.web.reviews import desk_of, review_answer
from explorer.web.signing_in import signature_problems, watched


async def get_approval(request: web.Request) -> web.StreamResponse:
    """`GET /reviews/{id}/approval`."""
    asked = asking.read_request(request, "getApproval")
    address = None if asked["address"] is None else parse_signing_address(asked["address"])
    with timed(request, "database"):
        text = await deciding.approval_text(
            desk_of(request), request.get(ACTOR), asked["id"], asked["decision"], address
        )
    return await review_answer(request, text)


async def post_decision(request: web.Request) -> web.StreamResponse:
    """`POST /reviews/{id}/decisions`."""
    asked = asking.read_request(request, "postDecision")
    body = await asking.read_body(request, "postDecision")
    with timed(request, "signature"), watched(request, body.get("message", "")), signature_problems():
        review = await _decided(request, asked["id"], body)
    return await review_answer(request, review)


async def _decided(request: web.Request, review_id: str, body: dict[str, Any]) -> Document:
    desk, actor = desk_of(request), request.get(ACTOR)
    is_signed = {"message", "signature"} <= body.keys()
    if body["decision"] == "ask":
        if "message" in body or "signature" in body:
            raise Problem("malformed_body", "To ask for more takes a session and no signature.", "message")
        return await deciding.ask(desk, actor, review_id, body["comment"])
    if not is_signed:
        raise Problem("malformed_body", "To approve or reject takes the message and its signature.", body["decision"])
    return await deciding.decide(
        desk,
        actor,
        review_id,
        decision=body["decision"],
        comment=body["comment"],
        message=body["message"],
        signature=body["signature"],
    )
