"""Notaries signing in and out: `/auth/…`."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from aiohttp import web

from explorer.access.actors import Actor
from explorer.access.sessions import IDLE
from explorer.signatures.errors import MalformedText, SignedTextError
from explorer.signatures.texts import facts_of
from explorer.signatures.values import time_text
from explorer.web import asking, cookies
from explorer.web.caching import NO_STORE, json_answer
from explorer.web.doorkeeper import DOORKEEPER
from explorer.web.headers import timed
from explorer.web.keys import SIGN_IN
from explorer.web.negotiation import JSON, chosen_type
from explorer.web.ports import SignIn
from explorer.web.problems import Problem
from node.address import PROTOCOL_BLS


async def get_nonce(request: web.Request) -> web.StreamResponse:
    """`GET /auth/nonce`: the text that an address signs to sign in. Nothing is kept of it."""
    chosen_type(request, JSON)
    asked = asking.read_request(request, "getNonce")
    with timed(request, "database"):
        document = await sign_in_of(request).offer(asked["address"])
    return json_answer(request, document, cache_control=NO_STORE)


async def post_signature(request: web.Request) -> web.StreamResponse:
    """`POST /auth/verify`: a session for the notary who signed, in a cookie. The browser's former one ends."""
    chosen_type(request, JSON)
    asking.read_request(request, "postSignature")
    cookies.refuse_other_pages(request)
    body = await asking.read_body(request, "postSignature")
    with timed(request, "signature"), watched(request, body["message"]), signature_problems():
        signed_in = await sign_in_of(request).sign_in(
            body["message"], body["signature"], former_token=cookies.session_token(request)
        )
    ends = {"ends_at": time_text(signed_in.ends_at.replace(microsecond=0)), "idle_seconds": int(IDLE.total_seconds())}
    response = json_answer(request, {**actor_document(signed_in.actor), **ends}, cache_control=NO_STORE)
    cookies.set_session(request, response, signed_in.token)
    return response


async def post_sign_out(request: web.Request) -> web.StreamResponse:
    """`POST /auth/logout`: ends the session of the cookie, if there is one, and has the browser forget it."""
    chosen_type(request, JSON)
    asking.read_request(request, "postSignOut")
    cookies.refuse_other_pages(request)
    token = cookies.session_token(request)
    if token is not None:
        await sign_in_of(request).sign_out(token)
    response = json_answer(request, {"signed_in": False}, cache_control=NO_STORE)
    cookies.drop_session(request, response)
    return response


def actor_document(actor: Actor) -> dict[str, Any]:
    """An actor as JSON."""
    return {"kind": str(actor.kind), "id": actor.id, "name": actor.name, "scopes": sorted(map(str, actor.scopes))}


def watched(request: web.Request, message: str) -> AbstractContextManager[None]:
    """Limits wrong signatures in the name of one f3 address, since verifying one takes half a second.

    The others cost next to nothing, and no stranger may keep a notary behind the same proxy out.
    """
    try:
        signer = getattr(facts_of(message), "signer", None)
    except MalformedText:
        signer = None
    if signer is None or signer.protocol != PROTOCOL_BLS:
        return nullcontext()
    return request.app[DOORKEEPER].watching(request, str(signer))


@contextmanager
def signature_problems() -> Iterator[None]:
    """Turns what is wrong with a signed text into the problem `malformed_text` or `signature_refused`."""
    try:
        yield
    except MalformedText as error:
        raise Problem("malformed_text", str(error), f"line {error.line}") from error
    except SignedTextError as error:
        raise Problem("signature_refused", str(error), error.code) from error


def sign_in_of(request: web.Request) -> SignIn:
    """Where notaries sign in; the problem `database_unavailable` without a database."""
    service = request.app[SIGN_IN]
    if service is None:
        raise Problem("database_unavailable", "This service has no database to sign in with.")
    return service
