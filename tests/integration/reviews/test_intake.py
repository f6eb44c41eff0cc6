"""What clusters can report, over HTTP: taken once, or refused with the reason."""

import asyncio
from typing import Any

import orjson
import pytest

from explorer.access.clusters import revoke_cluster, rotate_key
from explorer.signatures.verify import verify_record
from node.address import PROTOCOL_ACTOR, Address
from node.cid import Cid
from tests.e2e.fake_index import ACTIVE, NONE, PAST, PAYLOAD, PENDING, UNKNOWN, FakeIndex
from tests.integration.reviews.conftest import OPERATOR, World, code, document
from tests.integration.reviews.requests import TIB, job, proof_of
from tests.unit.signatures import builders
from tests.unit.signatures.builders import NOTARY_0X, OTHER, PUBLISHER_F1, signed

MULTISIG = Address(PROTOCOL_ACTOR, bytes(20)).to_text()
STAGES = {"a": [{"b": {"c": [1, 2.5, None, True, "\u0000\u202e"]}}], "big": 10**30, "small": -(2**70)}


async def test_a_report_becomes_a_review_that_is_told(world: World) -> None:
    got = await world.ask("POST", "/reviews", job(job=STAGES, cids=[ACTIVE, PAST, f"ipfs://{ACTIVE}"]))
    review = document(got)
    assert got.status == 201
    assert got.headers["Location"] == f"/reviews/{review['id']}"
    assert got.headers["Cache-Control"] == "private, no-store"
    assert (review["state"], review["round"], review["quorum"]) == ("open", 1, 1)
    assert review["sentence"] == "open, waits for the publisher's proof and 1 approval"
    assert [(one["cid"], one["verdict"], one["filplus"]) for one in review["inputs"]] == [
        (ACTIVE, "active", True),
        (PAST, "past", False),
    ]
    assert review["inputs_as_of"]["epoch"] is not None
    assert b"1000000000000000000000000000000" in got.body
    assert await world.told() == [("review.requested", review["id"])]
    assert await world.audited(review["id"]) == ["review.requested"]
    shown = await world.ask("GET", got.headers["Location"])
    assert b"1000000000000000000000000000000" in shown.body
    assert document(shown) == review | {"sharing": document(shown)["sharing"]}


async def test_the_same_job_again_gives_the_first_review(world: World) -> None:
    first, again = await world.report(), await world.ask("POST", "/reviews", job())
    assert (again.status, document(again)["id"], again.headers["Location"]) == (
        200,
        first["id"],
        f"/reviews/{first['id']}",
    )
    assert len(await world.told()) == 1


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"job": {"Name": "other"}}, ["job"]),
        ({"cids": [ACTIVE, PAST]}, ["cids"]),
        ({"publisher": NOTARY_0X.to_eth(), "requested_bytes": "1"}, ["publisher", "requested_bytes"]),
        ({"results": {"outputs": []}}, ["results"]),
    ],
)
async def test_the_same_job_with_another_body_is_refused_by_field(
    world: World, changes: dict[str, Any], differs: list[str]
) -> None:
    review = await world.report()
    got = await world.ask("POST", "/reviews", job(**changes))
    assert code(got) == (409, "other_body")
    assert (document(got)["differs"], document(got)["review"]) == (differs, review["id"])


async def test_another_clusters_job_of_the_same_id_is_another_review(world: World) -> None:
    assert (await world.report())["id"] != (await world.report(key="us"))["id"]


async def test_many_posts_at_once_make_one_review(world: World) -> None:
    answers = await asyncio.gather(*(world.ask("POST", "/reviews", job()) for _ in range(20)))
    assert sorted(got.status for got in answers) == [200] * 19 + [201]
    assert len({document(got)["id"] for got in answers}) == 1
    assert len(await world.told()) == 1


