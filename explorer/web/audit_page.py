"""`/audit` for a browser: what was done, by whom, and what of it was verified just now."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from explorer.access.actors import Actor
from explorer.audit.actions import ACTIONS
from explorer.audit.chain import Chain, Entry, Head
from explorer.audit.errors import BrokenLog
from explorer.audit.reading import Page
from explorer.web.keys import RENDERER
from explorer.web.notary_view import notary_view, private_page
from explorer.web.saved_views import views_of
from explorer.web.written import visible_lines

FILTERS: Final = ("action", "actor", "subject", "since")
_FACT_CHARS: Final = 1_000


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

    def write() -> str:
        return request.app[RENDERER].page(
            "audit.html",
            actor=notary_view(actor),
            entries=[_view(entry) for entry in page.entries],
            seal=seal_of(page.entries),
            head=head,
            asked={name: asked[name] or "" for name in FILTERS},
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


def _view(entry: Entry) -> dict[str, Any]:
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
        "link": link,
        "facts": facts,
        "hash": entry.hash,
    }


def _words(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _FACT_CHARS else f"{text[:_FACT_CHARS]}…"
