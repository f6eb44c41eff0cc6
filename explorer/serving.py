"""The explorer as a running service: its database, its HTTP side and its loops, opened and closed together."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from explorer.chores import Chore, Chores, DriftGauges, NightlyVerification, Pruning
from explorer.follow.loop import FollowLoop
from explorer.follow.opening import has_chain
from explorer.follow.standing import Standing
from explorer.ground.binding import address_of, bound_socket
from explorer.ground.database import open_pool
from explorer.ground.settings import Settings
from explorer.ground.supervision import Loop, Supervisor
from explorer.ground.telemetry import new_registry
from explorer.index.feed_watch import FeedWatch
from explorer.index.networks import claim_network
from explorer.index.opening import OpenIndex, open_index
from explorer.index.service import index_service
from explorer.index.watch import IndexWatch
from explorer.version import VERSION
from explorer.web.app import make_app
from explorer.web.broadcast import Broadcast
from explorer.web.config import WebConfig
from explorer.web.listening import answering

STATEMENT_TIMEOUT_S = 20.0
POOL_SIZE = 10
FOLLOW_POOL_SIZE = 6
SERVICE_FILE = "service.json"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunningExplorer:
    """An explorer that answers at `url`."""

    url: str
    pool: asyncpg.Pool
    supervisor: Supervisor
    standing: Standing | None = None

    @property
    def simulated_url(self) -> str | None:
        """Where the simulated chain of this process answers, once it does; None where it has none."""
        return None if self.standing is None else self.standing.simulated_url

    async def run(self, stop: asyncio.Event) -> None:
        """Runs its loops until `stop` is set. Requests are answered as long as the context that gave it lasts."""
        await self.supervisor.run(stop)


@asynccontextmanager
async def running_explorer(settings: Settings) -> AsyncIterator[RunningExplorer]:
    """Opens everything in order, says so in service.json, and closes it in reverse.

    SettingsError where the address is taken; NetworkMismatch, MigrationError and the database's errors otherwise.
    """
    async with AsyncExitStack() as stack:
        bound = stack.enter_context(bound_socket(settings.listen))
        opened = await stack.enter_async_context(
            open_index(
                settings,
                application_name="filplus serve",
                may_migrate=True,
                max_size=POOL_SIZE,
                statement_timeout_s=STATEMENT_TIMEOUT_S,
            )
        )
        async with opened.pool.acquire() as connection:
            await claim_network(connection, settings.network.name)
        registry, url = new_registry(VERSION), address_of(bound)
        loops: dict[str, Loop] = {"index": IndexWatch(opened.pool, opened.database.embedded, registry=registry).run}
        standing = None
        if has_chain(settings):
            standing = Standing(registry)
            pool = await stack.enter_async_context(
                open_pool(opened.database.dsn, application_name="filplus follow", min_size=0, max_size=FOLLOW_POOL_SIZE)
            )
            loops["follow"] = FollowLoop(settings, pool, standing).run
            loops["chores"] = _chores(settings, pool, standing, registry).run
        broadcast = Broadcast()
        loops["feed"] = FeedWatch(opened.database.dsn, broadcast, lag_of=_lag_of(standing)).run
        app = _application(settings, opened, registry, url, standing, broadcast)
        await stack.enter_async_context(answering(app, bound))
        stack.enter_context(_service_file(settings.data_dir, url))
        _log.info("serving", url=url, network=settings.network.name, database=opened.database.described())
        yield RunningExplorer(url, opened.pool, Supervisor(loops, registry=registry), standing)


def _chores(settings: Settings, pool: asyncpg.Pool, standing: Standing, registry: CollectorRegistry) -> Chores:
    """What is done once a night; over the follower's connections, since comparing takes longer than a request may."""
    nightly = NightlyVerification(pool, standing.followed, prefix=settings.network.address_prefix)
    chores = [Chore("verification", nightly.run), Chore("pruning", Pruning(pool).run)]
    return Chores(chores, settings.data_dir, DriftGauges(pool, registry).refresh)


def _lag_of(standing: Standing | None) -> Callable[[int], int | None] | None:
    """By how many epochs the index is behind the followed node; None where none is followed."""
    return None if standing is None else standing.lag_epochs


def running_service(data_dir: Path) -> str | None:
    """The address of the explorer that runs on this data directory, as its service.json says; None if none runs."""
    try:
        document = json.loads((data_dir / SERVICE_FILE).read_text())
        url, pid = str(document["url"]), int(document["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return url
    return url


def _application(
    settings: Settings,
    opened: OpenIndex,
    registry: CollectorRegistry,
    url: str,
    standing: Standing | None,
    broadcast: Broadcast,
) -> web.Application:
    config = WebConfig(
        network=settings.network.name,
        public_url=(settings.public_url or url).rstrip("/"),
        version=VERSION,
        registry=registry,
    )
    node = None if standing is None else standing.document
    return make_app(index_service(settings, opened.pool, node=node), config=config, broadcast=broadcast)


@contextmanager
def _service_file(data_dir: Path, url: str) -> Iterator[None]:
    """Says where the service of this data directory answers, for commands beside it; takes the word back at the end."""
    path = data_dir / SERVICE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{SERVICE_FILE}.{os.getpid()}")
    draft.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    draft.replace(path)
    try:
        yield
    finally:
        if running_service(data_dir) == url:
            path.unlink(missing_ok=True)
