"""Decisions: the text that a notary signs, and what its signature does.

The signature alone is enough, since it can't be made by anybody else: a session is only another way to say who asks
for the text. It counts once (its nonce is taken), for this review's round only (it names the grant), for an hour.

look (no lock) ─► cheap refusals ─► the signature, in a thread ─► one transaction: row held, nonce taken, step, told
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from explorer.access import notaries
from explorer.access.actors import Actor, ActorKind
from explorer.access.errors import NonceRefused, NotANotary
from explorer.access.nonces import issue_nonce, take_nonce
from explorer.access.origin import signing_domain
from explorer.reviews import store
from explorer.reviews.desk import Desk, found, held, loaded, tell
from explorer.reviews.documents import Document, review_document, time_text
from explorer.reviews.errors import (
    AlreadyDecided,
    DeadlinePassed,
    MalformedFilter,
    NotThisActor,
    OwnReview,
    ReviewUnknown,
    TooMuchSaid,
)
from explorer.reviews.life import Approve, Ask, Notary, Reject, demand_impartial, step
from explorer.reviews.requests import demand_words
from explorer.signatures import facts as said
from explorer.signatures.errors import AlteredText, OtherText
from explorer.signatures.holders import addresses_of_key
from explorer.signatures.texts import facts_of, text_of
from explorer.signatures.values import time_text as said_time
from explorer.signatures.verify import canonical_signature, verify_decision
from node.address import Address, parse_address

TEXT_LIFETIME: Final = timedelta(hours=1)
"""How long a text may be signed and sent: a hardware wallet, or a key on a machine without a network, needs a while."""
MOST_QUESTIONS: Final = 1_000
_EVENTS: Final[Mapping[str, type[Approve] | type[Reject]]] = {said.APPROVE: Approve, said.REJECT: Reject}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A decision whose signature was verified."""

    decision: str
    comment: str
    message: str
    signature: str
    facts: said.Decision
    notary: Notary


async def approval_text(
    desk: Desk, actor: Actor | None, review_id: str, decision: str, address: Address | None
) -> Document:
    """The text with which a notary decides: the session's, else that of the address.

    It needs no credential, so it tells no more than an alert does: publisher, bytes, ids. Whether the decision could
    be taken is found out before anybody signs.
    """
    async with desk.looking() as connection:
        review = await found(connection, review_id)
        signer = await _asking(connection, actor, address)
        now = (await desk.moment(connection)).replace(microsecond=0)
        notary = Notary(str(signer), frozenset({str(signer)}))
        step(review.life, _EVENTS[decision](notary), now)
        await _demand_undecided(connection, review, str(signer))
        lifetime = min(now + TEXT_LIFETIME, review.life.deadline.replace(microsecond=0)) - now
        if not lifetime:
            raise DeadlinePassed("the review's deadline is within this second; it can be reopened")
        purpose = _purpose(review, decision, signer, now + lifetime)
        nonce = await issue_nonce(connection, purpose, now=now, lifetime=lifetime)
    facts = _facts(desk, review, decision, signer, nonce, now, lifetime)
    return {
        "message": text_of(facts),
        "decision": decision,
        "address": signer.to_text(desk.network.address_prefix),
        "expires_at": time_text(facts.expires_at),
    }


async def impediment(desk: Desk, actor: Actor, review_id: str) -> str | None:
    """Why a notary has nothing to decide on an open review, however it looks at it; None where it has."""
    async with desk.looking() as connection:
        review = await found(connection, review_id)
        try:
            demand_impartial(review.life, Notary(actor.id, frozenset({actor.id})))
            await _demand_undecided(connection, review, actor.id)
        except (AlreadyDecided, OwnReview) as error:
            return str(error)
    return None


