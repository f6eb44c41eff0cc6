"""What the audit log says of each review: replayed entry by entry, to be compared with the tables. Pure.

    entries in their order ─► Replay ─► a Retold for each review ─► differing: its rows beside it

A chain of hashes shows that no entry was altered, and a signature that its notary made it. Neither shows that a review
stands as its entries let it: that is counted anew here, by who was a notary at that entry and by the quorum it names.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from explorer.audit.chain import Entry
from explorer.reviews.digests import digest, text_digest
from explorer.reviews.life import REOPENABLE, State
from explorer.signatures.errors import SignedTextError
from explorer.signatures.facts import APPROVE, Decision
from explorer.signatures.texts import facts_of

Facts = Mapping[str, Any]

_SAYING_NOTHING = frozenset({"review.commented", "review.expiring"})
_WITH_COMMENT = frozenset({"review.commented", "review.withdrawn", "review.reopened"})
_ENDS: Mapping[str, State] = {
    "review.rejected": State.REJECTED,
    "review.withdrawn": State.WITHDRAWN,
    "review.expired": State.EXPIRED,
}
_FAULTS = 5
"""So many of one review's are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """A review as its entries tell it. None: an older release did not write that down.

    `approvals` are this round's, each with the number of its entry; `said` the digests of all that notaries said.
    `keys` are the addresses of the key that signed a text, by its digest; `rounds` the grant and the deadline of each;
    `results` by number, each its digest and bytes; `comments` and what else may be too large are digests.
    """

    state: State
    job_id: str | None
    publisher: str | None
    requested_bytes: str | None
    round: int = 1
    quorum: int | None = None
    grant_id: str | None = None
    proof: str | None = None
    is_proof_told: bool = False
    cluster_id: str | None = None
    cluster_name: str | None = None
    job: str | None = None
    inputs: str | None = None
    findings: str | None = None
    rounds: tuple[tuple[str | None, str | None], ...] = ((None, None),)
    results: tuple[tuple[int, tuple[str, str | None] | None], ...] = ()
    comments: tuple[str, ...] = ()
    proof_addresses: tuple[str, ...] | None = None
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    approvals: tuple[tuple[str, int], ...] = ()
    said: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class Replay:
    """Takes the whole log's entries in their order. `reviews` are those that it tells of, by id."""

    def __init__(self) -> None:
        self.reviews: dict[str, Retold] = {}
        self._notaries: dict[str, int] = {}

    def take(self, entry: Entry) -> None:
        """Goes on by one entry."""
        facts = json.loads(entry.facts)
        if entry.action == "notary.added":
            self._notaries[str(facts.get("address"))] = entry.seq
        elif entry.action == "notary.revoked":
            self._notaries.pop(str(facts.get("address")), None)
        elif entry.action == "review.requested":
            self.reviews[entry.subject] = _requested(self.reviews.get(entry.subject), entry, facts)
        elif entry.action.startswith("review."):
            known = _with_comment(self.reviews.get(entry.subject, _UNREQUESTED), entry, facts)
            says_more = entry.action not in _SAYING_NOTHING
            self.reviews[entry.subject] = self._next(known, entry, facts) if says_more else known

    def _next(self, known: Retold, entry: Entry, facts: Facts) -> Retold:
        if entry.action == "review.reopened":
            return _reopened(known, entry, facts)
        if known.state is not State.OPEN:
            known = _faulty(known, entry, f"{entry.action}, but the review was {known.state}")
        match entry.action:
            case "review.decided":
                known = self._decided(known, entry, facts)
            case "review.asked":
                known = replace(known, said=(*known.said, _digest_of_decision(entry, facts)))
            case "review.proved":
                known = replace(known, proof=_proof_of(facts), is_proof_told=True)
                known = replace(known, proof_addresses=_addresses_of(facts))
            case "review.results":
                known = replace(known, quorum=_quorum_of(facts), findings=_text_of(facts, "findings"))
                known = _with_results(known, facts)
            case action if action in _ENDS:
                known = replace(known, state=_ENDS[action])
            case _:
                known = _faulty(known, entry, f"{entry.action} is nothing that is done with a review")
        return known

    def _decided(self, known: Retold, entry: Entry, facts: Facts) -> Retold:
        notary = str(facts.get("notary"))
        after = replace(known, said=(*known.said, _digest_of_decision(entry, facts)))
        after = replace(after, keys=(*known.keys, *_key_of(facts)))
        for why in _of_text(known, entry, facts):
            after = _faulty(after, entry, why)
        if notary not in self._notaries:
            after = _faulty(after, entry, f"{notary} was no notary")
        elif facts.get("decision") == APPROVE:
            after = replace(after, approvals=(*after.approvals, (notary, entry.seq)))
        due = self._state_due(after, facts)
        if facts.get("state") != due:
            counted = f"{self._counting(after)} of {after.quorum} approvals count"
            after = _faulty(
                after, entry, f"it says {facts.get('state')}, but by the log the review is {due}: {counted}"
            )
        return replace(after, state=due)

    def _state_due(self, retold: Retold, facts: Facts) -> State:
        """Where the review stands after a decision."""
        if facts.get("decision") != APPROVE:
            return State.REJECTED
        if retold.quorum is None:
            return State.APPROVED if facts.get("state") == State.APPROVED else State.OPEN
        return State.APPROVED if self._counting(retold) >= retold.quorum else State.OPEN

    def _counting(self, retold: Retold) -> int:
        """How many approvals are of notaries that are ones since before they approved."""
        return len({notary for notary, seq in retold.approvals if self._notaries.get(notary, seq) < seq})


