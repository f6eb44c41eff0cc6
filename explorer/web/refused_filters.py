"""Lists whose filters can't be taken: what is wrong with which field, so that the form comes back as it was typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from explorer.errors import QuestionError
from explorer.web.keys import RENDERER
from explorer.web.notary_view import private_page
from explorer.web.problems import Problem, problem_from_error

_OF_FILTERS: Final = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class RefusedFilters:
    """A list that was not asked for properly. `field` is the form's field that is wrong; None: none of them is."""

    problem: Problem
    field: str | None
    typed: Mapping[str, str]
    """What was typed, by field; an empty text where nothing was."""

    def without(self, page: str) -> str:
        """The address of the page with what was typed but the field that is wrong."""
        kept = {name: text for name, text in self.typed.items() if text and name != self.field}
        return f"{page}?{urlencode(kept)}" if kept and self.field else page


async def refused_page(
    request: web.Request, template: str, error: Problem | QuestionError, fields: Sequence[str], **view: Any
) -> web.StreamResponse:
    """The list's page with its form as it was typed; the error itself where it isn't about the filters."""
    refused = refused_filters(error, request.query, fields)
    if refused is None:
        raise error
    write = partial(request.app[RENDERER].page, template, **view, asked=refused.typed, refused=refused)
    return await private_page(request, write, status=refused.problem.kind.status)


def refused_filters(
    error: Problem | QuestionError, query: Mapping[str, str], fields: Sequence[str]
) -> RefusedFilters | None:
    """What the form has to say of an error; None where the error isn't about the filters."""
    problem = error if isinstance(error, Problem) else problem_from_error(error, value=None)
    if problem.kind.status not in _OF_FILTERS:
        return None
    typed = {name: query.get(name, "") for name in fields}
    return RefusedFilters(problem, _field_of(problem, typed), typed)


def _field_of(problem: Problem, typed: Mapping[str, str]) -> str | None:
    """The field that the problem names first, else the one that holds its value."""
    named = next((name for name in typed if problem.detail.startswith((f"{name} ", f"{name}:"))), None)
    if named is not None or not problem.value:
        return named
    return next((name for name, text in typed.items() if problem.value in text), None)
