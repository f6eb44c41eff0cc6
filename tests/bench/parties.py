"""Pages of parties: one with so many claims that they are counted ahead, and one that is counted when asked for."""

import asyncio
import statistics

import aiohttp

from tests.bench.cases import Case, timed
from tests.bench.service import running_explorer

CLIENTS = 3
_HTML = {"Accept": "text/html"}


def _large_over_health(quick: bool) -> list[float]:
    """The median time of the page of a client with a third of all claims, over that of /healthz."""
    return _over_health("/clients/f05001", quick)


def _small_over_health(quick: bool) -> list[float]:
    """The same for a provider with a three-thousandth of them."""
    return _over_health("/providers/f01001", quick)


def _over_health(path: str, quick: bool) -> list[float]:
    runs, times = (1, 50) if quick else (3, 300)
    with running_explorer(60_000 if quick else 1_000_000, clients=CLIENTS) as explorer:
        return asyncio.run(_measured(explorer.url, path, runs, times))


async def _measured(url: str, path: str, runs: int, times: int) -> list[float]:
    async with aiohttp.ClientSession(url, raise_for_status=True) as session:
        await _until_counted(session, path)
        return [await _one_run(session, path, times) for _ in range(runs)]


async def _until_counted(session: aiohttp.ClientSession, path: str) -> None:
    async with asyncio.timeout(300):
        while True:
            async with session.get(path) as answer:
                if (await answer.json())["summary"] is not None:
                    return
            await asyncio.sleep(0.5)


async def _one_run(session: aiohttp.ClientSession, path: str, times: int) -> float:
    pages, healths = [], []
    for _ in range(times):
        pages.append(await timed(session.get(path, headers=_HTML)))
        healths.append(await timed(session.get("/healthz")))
    return statistics.median(pages) / statistics.median(healths)


PARTY_CASES = (
    Case(
        "large-party",
        60.0,
        "of /healthz",
        "the page of a client with 333,000 claims, median, over a request that does nothing",
        _large_over_health,
    ),
    Case(
        "small-party",
        60.0,
        "of /healthz",
        "the page of a provider with 333 claims, counted when asked for",
        _small_over_health,
    ),
)
