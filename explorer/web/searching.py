"""`GET /search`: where a typed text leads. Works without JavaScript."""

import re
from urllib.parse import quote, urlencode

from aiohttp import web

from explorer.access.actors import Actor, ActorKind
from explorer.access.errors import AddressUnsuited, NotaryUnknown
from explorer.access.notaries import list_notaries, load_notary, parse_signing_address
from explorer.errors import MalformedCid, NotFound
from explorer.reviews.desk import Desk
from explorer.reviews.errors import MalformedAddress, OtherNetworkAddress, PublisherUnknown
from explorer.reviews.publishers import load_publisher
from explorer.reviews.reading import Filters, load_reviews
from explorer.web import asking
from explorer.web.caching import NO_STORE, page_answer
from explorer.web.keys import ACTOR, INDEX, PARTIES, RENDERER, REVIEWS
from explorer.web.notary_view import notary_view
from explorer.web.ports import Index
from explorer.web.problems import Problem, shortened

_RECORD = re.compile(r"(?:(deal|claim|allocation)s?[\s/#:]*)?([0-9]{1,19})", re.ASCII | re.IGNORECASE)
_PARTY = re.compile(
    r"(?:(clients?|providers?|allocators?|publishers?|notary|notaries)[\s/#:]*)?"
    r"([ft]0[0-9]{1,19}|[ft][123][a-z2-7]{20,90}|[ft]4[0-9]{1,19}f[a-z2-7]{5,100}|0x[0-9a-fA-F]{40})",
    re.ASCII | re.IGNORECASE,
)
_REVIEW = re.compile(r"(?:reviews?[\s/#:]*)?rev_([0-9A-HJKMNP-TV-Z]{26})", re.ASCII | re.IGNORECASE)
_KINDS = ("deal", "claim", "allocation")
_PATHS = ("clients", "providers", "allocators", "publishers", "notaries")
_ROLES_PATHS = {path: path for path in _PATHS} | {path[:-1]: path for path in _PATHS} | {"notary": "notaries"}
_MAX_ID = 2**63 - 1
_SHORTEST_ATTEMPT = 30
"""Whoever types so much and is no name here meant a CID."""
_TAKES = (
    "Give a CID, the number of a deal, claim or allocation, an address, or a review (rev_…); "
    "notaries who are signed in also find jobs, clusters and notaries by their whole names."
)
_LONGEST_NAME = 128


async def search(request: web.Request) -> web.StreamResponse:
    """Leads to the page of the CID or record that the text names, by 303. Raises the problem that says why it can't."""
    text = asking.read_request(request, "getSearch")["q"].strip()
    if not text:
        actor = request[ACTOR]
        page = request.app[RENDERER].page("search.html", actor=None if actor is None else notary_view(actor))
        return page_answer(request, page, cache_control=NO_STORE)
    return web.Response(status=303, headers={"Location": await _found_address(request, text)})


async def _found_address(request: web.Request, text: str) -> str:
    if review := _REVIEW.fullmatch(text):
        return f"/reviews/rev_{review[1].upper()}"
    if party := _PARTY.fullmatch(text):
        role, address = party[1], party[2].lower()
        path = await _path_of(request, address) if role is None else _ROLES_PATHS[role.lower()]
        if path is not None:
            return f"/{path}/{address}"
    index, found = request.app[INDEX], _RECORD.fullmatch(text)
    if (named := await _named_address(request, text)) is not None:
        return named
    return await (_record_address(index, found) if found else _cid_address(index, text))


async def _path_of(request: web.Request, address: str) -> str | None:
    """Below which path an address is whose role nobody says; None where this service knows of no parties.

    For a notary who is signed in publishers and notaries come first, then providers that store anything, then clients.
    """
    desk, actor, parties = request.app[REVIEWS], request[ACTOR], request.app[PARTIES]
    if actor is not None and desk is not None:
        if await _is_publisher(desk, actor, address):
            return "publishers"
        if await _is_notary(desk, address):
            return "notaries"
    if parties is None:
        return None
    return "providers" if await parties.is_known("provider", address) else "clients"


async def _named_address(request: web.Request, text: str) -> str | None:
    """Where a notary who is signed in finds a job, a cluster's reviews or a notary by a whole name; None for none."""
    desk, actor = request.app[REVIEWS], request[ACTOR]
    if desk is None or actor is None or actor.kind is not ActorKind.NOTARY or len(text) > _LONGEST_NAME:
        return None
    if await _has_reviews(desk, actor, Filters(job_id=text, limit=1)):
        return f"/reviews?{urlencode({'job_id': text})}"
    is_plain = "," not in text and not text.startswith("!")  # else a filter reads it otherwise
    if is_plain and await _has_reviews(desk, actor, Filters(cluster=text, limit=1)):
        return f"/reviews?{urlencode({'cluster': text})}"
    async with desk.looking() as connection:
        notaries = await list_notaries(connection)
    named = [one.address for one in notaries if one.name.casefold() == text.casefold()]
    return f"/notaries/{named[0]}" if named else None


async def _has_reviews(desk: Desk, actor: Actor, filters: Filters) -> bool:
    return bool((await load_reviews(desk, actor, filters))["reviews"])


async def _is_publisher(desk: Desk, actor: Actor, address: str) -> bool:
    try:
        await load_publisher(desk, actor, address, cursor=None, limit=1)
    except (MalformedAddress, OtherNetworkAddress, PublisherUnknown):
        return False
    return True


async def _is_notary(desk: Desk, address: str) -> bool:
    try:
        notary = parse_signing_address(address)
        async with desk.looking() as connection:
            await load_notary(connection, notary)
    except (AddressUnsuited, NotaryUnknown):
        return False
    return True


async def _record_address(index: Index, found: re.Match[str]) -> str:
    """The address of the named record; of the first kind that has the number when no kind is named."""
    number = int(found[2])
    kinds = (found[1].lower(),) if found[1] else _KINDS
    for kind in kinds if number <= _MAX_ID else ():
        if await _exists(index, kind, number):
            return f"/{kind}s/{number}"
    raise Problem("not_found", f"There is no {' or '.join(kinds)} {number} in the index.", found[0])


async def _exists(index: Index, kind: str, number: int) -> bool:
    look_up = {"deal": index.deal, "claim": index.claim, "allocation": index.allocation}[kind]
    try:
        await look_up(number)
    except NotFound:
        return False
    return True


async def _cid_address(index: Index, text: str) -> str:
    """The address of a CID's page: as it was typed when that is plain, else by its canonical form.

    What is far too short for one is told what the search takes, not what is wrong with it as a CID.
    """
    try:
        described = await index.describe(cid_within(text))
    except MalformedCid as error:
        if len(text) >= _SHORTEST_ATTEMPT:
            raise
        detail = f"{shortened(text, 60)!r} is no CID, no number and no address."
        raise Problem(error.code, detail, text, _TAKES) from error
    name = text if text.isascii() and text.isalnum() else described["canonical"]
    return f"/cid/{quote(name, safe='')}"


def cid_within(text: str) -> str:
    """The CID of a gateway's or our own address that was pasted whole; any other text unchanged."""
    for mark in ("/ipfs/", "/cid/"):
        if "://" in text and mark in text:
            return re.split(r"[/?#]", text.partition(mark)[2])[0]
    return text
