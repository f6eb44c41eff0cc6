"""`/reviews` for a browser: what waits for the notary who looks, what it asked, the rest; or a list by filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from explorer.access.actors import Actor, ActorKind
from explorer.errors import QuestionError
from explorer.reviews import queue, reading
from explorer.reviews.desk import Desk
from explorer.reviews.life import State
from explorer.reviews.rights import sees_all
from explorer.web.keys import RENDERER
from explorer.web.notary_view import notary_view, private_page
from explorer.web.pages import live_view
from explorer.web.ports import Document
from explorer.web.problems import Problem
from explorer.web.queue_charts import queue_charts
from explorer.web.refused_filters import refused_page
from explorer.web.saved_views import views_of

FIRST_WAITING: Final = 50
SHOWN_ASKED: Final = 20
_PRESETS: Final = (
    ("Waits for you", "/reviews"),
    ("Open", "/reviews?state=open"),
    ("Closed", "/reviews?state=%21open"),
    ("Approved", "/reviews?state=approved"),
    ("Rejected", "/reviews?state=rejected"),
    ("All", "/reviews?limit=100"),
)
_FILTERS: Final = ("state", "cluster", "publisher", "job_id", "since", "until")
_NOT_OF_WAITING: Final = ("state", "job_id", "since", "until")
_NO_LIST: Final[Mapping[str, Any]] = {
    "is_queue": False,
    "waits_for_answer": False,
    "asked_about": None,
    "count": None,
    "is_more": False,
    "reviews": [],
    "others": [],
    "following": None,
    "paging": False,
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A view that everybody has: a plain link."""

    name: str
    address: str
    is_here: bool


async def list_page(
    request: web.Request, desk: Desk, actor: Actor, asked: dict[str, Any], filters: reading.Filters
) -> web.StreamResponse:
    """The page: the queue where nothing is asked for in particular, else the list that is."""
    live = None if asked["cursor"] else live_view(request, {"reviews": "all"}) if sees_all(actor) else None
    is_queue = asked["waits_for"] == "me" or _asks_nothing(request, actor)
    view = await (_queue(desk, actor, asked, filters) if is_queue else _list(desk, actor, asked, filters))
    query = {**({"waits_for": "me"} if is_queue else {}), **_without_cursor(request)}
    write = partial(
        request.app[RENDERER].page,
        "reviews.html",
        **view,
        actor=notary_view(actor),
        presets=_presets(request),
        views=await views_of(request, actor, "reviews", _without_cursor(request)),
        asked={name: asked[name] or "" for name in _FILTERS},
        refused=None,
        waits_for_me=False,
        states=[state.value for state in State],
        charts=await queue_charts(desk, actor) if _shows_everything(asked) else None,
        first=f"/reviews?{urlencode(query)}",
        json_address=_json_address(request, query),
        live=live,
    )
    return await private_page(request, write)


async def refused_list(request: web.Request, actor: Actor, error: Problem | QuestionError) -> web.StreamResponse:
    """The form as it was typed, with what is wrong at its field; the error itself where it isn't about the filters."""
    return await refused_page(
        request,
        "reviews.html",
        error,
        _FILTERS,
        **_NO_LIST,
        actor=notary_view(actor),
        presets=[Preset(name, link, is_here=False) for name, link in _PRESETS],
        views=await views_of(request, actor, "reviews", {}),
        waits_for_me=request.query.get("waits_for") == "me",
        states=[state.value for state in State],
        charts=None,
    )


def without_waiting(request: web.Request) -> str | None:
    """The page's address without `waits_for`, where it has filters that don't go with that; None where it has none."""
    if "waits_for" not in request.query or not any(name in request.query for name in _NOT_OF_WAITING):
        return None
    kept = [(name, text) for name, text in request.query.items() if name != "waits_for"]
    return f"/reviews?{urlencode(kept, safe='!')}"


def _shows_everything(asked: Mapping[str, Any]) -> bool:
    """Whether the page is narrowed to nothing, so that charts over all reviews say what its lists do."""
    narrowed = any(asked[name] for name in (*_FILTERS, "cursor"))
    return not narrowed and asked["waits_for"] != queue.ANSWER


def _without_cursor(request: web.Request) -> dict[str, str]:
    return {name: text for name, text in request.query.items() if name not in ("cursor", "format")}


def _json_address(request: web.Request, query: Mapping[str, str]) -> str:
    """What a script would ask to have the same."""
    place = {"cursor": request.query["cursor"]} if "cursor" in request.query else {}
    return f"/reviews?{urlencode({**query, **place, 'format': 'json'})}"


def _asks_nothing(request: web.Request, actor: Actor) -> bool:
    """Whether a notary simply looks in."""
    named = (*_FILTERS, "waits_for", "limit")
    return actor.kind is ActorKind.NOTARY and not any(name in request.query for name in named)


async def _queue(desk: Desk, actor: Actor, asked: dict[str, Any], filters: reading.Filters) -> dict[str, Any]:
    """What waits for a notary; on its first page also what it asked about, and the newest of the others."""
    page = await queue.load_waiting(desk, actor, replace(filters, limit=min(filters.limit, FIRST_WAITING)))
    is_first = asked["cursor"] is None
    count = await queue.count_waiting(desk, actor, filters)
    narrowing = _kept(asked, ("cluster", "publisher"))
    return {
        "is_queue": True,
        "waits_for_answer": False,
        "asked_about": await _asked_about(desk, actor, filters) if is_first else None,
        "all_asked_about": f"/reviews?{urlencode({'waits_for': queue.ANSWER, **narrowing})}",
        "count": count,
        "is_more": count > queue.MOST_COUNTED,
        "reviews": page["reviews"],
        "others": await queue.load_others(desk, actor) if is_first else [],
        "following": _following({"waits_for": "me", **_kept(asked, ("cluster", "publisher", "limit"))}, page),
        "paging": not is_first,
    }


async def _asked_about(desk: Desk, actor: Actor, filters: reading.Filters) -> Document:
    return await queue.load_waiting(desk, actor, replace(filters, limit=SHOWN_ASKED), is_answer_due=True)


async def _list(desk: Desk, actor: Actor, asked: dict[str, Any], filters: reading.Filters) -> dict[str, Any]:
    waits_for_answer = asked["waits_for"] is not None
    if waits_for_answer:
        page = await queue.load_waiting(desk, actor, filters, is_answer_due=True)
    else:
        page = await reading.load_reviews(desk, actor, filters)
    is_more = page["next_cursor"] is not None
    return {
        **_NO_LIST,
        "waits_for_answer": waits_for_answer,
        "count": len(page["reviews"]) + is_more if asked["cursor"] is None else None,
        "is_more": is_more,
        "reviews": page["reviews"],
        "following": _following(_kept(asked, (*_FILTERS, "waits_for", "limit")), page),
        "paging": asked["cursor"] is not None,
    }


def _kept(asked: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    return {name: str(asked[name]) for name in names if asked[name] is not None}


def _following(kept: Mapping[str, str], page: Document) -> str | None:
    cursor = page["next_cursor"]
    return None if cursor is None else f"/reviews?{urlencode({**kept, 'cursor': cursor})}"


def _presets(request: web.Request) -> list[Preset]:
    here = _without_cursor(request)
    address = f"/reviews?{urlencode(here)}" if here and here != {"waits_for": "me"} else "/reviews"
    return [Preset(name, link, link == address) for name, link in _PRESETS]
