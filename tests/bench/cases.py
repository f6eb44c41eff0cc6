"""The benchmarks. Each returns the runs of its ratio: what is measured, over what it is compared with."""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.bench.service import AT_EPOCH, Explorer, filplus, running_explorer, write_claims


@dataclass(frozen=True, slots=True)
class Case:
    """A benchmark: `measure(quick)` gives the ratio of each run. Lower is better; `goal` is the most that is fine."""

    name: str
    goal: float
    unit: str
    note: str
    measure: Callable[[bool], list[float]]


def _import_over_parse(quick: bool) -> list[float]:
    """An import's time over the time that the standard library takes to parse the same file."""
    count, runs = (60_000, 2) if quick else (300_000, 3)
    ratios = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="filplus-bench-") as top:
            dump = Path(top) / "claims.json"
            write_claims(dump, count)
            started = time.perf_counter()
            json.loads(dump.read_text())
            parsing = time.perf_counter() - started
            report = filplus(Path(top) / "data", "--json", "index", "import", str(dump), "--at-epoch", str(AT_EPOCH))
            ratios.append(json.loads(report)["files"][0]["seconds"] / parsing)
    return ratios


def _lookup_over_health(quick: bool) -> list[float]:
    """The median time of a verdict over that of /healthz, asked in turn."""

    async def measure(explorer: Explorer, session: aiohttp.ClientSession) -> list[float]:
        runs, times = (1, 200) if quick else (3, 1000)
        return [await _one_lookup_run(explorer, session, times, run) for run in range(runs)]

    return _with_explorer(measure, quick)


async def _one_lookup_run(explorer: Explorer, session: aiohttp.ClientSession, times: int, run: int) -> float:
    verdicts, healths = [], []
    for number in range(times):
        piece = explorer.pieces[(run * times + number) % len(explorer.pieces)]
        verdicts.append(await timed(session.get(f"{explorer.url}/cid/{piece}/filplus")))
        healths.append(await timed(session.get(f"{explorer.url}/healthz")))
    return statistics.median(verdicts) / statistics.median(healths)


def _batch_over_single(quick: bool) -> list[float]:
    """The time per CID of a POST of 10,000 over the median time of a GET."""

    async def measure(explorer: Explorer, session: aiohttp.ClientSession) -> list[float]:
        ratios = []
        for _ in range(1 if quick else 3):
            singles = [
                await timed(session.get(f"{explorer.url}/cid/{piece}/filplus")) for piece in explorer.pieces[:200]
            ]
            body = {"cids": explorer.pieces[:10_000]}
            batch = await timed(session.post(f"{explorer.url}/cids/filplus", json=body))
            ratios.append(batch / len(body["cids"]) / statistics.median(singles))
        return ratios

    return _with_explorer(measure, quick)


def _stall_over_batch(quick: bool) -> list[float]:
    """The longest that /healthz waits while a POST of 10,000 CIDs is answered, over that answer's time."""

    async def measure(explorer: Explorer, session: aiohttp.ClientSession) -> list[float]:
        return [await _one_stall_run(explorer, session) for _ in range(1 if quick else 3)]

    return _with_explorer(measure, quick)


async def _one_stall_run(explorer: Explorer, session: aiohttp.ClientSession) -> float:
    body = {"cids": explorer.pieces[:10_000]}
    batch = asyncio.create_task(timed(session.post(f"{explorer.url}/cids/filplus", json=body)))
    longest = 0.0
    while not batch.done():
        longest = max(longest, await timed(session.get(f"{explorer.url}/healthz")))
    return longest / await batch


async def timed(request: "aiohttp.client._RequestContextManager") -> float:
    """Seconds until an answer is read; that it failed or leads elsewhere is an error."""
    started = time.perf_counter()
    async with request as response:
        await response.read()
        response.raise_for_status()
        assert not response.history, f"led to {response.url}"
    return time.perf_counter() - started


def _with_explorer(
    measure: Callable[[Explorer, aiohttp.ClientSession], Awaitable[list[float]]], quick: bool
) -> list[float]:
    async def run(explorer: Explorer) -> list[float]:
        async with aiohttp.ClientSession() as session:
            return await measure(explorer, session)

    with running_explorer(36_000 if quick else 300_000) as explorer:
        return asyncio.run(run(explorer))


CASES = (
    Case(
        "import", 12.0, "of json.loads", "claims from a file into PostgreSQL, over parsing it alone", _import_over_parse
    ),
    Case(
        "lookup",
        8.0,
        "of /healthz",
        "GET /cid/{cid}/filplus, median, over a request that does nothing",
        _lookup_over_health,
    ),
    Case("batch", 0.15, "of a GET", "POST /cids/filplus of 10,000, per CID, over a GET of one", _batch_over_single),
    Case("stall", 0.25, "of the answer", "longest wait of others while 10,000 CIDs are answered", _stall_over_batch),
)
