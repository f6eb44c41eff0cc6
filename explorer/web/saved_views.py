"""Views that notaries save: links on their pages, and the page where they are named and removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from aiohttp import web
from multidict import MultiDict

from explorer.access.actors import Actor, ActorKind
from explorer.access.views import MAX_VIEW_NAME_CHARS, SavedView
from explorer.errors import QuestionError
from explorer.web import asking
from explorer.web.access import sign_in_address
from explorer.web.forms import check_form, read_fields
from explorer.web.headers import timed
from explorer.web.keys import ACTOR, RENDERER, VIEWS
from explorer.web.notary_view import notary_view, private_page
from explorer.web.ports import Views
from explorer.web.problems import Problem, problem_from_error
from explorer.web.sign_in_pages import see_other

_OPERATIONS: Final = {"reviews": "getReviews", "audit": "getAudit"}
_FILTERS: Final = {
    "reviews": ("state", "cluster", "publisher", "job_id", "since", "until", "waits_for", "limit"),
    "audit": ("action", "actor", "subject", "since", "order"),
}
_EMPTY: Final[Mapping[str, Any]] = {"page": None, "query": None, "name": None}


@dataclass(frozen=True, slots=True)
class ViewsHere:
    """What a page shows: its saved views, and its own filters where they could be saved as one more."""

    page: str
    saved: list[SavedView]
    query: str

    @property
    def is_saved(self) -> bool:
        """Whether the page is one of them."""
        return any(view.query == self.query for view in self.saved)


async def views_of(request: web.Request, actor: Actor, page: str, asked: Mapping[str, Any]) -> ViewsHere | None:
    """The views of a page that was asked for with these filters; None for who is no notary, and can save none."""
    service = request.app[VIEWS]
    if service is None or actor.kind is not ActorKind.NOTARY:
        return None
    with timed(request, "database"):
        saved = [view for view in await service.of(actor) if view.page == page]
    return ViewsHere(page, saved, query_of(page, asked))


def query_of(page: str, asked: Mapping[str, Any]) -> str:
    """The filters among what was asked, in the one order in which they are saved."""
    return urlencode({name: asked[name] for name in _FILTERS[page] if asked.get(name) not in (None, "")})


async def get_views(request: web.Request) -> web.StreamResponse:
    """`GET /views`: what the notary saved, and a form for one more where filters are given."""
    asked = asking.read_request(request, "getViews")
    return await _page(request, asking.actor_of(request), asked)


async def post_views(request: web.Request) -> web.StreamResponse:
    """`POST /views`: saves a view or removes one; what can't be saved comes back with the reason."""
    asking.read_request(request, "postViewForm")
    form = await read_fields(request)
    check_form(request, "postViewForm", form)
    actor: Actor | None = request.get(ACTOR)
    if actor is None:
        kept = {name: form[name] for name in _EMPTY if name in form and form["action"] == "save"}
        return see_other(sign_in_address(f"/views?{urlencode(kept)}" if kept else "/views"))
    try:
        return see_other(await _take(request, actor, form))
    except QuestionError as error:
        return await _page(request, actor, form, problem_from_error(error, value=form.get("name")))
    except Problem as problem:
        return await _page(request, actor, form, problem)


async def _take(request: web.Request, actor: Actor, form: Mapping[str, Any]) -> str:
    """Does what the form says; returns where to go on."""
    service = _views(request)
    name = form.get("name", "").strip()
    if form["action"] == "remove":
        await service.remove(actor, form["page"], name)
        return "/views"
    if not name:
        raise Problem("name_refused", "The view needs a name.")
    view = SavedView(form["page"], name, _checked(request, form["page"], form.get("query", "")))
    await service.save(actor, view, replaces=form.get("replace", "").strip() == name)
    return view.address


def _checked(request: web.Request, page: str, query: str) -> str:
    """The filters as they are saved. Raises Problem where the page would not take them, or there are none."""
    try:
        fields = MultiDict(parse_qsl(query, strict_parsing=bool(query), errors="strict", max_num_fields=20))
    except ValueError as error:
        raise Problem("malformed_body", "The view's filters can't be read.") from error
    asking.operation_of(request, _OPERATIONS[page]).read_query(fields)
    if not (kept := query_of(page, fields)):
        raise Problem("malformed_body", "The view has no filters.", remedy="Filter the page first, then save it.")
    return kept


async def _page(
    request: web.Request, actor: Actor, asked: Mapping[str, Any], problem: Problem | None = None
) -> web.StreamResponse:
    with timed(request, "database"):
        saved = await _views(request).of(actor)
    write = partial(
        request.app[RENDERER].page,
        "views.html",
        actor=notary_view(actor),
        saved=saved,
        asked={name: asked.get(name) or "" for name in _EMPTY},
        longest=MAX_VIEW_NAME_CHARS,
        problem=problem,
    )
    if problem is None:
        return await private_page(request, write)
    return await private_page(request, write, status=problem.kind.status, headers=problem.headers)


def _views(request: web.Request) -> Views:
    service = request.app[VIEWS]
    if service is None:
        raise Problem("not_found", "This service saves no views.", request.path)
    return service
