"""The log in the database: written by many, changed by none unseen."""

import asyncio
import io
import itertools
import tracemalloc
from datetime import timedelta
from random import Random
from typing import Any

import asyncpg
import pytest

from explorer.access.actors import SYSTEM
from explorer.audit.errors import BrokenLog, EntryRefused, NoNetwork
from explorer.audit.log import load_head, record
from explorer.audit.reading import Wanted, load_page, read_entries
from explorer.audit.verifying import Verifier, verify_database, verify_file
from explorer.errors import MalformedCursor
from explorer.index.networks import claim_network
from tests.integration.audit.conftest import ADA, told
from tests.integration.audit.writers import started
from tests.patience import until

COLUMNS = ("seq", "at", "actor_kind", "actor_id", "actor_name", "action", "subject", "facts", "previous", "hash")


async def exported(connection: asyncpg.Connection) -> bytes:
    async with connection.transaction():
        return "".join([f"{entry.line()}\n" async for entry in read_entries(connection)]).encode()


async def unguarded(connection: asyncpg.Connection) -> None:
    """What a superuser can do before changing the log."""
    await connection.execute("ALTER TABLE audit.entries DISABLE TRIGGER ALL")
    # A primary key before the NOT NULL of its columns, which PostgreSQL 18 counts as constraints and won't drop first.
    rows = await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'audit.entries'::regclass ORDER BY contype = 'n', conname"
    )
    for row in rows:
        await connection.execute(f'ALTER TABLE audit.entries DROP CONSTRAINT "{row["conname"]}"')


@pytest.mark.every_postgres
async def test_what_was_recorded_is_verified(log: asyncpg.Connection) -> None:
    report = await verify_database(log)
    head = await load_head(log)
    assert (report.network, report.entries, report.first, report.head) == ("mainnet", 10, 1, head)
    assert verify_file(io.BytesIO(await exported(log)), noted=head.hash) == report


