"""A request as a question to the index: its validated parameters, its moment, how much evidence it wants."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from explorer.access.actors import Actor
from explorer.web.bodies import read_body as read_raw_body
from explorer.web.bodies import read_json_body
from explorer.web.contract import Operation
from explorer.web.evidence import next_cursors
from explorer.web.keys import ACTOR, CONFIG, CONTRACT
from explorer.web.ports import EVIDENCE_KINDS, AsOf, Document, EvidenceRequest
from explorer.web.problems import Problem, shortened, unauthorized

END = "end"
"""The cursor that leaves a kind of evidence out: those that had no next page carry it in `Link`."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def operation_of(request: web.Request, operation_id: str) -> Operation:
    """The contract's description of an operation."""
    return request.app[CONTRACT].operations[operation_id]


def read_request(request: web.Request, operation_id: str) -> dict[str, Any]:
    """The path's and the query's parameters by name, as the contract types them. Raises Problem."""
    operation = operation_of(request, operation_id)
    return {**operation.read_query(request.query), **operation.read_path(request.match_info)}


async def read_body(request: web.Request, operation_id: str) -> Any:
    """The request's JSON body, as the operation takes it. Raises Problem."""
    return await read_json_body(request, operation_of(request, operation_id), request.app[CONFIG].limits)


async def demand_no_body(request: web.Request) -> None:
    """Returns where the request has no body, or only `{}`; Problem. For operations whose contract has none."""
    raw = (await read_raw_body(request, request.app[CONFIG].limits)).strip()
    if raw and (raw[:1] != b"{" or raw[-1:] != b"}" or raw[1:-1].strip()):
        shown = shortened(raw[:60].decode("utf-8", "replace"), 60)
        raise Problem("malformed_body", "this address takes no body: leave it out, or send {}.", shown)


def actor_of(request: web.Request) -> Actor:
    """Who asks; the problem `credentials_missing` for nobody known."""
    actor: Actor | None = request.get(ACTOR)
    if actor is None:
        raise unauthorized("credentials_missing", "Who asks has to be known here.")
    return actor


def moment_of(asked: dict[str, Any]) -> AsOf:
    """The moment that `at_epoch` or `at` name. Raises Problem when both do."""
    epoch, time = asked.get("at_epoch"), asked.get("at")
    if epoch is not None and time is not None:
        raise Problem("conflicting_parameters", "at_epoch and at are both given.", str(epoch))
    return AsOf(epoch=epoch, time=None if time is None else parse_time("at", time))


def parse_time(name: str, text: str) -> datetime:
    """The moment of an RFC 3339 text, in UTC; `name` is the parameter's. Raises the problem `malformed_time`.

    A `+` that nobody encoded arrives as a space before the offset, and is taken as what it was.
    """
    repaired = re.sub(r" (?=\d\d:\d\d$)", "+", text)
    if _RFC3339.fullmatch(repaired):
        try:
            return datetime.fromisoformat(repaired.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise Problem("malformed_time", f"{name} must be an RFC 3339 time, not {shortened(text, 60)!r}.", text)


def evidence_of(asked: dict[str, Any], *, full: bool | None = None) -> EvidenceRequest:
    """How much evidence is wanted. A cursor that says `end` asks for the first page, which `without_ended` empties."""
    cursors = {
        kind: asked[f"{kind}_cursor"] for kind in EVIDENCE_KINDS if asked.get(f"{kind}_cursor") not in (None, END)
    }
    wanted = asked["evidence"] == "full" if full is None else full
    return EvidenceRequest(full=wanted, limit=asked["limit"], cursors=cursors)


def without_ended(document: Document, asked: dict[str, Any]) -> Document:
    """The verdict without the items of the kinds whose cursor says `end`; their totals stay."""
    ended = [kind for kind in EVIDENCE_KINDS if asked.get(f"{kind}_cursor") == END]
    pages = {kind: {**document["evidence"][kind], "items": [], "next_cursor": None} for kind in ended}
    return {**document, "evidence": {**document["evidence"], **pages}} if ended else document


def next_address(document: Document, asked: dict[str, Any]) -> str | None:
    """The address of the next page of evidence, relative; None on the last.

    It names the epoch of this answer, so that all pages speak of one moment, and `end` for each kind that is done:
    who follows the links until there is none has every record once.
    """
    cursors = next_cursors(document["evidence"])
    if not cursors:
        return None
    epoch = document["as_of"]["epoch"]
    query = {
        **({} if epoch is None else {"at_epoch": epoch}),
        "evidence": "full",
        **({"format": asked["format"]} if asked["format"] else {}),
        "limit": asked["limit"],
        **{f"{kind}_cursor": cursors.get(kind, END) for kind in EVIDENCE_KINDS},
    }
    return f"/cid/{quote(asked['cid'], safe='')}/filplus?{urlencode(query)}"
