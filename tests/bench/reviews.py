"""Notaries' pages where very many reviews wait, over the same pages where one does."""

import asyncio
import statistics
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from explorer.access.actors import Actor, ActorKind
from explorer.access.clusters import add_cluster
from explorer.access.notaries import add_notary
from explorer.access.sessions import begin_session
from explorer.ground.embedded import embedded_server
from explorer.web.cookies import LOCAL_NAME
from node.address import parse_address
from tests.bench.cases import Case, timed
from tests.bench.service import Explorer, running_explorer
from tests.many_reviews import copy_review

_WARMING = 10
_OPERATOR = Actor(ActorKind.OPERATOR, "operator", "the operator")
_NOTARY = parse_address("f1a4e72iwtco4cfddoprqswe4nd7gmjh5u7nnnztq")
_PUBLISHER = "f1yv4fl3hyjees2c77khfiggjujcw7uxzuj2wxf7y"


def _queue(quick: bool) -> list[float]:
    """The median time of the queue where thousands wait, over that where one does."""
    return _many_over_one(quick, "/reviews")


def _crowded_review(quick: bool) -> list[float]:
    """The same of a review's page, of whose CID and publisher there are thousands more."""
    return _many_over_one(quick, "/reviews/{id}")


def _many_over_one(quick: bool, path: str) -> list[float]:
    with running_explorer(3_000) as explorer:
        return asyncio.run(_measured(explorer, path, quick))


async def _measured(explorer: Explorer, path: str, quick: bool) -> list[float]:
    runs, times = (1, 20) if quick else (3, 60)  # a notary may ask 300 times a minute
    async with _Dashboard(explorer) as dashboard:
        path = path.format(id=dashboard.review_id)
        one = await dashboard.median(path, times)
        await dashboard.fill(2_000 if quick else 10_000)
        return [await dashboard.median(path, times) / one for _ in range(runs)]


class _Dashboard:
    """A notary's view of a running explorer where a cluster has reported a job."""

    def __init__(self, explorer: Explorer) -> None:
        self.piece, self.url, self.data_dir = explorer.pieces[0], explorer.url, explorer.data_dir
        self.review_id = ""

    async def __aenter__(self) -> "_Dashboard":
        key, token = await _introduced(self.data_dir)
        headers = {"Accept": "text/html", "Cookie": f"{LOCAL_NAME}={token}"}
        self.session = aiohttp.ClientSession(self.url, headers=headers, raise_for_status=True)
        body = {
            "job_id": "j-0",
            "job": {"Name": "regrid"},
            "cids": [self.piece],
            "publisher": _PUBLISHER,
            "requested_bytes": "1099511627776",
        }
        async with (
            aiohttp.ClientSession(raise_for_status=True) as cluster,
            cluster.post(f"{self.url}/reviews", json=body, headers={"Authorization": f"Bearer {key}"}) as answer,
        ):
            self.review_id = (await answer.json())["id"]
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.session.close()

    async def median(self, path: str, times: int) -> float:
        """Seconds of the page's answer, once it was asked for a few times."""
        for _ in range(_WARMING):
            await timed(self.session.get(path))
        return statistics.median([await timed(self.session.get(path)) for _ in range(times)])

    async def fill(self, count: int) -> None:
        """Adds so many reviews like the one."""
        async with embedded_server(self.data_dir) as server:
            connection = await asyncpg.connect(server.dsn)
            try:
                await copy_review(connection, self.review_id, count, cid=self.piece)
            finally:
                await connection.close()


async def _introduced(data_dir: Path) -> tuple[str, str]:
    """A cluster's key and a notary's session."""
    async with embedded_server(data_dir) as server:
        connection = await asyncpg.connect(server.dsn)
        try:
            added = await add_cluster(connection, "bench", by=_OPERATOR)
            notary = await add_notary(connection, _NOTARY, "Ada", by=_OPERATOR)
            return added.key or "", await begin_session(connection, notary)
        finally:
            await connection.close()


REVIEW_CASES = (
    Case("queue", 8.0, "of one waiting", "a notary's queue where 10,000 reviews wait, median", _queue),
    Case(
        "crowded-review",
        6.0,
        "of one alone",
        "the page of a review with 10,000 others of its CID and publisher, median",
        _crowded_review,
    ),
)
