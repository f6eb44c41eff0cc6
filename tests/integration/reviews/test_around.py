"""What is known around reviews: who else names the same data, who a publisher is, how long reviews wait."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from multiformats import multibase

from explorer.access.actors import Actor, ActorKind
from explorer.ground.connection import open_connection
from explorer.ground.migrate import migrate
from explorer.reviews import trends
from node.cid import Cid, match_key, parse_cid
from tests.e2e.fake_index import ACTIVE, INLINE, PAYLOAD
from tests.integration.reviews.conftest import World, code, document
from tests.many_reviews import copy_review
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F1, OTHER_F1, PUBLISHER_F1

PAGE = {"Accept": "text/html"}
ADA = Actor(ActorKind.NOTARY, str(NOTARY_F1), "Ada")
V0 = "QmPChd2hVbrJ6bfo3WBcTW4iZnpHm8TEzWkLHmLpXhF68A"
PIECE_V2 = "bafkzcibcaapao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
SEALED = Cid(1, 0xF102, 0xB401, bytes(range(32)))
LONG = Cid(1, 0x55, 0x13, bytes(range(64)))
BASES = ("base2", "base8", "base10", "base16", "base16upper", "base32", "base32upper", "base32pad", "base32hex",
         "base32z", "base36", "base36upper", "base58btc", "base58flickr", "base64", "base64pad",
         "base64url")  # fmt: skip
MIGRATIONS = Path(__file__).parents[3] / "migrations"


async def test_the_database_matches_cids_in_every_spelling_as_the_index_does(pool: asyncpg.Pool) -> None:
    texts = [V0, INLINE, PIECE_V2, f"ipfs://{PAYLOAD}/", f"  /ipfs/{V0}\n", f"dweb:/ipfs/{PAYLOAD}", f"IPFS:{V0}"]
    cids = [*(parse_cid(text) for text in (ACTIVE, PAYLOAD, PIECE_V2)), SEALED, LONG]
    texts += [multibase.encode(cid.to_bytes(), name) for cid in cids for name in BASES]
    texts = [text for text in texts if len(text) <= 512]
    rows = await pool.fetch("SELECT reviews.content_of(t) AS content FROM unnest($1::text[]) AS t", texts)
    for text, row in zip(texts, rows, strict=True):
        assert row["content"] == match_key(parse_cid(text)), text
    odd = ["", "Qm", "b", "b1", "z0", "hello", "b" + "a" * 600, "\u00e9", "f01"]
    assert await pool.fetchval("SELECT count(reviews.content_of(t)) FROM unnest($1::text[]) AS t", odd) == 0


async def test_inputs_from_before_are_found_too(empty_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "explorer").mkdir()
    for file in sorted((MIGRATIONS / "explorer").glob("*.sql"))[:11]:
        shutil.copy(file, tmp_path / "explorer")
    async with open_connection(empty_dsn) as connection:
        await migrate(connection, "explorer", folder=tmp_path)
        await connection.execute(
            "INSERT INTO reviews.reviews (id, cluster_id, cluster_name, job_id, job, publisher, requested_bytes,"
            " digests, inputs_as_of, state, round, created_at, updated_at)"
            " VALUES ('rev_1', 'c', 'c', 'j', '{}', 'f1', 1, '{}', '{}', 'open', 1, now(), now())"
        )
        await connection.execute("INSERT INTO reviews.inputs VALUES ('rev_1', 1, $1, 'active')", PAYLOAD)
        await migrate(connection, "explorer")
        found = await connection.fetchval("SELECT content FROM reviews.inputs")
    assert found == match_key(parse_cid(PAYLOAD))


async def sharing(world: World, review: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What a review says of others that name its data."""
    return dict(document(await world.ask("GET", f"/reviews/{review['id']}", **options))["sharing"])


async def test_other_reviews_that_name_the_same_data_are_counted_in_every_spelling(world: World) -> None:
    one = await world.report(job_id="one", cids=[ACTIVE, PAYLOAD])
    assert (await sharing(world, one, session=OTHER_F1))["reviews"] == 0
    respelled = multibase.encode(parse_cid(ACTIVE).to_bytes(), "base58btc")
    for job_id, changes in (("two", {"publisher": str(NOTARY_0X)}), ("three", {"key": "us"})):
        await world.report(job_id=job_id, cids=[ACTIVE], **changes)
    respell = "UPDATE reviews.inputs SET cid = $1 WHERE cid = $2 AND review_id <> $3"
    await world.pool.execute(respell, respelled, ACTIVE, one["id"])
    await world.report(job_id="other", cids=[PAYLOAD, INLINE])
    found = await sharing(world, one, session=OTHER_F1)
    assert [found[name] for name in ("reviews", "clusters", "publishers", "other_publishers")] == [3, 2, 2, 1]
    assert [(entry["cid"], entry["reviews"]) for entry in found["inputs"]] == [(ACTIVE, 2), (PAYLOAD, 1)]
    page = await world.ask("GET", f"/reviews/{one['id']}", session=OTHER_F1, headers=PAGE)
    assert b"3 other reviews name some of the same inputs: by 2 clusters, for one other publisher" in page.body


async def test_a_cluster_is_told_of_its_own_reviews_alone(world: World) -> None:
    mine = await world.report(job_id="mine")
    await world.report(job_id="secret-of-us", key="us")
    assert (await sharing(world, mine))["reviews"] == 0
    page = await world.ask("GET", f"/reviews/{mine['id']}", headers=PAGE)
    assert b"secret-of-us" not in page.body
    assert b"No other review here names the input" in page.body
    record = document(await world.ask("GET", f"/publishers/{PUBLISHER_F1}"))
    assert (record["reviews_total"], [one["job_id"] for one in record["reviews"]]) == (1, ["mine"])
    theirs = document(await world.ask("GET", f"/publishers/{PUBLISHER_F1}", session=OTHER_F1))
    assert (theirs["reviews_total"], theirs["clusters_total"]) == (2, 2)