async def _asking(connection: asyncpg.Connection, actor: Actor | None, address: Address | None) -> Address:
    """The address that is to sign: a registered notary's, and the session's own where there is one."""
    own = parse_address(actor.id) if actor is not None and actor.kind is ActorKind.NOTARY else None
    if own is not None and address not in {None, own}:
        raise NotThisActor(f"you are signed in as {own}, not as {address}; leave the address out", value=address)
    signer = own or address
    if signer is None:
        raise MalformedFilter("without a session, `address` has to name the notary that signs")
    if await notaries.find_notary(connection, signer) is None:
        raise _not_registered(signer)
    return signer


def _not_registered(address: Address) -> NotANotary:
    return NotANotary(f"{address} is no registered notary's address, or no longer", value=str(address))


async def _demand_undecided(connection: asyncpg.Connection, review: store.Held, notary: str) -> None:
    """Returns where the notary has no decision in this round, not even one that its revocation has ended."""
    if await store.has_decided(connection, review, notary):
        raise AlreadyDecided(
            f"{notary} approved in this round, was revoked and added again: that approval counts no more, and another"
            " notary has to decide, or the review be reopened",
            value=notary,
        )


def _purpose(review: store.Held, decision: str, signer: Address, expires_at: datetime) -> str:
    """What a text's nonce is for; the expiry too, so that nobody's signature says more than was offered."""
    return f"{decision} {review.id} {review.grant_id} {signer} {said_time(expires_at)}"


def _facts(
    desk: Desk,
    review: store.Held,
    decision: str,
    signer: Address,
    nonce: str,
    now: datetime,
    lifetime: timedelta,
) -> said.Decision:
    return said.Decision(
        decision=decision,
        review_id=review.id,
        grant_id=review.grant_id,
        publisher=review.publisher,
        requested_bytes=review.requested_bytes,
        signer=signer,
        network=desk.network.name,
        domain=signing_domain(desk.public_url),
        nonce=nonce,
        issued_at=now,
        expires_at=now + lifetime,
    )


async def decide(
    desk: Desk, actor: Actor | None, review_id: str, *, decision: str, comment: str, message: str, signature: str
) -> Document:
    """The review after a notary's signed approval or rejection.

    The same text and signature again give the review as it is now, as long as the text holds: an answer that was lost
    can be asked for again; to a stranger they give no more than that it counted. A SignedTextError, LifeRefused or
    DecisionRefused says why it doesn't count.
    """
    demand_words(comment)
    facts = facts_of(message)
    if not isinstance(facts, said.Decision):
        raise OtherText(f"the text is a {type(facts).__name__}, a decision is due")
    async with desk.looking() as connection:
        review, now = await found(connection, review_id), await desk.moment(connection)
        before = await store.find_decision(connection, message)
        await _demand_notary(connection, actor, facts.signer)
    signed = await _verified(
        desk, actor, review, facts, decision, comment, (message, signature), now, before is not None
    )
    async with desk.changing() as connection:
        document, is_new = await _count(desk, connection, review.id, signed)
    return document if is_new or actor is not None else _receipt(document, message)


async def _demand_notary(connection: asyncpg.Connection, actor: Actor | None, signer: Address) -> None:
    if actor is not None and actor.kind is ActorKind.NOTARY and actor.id != str(signer):
        raise NotThisActor(f"you are signed in as {actor.id}, but the text is {signer}'s", value=str(signer))
    if await notaries.find_notary(connection, signer) is None:
        raise _not_registered(signer)


async def _verified(
    desk: Desk,
    actor: Actor | None,
    review: store.Held,
    facts: said.Decision,
    decision: str,
    comment: str,
    signed: tuple[str, str],
    now: datetime,
    is_repeated: bool,
) -> Signed:
    """The decision, its signature verified over the review's facts; a repeated one names its own round's grant."""
    message, signature = signed

    def verified() -> Signed:
        verify_decision(
            message,
            signature,
            decision=decision,
            review_id=review.id,
            grant_id=facts.grant_id if is_repeated else review.grant_id,
            publisher=review.publisher,
            requested_bytes=review.requested_bytes,
            network=desk.network.name,
            domain=signing_domain(desk.public_url),
            now=now,
        )
        kept = canonical_signature(signature, signer=facts.signer)
        addresses = frozenset(map(str, addresses_of_key(message, kept, signer=facts.signer)))
        notary = Notary(str(facts.signer), addresses)
        return Signed(decision=decision, comment=comment, message=message, signature=kept, facts=facts, notary=notary)

    return await desk.verify(verified)


