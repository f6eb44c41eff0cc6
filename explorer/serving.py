"""The explorer as a running service: its database, its HTTP side and its loops, opened and closed together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import asyncpg
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from explorer.access.endings import EndingsWatch
from explorer.access.service import AccessService
from explorer.access.signing_in import SignInService
from explorer.access.views import SavedViews
from explorer.alerts.addresses import Policy
from explorer.alerts.channels import parse_channels
from explorer.alerts.loop import open_delivery
from explorer.alerts.service import WebhookService
from explorer.audit.service import AuditService
from explorer.chores import AlertPruning, Chore, Chores, DriftGauges, NightlyVerification, Pruning
from explorer.follow.lag import real_time_of
from explorer.follow.loop import FollowLoop
from explorer.follow.opening import has_chain
from explorer.follow.standing import Standing
from explorer.ground.binding import address_of, bound_socket
from explorer.ground.database import open_pool
from explorer.ground.registry import new_registry
from explorer.ground.service_file import service_file
from explorer.ground.settings import Settings
from explorer.ground.supervision import Loop, Supervisor
from explorer.index.feed_watch import FeedWatch
from explorer.index.networks import claim_network
from explorer.index.opening import OpenIndex, open_index
from explorer.index.service import IndexService, index_service
from explorer.index.watch import IndexWatch
from explorer.parties.refreshing import Refresher
from explorer.parties.resolving import Resolver
from explorer.parties.service import PartyService
from explorer.reviews.deadlines import Deadlines
from explorer.reviews.desk import Desk
from explorer.version import VERSION
from explorer.web.app import make_app
from explorer.web.broadcast import Broadcast
from explorer.web.config import WebConfig
from explorer.web.listening import answering

STATEMENT_TIMEOUT_S = 20.0
POOL_SIZE = 10
FOLLOW_POOL_SIZE = 6

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
        url = address_of(bound)
        parts = _Parts(settings, stack, await _opened_index(settings, stack))
        await parts.add_delivery()
        await parts.add_following()
        index = parts.index()
        desk = parts.add_reviews(index, url)
        await parts.add_counting(index)
        await stack.enter_async_context(answering(parts.application(index, desk), bound))
        stack.enter_context(service_file(settings.data_dir, url))
        _log.info("serving", url=url, network=settings.network.name, database=parts.opened.database.described())
        yield RunningExplorer(url, parts.opened.pool, parts.supervisor(), parts.standing)


async def _opened_index(settings: Settings, stack: AsyncExitStack) -> OpenIndex:
    """The database, with its schema at head, and this network's for good."""
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
    return opened