_NOTHING: Final = digest(None)
_UNREQUESTED = Retold(
    state=State.OPEN,
    job_id=None,
    publisher=None,
    requested_bytes=None,
    faults=("no entry tells that it was asked for",),
)


def _requested(before: Retold | None, entry: Entry, facts: Facts) -> Retold:
    if before is not None:
        return _faulty(before, entry, "it is asked for a second time")
    digests = facts.get("digests")
    told = digests if isinstance(digests, dict) else {}
    asked = Retold(
        state=State.OPEN,
        cluster_id=entry.actor_id,
        cluster_name=entry.actor_name,
        job=_text_of(told, "job"),
        inputs=_text_of(facts, "inputs"),
        findings=_text_of(facts, "findings"),
        rounds=(_round_of(facts),),
        job_id=facts.get("job_id"),
        publisher=facts.get("publisher"),
        requested_bytes=facts.get("requested_bytes"),
        quorum=_quorum_of(facts),
        grant_id=facts.get("grant_id"),
        proof=_proof_of(facts),
        is_proof_told="proof" in facts,
        proof_addresses=_addresses_of(facts),
    )
    results = facts.get("results")
    if isinstance(results, dict):
        return _with_results(asked, results)
    has_results = "results" not in facts and told.get("results", _NOTHING) != _NOTHING
    return _with_results(asked, {"number": 1}) if has_results else asked


def _reopened(known: Retold, entry: Entry, facts: Facts) -> Retold:
    if known.state not in REOPENABLE or facts.get("round") != known.round + 1:
        known = _faulty(known, entry, f"it is reopened as round {facts.get('round')}, but was {known.state}")
    return replace(
        known,
        state=State.OPEN,
        round=known.round + 1,
        quorum=_quorum_of(facts),
        grant_id=facts.get("grant_id"),
        findings=_text_of(facts, "findings"),
        rounds=(*known.rounds, _round_of(facts)),
        approvals=(),
    )


def _with_results(known: Retold, facts: Facts) -> Retold:
    """With results that an entry tells of; older entries bear no digest, and only say that they came."""
    number, found, size = facts.get("number"), _text_of(facts, "digest"), _text_of(facts, "size_bytes")
    if not isinstance(number, int):
        return known
    results = (*known.results, (number, None if found is None else (found, size)))
    return replace(known, results=results)


def _with_comment(known: Retold, entry: Entry, facts: Facts) -> Retold:
    if entry.action not in _WITH_COMMENT:
        return known
    actor = (entry.actor_kind, entry.actor_id, entry.actor_name)
    said = digest_of(entry.at, *actor, text_digest(str(facts.get("comment"))))
    return replace(known, comments=(*known.comments, said))


def _of_text(known: Retold, entry: Entry, facts: Facts) -> Iterator[str]:
    """Where the signed text isn't about this review: a genuine one of another review holds just as well."""
    try:
        said = facts_of(str(facts.get("message")))
    except SignedTextError as error:
        yield f"its text is none: {error}"
        return
    if not isinstance(said, Decision) or said.review_id != entry.subject:
        yield "its text is about something else than this review"
        return
    for name, due in (("grant_id", known.grant_id), ("publisher", known.publisher)):
        if due is not None and str(getattr(said, name)) != due:
            yield f"its text names the {name} {getattr(said, name)}, not {due}"
    if known.requested_bytes is not None and str(said.requested_bytes) != known.requested_bytes:
        yield f"its text is about {said.requested_bytes} bytes, not {known.requested_bytes}"


def _faulty(known: Retold, entry: Entry, why: str) -> Retold:
    return replace(known, faults=(*known.faults, f"entry {entry.seq}: {why}")[:_FAULTS])


def _proof_of(facts: Facts) -> str | None:
    proof = facts.get("proof")
    return digest_of(proof.get("message"), proof.get("signature")) if isinstance(proof, dict) else None


def _quorum_of(facts: Facts) -> int | None:
    quorum = facts.get("quorum")
    return quorum if isinstance(quorum, int) else None


def _round_of(facts: Facts) -> tuple[str | None, str | None]:
    return _text_of(facts, "grant_id"), _text_of(facts, "expires_at")


def _key_of(facts: Facts) -> Iterator[tuple[str, tuple[str, ...]]]:
    message, addresses = _text_of(facts, "message"), _addresses_of(facts)
    if message is not None and addresses is not None:
        yield text_digest(message), addresses


def _addresses_of(facts: Facts) -> tuple[str, ...] | None:
    """Those of the key that signed; None in older entries."""
    addresses = facts.get("addresses")
    return tuple(map(str, addresses)) if isinstance(addresses, list) else None


def _text_of(facts: Facts, name: str) -> str | None:
    text = facts.get(name)
    return text if isinstance(text, str) else None


def _digest_of_decision(entry: Entry, facts: Facts) -> str:
    names = ("round", "notary", "decision", "comment", "message", "signature")
    return digest_of(*(facts.get(name) for name in names), entry.actor_name, entry.at)


def digest_of(*values: object) -> str:
    """Of some values in their order."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