async def test_a_job_without_an_active_cid_is_refused_with_the_verdicts(world: World) -> None:
    got = await world.ask("POST", "/reviews", job(cids=[PAST, PENDING, NONE, UNKNOWN]))
    assert code(got) == (422, "not_filplus")
    assert [one["verdict"] for one in document(got)["verdicts"]] == ["past", "pending", "none", "unknown"]
    assert document(got)["as_of"]["epoch"] is not None
    assert await world.told() == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"cids": []}, (400, "malformed_body")),
        ({"cids": ["bafyno"]}, (400, "malformed_cid")),
        ({"cids": [ACTIVE, "\u202e"]}, (400, "malformed_cid")),
        ({"cids": [ACTIVE, ""]}, (400, "malformed_body")),
        ({"cids": [ACTIVE] * 10_001}, (422, "too_many_cids")),
        ({"cids": "x"}, (400, "malformed_body")),
        ({"publisher": "f01000"}, (422, "publisher_cannot_prove")),
        ({"publisher": MULTISIG}, (422, "publisher_cannot_prove")),
        ({"publisher": PUBLISHER_F1.to_text("t")}, (422, "address_of_other_network")),
        ({"publisher": "\u0000"}, (400, "malformed_address")),
        ({"publisher": None}, (400, "malformed_body")),
        ({"requested_bytes": 1}, (400, "malformed_body")),
        ({"requested_bytes": "-1"}, (400, "malformed_body")),
        ({"requested_bytes": "01"}, (400, "malformed_body")),
        ({"requested_bytes": "9" * 25}, (400, "malformed_body")),
        ({"requested_bytes": "9" * 5000}, (400, "malformed_body")),
        ({"job_id": ""}, (400, "malformed_body")),
        ({"job_id": "a\u0000"}, (400, "malformed_body")),
        ({"job_id": "x" * 129}, (400, "malformed_body")),
        ({"job_id": "\U0001f600" * 100}, (400, "malformed_body")),
        ({"job_id": 7}, (400, "malformed_body")),
        ({"job": "x" * (1 << 20)}, (413, "body_too_large")),
        ({"job": "x" * 10_000_000}, (413, "body_too_large")),
        ({"extra": 1}, (400, "malformed_body")),
        ({"results": {"outputs": [{"cid": "no"}]}}, (400, "malformed_cid")),
        ({"results": {"outputs": [{"cid": ACTIVE, "size_bytes": -1}]}}, (400, "malformed_body")),
        ({"results": {"outputs": [], "exit_code": 2**40}}, (400, "malformed_body")),
        ({"results": {"outputs": [], "log_tail": "x" * 70_000}}, (400, "malformed_body")),
        ({"publisher_proof": {"message": "x", "signature": "y"}}, (400, "malformed_text")),
        ({"publisher_proof": {"message": "x"}}, (400, "malformed_body")),
    ],
)
async def test_what_cannot_be_taken_is_refused(world: World, changes: dict[str, Any], refusal: tuple[int, str]) -> None:
    got = await world.ask("POST", "/reviews", job(**changes))
    assert code(got) == refusal, got.body[:300]
    assert await world.told() == []


@pytest.mark.parametrize("depth", [70, 300, 900, 990, 5_000, 100_000])
@pytest.mark.parametrize("more", [b"", b', "extra": 1'])
async def test_deep_documents_do_no_harm(world: World, depth: int, more: bytes) -> None:
    raw = orjson.dumps(job())[:-1] + more + b', "x": ' + b"[" * depth + b"]" * depth + b"}"
    assert (await world.ask("POST", "/reviews", raw)).status == 400
    raw = raw.replace(b'"x":', b'"job":').replace(b'"job":{"Name":"climate-regrid"},', b"")
    assert (await world.ask("POST", "/reviews", raw)).status == 400


@pytest.mark.parametrize(
    "raw", [b'{"job": 1e400}', b'{"job": "\\ud800"}', b'{"job": NaN}', b'{"job":1,"job":2}', b"\xff"]
)
async def test_documents_that_no_json_holds_are_refused(world: World, raw: bytes) -> None:
    rest = orjson.dumps({name: value for name, value in job().items() if name != "job"})[1:]
    assert (await world.ask("POST", "/reviews", raw[:-1] + b"," + rest)).status == 400


@pytest.mark.parametrize(
    "job_id", ["日本", "\u202etxt", "a b\n", "\\u{20}", "'; DROP TABLE reviews.reviews;--", "\U0001f600"]
)
async def test_strange_job_ids_are_kept_and_provable(world: World, job_id: str) -> None:
    review = await world.report(job_id=job_id)
    assert review["job_id"] == job_id
    proven = await world.prove(review)
    assert verify_record(proven["publisher_proof"]).job_id == job_id  # type: ignore[union-attr]


async def test_ten_thousand_cids_are_taken_and_named(world: World) -> None:
    cids = [Cid(1, 0x55, 0x12, n.to_bytes(32, "big")).to_text() for n in range(9_999)]
    review = await world.report(cids=[*cids, ACTIVE])
    assert (review["inputs_total"], len(review["inputs"])) == (10_000, 10_000)
    [(body,)] = await world.pool.fetch("SELECT body FROM alerts.messages")
    told = orjson.loads(body)["data"]
    assert (told["inputs_total"], len(told["inputs"])) == (10_000, 100)


async def test_a_large_job_is_left_out_of_the_alert_and_it_says_so(world: World) -> None:
    review = await world.report(job={"pad": "x" * 100_000})
    assert not review["job_truncated"]
    [(body,)] = await world.pool.fetch("SELECT body FROM alerts.messages")
    told = orjson.loads(body)["data"]
    assert (told["job"], told["job_truncated"], told["id"]) == (None, True, review["id"])


