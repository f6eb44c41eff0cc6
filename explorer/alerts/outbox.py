"""The outbox: what is written in the transaction of a fact, leased by a delivering process, and settled.

Order: per endpoint and subject, a delivery is leased only when no earlier one is pending. Ids of a subject ascend in
the order of the commits, since `enqueue` holds the subject's lock until its transaction ends.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from explorer.alerts.errors import TypesRefused
from explorer.alerts.letters import Answer, Letter
from explorer.alerts.schedule import FRESH_PROBE_S, GIVE_UP_AFTER_S, PROBE_S, Delivery, Endpoint, Plan
from explorer.alerts.standard_webhooks import Secret, body_of, is_type, new_message_id
from explorer.ground.queries import load_queries

CHANNEL: Final = "alerts"
LOCK_CLASS: Final = 0x616C7274
"""The first half of the advisory locks by which delivering processes show that they live: "alrt"."""
PER_ENDPOINT: Final = 4
"""Attempts at one endpoint at once."""
LEASE_S: Final = 60.0
"""Longer than any attempt; the leases of a process that died are free at once."""
KEPT: Final = timedelta(days=30)
DEAD_KEPT: Final = timedelta(days=365)

_QUERIES: Final = load_queries("explorer.alerts.sql", "outbox.sql")


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that this process may attempt. `lease` is the fencing token."""

    id: int
    lease: int
    kind: str
    letter: Letter


@dataclass(frozen=True, slots=True)
class Figures:
    """How an endpoint stands: what waits for it, since how many seconds, and what was given up."""

    endpoint_id: str
    failures: int
    is_down: bool
    is_disabled: bool
    pending: int
    dead: int
    age_s: float


async def enqueue(
    connection: asyncpg.Connection,
    message_type: str,
    subject_id: str,
    data: Mapping[str, Any],
    *,
    now: datetime | None = None,
) -> str:
    """Adds a message to the outbox for every endpoint that wants its type; returns its webhook-id.

    Call it inside the transaction of the fact: both are committed, or neither. Of two transactions that tell of one
    subject the second waits for the first, so call it last. TypesRefused for a malformed type; TypeError and
    ValueError where `data` is no JSON object.
    """
    if not is_type(message_type):
        raise TypesRefused(f"{message_type!r} is no type of message: write for example review.requested")
    await connection.execute(_QUERIES["take_turn"], subject_id)
    message_id, webhook_id, at = await _add_message(connection, message_type, subject_id, data, now)
    await connection.fetch(_QUERIES["add_deliveries"], message_id, subject_id, message_type, at)
    return webhook_id


async def enqueue_for(
    connection: asyncpg.Connection,
    endpoint_id: str,
    message_type: str,
    data: Mapping[str, Any],
    *,
    now: datetime | None = None,
) -> int:
    """Adds a message for one endpoint, whatever types it wants, waiting for no other; returns the delivery's id."""
    subject_id = f"{message_type} {secrets.token_hex(8)}"
    message_id, _, at = await _add_message(connection, message_type, subject_id, data, now)
    return int(await connection.fetchval(_QUERIES["add_delivery"], message_id, endpoint_id, subject_id, at))


async def _add_message(
    connection: asyncpg.Connection, message_type: str, subject_id: str, data: Mapping[str, Any], now: datetime | None
) -> tuple[int, str, datetime]:
    at: datetime = await connection.fetchval(_QUERIES["now"], now)
    webhook_id = new_message_id(secrets.token_bytes)
    body = body_of(message_type, at, data)
    return (
        await connection.fetchval(_QUERIES["add_message"], webhook_id, message_type, subject_id, body, at),
        webhook_id,
        at,
    )


async def hold_owner(connection: asyncpg.Connection, owner: int) -> bool:
    """Takes the lock by which a delivering process shows that it lives, until the session ends; false: it is taken."""
    return bool(await connection.fetchval(_QUERIES["hold_owner"], LOCK_CLASS, owner))


async def make_all_due(connection: asyncpg.Connection, *, now: datetime | None) -> None:
    """Makes everything undelivered due, to every endpoint, however it stood."""
    async with connection.transaction():
        await connection.execute(_QUERIES["start_health"])
        await connection.execute(_QUERIES["start_due"], now)


async def free_leases(connection: asyncpg.Connection, *, now: datetime | None) -> None:
    """Takes the leases back of processes that have died, and of attempts beyond their time."""
    await connection.execute(_QUERIES["free_leases"], now, LOCK_CLASS)


async def lease(
    connection: asyncpg.Connection,
    owner: int,
    *,
    now: datetime | None,
    but: Sequence[str] = (),
    lease_s: float = LEASE_S,
) -> list[Leased]:
    """Leases what may be attempted now, in the order of the messages. `but` are kinds that this process can't send."""
    async with connection.transaction():
        found = await connection.fetch(_QUERIES["lock_endpoints"], now, list(but))
        if not found:
            return []
        ids = [row["id"] for row in found]
        spans = [timedelta(seconds=seconds) for seconds in (lease_s, FRESH_PROBE_S, PROBE_S)]
        rows = await connection.fetch(_QUERIES["lease"], now, ids, owner, spans[0], PER_ENDPOINT, spans[1], spans[2])
        keys = await connection.fetch(_QUERIES["secrets_of"], list({row["endpoint_id"] for row in rows}))
    by_endpoint = _secrets_by_endpoint(keys)
    return [_leased(row, by_endpoint.get(row["endpoint_id"], ())) for row in rows]


