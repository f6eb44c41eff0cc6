"""A review's life, driven at random, beside a model that only counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from explorer.reviews.errors import (
    AlreadyDecided,
    DeadlinePassed,
    LifeRefused,
    NotReopenable,
    OwnReview,
    ProofMissing,
    ReviewClosed,
)
from explorer.reviews.life import (
    Answer,
    Approve,
    Ask,
    Effect,
    Event,
    Expire,
    Life,
    Notary,
    Prove,
    Refuse,
    Reject,
    Remind,
    Reopen,
    Require,
    State,
    Withdraw,
    step,
)

BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = timedelta(days=7)
PUBLISHER = "f1publisher"
PUBLISHERS_0X = "f410fpublisher"
HOLDERS = {
    "f1ada": frozenset({"f1ada", "f410fada"}),
    "f410fada": frozenset({"f1ada", "f410fada"}),
    "f1ben": frozenset({"f1ben", "f410fben"}),
    "f3cyd": frozenset({"f3cyd"}),
    PUBLISHER: frozenset({PUBLISHER, PUBLISHERS_0X}),
    PUBLISHERS_0X: frozenset({PUBLISHER, PUBLISHERS_0X}),
}
notaries = st.sampled_from(sorted(HOLDERS)).map(lambda address: Notary(address, HOLDERS[address]))
ADA, ADA_0X, BEN = (Notary(name, HOLDERS[name]) for name in ("f1ada", "f410fada", "f1ben"))


def opened(**changes: object) -> Life:
    """A review in its first round, the publisher's proof there."""
    life = Life(
        state=State.OPEN,
        round=1,
        quorum=1,
        deadline=BEGAN + WEEK,
        publisher=frozenset({PUBLISHER, PUBLISHERS_0X}),
        is_proven=True,
    )
    return replace(life, **changes)  # type: ignore[arg-type]


