"""`GET /events` over a running server."""

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
import pytest

from explorer.demo.story import dump_path
from explorer.index.feed import FeedEvent
from explorer.web.broadcast import Broadcast
from explorer.web.config import Limits
from explorer.web.contract import Contract
from node.cid import match_key, parse_cid
from tests.clusters import open_folder
from tests.e2e.conftest import Client, config_for, serving
from tests.e2e.fake_index import ACTIVE, INLINE, NONE, PAST, PAYLOAD, UNKNOWN, FakeIndex
from tests.e2e.program import PROGRAM, Filplus
from tests.e2e.sse import ANY, streaming
from tests.patience import PATIENCE_S

AT = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)


def key_of(cid: str) -> bytes:
    found = match_key(parse_cid(cid))
    assert found is not None
    return found


@dataclass
class Service:
    """A server whose feed the test fills."""

    url: str
    session: aiohttp.ClientSession
    broadcast: Broadcast
    number: int = 0

    def tell(self, kind: str = "head", cid: str | None = None, *others: str, **data: Any) -> int:
        """Tells an event; its id."""
        self.number += 1
        piece = None if cid is None else key_of(cid)
        keys = frozenset() if piece is None else frozenset({piece, *map(key_of, others)})
        self.broadcast.add([FeedEvent(self.number, AT, kind, piece, data, keys)])
        return self.number

    def stream(self, query: str = "", last_event_id: str | None = None) -> Any:
        return streaming(self.session, self.url, query=query, last_event_id=last_event_id)

    @property
    def client(self) -> Client:
        return Client(self.session, self.url)


def limits_of(**changes: Any) -> Limits:
    return replace(Limits(), **changes)


