"""The page where notaries sign in, and the forms that sign in and out without any script."""

import re
from typing import Any, Final

from aiohttp import web

from explorer.access.actors import ActorKind
from explorer.errors import QuestionError
from explorer.web import asking, cookies
from explorer.web.caching import NO_STORE, page_answer
from explorer.web.forms import check_form, read_fields
from explorer.web.headers import timed
from explorer.web.keys import ACTOR, RENDERER
from explorer.web.problems import Problem, problem_from_error
from explorer.web.signing_in import sign_in_of, signature_problems, watched

_OWN_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)
AFTERWARDS: Final = "/reviews"


def own_path(text: str | None) -> str:
    """The text where it names a page of this explorer, and nobody else's; else that of the reviews."""
    return text if text is not None and _OWN_PATH.fullmatch(text) else AFTERWARDS


async def get_sign_in(request: web.Request) -> web.StreamResponse:
    """`GET /sign-in`. With an address, the text to sign and a form for its signature."""
    asked = asking.read_request(request, "getSignIn")
    leads_to = own_path(asked["next"])
    actor = request.get(ACTOR)
    if actor is not None and actor.kind is ActorKind.NOTARY:
        return see_other(leads_to)
    view: dict[str, Any] = {"next": leads_to, "address": asked["address"] or "", "offer": None, "failure": None}
    status = 200
    if asked["address"]:
        try:
            view["offer"] = await sign_in_of(request).offer(asked["address"].strip())
        except QuestionError as error:
            problem = problem_from_error(error, value=asked["address"])
            view["failure"], status = problem, problem.kind.status
    return _page(request, status, **view)


async def post_sign_in(request: web.Request) -> web.StreamResponse:
    """`POST /sign-in`: a session for who signed, and the page that was wanted; else the form again."""
    asking.read_request(request, "postSignInForm")
    cookies.refuse_other_pages(request)
    form = await read_fields(request)
    try:
        check_form(request, "postSignInForm", form)
        return await _signed_in(request, form)
    except QuestionError as error:
        return _again(request, form, problem_from_error(error, value=None))
    except Problem as problem:
        return _again(request, form, problem)


async def _signed_in(request: web.Request, form: dict[str, Any]) -> web.Response:
    with timed(request, "signature"), watched(request, form["message"]), signature_problems():
        signed_in = await sign_in_of(request).sign_in(
            form["message"], form["signature"].strip(), former_token=cookies.session_token(request)
        )
    response = see_other(own_path(form.get("next")))
    cookies.set_session(request, response, signed_in.token)
    return response


def _again(request: web.Request, form: dict[str, Any], problem: Problem) -> web.StreamResponse:
    """The form with what was typed, and why it isn't taken; without a text to sign, that which asks for an address."""
    message = form.get("message")
    offer = None if message is None else {"message": message, "signature": form.get("signature", "")}
    view = {"next": own_path(form.get("next")), "address": "", "offer": offer, "failure": problem}
    return _page(request, problem.kind.status, headers=problem.headers, **view)


async def post_sign_out(request: web.Request) -> web.StreamResponse:
    """`POST /sign-out`: ends the session of the cookie, and leads to the first page."""
    asking.read_request(request, "postSignOutForm")
    cookies.refuse_other_pages(request)
    token = cookies.session_token(request)
    if token is not None:
        await sign_in_of(request).sign_out(token)
    response = see_other("/")
    cookies.drop_session(request, response)
    return response


def see_other(address: str) -> web.Response:
    """What leads a browser on after a form."""
    return web.Response(status=303, headers={"Location": address, "Cache-Control": NO_STORE})


def _page(request: web.Request, status: int, *, headers: Any = None, **view: Any) -> web.Response:
    """The page. From another site's link a browser sends no cookie: then it asks once more, by itself, from here."""
    comes_from_elsewhere = request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method == "GET"
    text = request.app[RENDERER].page("sign_in.html", comes_from_elsewhere=comes_from_elsewhere, **view)
    return page_answer(request, text, cache_control=NO_STORE, status=status, headers=headers)
