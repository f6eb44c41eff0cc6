"""Every answer fits `openapi.json`, which the server itself gives."""

from typing import Any
from urllib.parse import quote

import orjson
import pytest

from explorer.demo.story import CHAPTERS
from explorer.web.contract import Contract
from tests.e2e.conftest import Client
from tests.e2e.fake_index import ACTIVE, INLINE, NONE, PAST, PAYLOAD, PENDING, UNKNOWN, FakeIndex

DEMO_CIDS = [cid for chapter in CHAPTERS for cid in chapter.cids]
ASKED = [
    *(("getVerdict", f"/cid/{cid}/filplus") for cid in (ACTIVE, PAST, PENDING, NONE, UNKNOWN, PAYLOAD, INLINE)),
    *(("getVerdict", f"/cid/{cid}/filplus?evidence=full&limit=3") for cid in (ACTIVE, PAST, PENDING, PAYLOAD)),
    ("getVerdict", f"/cid/{ACTIVE}/filplus?at_epoch=4000000"),
    ("getVerdict", "/cid/bafyno/filplus?x=1"),
    ("getVerdict", "/cid/no/filplus"),
    ("getVerdict", f"/cid/{ACTIVE}/filplus?at_epoch=5000000"),
    *(("getCid", f"/cid/{cid}") for cid in (ACTIVE, PAYLOAD, INLINE, "no")),
    *(("getDeal", f"/deals/{n}") for n in (3, 61_000_002, 99, "x")),
    ("getClaim", "/claims/87884600"),
    ("getAllocation", "/allocations/90000001"),
    ("getEvents", "/events?cid=no"),
    ("getEvents", "/events?nonsense=1"),
    ("getStatus", "/status"),
    ("getConfig", "/config"),
    ("getVersion", "/version"),
    ("getHealth", "/healthz"),
    ("getReadiness", "/readyz"),
    ("getMetrics", "/metrics"),
    ("getContract", "/openapi.json"),
    ("getDocs", "/docs"),
    ("getHome", "/"),
    ("getSearch", "/search?q=zz"),
]


async def contract_of(client: Client) -> Contract:
    return Contract(orjson.loads((await client.get("/openapi.json")).body))


def check(contract: Contract, operation_id: str, status: int, content_type: str, body: bytes) -> None:
    media_type = content_type.partition(";")[0]
    schema = contract.response_schema(operation_id, status, media_type)
    assert schema is not None, (operation_id, status, media_type)
    document: Any = orjson.loads(body) if media_type.endswith(("/json", "+json")) else body.decode()
    contract.validator(schema).validate(document)


@pytest.mark.parametrize(("operation_id", "path"), ASKED)
@pytest.mark.parametrize("accept", ["*/*", "text/html, */*;q=0.1"])
async def test_answers_fit(client: Client, operation_id: str, path: str, accept: str) -> None:
    got = await client.get(path, Accept=accept)
    check(await contract_of(client), operation_id, got.status, got.headers["Content-Type"], got.body)


async def test_answers_of_an_empty_index_fit(client: Client, index: FakeIndex) -> None:
    index.empty = True
    got = await client.get("/status")
    check(await contract_of(client), "getStatus", got.status, got.headers["Content-Type"], got.body)
    assert (await client.get("/", Accept="text/html")).status == 200
    assert (await client.get("/status", Accept="text/html")).status == 200


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "image/png"])
@pytest.mark.parametrize("body", [{"cids": [ACTIVE, "no"]}, {"cids": [ACTIVE], "at_epoch": 7}, {"cids": 1}, []])
async def test_posted_answers_fit(client: Client, accept: str, body: Any) -> None:
    contract = await contract_of(client)
    got = await client.ask("POST", "/cids/filplus", json=body, headers={"Accept": accept})
    check(contract, "postVerdicts", got.status, got.headers["Content-Type"], got.body)
    if got.headers["Content-Type"] == "application/x-ndjson":
        for line in got.body.splitlines():
            contract.validator({"$ref": "#/components/schemas/VerdictRow"}).validate(orjson.loads(line))


async def test_the_contract_names_this_service(client: Client) -> None:
    document = (await contract_of(client)).document
    assert document["openapi"].startswith("3.1")
    assert (document["info"]["version"], document["servers"]) == ("0.0.0", [{"url": "http://filplus.test"}])


REAL = [
    *(("getVerdict", f"/cid/{quote(cid, safe='')}/filplus?evidence=full&limit=1") for cid in DEMO_CIDS),
    *(("getVerdict", f"/cid/{quote(cid, safe='')}/filplus?at_epoch=2500000") for cid in DEMO_CIDS),
    *(
        ("getVerdict", f"/cid/{cid}/filplus")
        for cid in ("bafkqaaa", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
    ),
    *(("getCid", f"/cid/{quote(cid, safe='')}") for cid in DEMO_CIDS),
    ("getDeal", "/deals/9686908"),
    ("getDeal", "/deals/13508334"),
    ("getDeal", "/deals/1"),
    ("getClaim", "/claims/87884600"),
    ("getAllocation", "/allocations/1"),
    ("getStatus", "/status"),
    ("getHome", "/"),
    ("getReadiness", "/readyz"),
    ("getMetrics", "/metrics"),
]


@pytest.mark.parametrize(("operation_id", "path"), REAL)
@pytest.mark.parametrize("accept", ["*/*", "text/html, */*;q=0.1"])
async def test_real_answers_fit(real_client: Client, operation_id: str, path: str, accept: str) -> None:
    got = await real_client.get(path, Accept=accept)
    check(await contract_of(real_client), operation_id, got.status, got.headers["Content-Type"], got.body)


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
async def test_real_posted_answers_fit(real_client: Client, accept: str) -> None:
    body = {"cids": [*DEMO_CIDS, "no", "", "x" * 600]}
    got = await real_client.ask("POST", "/cids/filplus", json=body, headers={"Accept": accept})
    check(await contract_of(real_client), "postVerdicts", got.status, got.headers["Content-Type"], got.body)
    rows = orjson.loads(got.body)["results"] if "x-nd" not in accept else map(orjson.loads, got.body.splitlines())
    assert [row["cid"] for row in rows] == body["cids"]