async def test_inline_inputs_are_not_compared(world: World) -> None:
    review = await world.report(job_id="one")
    await world.pool.execute("UPDATE reviews.inputs SET cid = $1", INLINE)
    assert document(await world.ask("GET", f"/reviews/{review['id']}"))["sharing"] is None
    page = await world.ask("GET", f"/reviews/{review['id']}", session=OTHER_F1, headers=PAGE)
    assert b"hether other reviews name the same data is not known" in page.body


async def test_a_publishers_record_counts_pages_and_proves(world: World) -> None:
    for number in range(4):
        review = await world.proven(job_id=f"j-{number}", requested_bytes=str(1 << 40))
        if number < 2:
            await world.decide(review, decision="reject" if number else "approve")
    await world.report(job_id="us-1", key="us")
    path = f"/publishers/{PUBLISHER_F1}"
    first = await world.ask("GET", f"{path}?limit=3", session=OTHER_F1)
    record = document(first)
    assert record["states"] == {"open": 3, "approved": 1, "rejected": 1, "expired": 0, "withdrawn": 0}
    assert (record["requested_bytes"], record["approved_bytes"]) == (str(5 << 40), str(1 << 40))
    assert (record["proofs_total"], len(record["proofs"]), record["grants"]) == (4, 4, [])
    assert [(one["cluster"], one["reviews"]) for one in record["clusters"]] == [("eu", 4), ("us", 1)]
    assert [one["address"][:5] for one in record["same_key"]] == ["f410f"]
    assert [one["job_id"] for one in record["reviews"]] == ["us-1", "j-3", "j-2"]
    following = first.headers["Link"].removeprefix("<").partition(">")[0]
    rest = document(await world.ask("GET", following, session=OTHER_F1))
    assert ([one["job_id"] for one in rest["reviews"]], rest["next_cursor"]) == (["j-1", "j-0"], None)
    page = await world.ask("GET", f"{path}?limit=3", session=OTHER_F1, headers=PAGE)
    for words in (b"Granted: none yet", b"4 signatures", b"Earlier reviews", b"The same key is also"):
        assert words in page.body, words


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/publishers/f01000", (404, "not_found")),
        (f"/publishers/{OTHER_F1}", (404, "not_found")),
        ("/publishers/x", (400, "malformed_address")),
        (f"/publishers/t{str(PUBLISHER_F1)[1:]}", (422, "address_of_other_network")),
        (f"/publishers/{PUBLISHER_F1}?cursor=AAAA", (400, "malformed_cursor")),
    ],
)
async def test_a_publisher_that_is_not_to_be_had(world: World, path: str, refusal: tuple[int, str]) -> None:
    await world.report()
    assert code(await world.ask("GET", path, session=NOTARY_F1)) == refusal


async def test_the_queues_ages_and_ends_are_told_as_they_are(world: World) -> None:
    empty = await world.ask("GET", "/reviews", session=NOTARY_F1, headers=PAGE)
    assert b"How long reviews wait" not in empty.body
    assert b"week by week" not in empty.body
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
    for number, hours in enumerate((0.5, 2, 2, 30, 167.5)):
        world.now = now - timedelta(hours=hours)
        await world.report(job_id=f"j-{number}", key="us" if number == 1 else "eu")
    for number, days in enumerate((0, 1, 8)):
        world.now = now - timedelta(days=days)
        closed = await world.proven(job_id=f"closed-{number}")
        await world.decide(closed, decision="approve" if number else "reject")
    world.now = now
    ages = await trends.load_ages(world.desk, ADA)
    assert [one["reviews"] for one in ages] == [1, 2, 0, 1, 0, 1]
    assert [(one["soon"], one["next"]) for one in ages][-1] == (1, 1)
    cluster = Actor(ActorKind.CLUSTER, document(await world.ask("GET", "/me", key="us"))["id"], "us")
    assert [one["reviews"] for one in await trends.load_ages(world.desk, cluster)] == [0, 1, 0, 0, 0, 0]
    weeks = await trends.load_weeks(world.desk, ADA)
    assert [one["week"] for one in weeks][-3:] == ["2026-11-09", "2026-11-16", "2026-11-23"]
    assert [(one["approved"], one["rejected"]) for one in weeks][-3:] == [(1, 0), (1, 0), (0, 1)]
    assert len(weeks) == trends.WEEKS
    page = (await world.ask("GET", "/reviews", session=NOTARY_F1, headers=PAGE)).body
    assert b"5 open reviews wait; 1 deadline within a day, 1 of them within the hour." in page
    assert b"2 approved" in page
    narrowed = (await world.ask("GET", "/reviews?state=open", session=NOTARY_F1, headers=PAGE)).body
    assert b"How long reviews wait" not in narrowed, "which would not be that of the list"


async def test_of_thousands_of_reviews_of_one_cid_and_publisher_the_first_are_counted(world: World) -> None:
    review = await world.report()
    async with world.pool.acquire() as connection:
        await copy_review(connection, review["id"], 3_000, cid=ACTIVE)
    found = await sharing(world, review, session=OTHER_F1)
    assert found["reviews"] == found["counted_reviews"] == 1_000
    for path in (f"/reviews/{review['id']}", f"/publishers/{PUBLISHER_F1}", "/reviews"):
        assert (await world.ask("GET", path, session=OTHER_F1, headers=PAGE)).status == 200, path