@dataclass(slots=True)
class _Parts:
    """What a service is put together of. Each `add_` brings loops and chores of its own."""

    settings: Settings
    stack: AsyncExitStack
    opened: OpenIndex
    registry: CollectorRegistry = field(default_factory=lambda: new_registry(VERSION))
    broadcast: Broadcast = field(default_factory=Broadcast)
    standing: Standing | None = None
    loops: dict[str, Loop] = field(default_factory=dict)
    chores: list[Chore] = field(default_factory=list)

    async def _pool(self, name: str, max_size: int) -> asyncpg.Pool:
        """Connections for work that a request may not wait for."""
        return await self.stack.enter_async_context(
            open_pool(self.opened.database.dsn, application_name=f"filplus {name}", min_size=0, max_size=max_size)
        )

    async def add_delivery(self) -> None:
        """Alerts. ChannelRefused for what is no channel."""
        policy, channels = Policy(self.settings.webhook_allow), parse_channels(self.settings.notify_urls)
        opening = open_delivery(self.opened.database.dsn, policy, channels, registry=self.registry)
        delivery = await self.stack.enter_async_context(opening)
        self.loops["alerts"] = delivery.run
        self.chores.append(Chore("alerts", AlertPruning(delivery.deliverer.pool).run))

    async def add_following(self) -> None:
        """The follower, where there is a chain, over its own connections."""
        if not has_chain(self.settings):
            return
        self.standing = Standing(self.registry, real_time_of(self.settings.network))
        self.standing.changed = partial(_tell_silence, self.standing, self.broadcast)
        pool = await self._pool("follow", FOLLOW_POOL_SIZE)
        self.loops["follow"] = FollowLoop(self.settings, pool, self.standing).run
        self.chores += _following_chores(self.settings, pool, self.standing)

    def index(self) -> IndexService:
        """The index as the API and the reviews ask it; its changes are watched and told."""
        standing, database = self.standing, self.opened.database
        self.loops["index"] = IndexWatch(self.opened.pool, database.embedded, registry=self.registry).run
        self.loops["feed"] = FeedWatch(database.dsn, self.broadcast, lag_of=_lag_of(standing)).run
        node, vouches = (None, None) if standing is None else (standing.document, standing.vouches)
        return index_service(self.settings, self.opened.pool, node=node, vouches=vouches)

    def add_reviews(self, index: IndexService, url: str) -> Desk:
        """Reviews and their deadlines, and who may ask and decide."""
        desk = Desk(
            pool=self.opened.pool,
            network=self.settings.network,
            public_url=(self.settings.public_url or url).rstrip("/"),
            index=index,
            quorum_bytes=self.settings.quorum_bytes,
        )
        self.loops["deadlines"] = Deadlines(desk).run
        self.loops["endings"] = EndingsWatch(self.opened.database.dsn, self.broadcast.doubt).run
        self.chores.append(Chore("access", AccessService(self.opened.pool).prune))
        return desk

    async def add_counting(self, index: IndexService) -> None:
        """The counting of parties with many records."""
        self.loops["parties"] = Refresher(pool=await self._pool("parties", 1), index=index).run

    def supervisor(self) -> Supervisor:
        """All loops under one guard, the nightly chores among them."""
        self.loops["chores"] = Chores(self.chores, self.settings.data_dir, self._drift()).run
        return Supervisor(self.loops, registry=self.registry)

    def _drift(self) -> Callable[[], Awaitable[None]] | None:
        """What shows the last comparison with a node; None where none is followed."""
        return None if self.standing is None else DriftGauges(self.opened.pool, self.registry).refresh

    def _names(self) -> Resolver:
        """Who tells whose an address is: the followed chain, where there is one."""
        standing = self.standing
        return Resolver() if standing is None else Resolver(chain=lambda: standing.chain)

    def application(self, index: IndexService, desk: Desk) -> web.Application:
        """The HTTP side over all of it."""
        pool, network = self.opened.pool, self.settings.network.name
        config = WebConfig(network=network, public_url=desk.public_url, version=VERSION, registry=self.registry)
        return make_app(
            index,
            config=config,
            broadcast=self.broadcast,
            access=AccessService(pool),
            sign_in=SignInService(pool=pool, network=network, public_url=desk.public_url),
            audit=AuditService(pool),
            reviews_desk=desk,
            webhooks=WebhookService(pool, Policy(self.settings.webhook_allow)),
            parties_known=PartyService(index=index, names=self._names()),
            views=SavedViews(pool),
        )


def _following_chores(settings: Settings, pool: asyncpg.Pool, standing: Standing) -> list[Chore]:
    """What is done once a night over the follower's connections: comparing takes longer than a request may."""
    nightly = NightlyVerification(pool, lambda: standing.chain, prefix=settings.network.address_prefix)
    return [Chore("verification", nightly.run), Chore("pruning", Pruning(pool).run)]


def _tell_silence(standing: Standing, broadcast: Broadcast) -> None:
    """Tells open pages since when no node is heard."""
    broadcast.be_silent(standing.silent_since)


def _lag_of(standing: Standing | None) -> Callable[[int], int | None] | None:
    """By how many epochs the index is behind the followed node; None where none is followed."""
    return None if standing is None else standing.lag_epochs
