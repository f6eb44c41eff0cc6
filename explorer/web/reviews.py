"""Reviews: taken from clusters, listed, shown, and what else becomes of one. Who may ask at all is `access.py`'s."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from explorer.access.actors import Actor
from explorer.errors import QuestionError
from explorer.reviews import changes, intake, proving, queue, reading
from explorer.reviews.desk import Desk
from explorer.web import asking, review_list_page, review_page
from explorer.web.caching import PRIVATE, cacheable, encode
from explorer.web.headers import timed
from explorer.web.keys import REVIEWS
from explorer.web.negotiation import HTML, JSON, representation
from explorer.web.notary_view import given, without_empty
from explorer.web.ports import Document
from explorer.web.problems import Problem
from explorer.web.sign_in_pages import see_other
from explorer.web.signing_in import signature_problems

_FILTERS: Final = ("state", "cluster", "publisher", "job_id", "cursor", "limit")


async def post_review(request: web.Request) -> web.StreamResponse:
    """`POST /reviews`: 201 with a new review, 200 with that of the same job and body."""
    asking.read_request(request, "postReview")
    body = await asking.read_body(request, "postReview")
    with timed(request, "review"), signature_problems():
        review, is_new = await intake.request_review(desk_of(request), asking.actor_of(request), body)
    headers = {"Location": f"/reviews/{review['id']}"}
    return await review_answer(request, review, status=201 if is_new else 200, headers=headers)


async def get_reviews(request: web.Request) -> web.StreamResponse:
    """`GET /reviews`. A browser whose filters can't be taken gets the form back, as it was typed."""
    if representation(request) != HTML:
        return await _list_document(request)
    try:
        return await _list_page(request)
    except (Problem, QuestionError) as error:
        return await review_list_page.refused_list(request, asking.actor_of(request), error)


async def _list_page(request: web.Request) -> web.StreamResponse:
    asked = given(asking.read_request(request, "getReviews"))
    if (tidied := without_empty(request) or review_list_page.without_waiting(request)) is not None:
        return see_other(tidied)
    desk, actor = desk_of(request), asking.actor_of(request)
    return await review_list_page.list_page(request, desk, actor, asked, _filters(asked))


async def _list_document(request: web.Request) -> web.StreamResponse:
    asked = given(asking.read_request(request, "getReviews"))
    filters, desk, actor = _filters(asked), desk_of(request), asking.actor_of(request)
    with timed(request, "database"):
        page = await _listed(desk, actor, filters, asked["waits_for"])
    query = reading.next_query(asked, page)
    links = {} if query is None else {"Link": f'</reviews?{urlencode(query)}>; rel="next"'}
    return await review_answer(request, page, headers=links)


def _filters(asked: dict[str, Any]) -> reading.Filters:
    since, until = _moment(asked, "since"), _moment(asked, "until")
    return reading.Filters(**{name: asked[name] for name in _FILTERS}, since=since, until=until)


async def _listed(desk: Desk, actor: Actor, filters: reading.Filters, waits_for: str | None) -> Document:
    if waits_for is None:
        return await reading.load_reviews(desk, actor, filters)
    return await queue.load_waiting(desk, actor, filters, is_answer_due=waits_for == queue.ANSWER)


def _moment(asked: dict[str, Any], name: str) -> datetime | None:
    return None if asked[name] is None else asking.parse_time(name, asked[name])


async def get_review(request: web.Request) -> web.StreamResponse:
    """`GET /reviews/{id}`."""
    wants = representation(request)
    asked = asking.read_request(request, "getReview")
    if wants == HTML:
        return await review_page.review_page(
            request, desk_of(request), asking.actor_of(request), asked["id"], decide=asked["decide"]
        )
    with timed(request, "database"):
        review = await reading.load_review(desk_of(request), asking.actor_of(request), asked["id"])
    return await review_answer(request, review)


async def post_results(request: web.Request) -> web.StreamResponse:
    """`POST /reviews/{id}/results`."""
    asked = asking.read_request(request, "postReviewResults")
    body = await asking.read_body(request, "postReviewResults")
    review = await changes.add_results(desk_of(request), asking.actor_of(request), asked["id"], body)
    return await review_answer(request, review)


async def post_comment(request: web.Request) -> web.StreamResponse:
    """`POST /reviews/{id}/comments`."""
    asked = asking.read_request(request, "postReviewComment")
    body = await asking.read_body(request, "postReviewComment")
    review = await changes.add_comment(desk_of(request), asking.actor_of(request), asked["id"], body["comment"])
    return await review_answer(request, review)


async def post_withdrawal(request: web.Request) -> web.StreamResponse:
    """`POST /reviews/{id}/withdraw`."""
    asked = asking.read_request(request, "postReviewWithdrawal")
    body = await asking.read_body(request, "postReviewWithdrawal")
    review = await changes.withdraw(desk_of(request), asking.actor_of(request), asked["id"], body["comment"])
    return await review_answer(request, review)


async def post_reopening(request: web.Request) -> web.StreamResponse:
    """`POST /reviews/{id}/reopen`."""
    asked = asking.read_request(request, "postReviewReopening")
    body = await asking.read_body(request, "postReviewReopening")
    review = await changes.reopen(desk_of(request), asking.actor_of(request), asked["id"], body["comment"])
    return await review_answer(request, review)


async def get_publisher_proof(request: web.Request) -> web.StreamResponse:
    """`GET /reviews/{id}/publisher-proof`: the text for the publisher to sign."""
    asked = asking.read_request(request, "getPublisherProof")
    text = await proving.proof_text(desk_of(request), asking.actor_of(request), asked["id"])
    return await review_answer(request, text)


async def post_publisher_proof(request: web.Request) -> web.StreamResponse:
    """`POST /reviews/{id}/publisher-proof`."""
    asked = asking.read_request(request, "postPublisherProof")
    body = await asking.read_body(request, "postPublisherProof")
    with timed(request, "signature"), signature_problems():
        review = await proving.prove(
            desk_of(request), asking.actor_of(request), asked["id"], body["message"], body["signature"]
        )
    return await review_answer(request, review)


def desk_of(request: web.Request) -> Desk:
    """Where reviews are worked on; the problem `not_found` where none are taken."""
    desk = request.app[REVIEWS]
    if desk is None:
        raise Problem("not_found", "This service takes no reviews.", request.path)
    return desk


async def review_answer(
    request: web.Request, document: Document, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A document as JSON for the one who asked, written in a thread: a review may be large."""
    body = await encode(document, large=True)
    if status == 200:
        return cacheable(request, body, content_type=JSON, cache_control=PRIVATE, headers=headers)
    return web.Response(
        status=status, body=body, headers={"Content-Type": JSON, "Cache-Control": PRIVATE, **(headers or {})}
    )