@pytest.mark.every_postgres
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.entries SET action = 'x'",
        "UPDATE audit.entries SET action = 'x' WHERE false",
        "DELETE FROM audit.entries WHERE seq = 10",
        "TRUNCATE audit.entries",
        "SET session_replication_role = replica; DELETE FROM audit.entries",
    ],
)
async def test_the_database_refuses_to_change_it(log: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await log.execute(statement)
    await log.execute("RESET session_replication_role")
    assert (await verify_database(log)).entries == 10


async def test_an_entry_is_there_with_its_fact_or_not_at_all(log: asyncpg.Connection) -> None:
    transaction = log.transaction()
    await transaction.start()
    await record(log, SYSTEM, "review.expired", "rev_1", {})
    await transaction.rollback()
    await told(log, "rev_2")
    assert (await verify_database(log)).entries == 11
    with pytest.raises(EntryRefused, match="transaction"):
        await record(log, SYSTEM, "review.expired", "rev_1", {})


async def test_a_database_of_no_network_has_no_log(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(NoNetwork):
            await told(connection, "rev_1")
        assert (await verify_database(connection)).entries == 0
        await claim_network(connection, "calibration")
        await told(connection, "rev_1")
        assert (await verify_database(connection)).network == "calibration"
        await connection.execute("UPDATE explorer.network SET name = 'mainnet'")
        with pytest.raises(BrokenLog, match="entry 1"):
            await verify_database(connection)


@pytest.mark.every_postgres
async def test_no_bit_of_any_column_can_be_flipped(log: asyncpg.Connection) -> None:
    before = await log.fetch("SELECT * FROM audit.entries ORDER BY seq")
    head = await load_head(log)
    await unguarded(log)
    random = Random(20261123)
    for column, seq, _ in itertools.product(COLUMNS, (1, 4, 10), range(8)):
        value = _flipped(before[seq - 1][column], random)
        transaction = log.transaction()
        await transaction.start()
        await log.execute(f"UPDATE audit.entries SET {column} = $1 WHERE seq = $2", value, seq)
        assert _wrong(await log.fetch("SELECT * FROM audit.entries ORDER BY seq"), before)
        with pytest.raises(BrokenLog) as caught:
            await _verify_within(log, head.hash)
        assert caught.value.seq in {seq, seq + 1} or column == "seq", (column, seq, value)
        await transaction.rollback()
    assert (await verify_database(log, noted=head.hash)).entries == 10


async def _verify_within(connection: asyncpg.Connection, noted: str) -> None:
    """As `verify_database`, over what the running transaction has changed."""
    verifier = Verifier("mainnet", noted=noted)
    async for entry in read_entries(connection):
        verifier.take(entry)
    verifier.report()


def _wrong(now: Any, before: Any) -> bool:
    return [tuple(row) for row in now] != [tuple(row) for row in before]


def _flipped(value: Any, random: Random) -> Any:
    """The value with one bit changed, so that the column can still hold it."""
    match value:
        case int():
            return value ^ (1 << random.randrange(63))
        case bytes():
            changed = bytearray(value)
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
            return bytes(changed)
        case str():
            while True:
                raw = bytearray(value.encode())
                raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
                try:
                    text = raw.decode()
                except UnicodeDecodeError:
                    continue
                if "\0" not in text:
                    return text
        case _:
            sign = 1 if random.random() < 0.5 else -1
            return value + sign * timedelta(microseconds=1 << random.randrange(50))


TAMPERINGS = {
    "removed": "DELETE FROM audit.entries WHERE seq = 5",
    "removed and closed up": (
        "DELETE FROM audit.entries WHERE seq = 5; UPDATE audit.entries SET seq = seq - 1 WHERE seq > 5"
    ),
    "the first removed": "DELETE FROM audit.entries WHERE seq = 1; UPDATE audit.entries SET seq = seq - 1",
    "doubled": "INSERT INTO audit.entries SELECT * FROM audit.entries WHERE seq = 5",
    "swapped": "UPDATE audit.entries SET seq = 11 - seq WHERE seq IN (5, 6)",
    "below the first": "UPDATE audit.entries SET seq = -1 WHERE seq = 3",
    "cut off": "DELETE FROM audit.entries WHERE seq > 7",
    "emptied": "DELETE FROM audit.entries",
    "spaced facts": "UPDATE audit.entries SET facts = facts || ' ' WHERE seq = 2",
    "facts of no JSON": "UPDATE audit.entries SET facts = repeat('[', 200000) WHERE seq = 2",
    "doubled facts": "UPDATE audit.entries SET facts = '{\"number\":1,' || substr(facts, 2) WHERE seq = 2",
    "before time": "UPDATE audit.entries SET at = '-infinity' WHERE seq = 2",
    "before Christ": "UPDATE audit.entries SET at = (at::text || ' BC')::timestamptz WHERE seq = 2",
}


@pytest.mark.parametrize("how", TAMPERINGS)
async def test_no_row_can_be_moved(log: asyncpg.Connection, how: str) -> None:
    head = await load_head(log)
    await unguarded(log)
    await log.execute(TAMPERINGS[how])
    with pytest.raises(BrokenLog):
        await verify_database(log, noted=head.hash)


async def test_fifty_writers_make_one_chain(dsn: str, log: asyncpg.Connection) -> None:
    async def write(number: int) -> None:
        connection = await asyncpg.connect(dsn)
        try:
            for _ in range(4):
                await told(connection, f"writer_{number}")
        finally:
            await connection.close()

    await asyncio.gather(*map(write, range(50)))
    assert (await verify_database(log)).entries == 210
    assert await log.fetchval("SELECT count(DISTINCT previous) FROM audit.entries") == 210


async def test_killed_writers_leave_no_hole(dsn: str, log: asyncpg.Connection) -> None:
    seed = 7
    random, count = Random(seed), 10
    for round_ in range(12):
        processes = [started(dsn, f"writer_{round_}_{number}") for number in range(3)]
        due = count + 1 + random.randrange(30)
        await until(lambda due=due: _has_reached(log, due))
        count = (await load_head(log)).seq
        for process in processes:
            process.kill()
            process.join()
        report = await verify_database(log)
        assert report.entries >= count, f"seed {seed}, round {round_}"
        await told(log, "after")
        count = report.entries + 1
    assert (await verify_database(log)).entries == count


async def _has_reached(connection: asyncpg.Connection, seq: int) -> bool:
    return (await load_head(connection)).seq >= seq


async def test_a_long_log_takes_no_more_memory(log: asyncpg.Connection) -> None:
    async with log.transaction():
        for number in range(3_000):
            await record(log, ADA, "review.decided", f"rev_{number}", {"comment": "x" * 2_000})
    tracemalloc.start()
    try:
        assert (await verify_database(log)).entries == 3_010
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_bytes < 5_000_000, "the log has 8 MB"


async def test_pages_have_every_entry_once(log: asyncpg.Connection) -> None:
    for newest_first in (True, False):
        found, cursor = [], None
        while True:
            page = await load_page(log, Wanted(limit=3, cursor=cursor, newest_first=newest_first))
            found += [entry.seq for entry in page.entries]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == (list(range(10, 0, -1)) if newest_first else list(range(1, 11)))
    page = await load_page(log, Wanted(subject="rev_3", actor="f1ada", action="review.decided"))
    assert [entry.seq for entry in page.entries] == [4]
    assert not (await load_page(log, Wanted(actor="f1other"))).entries
    for bad in ("x", "", "YXVkaXQgMA", "=", "é", "YXVkaXQgNw=="):
        with pytest.raises(MalformedCursor):
            await load_page(log, Wanted(cursor=bad))
