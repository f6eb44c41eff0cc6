"""`POST /reviews/{id}`: the form of a review's page. What is taken leads back to the page; what isn't comes back."""

from typing import Any

from aiohttp import web

from explorer.errors import QuestionError
from explorer.reviews import changes, deciding
from explorer.web import asking
from explorer.web.forms import read_form
from explorer.web.headers import timed
from explorer.web.keys import ACTOR, RENDERER
from explorer.web.problems import Problem, problem_from_error
from explorer.web.review_page import Typed, review_page
from explorer.web.reviews import actor_of, desk_of
from explorer.web.sign_in_pages import see_other
from explorer.web.signing_in import signature_problems, watched


async def post_review_form(request: web.Request) -> web.StreamResponse:
    """`POST /reviews/{id}`."""
    asked = asking.read_request(request, "postReviewForm")
    form = await read_form(request, "postReviewForm")
    try:
        await _take(request, asked["id"], form)
    except QuestionError as error:
        return await _given_back(request, asked["id"], form, problem_from_error(error, value=None))
    except Problem as problem:
        return await _given_back(request, asked["id"], form, problem)
    return see_other(f"/reviews/{asked['id']}#{'said' if form['action'] == 'comment' else 'decided'}")


async def _take(request: web.Request, review_id: str, form: dict[str, Any]) -> None:
    """Does what the form says. Raises Problem and QuestionError."""
    desk, action = desk_of(request), form["action"]
    if "comment" not in form:
        raise Problem(
            "malformed_body", "Say in a sentence why: every decision has a comment.", remedy="Write a comment."
        )
    if action == "comment":
        await changes.add_comment(desk, actor_of(request), review_id, form["comment"])
    elif action == "ask":
        await deciding.ask(desk, request.get(ACTOR), review_id, form["comment"])
    elif {"message", "signature"} <= form.keys():
        with timed(request, "signature"), watched(request, form["message"]), signature_problems():
            await deciding.decide(
                desk,
                request.get(ACTOR),
                review_id,
                decision=action,
                comment=form["comment"],
                message=form["message"],
                signature=form["signature"].strip(),
            )
    else:
        raise Problem("malformed_body", "The signature is missing.", remedy="Sign the text, and paste the signature.")


async def _given_back(
    request: web.Request, review_id: str, form: dict[str, Any], problem: Problem
) -> web.StreamResponse:
    """The page with the form as it was sent; to nobody known, only what was typed."""
    actor = request.get(ACTOR)
    if actor is None:
        return _signed_out(request, review_id, form, problem)
    typed = Typed(
        comment=form.get("comment", ""),
        message=form.get("message", ""),
        signature=form.get("signature", ""),
        problem=problem,
    )
    decide = None if form["action"] == "comment" else form["action"]
    return await review_page(request, desk_of(request), actor, review_id, decide=decide, typed=typed)


def _signed_out(request: web.Request, review_id: str, form: dict[str, Any], problem: Problem) -> web.Response:
    query = "" if form["action"] == "comment" else f"?decide={form['action']}"
    text = request.app[RENDERER].page(
        "signed_out.html", problem=problem, typed=form.get("comment", ""), leads_to=f"/reviews/{review_id}{query}"
    )
    headers = {"Content-Type": "text/html; charset=utf-8", **problem.headers}
    return web.Response(status=problem.kind.status, body=text.encode("utf-8", "replace"), headers=headers)
