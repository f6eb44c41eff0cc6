"""What every page for notaries has: who is signed in, and that nobody else may keep it."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from explorer.access.actors import Actor, ActorKind
from explorer.web.caching import PRIVATE, written_page
from node.address import parse_address


def notary_view(actor: Actor) -> dict[str, Any] | None:
    """The notary who is signed in, as pages show it: `eth` is the address that a wallet knows; None for others."""
    if actor.kind is not ActorKind.NOTARY:
        return None
    return {"name": actor.name, "address": actor.id, "eth": parse_address(actor.id).to_eth()}


async def private_page(
    request: web.Request, write: Callable[[], str], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A page that no cache keeps, of the text that `write` gives, in a thread."""
    return await written_page(request, write, cache_control=PRIVATE, status=status, headers=headers)


def without_empty(request: web.Request) -> str | None:
    """The request's address without the fields of a form that were left empty; None where there are none."""
    kept = [(name, text) for name, text in request.query.items() if text]
    return None if len(kept) == len(request.query) else f"{request.path}?{urlencode(kept, safe='!')}".rstrip("?")


def given(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked, a field of a form that was left empty being none."""
    return {name: None if value == "" else value for name, value in asked.items()}
