"""A review's life: one pure step from a state and an event to the next state and what is to be told.

                 ┌── approve, quorum reached ──► approved           (the end: DataCap may be under way)
    ──► open ────┼── reject ────────────────► rejected ──┐
         ▲       ├── withdraw ──────────────► withdrawn ─┼─ reopen ──► open, the next round
         │       └── deadline ──────────────► expired ───┘
         └─ approve short of the quorum, ask, answer, prove, more approvals needed, remind

A round is one attempt to decide. Reopening begins the next one: its votes start at none, and it has a grant id of its
own. What a notary signs names the grant id, so an approval of an earlier round, kept for ever and genuine for ever,
names a grant that will never be made: neither this service nor a signer that knows nothing of rounds can count it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from explorer.reviews.errors import (
    AlreadyDecided,
    DeadlinePassed,
    NotReopenable,
    OwnReview,
    ProofMissing,
    ReviewClosed,
)


class State(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Effect(StrEnum):
    """What is to be told to the outside: the types of alerts."""

    REQUESTED = "review.requested"
    DECIDED = "review.decided"
    EXPIRING = "review.expiring"


REOPENABLE = frozenset({State.REJECTED, State.EXPIRED, State.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Notary:
    """Who decides. `addresses` are all that its key is known to have, its own among them: f1 and 0x can be one key."""

    address: str
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A review as far as deciding on it goes. `approvals` are this round's; `publisher` all addresses of its key."""

    state: State
    round: int
    quorum: int
    deadline: datetime
    publisher: frozenset[str]
    approvals: tuple[Notary, ...] = ()
    is_proven: bool = False
    is_asked: bool = False
    """A notary wants to know more, and the cluster hasn't answered yet."""
    is_reminded: bool = False


@dataclass(frozen=True, slots=True)
class Approve:
    """A notary's signature is under an approval."""

    notary: Notary


@dataclass(frozen=True, slots=True)
class Reject:
    """A notary's signature is under a rejection. One is enough."""

    notary: Notary


@dataclass(frozen=True, slots=True)
class Ask:
    """A notary wants to know more. That is no vote: the same notary decides later."""

    notary: Notary


@dataclass(frozen=True, slots=True)
class Answer:
    """The cluster has said something, or told of its results."""


@dataclass(frozen=True, slots=True)
class Prove:
    """The publisher has proved to hold its address; `addresses` are those of its key."""

    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Require:
    """A rule wants this many approvals; fewer than are wanted already changes nothing."""

    quorum: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """A rule rejects the review."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Who asked no longer wants it."""


@dataclass(frozen=True, slots=True)
class Reopen:
    """It is to be decided anew, by this deadline."""

    deadline: datetime
    quorum: int


@dataclass(frozen=True, slots=True)
class Remind:
    """The deadline is near."""


@dataclass(frozen=True, slots=True)
class Expire:
    """The deadline may have passed."""


Event = Approve | Reject | Ask | Answer | Prove | Require | Refuse | Withdraw | Reopen | Remind | Expire
Step = tuple[Life, tuple[Effect, ...]]


def step(life: Life, event: Event, at: datetime) -> Step:
    """The life after an event, and what is to be told. A LifeRefused where the event can't be.

    `Answer`, `Require`, `Prove`, `Remind` and `Expire` that come too late or for the second time change nothing.
    """
    if isinstance(event, Reopen):
        return _reopen(life, event)
    if isinstance(event, Remind | Expire):
        return _let_time_pass(life, event, at)
    if isinstance(event, Answer) and life.state is not State.OPEN:
        return life, ()
    _demand_open(life, at)
    if isinstance(event, Approve | Reject | Ask):
        return _decide(life, event)
    return _go_on(life, event)


def _demand_open(life: Life, at: datetime) -> None:
    if life.state is not State.OPEN:
        raise ReviewClosed(f"the review is {life.state}, no longer open", value=life.state)
    demand_in_time(life, at)


def demand_in_time(life: Life, at: datetime) -> None:
    """Returns where the review is closed, or its deadline is still to come; DeadlinePassed."""
    if life.state is State.OPEN and at >= life.deadline:
        raise DeadlinePassed(f"the review's deadline was {life.deadline.isoformat()}; it can be reopened")


def _decide(life: Life, event: Approve | Reject | Ask) -> Step:
    notary = event.notary
    demand_impartial(life, notary)
    if isinstance(event, Ask):
        return replace(life, is_asked=True), (Effect.DECIDED,)
    if isinstance(event, Reject):
        return replace(life, state=State.REJECTED), (Effect.DECIDED,)
    if not life.is_proven:
        raise ProofMissing("nobody has proved yet to hold the publisher's address; no approval without that")
    approvals = (*life.approvals, notary)
    state = State.APPROVED if len(approvals) >= life.quorum else State.OPEN
    return replace(life, approvals=approvals, state=state), (Effect.DECIDED,)


def demand_impartial(life: Life, notary: Notary) -> None:
    """Returns where the notary is neither the publisher nor has approved in this round; OwnReview, AlreadyDecided."""
    if not life.publisher.isdisjoint(notary.addresses):
        raise OwnReview(f"{notary.address} is the publisher's own; another notary has to decide", value=notary.address)
    approved = [one.address for one in life.approvals if not one.addresses.isdisjoint(notary.addresses)]
    if approved and notary.address not in approved:
        what = f"the key of {notary.address} has approved in this round already, as {approved[0]}"
        raise AlreadyDecided(what, value=notary.address)
    if approved:
        raise AlreadyDecided(f"{notary.address} has approved in this round already", value=notary.address)


def _go_on(life: Life, event: Answer | Prove | Require | Refuse | Withdraw) -> Step:
    match event:
        case Answer():
            return replace(life, is_asked=False), ()
        case Prove(addresses):
            return replace(life, publisher=life.publisher | addresses, is_proven=True), ()
        case Require(quorum):
            return replace(life, quorum=max(life.quorum, quorum)), ()
        case Refuse():
            return replace(life, state=State.REJECTED), (Effect.DECIDED,)
        case Withdraw():
            return replace(life, state=State.WITHDRAWN), (Effect.DECIDED,)


def _reopen(life: Life, event: Reopen) -> Step:
    if life.state not in REOPENABLE:
        raise NotReopenable(f"the review is {life.state}; only a rejected, expired or withdrawn one can be reopened")
    anew = replace(
        life,
        state=State.OPEN,
        round=life.round + 1,
        quorum=max(life.quorum, event.quorum),  # what wanted more approvals once is not shed by asking again
        deadline=event.deadline,
        approvals=(),
        is_asked=False,
        is_reminded=False,
    )
    return anew, (Effect.REQUESTED,)


def _let_time_pass(life: Life, event: Remind | Expire, at: datetime) -> Step:
    if life.state is not State.OPEN:
        return life, ()
    if isinstance(event, Expire):
        return (replace(life, state=State.EXPIRED), (Effect.DECIDED,)) if at >= life.deadline else (life, ())
    if life.is_reminded or at >= life.deadline:
        return life, ()
    return replace(life, is_reminded=True), (Effect.EXPIRING,)
