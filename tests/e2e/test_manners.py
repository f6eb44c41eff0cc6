"""How every answer behaves: types, caching, CORS, security headers, problems."""

import re
from typing import Any

import aiohttp
import orjson
import pytest

from tests.e2e.conftest import Client, Got, config_for, serving
from tests.e2e.fake_index import ACTIVE, HEAD, NONE, PAST, FakeIndex

JSON_PATHS = [
    f"/cid/{ACTIVE}/filplus",
    f"/cid/{ACTIVE}",
    "/deals/3",
    "/claims/87884600",
    "/allocations/90000001",
    "/status",
    "/config",
    "/version",
    "/openapi.json",
]
HEALTH_PATHS = ["/healthz", "/readyz", "/metrics"]
PAGE_PATHS = ["/", "/docs", "/search", "/status", f"/cid/{ACTIVE}", f"/cid/{PAST}/filplus", "/deals/3"]
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


def document(got: Got) -> Any:
    return orjson.loads(got.body)


def problem(got: Got) -> Any:
    assert got.headers["Content-Type"] == "application/problem+json"
    found = document(got)
    assert found["status"] == got.status
    assert found["instance"] == got.headers["X-Request-ID"]
    assert found["type"].endswith(f"/docs#problem-{found['code']}")
    assert found["detail"]
    assert found["remedy"]
    return found


@pytest.mark.parametrize("path", [*JSON_PATHS, *HEALTH_PATHS, *PAGE_PATHS])
async def test_every_get_has_a_strong_etag_and_knows_it_again(client: Client, path: str) -> None:
    accept = BROWSER if path in PAGE_PATHS else "*/*"
    got = await client.get(path, Accept=accept)
    assert got.status == 200
    assert got.headers["ETag"].startswith('"')
    if path == "/metrics":
        return
    for named in (got.headers["ETag"], f'"x", W/{got.headers["ETag"]}', "*"):
        again = await client.get(path, Accept=accept, If_None_Match=named)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == got.headers["ETag"]
    assert (await client.get(path, Accept=accept, If_None_Match='"other"')).status == 200


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"/cid/{ACTIVE}/filplus", "public, max-age=15"),
        (f"/cid/{ACTIVE}/filplus?at_epoch=4622000", "public, max-age=60"),
        (f"/cid/{ACTIVE}/filplus?at=2025-01-01T00:00:00Z", "public, max-age=60"),
        ("/status", "public, max-age=15"),
        ("/healthz", "no-store"),
        ("/readyz", "no-store"),
        ("/metrics", "no-store"),
        ("/nothing", "no-store"),
    ],
)
async def test_cache_control(client: Client, path: str, value: str) -> None:
    assert (await client.get(path)).headers["Cache-Control"] == value


@pytest.mark.parametrize("path", [*JSON_PATHS, *HEALTH_PATHS, "/", "/nothing", "/deals/99"])
async def test_security_headers_are_on_every_answer(client: Client, path: str) -> None:
    got = await client.get(path)
    csp = got.headers["Content-Security-Policy"]
    assert "default-src 'self'" in csp
    assert "frame-ancestors 'none'" in csp
    assert "unsafe" not in csp
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Referrer-Policy"] == "no-referrer"
    assert "Permissions-Policy" in got.headers
    assert "Strict-Transport-Security" not in got.headers
    assert got.headers["Server"] == "filplus"
    assert got.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in got.headers
    assert got.headers["Vary"] == "Accept"


async def test_hsts_only_behind_https(index: FakeIndex) -> None:
    config = config_for(index, public_url="https://filplus.example")
    async with serving(index, config) as url, aiohttp.ClientSession() as session:
        assert "Strict-Transport-Security" in (await Client(session, url).get("/healthz")).headers


@pytest.mark.parametrize("path", [*JSON_PATHS, *HEALTH_PATHS, "/", "/docs"])
async def test_head_has_the_headers_and_no_body(client: Client, path: str) -> None:
    got, head = await client.get(path), await client.ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    if path != "/metrics":
        assert head.headers["ETag"] == got.headers["ETag"]
        assert head.headers["Content-Length"] == str(len(got.body))