class Lives(RuleBasedStateMachine):
    """Any events in any order. The model: whose approvals came in this round, and what has ended it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGAN
        self.approved_by: set[frozenset[str]] = set()
        self.ended: str | None = None
        self.rounds = 1
        self.reminders = 0
        self.told: list[Effect] = []

    @initialize(quorum=st.integers(1, 3))
    def begin(self, quorum: int) -> None:
        self.life = opened(quorum=quorum, is_proven=False, publisher=frozenset({PUBLISHER}))
        self.quorum = quorum

    def take(self, event: Event) -> LifeRefused | None:
        """The refusal of an event, or None where it was taken."""
        try:
            self.life, effects = step(self.life, event, self.now)
        except LifeRefused as refused:
            return refused
        self.told += effects
        return None

    def is_running(self) -> bool:
        return self.ended is None and self.now < self.life.deadline

    @rule(notary=notaries)
    def approve(self, notary: Notary) -> None:
        is_proven, had = self.life.is_proven, len(self.approved_by)
        is_own = not notary.addresses.isdisjoint({PUBLISHER})
        refused = self.take(Approve(notary))
        counts = self.is_running() and is_proven and not is_own and notary.addresses not in self.approved_by
        assert (refused is None) == counts, refused
        if counts:
            self.approved_by.add(notary.addresses)
            if had + 1 >= self.quorum:
                self.ended = "approved"

    @rule(notary=notaries)
    def reject(self, notary: Notary) -> None:
        is_own = not notary.addresses.isdisjoint({PUBLISHER})
        refused = self.take(Reject(notary))
        counts = self.is_running() and not is_own and notary.addresses not in self.approved_by
        assert (refused is None) == counts, refused
        if counts:
            self.ended = "rejected"

    @rule(notary=notaries)
    def ask(self, notary: Notary) -> None:
        approvals = self.life.approvals
        self.take(Ask(notary))
        assert self.life.approvals == approvals

    @rule()
    def answer(self) -> None:
        was = self.life
        if self.take(Answer()) is None:
            assert self.life == was or not self.life.is_asked

    @rule()
    def prove(self) -> None:
        self.take(Prove(HOLDERS[PUBLISHER]))

    @rule(quorum=st.integers(1, 3))
    def require(self, quorum: int) -> None:
        if self.take(Require(quorum)) is None:
            self.quorum = max(self.quorum, quorum)

    @rule()
    def refuse(self) -> None:
        if self.take(Refuse()) is None:
            assert self.ended is None
            self.ended = "rejected"

    @rule()
    def withdraw(self) -> None:
        refused = self.take(Withdraw())
        assert (refused is None) == self.is_running()
        if refused is None:
            self.ended = "withdrawn"

    @rule(quorum=st.integers(1, 3))
    def reopen(self, quorum: int) -> None:
        refused = self.take(Reopen(self.now + WEEK, quorum))
        assert (refused is None) == (self.ended in {"rejected", "expired", "withdrawn"})
        if refused is None:
            self.approved_by, self.ended, self.reminders = set(), None, 0
            self.quorum = max(self.quorum, quorum)
            self.rounds += 1

    @rule()
    def remind(self) -> None:
        told = len(self.told)
        assert self.take(Remind()) is None
        self.reminders += len(self.told) - told

    @rule()
    def expire(self) -> None:
        is_due = self.ended is None and self.now >= self.life.deadline
        assert self.take(Expire()) is None
        if is_due:
            self.ended = "expired"

    @rule(hours=st.integers(1, 72))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.ended is None)
    @rule()
    def wait_for_the_deadline(self) -> None:
        self.now = max(self.now, self.life.deadline)

    @invariant()
    def the_state_is_what_has_happened(self) -> None:
        if not hasattr(self, "life"):
            return
        assert self.life.state == (self.ended or "open")
        assert self.life.round == self.rounds
        assert self.life.quorum == self.quorum
        assert {one.addresses for one in self.life.approvals} == self.approved_by
        assert len(self.life.approvals) == len(self.approved_by)
        assert (self.ended == "approved") == (len(self.approved_by) >= self.quorum and self.ended != "rejected")
        assert self.reminders <= 1

    @invariant()
    def nobody_decided_their_own(self) -> None:
        assert all(PUBLISHER not in holder for holder in self.approved_by)


Lives.TestCase.settings = settings(max_examples=300, stateful_step_count=40)
TestLives = Lives.TestCase


def test_two_are_needed_where_the_quorum_is_two() -> None:
    life, effects = step(opened(quorum=2), Approve(ADA), BEGAN)
    assert (life.state, effects) == (State.OPEN, (Effect.DECIDED,))
    assert step(life, Approve(BEN), BEGAN)[0].state is State.APPROVED


def test_one_key_under_two_addresses_is_one_notary() -> None:
    life, _ = step(opened(quorum=2), Approve(ADA), BEGAN)
    with pytest.raises(AlreadyDecided):
        step(life, Approve(ADA_0X), BEGAN)


@pytest.mark.parametrize("address", [PUBLISHER, PUBLISHERS_0X])
@pytest.mark.parametrize("event", [Approve, Reject, Ask])
def test_nobody_decides_their_own_under_any_address(address: str, event: type) -> None:
    with pytest.raises(OwnReview):
        step(opened(), event(Notary(address, HOLDERS[address])), BEGAN)


def test_no_approval_without_the_publishers_proof_but_a_rejection() -> None:
    life = opened(is_proven=False)
    with pytest.raises(ProofMissing):
        step(life, Approve(ADA), BEGAN)
    assert step(life, Reject(ADA), BEGAN)[0].state is State.REJECTED


def test_reopening_forgets_approvals_and_begins_a_round() -> None:
    life, _ = step(opened(quorum=2), Approve(ADA), BEGAN)
    life, _ = step(life, Reject(BEN), BEGAN)
    life, effects = step(life, Reopen(BEGAN + 2 * WEEK, 2), BEGAN)
    assert (life.state, life.round, life.approvals, effects) == (State.OPEN, 2, (), (Effect.REQUESTED,))


def test_an_approved_review_is_at_its_end() -> None:
    life, _ = step(opened(), Approve(ADA), BEGAN)
    for event in (Approve(BEN), Reject(BEN), Withdraw(), Refuse(), Require(3)):
        with pytest.raises(ReviewClosed):
            step(life, event, BEGAN)
    with pytest.raises(NotReopenable):
        step(life, Reopen(BEGAN + WEEK, 1), BEGAN)


def test_at_its_deadline_nothing_but_expiring_is_left() -> None:
    late = BEGAN + WEEK
    with pytest.raises(DeadlinePassed):
        step(opened(), Approve(ADA), late)
    assert step(opened(), Remind(), late) == (opened(), ())
    assert step(opened(), Expire(), late - timedelta(microseconds=1)) == (opened(), ())
    assert step(opened(), Expire(), late)[0].state is State.EXPIRED


def test_a_reminder_is_given_once() -> None:
    life, effects = step(opened(), Remind(), BEGAN)
    assert effects == (Effect.EXPIRING,)
    assert step(life, Remind(), BEGAN) == (life, ())
