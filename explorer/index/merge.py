"""A file's rows, staged in a temporary table, against the rows of the index: all in the caller's transaction.

Whatever the order of files, the outcome is the same: per row the newest epoch wins, an older file only teaches more of
the past, and a row that a complete file lacks is `gone` from that file's epoch.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

import asyncpg

from explorer.errors import TooFewRecords
from explorer.ground.queries import load_queries
from explorer.index.records import Table
from explorer.index.spans import load_coverage

LEAST_SHARE_PERCENT = 90
"""A complete file with a smaller share of what the index holds is taken for a broken one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """How many rows a merge added, changed in content, and found vanished."""

    added: int
    changed: int
    removed: int


_LEFT = {"allocations": "EXISTS (SELECT FROM explorer.claims AS c WHERE c.id = r.id AND c.term_start_epoch < $1)"}
"""What else tells that a row has left the state by $1: an allocation does when it is claimed."""


@cache
def queries_of(table: Table) -> Mapping[str, str]:
    """The named queries of merge.sql for one kind of record."""
    names = {
        "table": table.kind,
        "left": _LEFT.get(table.kind, "false"),
        "columns": ", ".join(table.columns),
        "staged": ", ".join(f"s.{column}" for column in table.columns),
        "current": ", ".join(f"r.{column}" for column in table.columns),
        "assigned": ", ".join(f"{column} = s.{column}" for column in table.columns),
        "replaced": ", ".join(f"{column} = excluded.{column}" for column in table.columns),
        "places": ", ".join(f"${place}" for place in range(6, 6 + len(table.columns))),
    }
    return {name: query.format(**names) for name, query in load_queries("explorer.index.sql", "merge.sql").items()}


async def create_stage(connection: asyncpg.Connection, table: Table) -> None:
    """Makes the temporary table `stage`, gone with the transaction."""
    await connection.execute(queries_of(table)["create_stage"])


@asynccontextmanager
async def kept_stage(connection: asyncpg.Connection, table: Table) -> AsyncIterator[None]:
    """Holds the temporary table `stage` outside of any transaction, for rows that are long in coming."""
    queries = queries_of(table)
    await connection.execute(queries["drop_stage"])
    await connection.execute(queries["create_kept_stage"])
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(queries["drop_stage"])


async def fill_stage(connection: asyncpg.Connection, table: Table, rows: Iterable[tuple[object, ...]]) -> None:
    """Copies rows (ordinal, id, the table's columns) into the stage as they come."""
    columns = ("ordinal", "id", *table.columns)
    await connection.copy_records_to_table("stage", schema_name="pg_temp", columns=columns, records=rows)


async def contradicted_rows(connection: asyncpg.Connection, table: Table) -> AsyncIterator[tuple[int, int]]:
    """Makes ids unique, the last row of each stays; yields the (ordinal, id) of those that it contradicts.

    Afterwards the stage is indexed by id.
    """
    queries = queries_of(table)
    try:
        async with connection.transaction():
            await connection.execute(queries["index_stage"])
    except asyncpg.UniqueViolationError:
        async for row in connection.cursor(queries["contradicted"], prefetch=1000):
            yield row["ordinal"], row["id"]
        await connection.execute(queries["drop_repeated"])
        await connection.execute(queries["index_stage"])
    await connection.execute(queries["analyze_stage"])


async def count_held(connection: asyncpg.Connection, table: Table, *, epoch: int) -> int:
    """How many rows the index holds at an epoch."""
    return int(await connection.fetchval(queries_of(table)["count_held"], epoch))


async def check_share(connection: asyncpg.Connection, table: Table, *, epoch: int) -> None:
    """TooFewRecords if a complete file is far smaller than what the index holds at its epoch."""
    staged = await connection.fetchval(queries_of(table)["count_staged"])
    held = await count_held(connection, table, epoch=epoch)
    if staged * 100 < held * LEAST_SHARE_PERCENT:
        raise TooFewRecords(
            f"the file holds {staged:,} {table.kind}, the index {held:,} at epoch {epoch}: less than "
            f"{LEAST_SHARE_PERCENT} %. If the rest has really vanished, say --force; if the file isn't whole, --partial"
        )


async def merge(connection: asyncpg.Connection, table: Table, *, epoch: int, complete: bool) -> Merged:
    """Takes the staged rows, read at `epoch`, into the index."""
    queries = queries_of(table)
    coverage = await load_coverage(connection)
    last, after = coverage.last(table.kind), coverage.after(table.kind, epoch)
    if table.kind == "deals":
        await connection.execute(queries["keep_labels"])
    if table.kind == "claims":
        await connection.execute(queries["keep_terms"], epoch)
    changed = row_count(await connection.execute(queries["update"], epoch, last, after))
    if table.kind == "deals":
        changed += row_count(await connection.execute(queries["fill_labels"]))
    await connection.execute(queries["extend"], epoch, complete)
    added = row_count(await connection.execute(queries["add"], epoch, after))
    removed = 0
    if complete:
        before = coverage.before(table.kind, epoch)
        removed = row_count(await connection.execute(queries["vanish"], epoch, before, after is not None))
    return Merged(added=added, changed=changed, removed=removed)


async def merge_labels(connection: asyncpg.Connection, table: Table) -> int:
    """Takes nothing but labels that are not known yet; how many deals got one."""
    if table.kind != "deals":
        return 0
    return row_count(await connection.execute(queries_of(table)["fill_labels"]))


async def cover(connection: asyncpg.Connection, table: Table, *, epoch: int, source: str) -> None:
    """Says that the source had every record of a kind at the epoch."""
    await connection.execute(queries_of(table)["cover"], table.kind, epoch, source)


def row_count(status: str) -> int:
    """The number of rows in a command's status, such as `INSERT 0 12` or `UPDATE 12`."""
    return int(status.rsplit(" ", 1)[-1])