async def test_a_script_gets_json_and_a_browser_a_page_at_the_same_address(client: Client) -> None:
    path = f"/cid/{ACTIVE}/filplus"
    script, browser = await client.get(path), await client.get(path, Accept=BROWSER)
    assert script.headers["Content-Type"] == "application/json"
    assert browser.headers["Content-Type"] == "text/html; charset=utf-8"
    assert script.headers["ETag"] != browser.headers["ETag"]
    named = await client.get(f"{path}?format=json", Accept=BROWSER)
    assert named.headers["Content-Type"] == "application/json"
    assert (await client.get("/status?format=html")).headers["Content-Type"].startswith("text/html")


async def test_what_is_not_offered_is_not_acceptable(client: Client) -> None:
    found = problem(await client.get("/status", Accept="image/png"))
    assert (found["status"], found["code"], found["value"]) == (406, "not_acceptable", "image/png")


async def test_look_ups_say_where_the_time_went(client: Client) -> None:
    got = await client.get(f"/cid/{ACTIVE}/filplus")
    assert re.fullmatch(r"index;dur=\d+\.\d", got.headers["Server-Timing"])


async def test_the_callers_request_id_goes_on_when_it_is_plain(client: Client) -> None:
    assert (await client.get("/healthz", X_Request_ID="trace-12345")).headers["X-Request-ID"] == "trace-12345"
    assert (await client.get("/healthz", X_Request_ID="<script>")).headers["X-Request-ID"] != "<script>"


async def test_preflight_names_methods_and_headers(client: Client) -> None:
    got = await client.ask("OPTIONS", "/cids/filplus", headers={"Origin": "https://elsewhere.example"})
    assert got.status == 204
    assert got.headers["Access-Control-Allow-Methods"] == "OPTIONS, POST"
    assert "Last-Event-ID" in got.headers["Access-Control-Allow-Headers"]
    assert "Idempotency-Key" in got.headers["Access-Control-Allow-Headers"]
    assert (await client.ask("OPTIONS", "/status")).headers["Allow"] == "GET, HEAD, OPTIONS"
    assert (await client.ask("OPTIONS", "/nothing")).status == 404


async def test_another_method_is_405_with_allow(client: Client) -> None:
    got = await client.ask("DELETE", "/status")
    assert problem(got)["code"] == "method_not_allowed"
    assert got.headers["Allow"] == "GET,HEAD"
    assert problem(await client.ask("GET", "/cids/filplus"))["status"] == 405


@pytest.mark.parametrize("path", ["/nothing", "/deals/99999", "/static/site.css", "/cid/", f"/cid/{ACTIVE}/", "//"])
async def test_nothing_there_is_404(client: Client, path: str) -> None:
    assert problem(await client.get(path))["code"] == "not_found"


@pytest.mark.parametrize("spelling", ["ipfs://{}", "ipfs:%2F%2F{}", "%2Fipfs%2F{}", "/ipfs/{}"])
async def test_an_ipfs_address_needs_no_encoding(client: Client, spelling: str) -> None:
    path = f"/cid/{spelling.format(ACTIVE)}"
    assert document(await client.get(path))["canonical"] == ACTIVE
    assert document(await client.get(f"{path}/filplus"))["verdict"] == "active"
    assert (await client.get(path, Accept=BROWSER)).status == 200


async def test_a_database_that_is_down_is_503_and_tells_nothing(client: Client, index: FakeIndex) -> None:
    index.down = True
    for path in (f"/cid/{ACTIVE}/filplus", "/status", "/readyz", "/deals/3"):
        got = await client.get(path)
        assert problem(got)["code"] == "database_unavailable"
        assert got.headers["Retry-After"] == "5"
        assert b"secret" not in got.body
        assert (await client.get(path, Accept=BROWSER)).status == 503
    assert (await client.get("/healthz")).status == 200


async def test_a_bug_is_500_and_tells_nothing(client: Client, index: FakeIndex) -> None:
    index.broken = True
    got = await client.get("/status")
    assert (got.status, problem(got)["code"]) == (500, "internal_error")
    assert b"secret" not in got.body
    assert b"Traceback" not in (await client.get("/status", Accept=BROWSER)).body


async def test_an_answer_that_takes_too_long_is_503(index: FakeIndex) -> None:
    index.delay_s = 5
    async with serving(index, config_for(index, timeout_s=0.05)) as url, aiohttp.ClientSession() as session:
        assert problem(await Client(session, url).get("/status"))["code"] == "timeout"


