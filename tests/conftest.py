"""Fixtures for every test: databases, data directories, the shared data; and no sockets in unit tests."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest
import pytest_socket
from hypothesis import HealthCheck, settings

from explorer.ground.database import open_pool
from tests.clusters import CHECKOUT, KINDS, Server, open_folder, server

# A busy machine is no fault of a property.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

SHARED_DATA = CHECKOUT.parent / "shared" / "data"
_UNIT_TESTS = CHECKOUT / "tests" / "unit"
_DESELECTED = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "every_postgres: runs on the embedded PostgreSQL and on Debian's, the oldest taken"
    )
    config.stash[_DESELECTED] = 0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that needs a server runs on the first kind; one marked `every_postgres` on each."""
    if "postgres" in metafunc.fixturenames and metafunc.definition.get_closest_marker("every_postgres"):
        metafunc.parametrize("postgres", KINDS, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what runs over the shared data where that is not there; the summary says how many."""
    if SHARED_DATA.is_dir():
        return
    shared = [item for item in items if item.get_closest_marker("shared")]
    config.stash[_DESELECTED] = len(shared)
    config.hook.pytest_deselected(items=shared)
    items[:] = [item for item in items if item not in set(shared)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tells the controller what this worker deselected; each worker collects everything."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["shared_deselected"] = session.config.stash[_DESELECTED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    deselected = getattr(node, "workeroutput", {}).get("shared_deselected", 0)
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    config.stash[_DESELECTED] = max(config.stash[_DESELECTED], deselected)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says how many tests ran over the shared data, or how many could not, and the seeds of those that drew any."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    for report in reports:
        seeds = [str(value) for name, value in report.user_properties if name == "seed"]
        if report.when == "call" and seeds:
            terminalreporter.write_line(f"seed {', '.join(seeds)}: {report.nodeid} {report.outcome}")
    ran = sum(report.when == "call" and "shared" in report.keywords for report in reports)
    left_out = config.stash[_DESELECTED]
    if left_out:
        terminalreporter.write_line(f"shared data: {left_out} tests left out, {SHARED_DATA} is not there")
    elif ran:
        terminalreporter.write_line(f"shared data: {ran} tests ran")


@pytest.fixture(autouse=True)
def _no_sockets_in_unit_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Unit tests open no sockets but the pair that an event loop talks to itself with."""
    if not request.path.is_relative_to(_UNIT_TESTS):
        yield
        return
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


@pytest.fixture(scope="session")
def postgres_of_kind() -> Iterator[Callable[[str], Server]]:
    """Servers by kind, each started when first asked for, all stopped with the session."""
    running: dict[str, Server] = {}
    with ExitStack() as stack:

        def started(kind: str) -> Server:
            if kind not in running:
                running[kind] = stack.enter_context(server(kind))
            return running[kind]

        yield started


@pytest.fixture
def postgres(request: pytest.FixtureRequest, postgres_of_kind: Callable[[str], Server]) -> Server:
    """The server that this test runs on."""
    return postgres_of_kind(getattr(request, "param", KINDS[0]))


@pytest.fixture
def dsn(postgres: Server) -> Iterator[str]:
    """A database of the test's own, with every migration applied."""
    with postgres.cloned() as cloned:
        yield cloned


@pytest.fixture
def empty_dsn(postgres: Server) -> Iterator[str]:
    """A database of the test's own with nothing in it."""
    with postgres.database() as made:
        yield made


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool over `dsn`."""
    async with open_pool(dsn, application_name="tests") as opened:
        yield opened


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that is not made yet, in a folder that an embedded database's user can enter."""
    with open_folder() as folder:
        yield folder / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; for tests marked `shared`."""
    return SHARED_DATA
