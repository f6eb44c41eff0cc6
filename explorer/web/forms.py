"""Forms of our own pages: they work without any script, and are checked against the contract as JSON bodies are."""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from explorer.web import asking
from explorer.web.bodies import read_body
from explorer.web.keys import CONFIG
from explorer.web.problems import Problem

FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 20
_WRITTEN: Final = ("comment", "name")
_MOST_WRITTEN_BYTES: Final = 64 * 1024
_WRITTEN_WITHIN_S: Final = 2.0


async def read_fields(request: web.Request) -> dict[str, str]:
    """The form's fields by name, those without a text left out. Line breaks are one character, as in signed texts.

    Raises Problem: another type, too large, unreadable, a field twice. What they hold is for `check_form`.
    """
    if request.content_type != FORM:
        found = request.headers.get("Content-Type", "without a type")
        raise Problem("unsupported_media_type", f"The body must be {FORM}, not {found!r}.", found)
    raw = await read_body(request, request.app[CONFIG].limits)
    try:
        fields = parse_qsl(raw.decode("ascii"), strict_parsing=bool(raw), errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Problem("malformed_body", "The form can't be read.") from error
    if len(dict(fields)) != len(fields):
        raise Problem("malformed_body", "A field of the form comes twice.")
    return {name: text.replace("\r\n", "\n") for name, text in fields if text.strip()}


async def words_written(request: web.Request) -> str:
    """What a person wrote into a form of ours that was refused, perhaps unread; empty where there is no such thing.

    Nothing large is read for it, nor waited for.
    """
    if request.content_type != FORM or not 0 < (request.content_length or 0) <= _MOST_WRITTEN_BYTES:
        return ""
    try:
        async with asyncio.timeout(_WRITTEN_WITHIN_S):
            fields = await read_fields(request)
    except (Problem, TimeoutError):
        return ""
    return next((fields[name] for name in _WRITTEN if name in fields), "")


def check_form(request: web.Request, operation_id: str, form: Mapping[str, str]) -> None:
    """Returns where the fields are as the contract has them.

    Raises Problem: one is missing, isn't named there, or is too long. Apart from reading, so that a page can give back
    what was typed.
    """
    asking.operation_of(request, operation_id).check_body(form)