async def test_following_next_gives_every_record_once(client: Client) -> None:
    path, seen = f"/cid/{ACTIVE}/filplus?evidence=full&limit=4", []
    while path:
        got = await client.get(path)
        assert got.status == 200
        kinds = document(got)["evidence"]
        seen += [(kind, item["id"]) for kind in ("claims", "deals", "allocations") for item in kinds[kind]["items"]]
        link = re.fullmatch(r'<(.+)>; rel="next"', got.headers.get("Link", ""))
        path = link[1] if link else ""
        assert not path or f"at_epoch={HEAD}" in path
    assert len(seen) == len(set(seen)) == 11 + 6 + 1


async def test_many_cids_keep_their_order_and_their_errors(client: Client) -> None:
    cids = [ACTIVE, "no cid", PAST, ACTIVE, "", "\u202e"]
    got = await client.ask("POST", "/cids/filplus", json={"cids": cids}, headers={"Idempotency-Key": "k"})
    rows = document(got)["results"]
    assert [row["cid"] for row in rows] == cids
    assert [row.get("verdict") for row in rows] == ["active", None, "past", "active", None, None]
    assert got.headers["Cache-Control"] == "no-store"
    assert got.headers["Filplus-As-Of"] == f'epoch={HEAD}, time="2025-01-15T15:09:30Z"'


async def test_ndjson_is_a_line_a_result(client: Client) -> None:
    headers = {"Accept": "application/x-ndjson"}
    got = await client.ask("POST", "/cids/filplus", json={"cids": [ACTIVE, NONE], "at_epoch": 4600000}, headers=headers)
    assert got.headers["Content-Type"] == "application/x-ndjson"
    assert [orjson.loads(line)["verdict"] for line in got.body.splitlines()] == ["active", "none"]
    assert got.headers["Filplus-As-Of"].startswith("epoch=4600000, ")


async def test_ten_thousand_cids_are_answered(client: Client) -> None:
    got = await client.ask("POST", "/cids/filplus", json={"cids": [ACTIVE] * 10_000})
    assert len(document(got)["results"]) == 10_000


async def test_metrics_count_by_route_template(client: Client) -> None:
    await client.get(f"/cid/{ACTIVE}/filplus")
    await client.get("/some/where/else")
    text = (await client.get("/metrics")).body.decode()
    assert 'filplus_http_requests_total{method="GET",route="/cid/{cid}/filplus",status="200"} 1.0' in text
    assert 'filplus_http_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'filplus_http_problems_total{code="not_found"} 1.0' in text
    assert ACTIVE not in text


async def test_static_files_are_named_by_content_and_kept(client: Client) -> None:
    home = (await client.get("/", Accept=BROWSER)).body.decode()
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', home)
    assert len(addresses) == 4
    for address in addresses:
        got = await client.get(address)
        assert (got.status, "immutable" in got.headers["Cache-Control"]) == (200, True)


@pytest.mark.parametrize(
    ("typed", "location"),
    [
        (ACTIVE, f"/cid/{ACTIVE}"),
        (f"%20{ACTIVE}%0A", f"/cid/{ACTIVE}"),
        (f"ipfs://{ACTIVE}", f"/cid/{ACTIVE}"),
        (f"https%3A%2F%2Fipfs.io%2Fipfs%2F{ACTIVE}%2Fx", f"/cid/{ACTIVE}"),
        ("3", "/deals/3"),
        ("deal%203", "/deals/3"),
        ("claim%20%2387884600", "/claims/87884600"),
        ("87884600", "/claims/87884600"),
        ("allocations/90000001", "/allocations/90000001"),
    ],
)
async def test_search_leads_there(client: Client, typed: str, location: str) -> None:
    got = await client.get(f"/search?q={typed}", Accept=BROWSER)
    assert (got.status, got.headers["Location"]) == (303, location)


@pytest.mark.parametrize(
    ("typed", "status"), [("bafyno%22%3E%3Cb%3E", 400), ("99999999", 404), ("claim%203", 404), ("9" * 19, 404)]
)
async def test_search_keeps_what_was_typed_when_it_fails(client: Client, typed: str, status: int) -> None:
    got = await client.get(f"/search?q={typed}", Accept=BROWSER)
    assert got.status == status
    text = got.body.decode()
    assert "<b>" not in text
    shown = typed.replace("%20", " ").replace("%22%3E%3Cb%3E", "&#34;&gt;&lt;b&gt;")
    assert f'value="{shown}"' in text
