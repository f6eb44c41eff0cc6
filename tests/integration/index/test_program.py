"""`filplus index import` as a process of its own: killed halfway, beside another one, and its memory."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.integration.index.importing import Importer, empty, everything_of, state_of
from tests.patience import until
from tests.unit.index.dumps import as_map, claim_entry, deal_entry

FILPLUS = Path(sys.executable).with_name("filplus")
RECORDS = 200_000
MEMORY_LIMIT_BYTES = 300 << 20


@pytest.fixture
def environment(dsn: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a program over this test's database."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FILPLUS_")}
    return {
        **ours,
        "FILPLUS_DATABASE_URL": dsn,
        "FILPLUS_DATA_DIR": str(tmp_path / "data"),
        "FILPLUS_NETWORK": "devnet",
    }


def started(environment: dict[str, str], *arguments: str | Path) -> subprocess.Popen[bytes]:
    """`filplus --json index import` on its way, its output kept from ours."""
    command = [FILPLUS, "--json", "index", "import", *arguments]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finished(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The report of its one file, once it has ended well."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    [report] = json.loads(out)["files"]
    return dict(report)


def generated_claims(path: Path, number: int, *, term_max: int = 900) -> Path:
    """A file of many claims, a map in one line, over a thousand pieces."""
    entries = [json.dumps(claim_entry(piece, TermMax=term_max)) for piece in range(1000)]
    with path.open("w") as file:
        file.write("{" + ",".join(f'"{n}":{entries[n % 1000]}' for n in range(number)) + "}")
    return path


async def test_killed_at_any_moment_it_has_changed_nothing_and_can_be_repeated(
    pool: asyncpg.Pool, environment: dict[str, str], tmp_path: Path
) -> None:
    kills = iter(range(5))
    await kill_while(pool, environment, tmp_path, lambda: next(kills, None) is not None)


@pytest.mark.soak
async def test_killed_for_minutes(pool: asyncpg.Pool, environment: dict[str, str], tmp_path: Path) -> None:
    """For MINUTES (5), with SEED where one is given."""
    until = time.monotonic() + 60 * float(os.environ.get("MINUTES") or 5)
    await kill_while(pool, environment, tmp_path, lambda: time.monotonic() < until)


async def kill_while(
    pool: asyncpg.Pool, environment: dict[str, str], tmp_path: Path, going_on: Callable[[], bool]
) -> None:
    """Kills imports of one file at random moments; each has changed nothing or all, and the last, left alone, all."""
    file = generated_claims(tmp_path / "claims.json", RECORDS)
    begun = time.monotonic()
    assert finished(started(environment, file, "--at-epoch", "1000"))["added"] == RECORDS
    duration_s = time.monotonic() - begun
    undisturbed = await state_of(pool)

    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    chance = random.Random(seed)
    while going_on():
        await empty(pool)
        process = started(environment, file, "--at-epoch", "1000")
        await asyncio.sleep(chance.uniform(0.2, 0.98) * duration_s)
        process.kill()
        process.communicate()
        await backend_ended(pool)
        held = await pool.fetchval("SELECT count(*) FROM explorer.claims")
        assert held in {0, RECORDS}, f"seed {seed}"
        if held == 0:
            assert not any((await everything_of(pool)).values()), f"seed {seed}"

    report = finished(started(environment, file, "--at-epoch", "1000"))
    assert report["records"] == RECORDS
    assert await state_of(pool) == undisturbed


async def backend_ended(pool: asyncpg.Pool) -> None:
    """Returns once the server has noticed that the import's process has died."""
    has_ended = (
        "SELECT count(*) = 0 FROM pg_stat_activity"
        " WHERE application_name = 'filplus index import' AND datname = current_database()"
    )
    await until(lambda: pool.fetchval(has_ended))


