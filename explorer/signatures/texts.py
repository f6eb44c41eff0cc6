"""The texts that are signed, as pure functions of their facts, and the facts of a text again.

A 0x (f410) signer signs in and decides by an EIP-4361 message: the statement says the meaning, the resources carry the
facts. An f1 or f3 signer does so by a plain text, and so does everybody who proves to hold a publisher's address.

    facts ── text_of ──► text ── facts_of ──► the same facts       for every text that facts_of takes, and for no other
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from explorer.signatures.eip4361 import SignInMessage, build_message, parse_message
from explorer.signatures.errors import MalformedText, UnsayableFact
from explorer.signatures.ethereum import eth_text
from explorer.signatures.facts import Decision, Facts, PublisherProof, SignIn
from explorer.signatures.plain import meaning, must_be, parse_plain, plain_text
from explorer.signatures.values import (
    address_text,
    bytes_text,
    decision_text,
    id_text,
    is_loopback,
    network_text,
    parse_bytes,
    parse_time,
    time_text,
)
from node.address import PROTOCOL_DELEGATED, parse_address
from node.errors import excerpt
from node.network import network_named

_WANTS = " wants you to sign in with your Ethereum account:"
_SIGN_IN = "filplus:sign-in"
_DEVNET_CHAIN_ID = 31415926
"""Lotus' own for a devnet; the network is named by its name, so a devnet of another id loses nothing."""


@dataclass(frozen=True, slots=True)
class _Resource:
    """A fact as a resource of a message, `filplus:name/value`: how it is said and read."""

    name: str
    field: str
    say: Callable[[Any], str]
    read: Callable[[str], object] = str


_NETWORK = _Resource("network", "network", network_text)
_DECISION = (
    _Resource("decision", "decision", decision_text),
    _Resource("review", "review_id", id_text),
    _Resource("grant", "grant_id", id_text),
    _Resource("publisher", "publisher", address_text, parse_address),
    _Resource("bytes", "requested_bytes", bytes_text, parse_bytes),
    _NETWORK,
)


def text_of(facts: Facts) -> str:
    """The text to be signed; UnsayableFact where a fact cannot be said or the expiry isn't after the issue."""
    # Said first, so that every fact has been found sayable.
    plain = plain_text(facts)
    if isinstance(facts, PublisherProof):
        return plain
    if not facts.issued_at < facts.expires_at:
        raise UnsayableFact(f"it expires at {time_text(facts.expires_at)}, not after it is issued")
    return build_message(_message(facts)) if facts.signer.protocol == PROTOCOL_DELEGATED else plain


def facts_of(text: str) -> Facts:
    """The facts of a text; MalformedText where it isn't exactly the text of some facts, with the first wrong line."""
    facts = _facts_of_message(text) if _WANTS in text.partition("\n")[0] else parse_plain(text)
    try:
        due = text_of(facts)
    except UnsayableFact as error:
        raise MalformedText(1, str(error)) from error
    must_be(text, due)
    return facts


def _message(facts: SignIn | Decision) -> SignInMessage:
    return SignInMessage(
        domain=facts.domain,
        address=eth_text(facts.signer),
        statement=meaning(facts),
        uri=_uri(facts),
        chain_id=_chain_id(facts.network),
        nonce=facts.nonce,
        issued_at=time_text(facts.issued_at),
        expiration_time=time_text(facts.expires_at),
        resources=_resources(facts),
    )


def _uri(facts: SignIn | Decision) -> str:
    origin = f"{'http' if is_loopback(facts.domain) else 'https'}://{facts.domain}"
    return f"{origin}/reviews/{facts.review_id}" if isinstance(facts, Decision) else f"{origin}/auth/verify"


def _chain_id(network: str) -> int:
    known = network_named(network).chain_id
    return known if known is not None else _DEVNET_CHAIN_ID


def _resources(facts: SignIn | Decision) -> tuple[str, ...]:
    first, due = ((_SIGN_IN,), (_NETWORK,)) if isinstance(facts, SignIn) else ((), _DECISION)
    return (*first, *(f"filplus:{one.name}/{one.say(getattr(facts, one.field))}" for one in due))


def _facts_of_message(text: str) -> SignIn | Decision:
    message = parse_message(text)
    session: dict[str, Any] = {
        "signer": parse_address(message.address),
        "domain": message.domain,
        "nonce": message.nonce,
        "issued_at": _time(message.issued_at, "Issued At"),
        "expires_at": _time(message.expiration_time, "Expiration Time"),
    }
    resources = message.resources or ()
    first_line = text.count("\n") + 2 - len(resources)
    if resources[:1] == (_SIGN_IN,):
        return SignIn(**_read(resources[1:], first_line + 1, (_NETWORK,)), **session)
    return Decision(**_read(resources, first_line, _DECISION), **session)


def _time(text: str | None, label: str) -> datetime:
    try:
        return parse_time(text or "")
    except ValueError as error:
        # Where a statement stands, as in each of our messages, these lines have fixed numbers.
        raise MalformedText(10 if label == "Issued At" else 11, f"{label}: {error}") from error


def _read(resources: tuple[str, ...], first_line: int, due: tuple[_Resource, ...]) -> dict[str, Any]:
    """The facts that resources carry, in their order, by the field's name."""
    if len(resources) != len(due):
        raise MalformedText(first_line, f"{len(due)} resources are due from here on, not {len(resources)}")
    found: dict[str, Any] = {}
    for line, resource, one in zip(range(first_line, first_line + len(due)), resources, due, strict=True):
        prefix = f"filplus:{one.name}/"
        if not resource.startswith(prefix):
            raise MalformedText(line, f"`- {prefix}…` is due, not {excerpt(resource)}")
        try:
            found[one.field] = one.read(resource.removeprefix(prefix))
            one.say(found[one.field])
        except (ValueError, UnsayableFact) as error:
            raise MalformedText(line, str(error)) from error
    return found