async def test_results_and_proof_can_come_with_the_report(world: World) -> None:
    results = {"outputs": [{"cid": PAYLOAD, "size_bytes": TIB}], "exit_code": 0, "log_tail": "\u001b[31mred\u0000"}
    proof = proof_of()
    review = await world.report(publisher_proof=proof, results=results)
    assert review["results"] == {**results, "number": 1, "at": review["created_at"]}
    assert review["publisher_proof"] == {**proof, "at": review["created_at"]}
    assert review["sentence"] == "open, waits for 1 approval"
    assert (await world.decide(review)).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"cluster": "us"},
        {"job_id": "other"},
        {"network": "calibration"},
        {"key": OTHER},
        {"publisher": builders.OTHER_F1, "key": OTHER},
        {"expires_at": builders.NOW.replace(year=2020)},
    ],
)
async def test_a_proof_for_something_else_is_refused(world: World, changes: dict[str, Any]) -> None:
    got = await world.ask("POST", "/reviews", job(publisher_proof=proof_of(**changes)))
    assert code(got) == (403, "signature_refused"), got.body
    review = await world.report()
    got = await world.ask("POST", f"/reviews/{review['id']}/publisher-proof", proof_of(**changes))
    assert code(got) == (403, "signature_refused")
    assert (await world.show(review))["publisher_proof"] is None


async def test_another_kind_of_text_is_no_proof(world: World) -> None:
    message, signature = signed(builders.sign_in(signer=PUBLISHER_F1), builders.PUBLISHER)
    got = await world.ask("POST", "/reviews", job(publisher_proof={"message": message, "signature": signature}))
    assert code(got) == (403, "signature_refused")


@pytest.mark.parametrize(
    ("changes", "rule", "state", "quorum"),
    [
        ({"requested_bytes": "0"}, "nothing_requested", "rejected", 1),
        ({"requested_bytes": str(2**61)}, "above_maximum", "rejected", 1),
        ({"requested_bytes": str(2**50)}, "large", "open", 2),
        ({"results": {"outputs": [{"cid": PAYLOAD, "size_bytes": 7}]}}, "far_above_results", "open", 2),
    ],
)
async def test_rules_come_before_people(
    world: World, changes: dict[str, Any], rule: str, state: str, quorum: int
) -> None:
    review = await world.report(**changes)
    assert (review["state"], review["quorum"], [one["rule"] for one in review["policy"]]) == (state, quorum, [rule])
    told = "review.decided" if state == "rejected" else "review.requested"
    assert await world.told() == [(told, review["id"])]
    if state == "rejected":
        assert review["sentence"] == "rejected by a rule, see policy"
        assert await world.audited(review["id"]) == ["review.requested", "review.rejected"]
        path = f"/reviews/{review['id']}/approval?address={builders.NOTARY_F1}"
        assert code(await world.ask("GET", path, key=None)) == (409, "review_closed")


async def test_where_filplus_has_ended_reviews_are_rejected(world: World, index: FakeIndex) -> None:
    index.programme = "retired"
    review = await world.report()
    assert (review["state"], review["policy"][0]["rule"]) == ("rejected", "programme_retired")
    got = await world.ask("POST", f"/reviews/{review['id']}/reopen", {"comment": "?"}, session=builders.NOTARY_F1)
    assert code(got) == (409, "not_reopenable")


async def test_keys_that_are_wrong_or_revoked_open_nothing(world: World) -> None:
    assert code(await world.ask("POST", "/reviews", job(), key=None)) == (401, "credentials_missing")
    world.keys["no"] = world.keys["eu"][:-2] + "zz"
    assert (await world.ask("POST", "/reviews", job(), key="no")).status == 401
    assert code(await world.ask("POST", "/reviews", job(), session=builders.NOTARY_F1)) == (403, "scope_missing")
    async with world.pool.acquire() as connection:
        await revoke_cluster(connection, "us", by=OPERATOR)
    assert code(await world.ask("POST", "/reviews", job(), key="us")) == (401, "ended_key")
    assert await world.told() == []


async def test_a_rotated_key_reports_for_the_same_cluster(world: World) -> None:
    review = await world.report()
    async with world.pool.acquire() as connection:
        world.keys["new"] = (await rotate_key(connection, "eu", by=OPERATOR)).key or ""
    assert (await world.show(review, key="new"))["id"] == review["id"]


async def test_an_idempotency_key_gives_the_same_answer(world: World) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await world.ask("POST", "/reviews", job(), headers=headers)
    again = await world.ask("POST", "/reviews", job(), headers=headers)
    assert (first.status, again.status, again.body) == (201, 201, first.body)
