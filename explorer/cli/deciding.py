"""A notary's decision from the terminal: the text is fetched, checked, shown, signed and sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from explorer.cli.asker import Signer, is_no_notary, signed_in
from explorer.cli.keys import show_text
from explorer.cli.place import Place
from explorer.cli.terminal import Terminal, shown
from explorer.client import ExplorerClient
from explorer.errors import ServiceError, ServiceRefused
from explorer.reviews.policies import exact_amount
from explorer.signatures.errors import AlteredText
from explorer.signatures.facts import Decision
from node.address import Address, parse_address

Document = dict[str, Any]

_DECIDED = frozenset({"review_closed", "already_decided"})
"""What the explorer answers to whom it has decided before, among others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be decided. `publisher` and `requested_bytes` are what the text has to say, where they are known."""

    review_id: str
    decision: str
    comment: str
    publisher: Address | None = None
    requested_bytes: int | None = None


async def decide(
    terminal: Terminal,
    client: ExplorerClient,
    place: Place,
    signer: Signer,
    wish: Wish,
    is_wanted: Callable[[], bool],
) -> Document | None:
    """The review after the decision; None where the person doesn't want it after all.

    One that had been made before, whose answer was lost perhaps, is found and told again: it counts once.
    """
    try:
        text, facts = await _offered(client, place, signer, wish)
    except ServiceRefused as error:
        if error.code not in _DECIDED:
            raise
        review = await _decided_before(client, place, signer, wish)
        if review is None:
            raise
        _demand_wished(review, wish)
        terminal.side.print("You had decided so before; it counts once.")
        return review
    _show(terminal, text, facts)
    if not is_wanted():
        return None
    body = {"decision": wish.decision, "comment": wish.comment, **signer.signed(text)}
    return await client.decide(wish.review_id, body)


async def _offered(client: ExplorerClient, place: Place, signer: Signer, wish: Wish) -> tuple[str, Decision]:
    """The text for the first of the key's addresses that is a notary's, found to say what is wished, and its facts."""
    *others, last = signer.addresses
    for address in others:
        try:
            return await _offered_to(client, place, address, wish)
        except ServiceRefused as error:
            if not is_no_notary(error):
                raise
    return await _offered_to(client, place, last, wish)


async def _offered_to(client: ExplorerClient, place: Place, address: Address, wish: Wish) -> tuple[str, Decision]:
    answer = await client.approval(wish.review_id, wish.decision, str(address))
    return place.decision(
        answer,
        decision=wish.decision,
        review_id=wish.review_id,
        signer=address,
        publisher=wish.publisher,
        requested_bytes=wish.requested_bytes,
    )


async def _decided_before(client: ExplorerClient, place: Place, signer: Signer, wish: Wish) -> Document | None:
    """The review, where this key has decided so in its round; None where it hasn't, or that can't be seen."""
    try:
        async with signed_in(client, place, signer):
            review = await client.review(wish.review_id)
    except ServiceError:
        return None
    own = {str(address) for address in signer.addresses}
    for one in review["decisions"]:
        if one["notary"] in own and (one["decision"], one["round"]) == (wish.decision, review["round"]):
            return review
    return None


def _demand_wished(review: Document, wish: Wish) -> None:
    """Returns where a review that was decided before is for the publisher and the bytes that are wished, if any are."""
    if wish.publisher is not None and parse_address(review["publisher"]) != wish.publisher:
        raise AlteredText(
            f"you had decided so before, but the review is for {review['publisher']}, not for {wish.publisher}"
        )
    if wish.requested_bytes is not None and int(review["requested_bytes"]) != wish.requested_bytes:
        raise AlteredText(
            f"you had decided so before, but the review is for {review['requested_bytes']} bytes,"
            f" not for {wish.requested_bytes}"
        )


def _show(terminal: Terminal, text: str, facts: Decision) -> None:
    """Shows the text as it is, then what it does and for how long, in words."""
    minutes = max(0, int((facts.expires_at - datetime.now(UTC)).total_seconds() // 60))
    rows = {
        "publisher": str(facts.publisher),
        "DataCap": exact_amount(facts.requested_bytes),
        "network": facts.network,
        "explorer": facts.domain,
        "you are": str(facts.signer),
        "good for": f"{minutes} minutes",
    }
    show_text(terminal, text)
    for name, value in rows.items():
        terminal.side.print(f"{name:<10} {shown(value)}")
