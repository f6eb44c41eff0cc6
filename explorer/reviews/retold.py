"""What the audit log says of each review: replayed entry by entry, to be compared with the tables. Pure.

    entries in their order ─► Replay ─► a Retold for each review ─► differences from its row

A chain of hashes shows that no entry was altered, and a signature that its notary made it. Neither shows that a review
stands as its entries let it: that is counted anew here, by who was a notary at that entry and by the quorum it names.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from explorer.audit.chain import Entry
from explorer.reviews.life import REOPENABLE, State
from explorer.signatures.errors import SignedTextError
from explorer.signatures.facts import APPROVE, Decision
from explorer.signatures.texts import facts_of

Facts = Mapping[str, Any]

_SAYING_NOTHING = frozenset({"review.commented", "review.expiring"})
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
        elif entry.action.startswith("review.") and entry.action not in _SAYING_NOTHING:
            known = self.reviews.get(entry.subject, _UNREQUESTED)
            self.reviews[entry.subject] = self._next(known, entry, facts)

    def _next(self, known: Retold, entry: Entry, facts: Facts) -> Retold:
        if entry.action == "review.reopened":
            return _reopened(known, entry, facts)
        if known.state is not State.OPEN:
            known = _faulty(known, entry, f"{entry.action}, but the review was {known.state}")
        match entry.action:
            case "review.decided":
                known = self._decided(known, entry, facts)
            case "review.asked":
                known = replace(known, said=(*known.said, _digest_of_facts(facts)))
            case "review.proved":
                known = replace(known, proof=_proof_of(facts), is_proof_told=True)
            case "review.results":
                known = replace(known, quorum=_quorum_of(facts))
            case action if action in _ENDS:
                known = replace(known, state=_ENDS[action])
            case _:
                known = _faulty(known, entry, f"{entry.action} is nothing that is done with a review")
        return known

    def _decided(self, known: Retold, entry: Entry, facts: Facts) -> Retold:
        notary = str(facts.get("notary"))
        after = replace(known, said=(*known.said, _digest_of_facts(facts)))
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
    return Retold(
        state=State.OPEN,
        job_id=facts.get("job_id"),
        publisher=facts.get("publisher"),
        requested_bytes=facts.get("requested_bytes"),
        quorum=_quorum_of(facts),
        grant_id=facts.get("grant_id"),
        proof=_proof_of(facts),
        is_proof_told="proof" in facts,
    )


def _reopened(known: Retold, entry: Entry, facts: Facts) -> Retold:
    if known.state not in REOPENABLE or facts.get("round") != known.round + 1:
        known = _faulty(known, entry, f"it is reopened as round {facts.get('round')}, but was {known.state}")
    return replace(
        known,
        state=State.OPEN,
        round=known.round + 1,
        quorum=_quorum_of(facts),
        grant_id=facts.get("grant_id"),
        approvals=(),
    )


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
    return _digest(proof.get("message"), proof.get("signature")) if isinstance(proof, dict) else None


def _quorum_of(facts: Facts) -> int | None:
    quorum = facts.get("quorum")
    return quorum if isinstance(quorum, int) else None


def _digest_of_facts(facts: Facts) -> str:
    names = ("round", "notary", "decision", "comment", "message", "signature")
    return _digest(*(facts.get(name) for name in names))


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def differences(retold: Retold | None, row: Mapping[str, Any]) -> list[str]:
    """Where a review's row says something else than the log, and what is wrong with its entries themselves.

    `row` has the columns of the query `rows`; its `decisions` are JSON: of each its round, notary, decision, comment,
    message and signature.
    """
    if retold is None:
        return ["the log doesn't tell of it"]
    proof = None if row["proof_message"] is None else _digest(row["proof_message"], row["proof_signature"])
    found = [*retold.faults]
    for name in ("state", "round", "quorum", "grant_id", "job_id", "publisher", "requested_bytes"):
        due = getattr(retold, name)
        if due is not None and row[name] != due:
            found.append(f"{name} is {row[name]}, by the log {due}")
    if (retold.is_proof_told or proof is None) and proof != retold.proof:
        found.append("the publisher's proof isn't the one in the log")
    kept, told = Counter(_digest(*one) for one in json.loads(row["decisions"])), Counter(retold.said)
    if extra := (kept - told).total():
        found.append(f"{extra} of its decisions aren't in the log, or were altered")
    if missing := (told - kept).total():
        found.append(f"{missing} decisions of the log aren't there, or were altered")
    return found
