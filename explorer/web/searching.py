"""`GET /search`: where a typed text leads. Works without JavaScript."""

import re
from urllib.parse import quote

from aiohttp import web

from explorer.errors import NotFound
from explorer.web import asking
from explorer.web.caching import NO_STORE, page_answer
from explorer.web.keys import INDEX, PARTIES, RENDERER
from explorer.web.ports import Index, Parties
from explorer.web.problems import Problem

_RECORD = re.compile(r"(?:(deal|claim|allocation)s?[\s/#:]*)?([0-9]{1,19})", re.ASCII | re.IGNORECASE)
_PARTY = re.compile(
    r"(?:(client|provider|allocator)s?[\s/#:]*)?"
    r"([ft]0[0-9]{1,19}|[ft][123][a-z2-7]{20,90}|[ft]4[0-9]{1,19}f[a-z2-7]{5,100}|0x[0-9a-fA-F]{40})",
    re.ASCII | re.IGNORECASE,
)
_KINDS = ("deal", "claim", "allocation")
_MAX_ID = 2**63 - 1


async def search(request: web.Request) -> web.StreamResponse:
    """Leads to the page of the CID or record that the text names, by 303. Raises the problem that says why it can't."""
    text = asking.read_request(request, "getSearch")["q"].strip()
    if not text:
        page = request.app[RENDERER].page("search.html")
        return page_answer(request, page, cache_control=NO_STORE)
    found, party = _RECORD.fullmatch(text), _PARTY.fullmatch(text)
    index = request.app[INDEX]
    parties = request.app[PARTIES]
    if party and parties is not None:
        raise web.HTTPSeeOther(await _party_address(parties, party))
    address = await (_record_address(index, found) if found else _cid_address(index, text))
    raise web.HTTPSeeOther(address)


async def _party_address(parties: Parties, found: re.Match[str]) -> str:
    """The address of a party's page; of a provider where nobody says what it is and it stores anything."""
    role, address = found[1], found[2].lower()
    if role is None:
        role = "provider" if await parties.is_known("provider", address) else "client"
    return f"/{role.lower()}s/{address}"


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
    """The address of a CID's page: as it was typed when that is plain, else by its canonical form."""
    described = await index.describe(cid_within(text))
    name = text if text.isascii() and text.isalnum() else described["canonical"]
    return f"/cid/{quote(name, safe='')}"


def cid_within(text: str) -> str:
    """The CID of a gateway's or our own address that was pasted whole; any other text unchanged."""
    for mark in ("/ipfs/", "/cid/"):
        if "://" in text and mark in text:
            return re.split(r"[/?#]", text.partition(mark)[2])[0]
    return text
