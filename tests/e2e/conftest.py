"""A running server over the index in memory, and a client that follows nothing and decodes nothing by itself."""

import asyncio
import shutil
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from multidict import CIMultiDictProxy
from playwright.async_api import Browser, async_playwright
from yarl import URL

from explorer.web.app import make_app
from explorer.web.broadcast import Broadcast
from explorer.web.config import Limits, WebConfig
from explorer.web.doorway import DoorLimits
from explorer.web.listening import answering
from tests.clusters import KINDS, Server
from tests.e2e.browsing import Visit
from tests.e2e.dashboard import Dashboard, Wallet, open_dashboard, sign_in, visit_with_wallet
from tests.e2e.fake_index import HEAD_TIME, FakeIndex
from tests.e2e.party_index import party_service
from tests.e2e.program import Filplus, program_with_demo_records


def config_for(index: FakeIndex, *, public_url: str = "http://filplus.test", timeout_s: float = 30.0) -> WebConfig:
    """What the tests' servers answer as: three minutes after the head of the index."""
    return WebConfig(
        network=index.network,
        public_url=public_url,
        version="0.0.0",
        limits=Limits(body_timeout_s=timeout_s / 5, answer_timeout_s=timeout_s),
        now=lambda: HEAD_TIME + timedelta(minutes=3),
    )


@asynccontextmanager
async def serving(
    index: FakeIndex, config: WebConfig, door: DoorLimits | None = None, broadcast: Broadcast | None = None
) -> AsyncIterator[str]:
    """The address of a server over the index and a feed, an empty one by default, which stops at the end."""
    if broadcast is None:
        broadcast = Broadcast()
        broadcast.begin([])
    with socket.create_server(("127.0.0.1", 0)) as bound:
        host, port = bound.getsockname()
        async with answering(make_app(index, config=config, broadcast=broadcast), bound, door=door):
            yield f"http://{host}:{port}"


@dataclass(frozen=True, slots=True)
class Got:
    """An answer, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class Client:
    """Asks one server."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def ask(self, method: str, path: str, **options: object) -> Got:
        """The answer to one request; the path is sent as it is written."""
        url = URL(self.url + path, encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **options) as answer:  # type: ignore[arg-type]
            return Got(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **headers: str) -> Got:
        """The answer to a GET with those headers, `_` standing for `-`."""
        return await self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def index() -> FakeIndex:
    """The index that the server answers from; a test may break it."""
    return FakeIndex()


@pytest.fixture
async def client(index: FakeIndex) -> AsyncIterator[Client]:
    """A client of a server over `index`."""
    async with serving(index, config_for(index)) as url, aiohttp.ClientSession() as session:
        yield Client(session, url)


@dataclass
class LiveServer:
    """A server in its own thread, for tools that block."""

    index: FakeIndex
    url: str = ""
    _loop: asyncio.AbstractEventLoop | None = None
    _stop: asyncio.Event | None = None

    def run(self, ready: threading.Event) -> None:
        """Serves until `stop`."""

        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            async with serving(self.index, config_for(self.index)) as self.url:
                ready.set()
                await self._stop.wait()

        asyncio.run(serve())

    def stop(self) -> None:
        """Ends `run`."""
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)


def _live(index: FakeIndex) -> Iterator[str]:
    server, ready = LiveServer(index), threading.Event()
    thread = threading.Thread(target=server.run, args=(ready,), daemon=True)
    thread.start()
    assert ready.wait(20), "the server did not start"
    yield server.url
    server.stop()
    thread.join(20)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of the service under test by fuzzing and in the browser."""
    yield from _live(FakeIndex())


@pytest.fixture(scope="session")
def retired_url() -> Iterator[str]:
    """The address of a service on a simulated network whose FIL+ has ended."""
    yield from _live(FakeIndex(network="simulated", programme="retired", retires_at=4_600_000))


@pytest.fixture(scope="session")
def filled() -> Iterator[Filplus]:
    """The program on an index of the demo's records, for tests that leave it as it is."""
    with program_with_demo_records() as program:
        yield program


@pytest.fixture(scope="session")
def real_url() -> Iterator[str]:
    """The address of a real service over the demo's records, in a process of its own."""
    with program_with_demo_records() as program, program.serving() as url:
        yield url


@pytest.fixture(scope="session")
def dashboard() -> Iterator[Dashboard]:
    """A service with reviews and notaries."""
    with open_dashboard() as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def party_url(postgres_of_kind: Callable[[str], Server]) -> AsyncIterator[str]:
    """The address of a service over an index of parties."""
    with postgres_of_kind(KINDS[0]).cloned() as dsn, tempfile.TemporaryDirectory() as folder:
        async with party_service(dsn, Path(folder)) as url:
            yield url


@pytest.fixture
async def real_client(real_url: str) -> AsyncIterator[Client]:
    """A client of the real service."""
    async with aiohttp.ClientSession() as session:
        yield Client(session, real_url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def ada(browser: Browser, dashboard: Dashboard) -> AsyncIterator[tuple[Visit, Wallet]]:
    """A notary with a wallet, signed in, who complains of nothing and asks nobody else."""
    async with visit_with_wallet(browser, dashboard.url) as (visit, wallet):
        await sign_in(visit)
        yield visit, wallet
        assert visit.complaints == []
        assert [url for url in visit.requested if not url.startswith(visit.base)] == []
