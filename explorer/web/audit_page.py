"""`/audit` for a browser: what was done, by whom, and what of it was verified just now."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from explorer.access.actors import Actor
from explorer.audit.actions import ACTIONS
from explorer.audit.chain import Chain, Entry, Head
from explorer.audit.errors import BrokenLog
from explorer.audit.reading import Page
from explorer.errors import QuestionError
from explorer.reviews.queue import load_jobs
from explorer.web.formats import tib
from explorer.web.keys import RENDERER, REVIEWS
from explorer.web.notary_view import notary_view, private_page
from explorer.web.problems import Problem
from explorer.web.refused_filters import refused_page
from explorer.web.saved_views import views_of
from explorer.web.written import visible_lines

FILTERS: Final = ("action", "actor", "subject", "since")
_FACT_CHARS: Final = 1_000
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NO_ENTRIES: Final[Mapping[str, Any]] = {"entries": [], "seal": None, "head": None}
_TOLD: Final = ("decision", "state", "requested_bytes", "cluster", "name", "comment", "number", "round", "url")
_TOLD_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Seal:
    """What of the shown entries holds: from which to which, whether as a chain, and what is wrong, if anything."""

    first: int
    last: int
    is_chain: bool
    broken: str | None


def seal_of(entries: Sequence[Entry]) -> Seal | None:
    """The entries' hashes, reckoned anew; None of none. Where entries are left out, each only for itself."""
    if not entries:
        return None
    ordered = sorted(entries, key=lambda entry: entry.seq)
    first, last = ordered[0].seq, ordered[-1].seq
    is_chain = last - first + 1 == len(ordered)
    chain, broken = Chain(), None
    try:
        for entry in ordered:
            (chain if is_chain else Chain()).take(entry)
    except BrokenLog as error:
        broken = str(error)
    return Seal(first, last, is_chain, broken)


async def audit_page(
    request: web.Request, actor: Actor, asked: dict[str, Any], page: Page, head: Head | None, following: str | None
) -> web.StreamResponse:
    """The page of some entries."""
    kept = {name: str(asked[name]) for name in FILTERS if asked[name] is not None}
    views = await views_of(request, actor, "audit", kept)
    jobs = await _jobs(request, actor, page.entries)

    def write() -> str:
        return request.app[RENDERER].page(
            "audit.html",
            actor=notary_view(actor),
            entries=[_view(entry, jobs.get(entry.subject)) for entry in page.entries],
            seal=seal_of(page.entries),
            head=head,
            asked={name: asked[name] or "" for name in FILTERS},
            refused=None,
            actions=ACTIONS,
            lines=visible_lines,
            following=following,
            first=f"/audit?{urlencode(kept)}" if kept else "/audit",
            export=f"/audit?{urlencode({**kept, 'order': 'oldest', 'format': 'ndjson'})}",
            is_part=any(name != "since" for name in kept),
            paging=asked["cursor"] is not None,
            views=views,
        )

    return await private_page(request, write)


async def refused_list(request: web.Request, actor: Actor, error: Problem | QuestionError) -> web.StreamResponse:
    """The form as it was typed, with what is wrong at its field; the error itself where it isn't about the filters."""
    return await refused_page(
        request,
        "audit.html",
        error,
        FILTERS,
        **_NO_ENTRIES,
        actor=notary_view(actor),
        actions=ACTIONS,
        views=await views_of(request, actor, "audit", {}),
    )


def beginning_of(since: str | None) -> str | None:
    """The moment at which a day begins, UTC, where a day is all that is given; anything else unchanged."""
    return f"{since}T00:00:00Z" if since is not None and _DAY.fullmatch(since) else since


async def _jobs(request: web.Request, actor: Actor, entries: Sequence[Entry]) -> Mapping[str, str]:
    """The job of each review that entries are about, by the review."""
    desk = request.app[REVIEWS]
    if desk is None:
        return {}
    return await load_jobs(desk, actor, sorted({one.subject for one in entries if one.subject.startswith("rev_")}))


def _view(entry: Entry, job_id: str | None) -> dict[str, Any]:
    facts = {name: _words(value) for name, value in json.loads(entry.facts).items()}
    link = f"/reviews/{entry.subject}" if entry.subject.startswith("rev_") else None
    return {
        "seq": entry.seq,
        "at": entry.at,
        "action": entry.action,
        "actor": entry.actor_name,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "subject": entry.subject,
        "job_id": job_id,
        "link": link,
        "facts": facts,
        "told": _told(facts),
        "hash": entry.hash,
    }


def _told(facts: Mapping[str, str]) -> str:
    """The telling ones of the facts in one line: approve, approved, “fine by me”; their names where none tells."""
    telling = {name: facts[name] for name in _TOLD if facts.get(name, "") not in ("", "null")}
    parts = [_telling(name, words) for name, words in telling.items() if (name, words) != ("round", "1")]
    return ", ".join(parts) or ", ".join(facts)


def _telling(name: str, words: str) -> str:
    line = words.replace("\n", " ")
    text = line if len(line) <= _TOLD_CHARS else f"{line[:_TOLD_CHARS]}…"
    if name == "requested_bytes" and text.isascii() and text.isdigit():
        return f"asks for {tib(int(text))}"
    return f"“{text}”" if name == "comment" else f"{name} {text}" if name in ("number", "round") else text


def _words(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _FACT_CHARS else f"{text[:_FACT_CHARS]}…"
