"""The publisher's proof: the text to be signed, and whether it was.

The text is a pure function of cluster, job id, address, network and expiry, so that it can come with the request,
before there is a review. Verified once it holds for the review, in later rounds too: it says who holds the address.
"""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from explorer.access.actors import Actor
from explorer.reviews import store
from explorer.reviews.desk import Desk, held, loaded, seen, tell
from explorer.reviews.documents import Document, review_document, time_text
from explorer.reviews.life import Prove, step
from explorer.signatures.facts import PublisherProof
from explorer.signatures.holders import addresses_of_key
from explorer.signatures.texts import text_of
from explorer.signatures.verify import canonical_signature, verify_publisher_proof
from node.address import Address


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof that was verified: the text and its signature, and all addresses of the key."""

    signed: tuple[str, str]
    addresses: frozenset[str]


async def verify_proof(
    desk: Desk, proof: tuple[str, str], *, cluster: str, job_id: str, publisher: Address, now: datetime
) -> Proven:
    """The proof, verified for a cluster's job; a SignedTextError says what is wrong with it."""
    message, signature = proof

    def verified() -> Proven:
        verify_publisher_proof(
            message, signature, cluster=cluster, job_id=job_id, publisher=publisher, network=desk.network.name, now=now
        )
        kept = canonical_signature(signature, signer=publisher)
        holders = addresses_of_key(message, kept, signer=publisher)
        return Proven((message, kept), frozenset(map(str, holders)))

    return await desk.verify(verified)


async def proof_text(desk: Desk, actor: Actor, review_id: str) -> Document:
    """The text by which the publisher of a review proves to hold its address, until the review's deadline."""
    async with desk.reading() as connection:
        review = await seen(connection, review_id, actor)
    expires_at = review.life.deadline.replace(microsecond=0)
    facts = PublisherProof(
        cluster=review.cluster_name,
        job_id=review.job_id,
        publisher=review.publisher,
        network=desk.network.name,
        expires_at=expires_at,
    )
    return {
        "message": text_of(facts),
        "address": review.publisher.to_text(desk.network.address_prefix),
        "expires_at": time_text(expires_at),
        "is_proven": review.life.is_proven,
    }


async def prove(desk: Desk, actor: Actor, review_id: str, message: str, signature: str) -> Document:
    """The review with its publisher's proof; a SignedTextError where it is none. A second one changes nothing."""
    async with desk.reading() as connection:
        review = await seen(connection, review_id, actor)
        now = await desk.moment(connection)
    proven = await verify_proof(
        desk,
        (message, signature),
        cluster=review.cluster_name,
        job_id=review.job_id,
        publisher=review.publisher,
        now=now,
    )
    async with desk.changing() as connection:
        return await _keep(desk, connection, actor, review_id, proven)


async def _keep(desk: Desk, connection: asyncpg.Connection, actor: Actor, review_id: str, proven: Proven) -> Document:
    review, now = await held(connection, review_id, actor), await desk.moment(connection)
    if review.life.is_proven:
        return review_document(await loaded(connection, review_id, now), desk.network)
    life, effects = step(review.life, Prove(proven.addresses), now)
    await store.save_life(connection, review, life, now)
    await store.save_proof(connection, review_id, proven.signed, proven.addresses, now)
    message, signature = proven.signed
    proof = {"message": message, "signature": signature}
    facts = {"publisher": str(review.publisher), "proof": proof, "addresses": sorted(proven.addresses)}
    record = await tell(desk, connection, actor, review_id, "review.proved", facts, effects, now=now)
    return review_document(record, desk.network)