def _receipt(review: Document, message: str) -> Document:
    """What whoever shows a decision that counted before gets: signatures may be shown to anybody, reviews not."""
    decisions = [one for one in review["decisions"] if one["message"] == message]
    nothing: Document = {"job": None, "job_truncated": True, "results": None, "comments": []}
    return {**review, **nothing, "decisions": decisions}


async def _count(desk: Desk, connection: asyncpg.Connection, review_id: str, signed: Signed) -> tuple[Document, bool]:
    """Counts a verified decision, unless it was counted before; the review then, and whether it counted now."""
    review = await store.lock_review(connection, review_id)
    if review is None:
        raise ReviewUnknown(review_id)
    if await store.find_decision(connection, signed.message) is not None:
        return review_document(await loaded(connection, review_id, desk.now()), desk.network), False
    if signed.facts.grant_id != review.grant_id:
        raise AlteredText("the text is of an earlier round of this review")
    now, who = await desk.moment(connection), signed.facts.signer
    notary = await notaries.find_notary(connection, who)
    if notary is None:
        raise _not_registered(who)
    life, effects = step(review.life, _EVENTS[signed.decision](signed.notary), now)
    await _demand_undecided(connection, review, str(who))
    purpose = _purpose(review, signed.decision, who, signed.facts.expires_at)
    if not await take_nonce(connection, signed.facts.nonce, purpose, now=now):
        raise NonceRefused("the text's nonce was used, or isn't this explorer's for this decision")
    await store.save_life(connection, review, life, now)
    kept = (signed.message, signed.signature)
    await store.add_decision(connection, review, signed.notary, notary.name, signed.decision, signed.comment, kept, now)
    facts = {**_told(signed, now), "round": life.round, "state": life.state.value}
    record = await tell(desk, connection, notary.actor(), review_id, "review.decided", facts, effects, now=now)
    return review_document(record, desk.network), True


def _told(signed: Signed, at: datetime) -> dict[str, Any]:
    """The decision as the audit log has it: verifiable by itself."""
    return {
        "notary": signed.notary.address,
        "decision": signed.decision,
        "comment": signed.comment,
        "message": signed.message,
        "signature": signed.signature,
        "addresses": sorted(signed.notary.addresses),
        "at": time_text(at),
    }


async def ask(desk: Desk, actor: Actor | None, review_id: str, comment: str) -> Document:
    """The review after a notary that is signed in has asked for more."""
    if actor is None or actor.kind is not ActorKind.NOTARY:
        raise NotThisActor("to ask for more, sign in as a notary; approving and rejecting go by signature alone")
    demand_words(comment)
    async with desk.changing() as connection:
        review, now = await held(connection, review_id, actor), await desk.moment(connection)
        notary = Notary(actor.id, frozenset({actor.id}))
        life, effects = step(review.life, Ask(notary), now)
        if await store.count(connection, "questions", review_id) >= MOST_QUESTIONS:
            raise TooMuchSaid(f"a review takes {MOST_QUESTIONS} questions; say more in a comment", value=MOST_QUESTIONS)
        await store.save_life(connection, review, life, now)
        await store.add_decision(connection, review, notary, actor.name, "ask", comment, None, now)
        facts = {"notary": actor.id, "decision": "ask", "comment": comment, "round": life.round}
        record = await tell(desk, connection, actor, review_id, "review.asked", facts, effects, now=now)
    return review_document(record, desk.network)
