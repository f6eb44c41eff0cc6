"""Parties over HTTP: documents and tables in every representation, whole and in pages, refused and cut off."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import asyncpg
import orjson
import pytest

from explorer.ground.database import open_pool
from explorer.index.feed import FeedEvent, party_key
from explorer.parties.refreshing import Refresher
from explorer.parties.resolving import Resolver
from explorer.web.broadcast import Broadcast
from explorer.web.config import Limits
from explorer.web.contract import Contract
from explorer.web.tables import COLUMNS
from node.address import actor_address
from node.lotus.in_process import InProcessTransport
from node.lotus.limits import Retries
from node.lotus.opening import lotus_chain
from node.sim.chain import SimulatedChain
from node.sim.options import Options
from node.sim.rpc.dispatch import Dispatcher, open_node
from tests.e2e.conftest import Client
from tests.e2e.party_index import CLIENT, HEAD, NOBODY, PROVIDER, party_service
from tests.e2e.sse import streaming
from tests.e2e.test_contract import check, contract_of
from tests.integration.index.importing import MAINNET, Importer
from tests.patience import until
from tests.unit.index.dumps import piece_text

COUNTED = ("statuses", "months", "copies")
RECORDS = ("claims", "deals", "allocations")


@pytest.fixture
async def client(dsn: str, tmp_path: Path) -> AsyncIterator[Client]:
    async with party_service(dsn, tmp_path) as url, aiohttp.ClientSession() as session:
        yield Client(session, url)


async def document(client: Client, path: str) -> Any:
    got = await client.get(path)
    assert got.status == 200, got.body
    return orjson.loads(got.body)


async def code_of(client: Client, path: str) -> tuple[int, str]:
    got = await client.get(path)
    return got.status, orjson.loads(got.body)["code"]


@pytest.mark.parametrize("accept", ["*/*", "text/html, */*;q=0.1"])
async def test_every_answer_fits_the_contract(client: Client, accept: str) -> None:
    contract = await contract_of(client)
    asked = [
        ("getClient", f"/clients/{CLIENT}"),
        ("getClient", f"/clients/{NOBODY}"),
        ("getClient", "/clients/no"),
        ("getClient", "/clients/f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"),
        ("getProvider", f"/providers/{PROVIDER}?limit=500"),
        ("getAllocator", f"/allocators/{CLIENT}"),
        ("getAllocator", "/allocators/f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"),
        ("getAllocator", "/allocators/no"),
        *(("getClientTable", f"/clients/{CLIENT}/{table}") for table in (*RECORDS, *COUNTED, "providers")),
        *(("getProviderTable", f"/providers/{PROVIDER}/{table}?of=deals") for table in (*COUNTED, "clients")),
        ("getProviderTable", f"/providers/{PROVIDER}/providers"),
        ("getClientTable", f"/clients/{CLIENT}/nonsense"),
        ("getClientTable", f"/clients/{CLIENT}/claims?cursor=no"),
    ]
    for operation_id, path in asked:
        got = await client.get(path, Accept=accept)
        assert got.status < 500, path
        check(contract, operation_id, got.status, got.headers["Content-Type"], got.body)


async def test_items_of_tables_fit_the_schema_of_their_kind(client: Client) -> None:
    contract: Contract = await contract_of(client)
    for table, schema in zip(RECORDS, ("Claim", "Deal", "Allocation"), strict=True):
        items = (await document(client, f"/clients/{CLIENT}/{table}?limit=500"))["items"]
        assert items
        for item in items:
            contract.validator({"$ref": f"#/components/schemas/{schema}"}).validate(item)
            assert set(item) >= set(COLUMNS[table])


async def test_an_address_is_found_in_every_form_that_says_its_id(client: Client) -> None:
    plain = await document(client, f"/clients/{CLIENT}")
    assert plain["forms"]["eth"].startswith("0xff")
    assert (await document(client, f"/clients/{plain['forms']['eth']}")) == plain


@pytest.fixture
async def named(dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Client, str, str]]:
    """A service that follows a simulated chain on which the client and the provider are; their f1 and f2 addresses."""
    dispatcher = Dispatcher(open_node(SimulatedChain(Options(seed=5))))
    dispatcher.call("Sim.Allocate", [CLIENT, PROVIDER, [{"piece_cid": piece_text(1), "size_bytes": 1 << 30}]])
    key = str(dispatcher.call("Filecoin.StateAccountKey", [CLIENT, None]))
    robust = str(dispatcher.call("Filecoin.StateLookupRobustAddress", [PROVIDER, None]))
    chain = lotus_chain([InProcessTransport(dispatcher)], retries=Retries(rounds=1))
    async with (
        party_service(dsn, tmp_path, names=Resolver(chain=lambda: chain)) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Client(session, url), key, robust


async def test_any_form_is_accepted_and_shown(named: tuple[Client, str, str]) -> None:
    client, key, robust = named
    contract = await contract_of(client)
    by_id = await document(client, f"/clients/{CLIENT}")
    assert (by_id["forms"]["key"], by_id["forms"]["looked_up"]) == (key, True)
    for path in (f"/clients/{key}", f"/clients/{by_id['forms']['eth']}"):
        assert await document(client, path) == by_id
        got = await client.get(path)
        check(contract, "getClient", got.status, got.headers["Content-Type"], got.body)
    assert (await document(client, f"/providers/{robust}"))["forms"]["actor"] == robust
    allocator = await document(client, f"/allocators/{key}")
    assert (allocator["address"], allocator["forms"]["key"]) == (CLIENT, key)
    table = await client.get(f"/clients/{key}/claims?format=csv")
    assert table.body == (await client.get(f"/clients/{CLIENT}/claims?format=csv")).body
    page = (await client.get(f"/clients/{key}", Accept="text/html")).body.decode()
    assert (key in page, "Other forms" in page) == (True, False)
    assert (await client.get(f"/search?q={key}")).headers["Location"] == f"/clients/{key}"


async def test_an_address_that_nobody_has_is_not_found(named: tuple[Client, str, str]) -> None:
    client, *_ = named
    robust = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"
    for path in (f"/clients/{robust}", f"/providers/{robust}/claims?format=csv", f"/events?client={robust}"):
        assert await code_of(client, path) == (404, "actor_unknown")
    assert (await client.get(f"/clients/{robust}", Accept="text/html")).status == 404
    found = await document(client, f"/allocators/{robust}")
    assert found["address"] == robust
    assert "no actor has" in found["not_known"][0]


async def test_a_node_that_is_silent_keeps_no_page_from_being_made(dsn: str, tmp_path: Path) -> None:
    robust = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"
    async with (
        party_service(dsn, tmp_path, fills=False, names=Resolver(chain=lambda: None)) as url,
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, url)
        assert await code_of(client, f"/clients/{robust}") == (503, "node_unavailable")
        assert "f0" in (await document_of_problem(client, f"/clients/{robust}"))["remedy"]
        page = await client.get(f"/clients/{CLIENT}", Accept="text/html")
        assert (page.status, "Other forms" in page.body.decode()) == (200, True)
        assert (await document(client, f"/allocators/{robust}"))["forms"]["id"] is None


async def document_of_problem(client: Client, path: str) -> Any:
    return orjson.loads((await client.get(path)).body)


async def test_a_party_is_watched_by_any_of_its_forms(dsn: str, tmp_path: Path) -> None:
    feed = Broadcast()
    async with (
        party_service(dsn, tmp_path, fills=False, feed=feed) as url,
        aiohttp.ClientSession() as session,
    ):
        of_client = streaming(session, url, query=f"?client={actor_address(5000).to_eth()}")
        of_provider = streaming(session, url, query=f"?provider={PROVIDER}&types=head,cid")
        async with of_client as mine, of_provider as theirs:
            for number, (role, actor_id) in enumerate([("client", 7), ("client", 5000), ("provider", 1000)], start=1):
                key = party_key(role, actor_id)
                feed.add([FeedEvent(number, datetime.now(UTC), "cid", b"p" * 32, {}, frozenset({b"p" * 32, key}))])
            feed.add([FeedEvent(4, datetime.now(UTC), "head", None, {}, frozenset())])
            feed.add([FeedEvent(5, datetime.now(UTC), "import", None, {}, frozenset())])
            assert [block.fields["id"] for block in await mine.events(2)] == ["2", "5"]
            assert [block.fields["id"] for block in await theirs.events(2)] == ["3", "4"]
        client = Client(session, url)
        for query in (f"client={CLIENT}&provider={PROVIDER}", f"client={CLIENT}&cid={piece_text(1)}"):
            assert await code_of(client, f"/events?{query}") == (400, "conflicting_parameters")
        assert await code_of(client, "/events?client=no") == (400, "malformed_address")


async def test_what_names_nobody_is_refused_with_a_remedy(client: Client) -> None:
    robust = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"
    assert await code_of(client, f"/clients/{robust}") == (404, "address_unresolved")
    assert b"f0" in (await client.get(f"/clients/{robust}")).body
    for text in ("no", "f", "t05000", "%00", "f0" + "9" * 40, "x" * 129, "%7Bf01%7D", "f01%2Fclaims"):
        assert await code_of(client, f"/providers/{text}") == (400, "malformed_address"), text
    assert await code_of(client, f"/clients/{CLIENT}/clients") == (404, "not_found")
    assert await code_of(client, f"/clients/{CLIENT}/nonsense") == (404, "not_found")
    assert await code_of(client, f"/clients/{CLIENT}/claims?limit=501") == (400, "malformed_parameter")
    assert await code_of(client, f"/clients/{CLIENT}?format=csv") == (400, "malformed_parameter")
    assert await code_of(client, f"/clients/{CLIENT}/deals?cursor=Y2xhaW1zOjE") == (400, "malformed_cursor")


@pytest.mark.parametrize("table", RECORDS)
async def test_pages_together_are_the_table(client: Client, table: str) -> None:
    path, found = f"/clients/{CLIENT}/{table}?limit=7", []
    while path:
        got = await client.get(path)
        found += orjson.loads(got.body)["items"]
        link = got.headers.get("Link", "")
        path = link.partition("<")[2].partition(">")[0]
        assert not link or 'rel="next"' in link
    lines = (await client.get(f"/clients/{CLIENT}/{table}", Accept="application/x-ndjson")).body.splitlines()
    assert [orjson.loads(line) for line in lines] == found
    ids = [one["id"] for one in found]
    assert ids == sorted(set(ids), reverse=True)
    summary = (await document(client, f"/clients/{CLIENT}"))["summary"]
    assert len(ids) == summary[table]["records"]


@pytest.mark.parametrize("table", [*RECORDS, *COUNTED, "providers"])
async def test_a_whole_table_has_no_pages_to_ask_for(client: Client, table: str) -> None:
    for asked in ("cursor=junk", "limit=1"):
        for media in ("csv", "ndjson"):
            path = f"/clients/{CLIENT}/{table}?format={media}&{asked}"
            assert await code_of(client, path) == (400, "conflicting_parameters")


@pytest.mark.parametrize("table", [*RECORDS, *COUNTED, "providers"])
async def test_csv_has_the_rows_of_the_json(client: Client, table: str) -> None:
    got = await client.get(f"/clients/{CLIENT}/{table}?format=csv")
    assert got.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert got.headers["Content-Disposition"] == f'attachment; filename="client-{CLIENT}-{table}.csv"'
    assert got.headers["Filplus-As-Of"] == f"epoch={HEAD}"
    rows = list(csv.DictReader(io.StringIO(got.body.decode(), newline="")))
    lines = (await client.get(f"/clients/{CLIENT}/{table}?format=ndjson")).body.splitlines()
    items = [orjson.loads(line) for line in lines]
    first = COLUMNS[table][0]
    assert rows
    assert [row[first] for row in rows] == [str(item[first]) for item in items]
    for row in rows:
        assert not row.get("label", "").startswith(("=", "+", "-", "@"))


async def test_an_unchanged_table_is_not_sent_again_and_a_changed_one_is(client: Client, dsn: str) -> None:
    for path in (f"/clients/{CLIENT}/claims?format=csv", f"/clients/{CLIENT}/months", f"/clients/{CLIENT}"):
        tag = (await client.get(path)).headers["ETag"]
        assert (await client.get(path, If_None_Match=tag)).status == 304
        connection = await asyncpg.connect(dsn)
        await connection.execute(
            "UPDATE explorer.claims SET removed_epoch = 4899999 WHERE id = (SELECT max(id) FROM explorer.claims"
            " WHERE client_id = 5000 AND removed_epoch IS NULL"
            " AND term_start_epoch > 3500000 AND term_max_epochs = 1500000)"
        )
        await connection.close()
        assert (await client.get(path, If_None_Match=tag)).status == 200, path


async def test_head_answers_as_get_without_a_body(client: Client) -> None:
    for path in (f"/clients/{CLIENT}", f"/clients/{CLIENT}/claims?format=csv", f"/clients/{CLIENT}/months?format=csv"):
        got, head = await client.get(path), await client.ask("HEAD", path)
        assert (head.status, head.headers["ETag"], head.body) == (200, got.headers["ETag"], b"")


async def test_nobody_has_empty_figures_and_tables(client: Client) -> None:
    found = await document(client, f"/clients/{NOBODY}")
    assert found["summary"]["claims"]["records"] == 0
    assert found["evidence"]["claims"] == {"items": [], "next_cursor": None}
    got = await client.get(f"/clients/{NOBODY}/claims?format=csv")
    assert got.body.decode().splitlines() == [",".join(COLUMNS["claims"])]


async def test_an_allocator_is_answered_with_what_is_not_known(client: Client) -> None:
    found = await document(client, "/allocators/f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za")
    assert (found["datacap"], found["clients"], found["grants"]) == (None, None, [])
    assert found["not_known"]


@pytest.mark.parametrize(
    ("typed", "leads"),
    [
        (CLIENT, f"/clients/{CLIENT}"),
        (PROVIDER, f"/providers/{PROVIDER}"),
        (f"client {PROVIDER}", f"/clients/{PROVIDER}"),
        (f"Provider {CLIENT.upper()}", f"/providers/{CLIENT}"),
        ("CLIENTS/0xFF00000000000000000000000000000000001388", "/clients/0xff00000000000000000000000000000000001388"),
        (f" allocators/{CLIENT} ", f"/allocators/{CLIENT}"),
        (
            "allocator f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za",
            "/allocators/f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za",
        ),
    ],
)
async def test_the_search_leads_to_parties(client: Client, typed: str, leads: str) -> None:
    got = await client.get(f"/search?q={quote(typed)}")
    assert (got.status, got.headers["Location"]) == (303, leads)


async def test_an_address_whose_id_nobody_knows_is_no_cid(client: Client) -> None:
    robust = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"
    assert await code_of(client, f"/search?q={robust}") == (404, "address_unresolved")
    assert await code_of(client, "/search?q=f01551220" + "ab" * 31) == (400, "malformed_cid")


async def test_an_empty_index_knows_no_figures(dsn: str, tmp_path: Path) -> None:
    async with party_service(dsn, tmp_path, fills=False) as url, aiohttp.ClientSession() as session:
        client = Client(session, url)
        found = await document(client, f"/clients/{CLIENT}")
        assert (found["summary"], found["as_of"]["epoch"]) == (None, None)
        for path in (f"/clients/{CLIENT}", f"/clients/{CLIENT}/months", f"/allocators/{CLIENT}"):
            assert (await client.get(path, Accept="text/html")).status == 200
        assert (await client.get(f"/clients/{CLIENT}/claims?format=csv")).status == 200


async def test_a_large_party_shows_its_records_before_it_is_counted(dsn: str, tmp_path: Path) -> None:
    async with party_service(dsn, tmp_path, large_records=10) as url, aiohttp.ClientSession() as session:
        client = Client(session, url)
        found = await document(client, f"/clients/{CLIENT}")
        assert found["summary"] is None
        assert len(found["evidence"]["claims"]["items"]) == 10
        page = (await client.get(f"/clients/{CLIENT}", Accept="text/html")).body.decode()
        assert "Being counted" in page
        assert (await document(client, f"/clients/{CLIENT}/months"))["items"] == []


async def test_a_large_party_that_was_counted_says_when(dsn: str, tmp_path: Path) -> None:
    async with party_service(dsn, tmp_path, large_records=10) as url, aiohttp.ClientSession() as session:
        async with open_pool(dsn, application_name="counting") as pool:
            service = Importer(pool, tmp_path, MAINNET).service()
            await Refresher(pool=pool, index=service, large_records=10, rest=0).refresh()
        client = Client(session, url)
        found = await document(client, f"/clients/{CLIENT}")
        assert (found["summary"]["counted"], found["summary"]["as_of"]["epoch"]) == ("ahead", HEAD)
        got = await client.get(f"/clients/{CLIENT}", Accept="text/html")
        assert (got.status, "Counted at epoch" in got.body.decode()) == (200, True)
        for table in (*COUNTED, "providers"):
            items = (await document(client, f"/clients/{CLIENT}/{table}"))["items"]
            assert items
            assert (await client.get(f"/clients/{CLIENT}/{table}", Accept="text/html")).status == 200


async def test_so_many_downloads_and_no_more_and_a_slow_reader_is_cut_off(dsn: str, tmp_path: Path) -> None:
    limits = Limits(downloads=1, event_write_timeout_s=0.5)
    async with party_service(dsn, tmp_path, limits=limits) as url:
        await _many_claims(dsn)
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(f"GET /clients/{CLIENT}/claims?format=csv HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        async with aiohttp.ClientSession() as session:
            client = Client(session, url)
            assert await code_of(client, f"/clients/{CLIENT}/deals?format=csv") == (503, "too_many_downloads")
            assert (await client.get(f"/clients/{CLIENT}/months?format=csv")).status == 200
            assert (await client.ask("HEAD", f"/clients/{CLIENT}/deals?format=csv")).status == 200
            await until(lambda: _is_sent(client, f"/clients/{CLIENT}/deals?format=csv"))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1 << 30)
        writer.close()


async def test_a_burst_of_downloads_gets_no_more_places_than_there_are(dsn: str, tmp_path: Path) -> None:
    """All of them ask before any is being sent; hung up on or read to the end, each gives its place back."""
    async with party_service(dsn, tmp_path, limits=Limits(downloads=2)) as url:
        await _many_claims(dsn)
        host, _, port = url.removeprefix("http://").partition(":")
        asked = [await asyncio.open_connection(host, int(port), limit=1024) for _ in range(8)]
        for _, writer in asked:
            writer.write(f"GET /clients/{CLIENT}/claims?format=csv HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        statuses = [int((await reader.readline()).split()[1]) for reader, _ in asked]
        assert sorted(statuses) == [200] * 2 + [503] * 6
        for _, writer in asked:
            writer.transport.abort()
        async with aiohttp.ClientSession() as session:
            client = Client(session, url)
            for _ in range(3):
                await until(lambda: _is_sent(client, f"/clients/{CLIENT}/deals?format=csv"))


async def _is_sent(client: Client, path: str) -> bool:
    return (await client.get(path)).status == 200


async def _many_claims(dsn: str) -> None:
    """More than the buffers between two sockets hold."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO explorer.claims (id, client_id, provider_id, size_bytes, term_start_epoch, term_min_epochs,"
        " term_max_epochs, sector, first_seen_epoch, seen_epoch, piece)"
        " SELECT 10000 + n, 5000, 1000, 1, 1, 1, 1, n, 1, 1, sha256(n::text::bytea) FROM generate_series(1, 80000) AS n"
    )
    await connection.close()
