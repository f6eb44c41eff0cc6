"""`POST /reviews/{id}`: the form of a review's page. What is taken leads back to the page; what isn't comes back."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from aiohttp import web

from explorer.errors import QuestionError
from explorer.reviews import changes, deciding
from explorer.web import asking
from explorer.web.forms import check_form, read_fields
from explorer.web.headers import timed
from explorer.web.keys import ACTOR, RENDERER
from explorer.web.notary_view import private_page
from explorer.web.problems import Problem, problem_from_error
from explorer.web.review_page import Typed, review_page
from explorer.web.reviews import desk_of
from explorer.web.sign_in_pages import see_other
from explorer.web.signing_in import signature_problems, watched

DECISIONS: Final = frozenset({"approve", "reject", "ask"})


async def post_review_form(request: web.Request) -> web.StreamResponse:
    """`POST /reviews/{id}`."""
    asked = asking.read_request(request, "postReviewForm")
    form = await read_fields(request)
    try:
        _check(request, form)
        await _take(request, asked["id"], form)
    except QuestionError as error:
        return await _given_back(request, asked["id"], form, problem_from_error(error, value=None))
    except Problem as problem:
        return await _given_back(request, asked["id"], form, problem)
    if request.get(ACTOR) is None:
        return await _taken_signed_out(request, asked["id"], form)
    return see_other(f"/reviews/{asked['id']}#{'said' if form['action'] == 'comment' else 'decided'}")


async def _taken_signed_out(request: web.Request, review_id: str, form: Mapping[str, str]) -> web.Response:
    """What says that a decision counts, to who signed it after the session had ended: the review isn't for nobody."""
    leads_to = f"/reviews/{review_id}#decided"
    write = partial(request.app[RENDERER].page, "taken.html", decision=_decision(form), leads_to=leads_to)
    return await private_page(request, write)


def _check(request: web.Request, form: Mapping[str, str]) -> None:
    """Returns where the form says what to do, and why. Raises Problem, in words for who filled it in."""
    if "action" not in form:
        what = "The form doesn't say what to do: approve, reject, ask or comment."
        raise Problem("malformed_body", what, remedy="Press one of the buttons.")
    check_form(request, "postReviewForm", form)
    if "comment" not in form:
        what = "Say in a sentence why: every decision has a comment."
        raise Problem("malformed_body", what, remedy="Write a comment.")


async def _take(request: web.Request, review_id: str, form: Mapping[str, str]) -> None:
    """Does what the form says. Raises Problem and QuestionError."""
    desk, action = desk_of(request), form["action"]
    if action == "comment":
        await changes.add_comment(desk, asking.actor_of(request), review_id, form["comment"])
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
    request: web.Request, review_id: str, form: Mapping[str, str], problem: Problem
) -> web.StreamResponse:
    """The page with the form as it was sent; to nobody known, only what was typed."""
    actor = request.get(ACTOR)
    if actor is None:
        return await _signed_out(request, review_id, form, problem)
    typed = Typed(
        comment=form.get("comment", ""),
        message=form.get("message", ""),
        signature=form.get("signature", ""),
        problem=problem,
    )
    return await review_page(request, desk_of(request), actor, review_id, decide=_decision(form), typed=typed)


def _decision(form: Mapping[str, str]) -> str | None:
    """The decision that the form is of; None for a comment, and for what says nothing that is known."""
    action = form.get("action")
    return action if action in DECISIONS else None


async def _signed_out(request: web.Request, review_id: str, form: Mapping[str, str], problem: Problem) -> web.Response:
    decision = _decision(form)
    query = "" if decision is None else f"?decide={decision}"
    write = partial(
        request.app[RENDERER].page,
        "signed_out.html",
        problem=problem,
        typed=form.get("comment", ""),
        leads_to=f"/reviews/{review_id}{query}",
    )
    return await private_page(request, write, status=problem.kind.status, headers=problem.headers)