async def test_tables_analyzed_while_empty_are_not_read_for_every_record(imports: Importer, pool: asyncpg.Pool) -> None:
    """As autovacuum leaves them after an import that was killed: the planner then takes a scan of them for free."""
    scans = (
        "SELECT sum(seq_scan) FROM pg_stat_user_tables"
        " WHERE schemaname = 'explorer' AND relname IN ('claims', 'claim_terms')"
    )
    claims = {number: claim_entry(number) for number in range(5000)}
    for epoch, term_max in ((100, 900), (200, 1200)):
        await pool.execute("VACUUM ANALYZE explorer.claims, explorer.claim_terms")
        before = await pool.fetchval(scans)
        await imports({number: {**claim, "TermMax": term_max} for number, claim in claims.items()}, at_epoch=epoch)
        await pool.execute("SELECT pg_stat_force_next_flush()")
        assert await pool.fetchval(scans) - before < 50
    assert await pool.fetchval("SELECT count(*) FROM explorer.claim_terms") == 10_000


async def test_two_at_once_take_turns(pool: asyncpg.Pool, environment: dict[str, str], tmp_path: Path) -> None:
    older = generated_claims(tmp_path / "older.json", 22_000)
    newer = generated_claims(tmp_path / "newer.json", 20_000, term_max=1200)
    both = [(older, "100"), (newer, "200")]
    for file, epoch in both:
        finished(started(environment, file, "--at-epoch", epoch))
    expected = await state_of(pool)
    for _ in range(2):
        await empty(pool)
        processes = [started(environment, file, "--at-epoch", epoch) for file, epoch in reversed(both)]
        for process in processes:
            await asyncio.to_thread(finished, process)
        assert await state_of(pool) == expected


async def test_the_same_file_twice_at_once(pool: asyncpg.Pool, environment: dict[str, str], tmp_path: Path) -> None:
    file = generated_claims(tmp_path / "claims.json", 20_000)
    processes = [started(environment, file, "--at-epoch", "100") for _ in range(2)]
    reports = [finished(process) for process in processes]
    assert sorted(str(report["added"]) for report in reports) == ["0", "20000"]
    assert await pool.fetchval("SELECT count(*) FROM explorer.claims") == 20_000


def deal_lines(total_bytes: int) -> Iterator[bytes]:
    """Deals, one a line, about so many bytes of them in all."""
    number = size = 0
    while size < total_bytes:
        entry = deal_entry(number % 50, state={"SectorStartEpoch": 5})
        head = json.dumps(entry)[1:]
        lines = [f'{{"DealID": {number + step}, {head}\n' for step in range(2000)]
        number += len(lines)
        block = "".join(lines).encode()
        size += len(block)
        yield block


async def test_memory_stays_flat_for_a_large_dump_from_a_pipe(pool: asyncpg.Pool, environment: dict[str, str]) -> None:
    process = started(environment, "-", "--at-epoch", "100")
    assert process.stdin is not None
    written = peak_bytes = 0
    for block in deal_lines(150 << 20):
        await asyncio.to_thread(process.stdin.write, block)
        written += len(block)
    process.stdin.close()
    while process.poll() is None:
        peak_bytes = max(peak_bytes, peak_memory(process.pid))
        await asyncio.sleep(0.05)
    process.stdin = None
    report = finished(process)
    assert report["bytes"] == written > 150 << 20
    assert report["added"] == report["records"] == await pool.fetchval("SELECT count(*) FROM explorer.deals")
    assert 30 << 20 < peak_bytes < MEMORY_LIMIT_BYTES


def peak_memory(process_id: int) -> int:
    """The most memory that the process has had so far; 0 once it has ended.

    Not what wait4 tells: that counts what this process had when it forked.
    """
    status = Path(f"/proc/{process_id}/status").read_text()
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


async def test_a_dump_cut_off_in_the_pipe_changes_nothing(pool: asyncpg.Pool, environment: dict[str, str]) -> None:
    whole = as_map({number: claim_entry(number % 9) for number in range(5000)}).encode()
    process = started(environment, "-", "--at-epoch", "100")
    out, _ = process.communicate(whole[:-1], timeout=60)
    assert process.returncode == 1
    assert json.loads(out)["error"]["type"] == "CorruptFile"
    assert not any((await everything_of(pool)).values())