@pytest.fixture
async def service(index: FakeIndex, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    broadcast = Broadcast(kept=50)
    broadcast.begin([])
    config = replace(config_for(index), limits=limits_of(**getattr(request, "param", {})))
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        serving(index, config, broadcast=broadcast) as url,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield Service(url, session, broadcast)


async def test_what_happens_comes_at_once_in_order(service: Service) -> None:
    async with service.stream() as stream:
        assert stream.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert stream.answer.headers["Cache-Control"] == "no-store"
        assert stream.answer.headers["Access-Control-Allow-Origin"] == "*"
        service.tell("head", epoch=7)
        service.tell("cid", ACTIVE, changes=["claim"])
        service.tell("import")
        found = await stream.events(3)
    assert [(block.name, block.fields["id"]) for block in found] == [("head", "1"), ("cid", "2"), ("import", "3")]
    assert found[0].data == {"type": "head", "at": "2026-11-23T04:05:06.000Z", "epoch": 7}


async def test_a_stream_goes_on_where_it_was_left(service: Service) -> None:
    for _ in range(5):
        service.tell()
    async with service.stream(last_event_id="2") as stream:
        assert [block.fields["id"] for block in await stream.events(3)] == ["3", "4", "5"]
        service.tell()
        assert (await stream.event()).fields["id"] == "6"


async def test_without_a_last_id_it_begins_with_now(service: Service) -> None:
    service.tell()
    async with service.stream() as stream:
        assert stream.last_id == "1"
        service.tell()
        assert (await stream.event()).fields["id"] == "2"


async def test_a_client_that_saw_no_event_misses_none_when_it_comes_back(service: Service) -> None:
    service.tell()
    async with service.stream(f"?cid={ACTIVE}") as stream:
        place = stream.last_id
    service.tell("cid", ACTIVE)
    async with service.stream(f"?cid={ACTIVE}", last_event_id=place) as stream:
        assert (await stream.event()).fields["id"] == "2"


@pytest.mark.parametrize(
    "last", ["999", "-1", "1.5", "abc", "0x1", "9" * 18, "9" * 100, "1", "%00", "é".encode().decode("latin-1")]
)
async def test_a_place_that_is_not_known_is_reset(service: Service, last: str) -> None:
    for _ in range(200):  # more than are kept
        service.tell()
    async with service.stream(last_event_id=last) as stream:
        block = await stream.event()
        assert (block.name, block.fields["id"], block.data) == ("reset", "200", {"type": "reset"})
        service.tell()
        assert (await stream.event()).fields["id"] == "201"


async def test_a_feed_that_does_not_join_on_resets_those_who_watch(service: Service) -> None:
    service.tell()
    async with service.stream() as stream:
        service.broadcast.lose()
        service.broadcast.begin([FeedEvent(77, AT, "head", None, {}, frozenset())])
        block = await stream.event()
        assert (block.name, block.fields["id"]) == ("reset", "77")


HEX = "f" + parse_cid(ACTIVE).to_bytes().hex()
SPELLINGS = [ACTIVE, f"ipfs://{ACTIVE}", f"/ipfs/{ACTIVE}", ACTIVE.upper(), HEX]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_piece_in_any_spelling_hears_of_itself_alone(service: Service, spelling: str) -> None:
    async with service.stream(f"?cid={quote(spelling, safe='')}") as stream:
        service.tell("cid", PAST)
        service.tell("head")
        wanted = service.tell("cid", ACTIVE, changes=["claim"])
        assert (await stream.event()).fields["id"] == str(wanted)
        service.tell("cid", NONE)
        after = service.tell("import")
        assert (await stream.event()).fields["id"] == str(after)


async def test_a_payload_hears_of_its_pieces_and_of_labels_that_name_it(service: Service, index: FakeIndex) -> None:
    async with service.stream(f"?cid={PAYLOAD}") as stream:
        service.tell("cid", PAST)
        assert str(service.tell("cid", ACTIVE)) == (await stream.event()).fields["id"]
        assert str(service.tell("cid", PAST, PAYLOAD)) == (await stream.event()).fields["id"]
        again = service.tell("cid", PAST)
        assert (await stream.event()).fields["id"] == str(again), "the piece of the label is watched from then on"


async def test_a_payload_is_looked_up_again_after_an_import(
    service: Service, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service.stream(f"?cid={UNKNOWN}") as stream:
        service.tell("cid", ACTIVE)
        plain = index.verdict

        async def with_pieces(cid: str, **asked: Any) -> Any:
            document = await plain(cid, **asked)
            return {
                **document,
                "evidence": {**document["evidence"], "pieces": [{"piece_cid": ACTIVE, "source": "a map"}]},
            }

        monkeypatch.setattr(index, "verdict", with_pieces)
        service.tell("import")
        assert (await stream.event()).name == "import"
        assert str(service.tell("cid", ACTIVE)) == (await stream.event()).fields["id"]


@pytest.mark.parametrize("cid", [INLINE, NONE])
async def test_a_cid_of_which_nothing_is_on_record_can_be_watched(service: Service, cid: str) -> None:
    async with service.stream(f"?cid={cid}") as stream:
        service.tell("cid", ACTIVE)
        assert str(service.tell("import")) == (await stream.event()).fields["id"]


async def test_an_event_for_any_cid_is_for_every_cid(service: Service) -> None:
    async with service.stream(f"?cid={ACTIVE}") as stream:
        assert str(service.tell("cid", None, piece_cid=None, pieces=3000)) == (await stream.event()).fields["id"]


async def test_types_choose(service: Service) -> None:
    async with service.stream(f"?cid={ACTIVE}&types=head,cid") as stream:
        service.tell("import")
        assert str(service.tell("head")) == (await stream.event()).fields["id"]
        assert str(service.tell("cid", ACTIVE)) == (await stream.event()).fields["id"]


@pytest.mark.parametrize(
    ("query", "accept", "status", "code"),
    [
        ("?cid=bafyno", ANY, 400, "malformed_cid"),
        ("?cid=", ANY, 400, "malformed_cid"),
        (f"?cid={ACTIVE}&cid={PAST}", ANY, 400, "repeated_parameter"),
        ("?types=", ANY, 400, "malformed_parameter"),
        ("?types=head,tail", ANY, 400, "malformed_parameter"),
        ("?nonsense=1", ANY, 400, "unknown_parameter"),
        ("", "application/json", 406, "not_acceptable"),
    ],
)
async def test_refusals_are_problems(service: Service, query: str, accept: str, status: int, code: str) -> None:
    got = await service.client.get(f"/events{query}", Accept=accept)
    assert (got.status, got.headers["Content-Type"]) == (status, "application/problem+json")
    assert orjson.loads(got.body)["code"] == code


async def test_head_and_options_have_no_stream(service: Service) -> None:
    head = await service.client.ask("HEAD", "/events")
    assert (head.status, head.headers["Content-Type"], head.body) == (200, "text/event-stream; charset=utf-8", b"")
    assert (await service.client.ask("OPTIONS", "/events")).headers["Allow"] == "GET, HEAD, OPTIONS"
    assert (await service.client.ask("POST", "/events")).status == 405


@pytest.mark.parametrize("service", [{"event_heartbeat_s": 0.1}], indirect=True)
async def test_a_silent_stream_gives_signs_of_life_and_keeps_its_place(service: Service) -> None:
    async with service.stream("?types=import") as stream:
        began = time.monotonic()
        beats = [await stream.block() for _ in range(3)]
        assert time.monotonic() - began > 0.25
        assert [beat and beat.fields for beat in beats] == [{"": "heartbeat"}] * 3
        service.tell("head")
        while stream.last_id != "1":
            await stream.block()
        assert all(not block.name for block in stream.blocks)


@pytest.mark.parametrize("service", [{"event_heartbeat_s": 0.2}], indirect=True)
async def test_a_busy_stream_has_heartbeats_too(service: Service) -> None:
    async with service.stream() as stream, asyncio.timeout(PATIENCE_S):
        while not any("" in block.fields for block in stream.blocks):
            service.tell()
            await stream.block()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("service", [{"answer_timeout_s": 0.2}], indirect=True)
async def test_the_time_for_an_answer_does_not_end_a_stream(service: Service) -> None:
    async with service.stream() as stream:
        await asyncio.sleep(0.5)
        service.tell()
        assert (await stream.event()).name == "head"


async def test_a_feed_that_is_away_is_told_and_its_return_too(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.web.broadcast.AWAY_AFTER_S", 0.05)
    monkeypatch.setattr("explorer.web.streams.READY_WITHIN_S", 0.05)
    service.tell()
    async with service.stream() as stream:
        service.broadcast.lose()
        block = await stream.event()
        assert (block.name, "id" in block.fields) == ("away", False)
        got = await service.client.get("/events")
        assert (got.status, orjson.loads(got.body)["code"]) == (503, "database_unavailable")
        assert "Retry-After" in got.headers
        service.broadcast.begin([FeedEvent(n, AT, "head", None, {}, frozenset()) for n in (1, 2)])
        assert [block.name for block in await stream.events(2)] == ["back", "head"]


async def test_a_feed_that_blinks_is_not_away(service: Service) -> None:
    async with service.stream() as stream:
        service.broadcast.lose()
        service.broadcast.begin([])
        service.tell()
        assert (await stream.event()).name == "head"


async def test_many_streams_cost_little(index: FakeIndex) -> None:
    broadcast = Broadcast()
    broadcast.begin([])
    config = replace(config_for(index), limits=limits_of(event_streams=400))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(index, config, broadcast=broadcast))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        service = Service(url, session, broadcast)
        cids = [ACTIVE, PAST, NONE, PAYLOAD]
        streams = [await stack.enter_async_context(service.stream(f"?cid={cids[n % 4]}")) for n in range(300)]
        used_s = time.process_time()
        await asyncio.sleep(1)
        assert time.process_time() - used_s < 0.5, "idle streams work"
        service.tell("cid", PAST)
        await asyncio.gather(*(stream.event() for stream in streams[1::4]))
        assert (await service.client.get("/healthz")).status == 200
        assert b"filplus_http_event_streams 300.0" in (await service.client.get("/metrics")).body


@pytest.mark.parametrize("service", [{"event_streams": 3}], indirect=True)
async def test_streams_leave_room_for_others_and_give_their_place_back(service: Service) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(service.stream())
        got = await service.client.get("/events")
        assert (got.status, orjson.loads(got.body)["code"]) == (503, "too_many_streams")
        assert (await service.client.get("/healthz")).status == 200
    await asyncio.sleep(0.1)
    async with service.stream() as stream:
        service.tell()
        assert (await stream.event()).name == "head"


@pytest.mark.parametrize("service", [{"event_write_timeout_s": 0.3, "event_streams": 1}], indirect=True)
async def test_a_client_that_stops_reading_is_cut_off(service: Service) -> None:
    where = urlsplit(service.url)
    with socket.create_connection((where.hostname, where.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            while b"filplus_http_event_streams_dropped_total 1.0" not in (await service.client.get("/metrics")).body:
                for _ in range(10):
                    service.tell("head", filling="x" * 60_000)
                await asyncio.sleep(0.01)
    async with service.stream() as stream:
        service.tell()
        assert (await stream.event()).name == "head"


async def test_a_stop_of_the_server_ends_streams_cleanly(index: FakeIndex) -> None:
    broadcast = Broadcast()
    broadcast.begin([])
    async with aiohttp.ClientSession() as session, AsyncExitStack() as stack:
        async with serving(index, config_for(index), broadcast=broadcast) as url:
            streams = [await stack.enter_async_context(streaming(session, url)) for _ in range(20)]
            began = time.monotonic()
        assert time.monotonic() - began < 30, "waited for streams, as aiohttp would for a minute"
        assert [await stream.block() for stream in streams] == [None] * 20


async def test_config_says_the_limits(service: Service) -> None:
    limits = orjson.loads((await service.client.get("/config")).body)["limits"]
    assert limits["event_heartbeat_seconds"] == 15
    assert limits["events_kept"] > 0
    assert 8 <= limits["event_streams"] <= 2048


# A real service, over a real database.


@pytest.fixture(scope="module")
def program() -> Iterator[Filplus]:
    with open_folder() as folder:
        yield Filplus(folder / "data")


def imported(program: Filplus, name: str) -> None:
    done = program("index", "import", dump_path(name))
    assert done.returncode == 0, done.stderr


PIECE = "baga6ea4seaqepbqg7dxrdphrvusy3pmc5lelcczwwi5nydduyog655wgnby4ijq"


async def test_an_import_beside_the_service_is_told_to_those_who_watch(program: Filplus) -> None:
    with program.serving() as url:
        async with aiohttp.ClientSession() as session:
            async with streaming(session, url, query=f"?cid={PIECE}") as stream:
                await asyncio.to_thread(imported, program, "claims.json")
                block = await stream.event()
                assert (block.name, block.data["kind"], block.data["records"] > 0) == ("import", "claims", True)
                place = stream.last_id
            await asyncio.to_thread(imported, program, "deals.json")
            async with streaming(session, url, last_event_id=place) as stream:
                assert (await stream.event()).data["kind"] == "deals"


async def test_a_restart_of_the_service_loses_no_event(program: Filplus) -> None:
    with program.serving() as url:
        async with aiohttp.ClientSession() as session, streaming(session, url) as stream:
            await asyncio.to_thread(imported, program, "claims.json")
            place = (await stream.event()).fields["id"]
    imported(program, "deals.json")
    with program.serving() as url:
        async with aiohttp.ClientSession() as session, streaming(session, url, last_event_id=place) as stream:
            assert (await stream.event()).data["kind"] == "deals"


@contextmanager
def started(program: Filplus) -> Iterator[subprocess.Popen[bytes]]:
    """A service that the test ends itself."""
    server = subprocess.Popen([PROGRAM, "serve"], env=program.environment, stderr=subprocess.DEVNULL)
    try:
        yield server
    finally:
        server.kill()
        server.wait()


async def test_sigterm_ends_a_real_service_with_open_streams(program: Filplus) -> None:
    with started(program) as server:
        url = await asyncio.to_thread(program.address, server)
        async with aiohttp.ClientSession() as session, streaming(session, url) as stream:
            server.send_signal(signal.SIGTERM)
            while await stream.block() is not None:
                pass
        assert await asyncio.to_thread(server.wait, 20) == 0


async def ask(session: aiohttp.ClientSession, url: str, verb: str, *params: Any) -> Any:
    """What the simulated chain answers to one of its own verbs."""
    body = {"jsonrpc": "2.0", "id": 1, "method": f"Sim.{verb}", "params": list(params)}
    async with session.post(url, json=body) as answer:
        return (await answer.json())["result"]


async def test_a_claim_on_a_followed_chain_is_told_and_so_is_its_reorg() -> None:
    with open_folder() as folder:
        program = Filplus(folder / "data", FILPLUS_NETWORK="simulated")
        with program.serving() as url:
            async with aiohttp.ClientSession() as session, streaming(session, url, query=f"?cid={PIECE}") as stream:
                chain = await chain_of(session, url)
                pieces = [{"piece_cid": PIECE, "size_bytes": 1 << 35}]
                told: set[str] = set()

                async def until_told(change: str) -> None:
                    while change not in told:
                        told.update((await stream.event()).data.get("changes", ()))

                ids = await ask(session, chain, "Allocate", "f09000", "f01000", pieces)
                await until_told("allocation")
                await ask(session, chain, "Onboard", "f01000", ids)
                await until_told("claim")
                await ask(session, chain, "Fork", 5)
                await until_told("reverted")


async def chain_of(session: aiohttp.ClientSession, url: str) -> str:
    """Where the service's own simulated chain answers; its status fits the contract and its page shows it."""
    client = Client(session, url)
    async with asyncio.timeout(PATIENCE_S):
        while (node := orjson.loads((await client.get("/status")).body)["node"])["head_epoch"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    got = await client.get("/status")
    contract = Contract(orjson.loads((await client.get("/openapi.json")).body))
    contract.validator({"$ref": "#/components/schemas/Status"}).validate(orjson.loads(got.body))
    assert b"goes on" in (await client.get("/status", Accept="text/html")).body
    return str(node["simulated_url"])
