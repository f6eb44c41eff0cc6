"""Nothing that anybody can send makes a 500."""

import asyncio
import gzip

import orjson
import pytest
from yarl import URL

from tests.e2e.conftest import Client
from tests.e2e.fake_index import ACTIVE
from tests.patience import PATIENCE_S

CIDS = [
    "bafyno%00",
    "%00",
    "%zz",
    "%",
    "%ff%fe",
    "%ed%a0%80",
    "%E2%80%AE",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "x" * 10_000,
    "%F0%9F%98%80" * 50,
    "%3Cscript%3E",
    "%0d%0aSet-Cookie:x",
    "{cid}",
    "baga%20",
]
QUERIES = [
    "at_epoch=",
    "at_epoch=%00",
    "at_epoch=-1",
    "at_epoch=99999999999999999999999",
    "at_epoch=9223372036854775807",
    "at_epoch=1&at_epoch=2",
    "at_epoch=1&at=2025-01-01T00:00:00Z",
    "at=never",
    "at=9999-12-31T23:59:59Z",
    "at=0001-01-01T00:00:00%2B23:59",
    "evidence=all",
    "limit=0",
    "limit=1e3",
    "claims_cursor=%ff",
    "claims_cursor=zzz&evidence=full",
    "nonsense",
    "%00=1",
    "%ff=1",
    "=",
    "a[]=1",
    "&".join(f"p{n}=1" for n in range(500)),
]
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'{"cids": null}',
    b'{"cids": {}}',
    b'{"cids": [1]}',
    b'{"cids": []}',
    b'{"cids": ["\\ud800"]}',
    b'{"cids": ["x"], "cids": ["y"]}',
    b'{"cids": ["x"], "at_epoch": NaN}',
    b'{"cids": ["x"], "at_epoch": 9223372036854775808}',
    b'{"cids": ["x"], "at_epoch": 1e400}',
    b'{"cids": ["x"], "at_epoch": "1"}',
    b'{"cids": ["x"], "at_epoch": ' + b"1" * 5_000 + b"}",
    b'{"cids": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b"\xff\xfe{}",
    b"\x00",
]


def refused(status: int, body: bytes) -> bool:
    return 400 <= status < 500 and "code" in orjson.loads(body)


@pytest.mark.parametrize("cid", CIDS)
@pytest.mark.parametrize("path", ["/cid/{}/filplus", "/cid/{}"])
async def test_what_is_no_cid_is_malformed_for_scripts_and_browsers(client: Client, path: str, cid: str) -> None:
    got = await client.get(path.format(cid))
    assert (got.status, orjson.loads(got.body)["code"]) == (400, "malformed_cid")
    page = await client.get(path.format(cid), Accept="text/html")
    assert (page.status, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize("query", QUERIES)
async def test_bad_queries_are_400(client: Client, query: str) -> None:
    for path in (f"/cid/{ACTIVE}/filplus", "/status", "/search", "/deals/3", "/metrics"):
        got = await client.get(f"{path}?{query}")
        assert refused(got.status, got.body), (path, got.status)
    assert (await client.get(f"/cid/{ACTIVE}?{query}", Accept="text/html")).status == 400


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "%00", "9223372036854775808", "9" * 400, "%D9%A3"])
async def test_bad_numbers_are_400(client: Client, number: str) -> None:
    for kind in ("deals", "claims", "allocations"):
        got = await client.get(f"/{kind}/{number}")
        assert orjson.loads(got.body)["code"] == "malformed_id"


@pytest.mark.parametrize("body", BODIES)
async def test_bad_bodies_are_400(client: Client, body: bytes) -> None:
    got = await client.ask("POST", "/cids/filplus", data=body, headers={"Content-Type": "application/json"})
    assert (got.status, refused(got.status, got.body)) == (400, True)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x", ""])
async def test_another_type_is_415(client: Client, kind: str) -> None:
    got = await client.ask("POST", "/cids/filplus", data=b'{"cids": ["x"]}', headers={"Content-Type": kind})
    assert (got.status, orjson.loads(got.body)["code"]) == (415, "unsupported_media_type")


async def test_a_charset_is_no_other_type(client: Client) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await client.ask("POST", "/cids/filplus", data=b'{"cids": ["x"]}', headers=headers)).status == 200


async def test_too_many_cids_are_422(client: Client) -> None:
    got = await client.ask("POST", "/cids/filplus", json={"cids": [ACTIVE] * 10_001})
    found = orjson.loads(got.body)
    assert (got.status, found["code"], found["value"]) == (422, "too_many_cids", "10001")


async def test_compressed_bodies_are_read_and_their_bombs_refused(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    small, bomb = gzip.compress(b'{"cids": ["x"]}'), gzip.compress(b" " * 50_000_000)
    assert (await client.ask("POST", "/cids/filplus", data=small, headers=headers)).status == 200
    assert (await client.ask("POST", "/cids/filplus", data=bomb, headers=headers)).status == 413
    assert (await client.ask("POST", "/cids/filplus", data=b"no gzip", headers=headers)).status == 400


async def exchange(client: Client, *chunks: bytes) -> bytes:
    """What the server answers to raw bytes, up to its first 64 kB or the end."""
    url = URL(client.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read(65_536)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def post(*headers: str) -> bytes:
    lines = ["POST /cids/filplus HTTP/1.1", "Host: x", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def test_a_huge_body_is_refused_before_it_is_read(client: Client) -> None:
    got = await exchange(client, post("Content-Length: 100000000"))
    assert got.startswith(b"HTTP/1.1 413 ")
    assert b'"body_too_large"' in got


async def test_a_huge_body_that_waits_to_be_asked_for_is_not_asked_for(client: Client) -> None:
    got = await exchange(client, post("Content-Length: 100000000", "Expect: 100-continue"))
    assert got.startswith(b"HTTP/1.1 413 ")


async def test_an_expected_continue_comes(client: Client) -> None:
    body = b'{"cids": ["x"]}'
    got = await exchange(
        client, post(f"Content-Length: {len(body)}", "Expect: 100-continue", "Connection: close"), body
    )
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")


async def test_another_expectation_is_417(client: Client) -> None:
    got = await exchange(client, post("Content-Length: 2", "Expect: a miracle"), b"{}")
    assert got.startswith(b"HTTP/1.1 417 ")
    assert b"application/problem+json" in got


async def test_an_endless_body_is_refused_on_the_way(client: Client) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    got = await exchange(client, post("Transfer-Encoding: chunked"), *[chunk] * 80)
    assert got.startswith(b"HTTP/1.1 413 ")


async def test_long_addresses_and_headers_have_their_codes(client: Client) -> None:
    assert orjson.loads((await client.get("/cid/" + "x" * 40_000)).body)["code"] == "uri_too_long"
    got = await client.get("/healthz", X_Long="x" * 17_000)
    assert orjson.loads(got.body)["code"] == "headers_too_large"


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /cid/" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /cids/filplus HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        post("Connection: close", "Transfer-Encoding: chunked") + b"zz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
async def test_broken_requests_are_refused_or_cut_off(client: Client, raw: bytes) -> None:
    got = await exchange(client, raw.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n"))
    assert got == b"" or got[9:10] == b"4", got[:80]


@pytest.mark.parametrize("host", ["[", "a b", "\xff", "x:99999999", "", "<script>"])
async def test_a_strange_host_does_no_harm(client: Client, host: str) -> None:
    raw = f"GET /cid/{ACTIVE} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode(
        "latin-1"
    )
    got = await exchange(client, raw)
    assert got[9:10] in (b"2", b"4"), got[:80]