def _secrets_by_endpoint(rows: Sequence[asyncpg.Record]) -> dict[str, tuple[Secret, ...]]:
    found: dict[str, tuple[Secret, ...]] = {}
    for row in rows:
        one = Secret(row["secret"], row["not_before"], row["not_after"])
        found[row["endpoint_id"]] = (*found.get(row["endpoint_id"], ()), one)
    return found


def _leased(row: asyncpg.Record, keys: tuple[Secret, ...]) -> Leased:
    letter = Letter(row["endpoint_id"], row["url"], row["webhook_id"], row["type"], row["body"], keys)
    return Leased(row["id"], row["lease"], row["kind"], letter)


async def next_in_s(connection: asyncpg.Connection, *, now: datetime | None, but: Sequence[str] = ()) -> float | None:
    """Seconds until something can be leased, 0 or less: now; None while nothing waits but what is being attempted."""
    seconds = await connection.fetchval(_QUERIES["next_in"], now, timedelta(seconds=FRESH_PROBE_S), list(but))
    return None if seconds is None else float(seconds)


Decide = Callable[[Delivery, Endpoint], Plan]


async def settle(
    connection: asyncpg.Connection,
    leased: Leased,
    answer: Answer,
    decide: Decide,
    *,
    seconds: float,
    now: datetime | None,
) -> Plan | None:
    """Writes down an attempt and what `decide` makes of it; None where the lease was lost: then only the attempt."""
    async with connection.transaction():
        health = await _health(connection, leased.letter.endpoint_id, answer)
        known = await connection.fetchrow(_QUERIES["leased"], now, leased.id, leased.lease)
        made = None if known is None else decide(Delivery(**known), health)
        if made is not None:
            await _apply(connection, leased, made, health, now)
        duration_ms = round(seconds * 1000)
        said = (answer.outcome.value, answer.status, duration_ms, answer.error, answer.excerpt)
        await connection.execute(_QUERIES["log"], now, leased.id, *said)
    return made


async def _health(connection: asyncpg.Connection, endpoint_id: str, answer: Answer) -> Endpoint:
    """How the endpoint stands, locked if that is going to change."""
    row = await connection.fetchrow(_QUERIES["health"], endpoint_id)
    if answer.error is not None or row["failures"]:
        row = await connection.fetchrow(_QUERIES["lock_health"], endpoint_id)
    return Endpoint(**row)


async def _apply(
    connection: asyncpg.Connection, leased: Leased, made: Plan, health: Endpoint, now: datetime | None
) -> None:
    await connection.execute(
        _QUERIES["settle"], now, leased.id, leased.lease, made.refusals, made.due_in_s, made.dead_reason
    )
    if made.failures or health.failures or health.is_down:
        standing = (made.failures, made.probe_in_s, made.hold_s, made.disabled_reason)
        await connection.execute(_QUERIES["settle_endpoint"], now, leased.letter.endpoint_id, *standing)
    if made.recovered:
        await release(connection, leased.letter.endpoint_id, now=now)
    if made.probe_in_s is not None:
        await connection.execute(_QUERIES["give_up"], now, leased.letter.endpoint_id, GIVE_UP_AFTER_S)


async def give_up_disabled(
    connection: asyncpg.Connection, endpoint_id: str | None = None, *, now: datetime | None = None
) -> None:
    """Makes dead letters of what waited for five days for a disabled endpoint: for the one named, or for any."""
    await connection.execute(_QUERIES["give_up_disabled"], now, endpoint_id, GIVE_UP_AFTER_S)


async def release(connection: asyncpg.Connection, endpoint_id: str, *, now: datetime | None = None) -> None:
    """Makes all that waits for an endpoint due."""
    await connection.execute(_QUERIES["release"], now, endpoint_id)


async def load_figures(connection: asyncpg.Connection, *, now: datetime | None = None) -> list[Figures]:
    """How each endpoint stands that is there."""
    return [Figures(row["id"], *tuple(row)[1:]) for row in await connection.fetch(_QUERIES["figures"], now)]


async def load_queue(connection: asyncpg.Connection) -> asyncpg.Record:
    """Over all endpoints: how many deliveries are `waiting`, since when (`oldest_at`), and how many are `dead`."""
    return await connection.fetchrow(_QUERIES["queue"])


async def prune(connection: asyncpg.Connection, now: datetime) -> None:
    """Forgets what was delivered longer ago than KEPT, dead letters after DEAD_KEPT, and old attempts but the last."""
    await connection.execute(_QUERIES["end_orphans"], now)
    await connection.execute(_QUERIES["prune_attempts"], now - KEPT)
    await connection.execute(_QUERIES["prune_messages"], now - KEPT, now - DEAD_KEPT)
    await connection.execute(_QUERIES["prune_endpoints"], now - KEPT)
