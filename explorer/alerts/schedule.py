"""When to try again, and when to give up. Pure: an attempt's outcome and what is known, to what becomes of it.

delivery   pending ──delivered──► delivered
              ├──refused for good, or too long──► dead
              └──else──► pending, due after 5 s, 30 s, 2 min … 6 h, each with jitter

endpoint   up ──3 failures in a row──► down ──any delivery──► up, and all that waits for it is due at once
                                        └─ every 5 min one probe; a message that is new may be the next after 15 s
           ──410──► disabled ──enabled──► up; meanwhile what is new waits, for five days at the longest
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final

HOUR_S: Final = 3600.0
DELAYS_S: Final = (5.0, 30.0, 120.0, 300.0, 900.0, HOUR_S, 3 * HOUR_S, 6 * HOUR_S)
"""Before the second try, the third and so on; the last is repeated."""
JITTER: Final = 0.2
"""A delay is lengthened or shortened by up to this share; a probe's only shortened."""
GIVE_UP_AFTER_S: Final = 120 * HOUR_S
"""Five days after its first failure, or its endpoint's where it only waited for that, a message is a dead letter."""
REFUSALS: Final = 8
REFUSED_FOR_S: Final = 4 * HOUR_S
"""A message refused so often, and for so long, is a dead letter. Not sooner: a wrong secret or a bad deployment may be
mended within hours; not later: the next messages of its subject wait for it."""
DOWN_AFTER: Final = 3
PROBE_S: Final = 300.0
FRESH_PROBE_S: Final = 15.0
SHORTEST_HOLD_S: Final = 1.0
LONGEST_HOLD_S: Final = PROBE_S
"""Who asks for more patience is asked again all the same: delivery begins within five minutes of recovery."""
HOLD_AFTER_429_S: Final = 30.0

_TRANSIENT_STATUSES: Final = frozenset({408, 425, 429})

Chance = Callable[[], float]
"""Gives a number from 0 to below 1."""


class Outcome(Enum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    TRANSIENT = "transient"
    """No answer, or one that speaks of the receiver's state: 5xx, 408, 425, 429."""
    REFUSED = "refused"
    """An answer that speaks of the message or the address: other 4xx, redirects; or the guard's no."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is known of a delivery before the attempt counts."""

    tries: int = 0
    refusals: int = 0
    tried_for_s: float = 0.0
    """Since the first try ended; 0 for the first."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is known of an endpoint before the attempt counts."""

    failures: int = 0
    is_down: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a delivery and its endpoint.

    `due_in_s` of a delivery that stays pending; `dead_reason` of one that is given up; neither: delivered.
    """

    refusals: int
    due_in_s: float | None = None
    dead_reason: str | None = None
    failures: int = 0
    probe_in_s: float | None = None
    """The endpoint is down, and is tried again then; None: it is up."""
    hold_s: float | None = None
    """The endpoint is sent nothing for so long."""
    recovered: bool = False
    """The endpoint was down and is up: all that waits for it is due now."""
    disabled_reason: str | None = None


def outcome_of_status(status: int) -> Outcome:
    """What an HTTP answer means."""
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if status == 410:
        return Outcome.GONE
    if status in _TRANSIENT_STATUSES or status >= 500 or status < 200:
        return Outcome.TRANSIENT
    return Outcome.REFUSED


def hold_asked_s(status: int, retry_after: str | None, *, now: datetime) -> float | None:
    """For how many seconds an answer asks to be sent nothing, brought within 1 s and 5 min; None: it doesn't ask.

    Retry-After counts where the status is transient, as seconds or as a date; 429 asks without it, too.
    """
    if outcome_of_status(status) is not Outcome.TRANSIENT:
        return None
    asked_s = None if retry_after is None else _seconds(retry_after.strip(), now)
    if asked_s is None:
        return HOLD_AFTER_429_S if status == 429 else None
    return min(max(asked_s, SHORTEST_HOLD_S), LONGEST_HOLD_S)


def _seconds(text: str, now: datetime) -> float | None:
    if re.fullmatch(r"[0-9]{1,12}", text, re.ASCII):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


def plan(
    outcome: Outcome, delivery: Delivery, endpoint: Endpoint, *, chance: Chance, asked_s: float | None = None
) -> Plan:
    """What follows from an attempt; `asked_s`: see `hold_asked_s`."""
    if outcome is Outcome.DELIVERED:
        return Plan(delivery.refusals, recovered=endpoint.is_down)
    refusals = delivery.refusals + (outcome in {Outcome.REFUSED, Outcome.GONE})
    failures = endpoint.failures + 1
    reason = _dead_reason(outcome, delivery, refusals)
    return Plan(
        refusals,
        due_in_s=None if reason else asked_s or delay_s(delivery.tries, chance),
        dead_reason=reason,
        failures=failures,
        probe_in_s=_probe_in_s(asked_s, chance) if endpoint.is_down or failures >= DOWN_AFTER else None,
        hold_s=asked_s,
        disabled_reason=reason if outcome is Outcome.GONE else None,
    )


def _dead_reason(outcome: Outcome, delivery: Delivery, refusals: int) -> str | None:
    if outcome is Outcome.GONE:
        return "the endpoint answered 410 Gone"
    if delivery.tried_for_s >= GIVE_UP_AFTER_S:
        return "not delivered within five days"
    if outcome is Outcome.REFUSED and refusals >= REFUSALS and delivery.tried_for_s >= REFUSED_FOR_S:
        return f"refused {refusals} times"
    return None


def _probe_in_s(asked_s: float | None, chance: Chance) -> float:
    return asked_s or PROBE_S * (1 - JITTER * chance())


def delay_s(tries: int, chance: Chance) -> float:
    """Seconds to the next try, after `tries` earlier ones and this one have failed."""
    return DELAYS_S[min(tries, len(DELAYS_S) - 1)] * (1 - JITTER + 2 * JITTER * chance())
