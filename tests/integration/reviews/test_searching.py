"""The search box leads to reviews, publishers and notaries, and tells strangers nothing of them."""

from urllib.parse import quote

import pytest

from node.address import Address
from tests.integration.reviews.conftest import World, code, document
from tests.unit.signatures.builders import NOTARY_F1, OTHER_F1, PUBLISHER_F1

REVIEW = "rev_01KAR8Q4ZC9S8W1V7M2E6T5XNB"
PUBLISHER = str(PUBLISHER_F1)
UNKNOWN = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"


async def leads(world: World, typed: str, session: Address | None = None) -> str:
    """Where a text leads."""
    got = await world.ask("GET", f"/search?q={quote(typed)}", key=None, session=session)
    assert got.status == 303, got.body
    return str(got.headers["Location"])


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (REVIEW, f"/reviews/{REVIEW}"),
        (f" review {REVIEW.lower()} ", f"/reviews/{REVIEW}"),
        (f"/reviews/{REVIEW}".lstrip("/"), f"/reviews/{REVIEW}"),
        (f"publisher {PUBLISHER}", f"/publishers/{PUBLISHER}"),
        (f"Notaries/{NOTARY_F1}", f"/notaries/{NOTARY_F1}"),
        (f"notary {NOTARY_F1}", f"/notaries/{NOTARY_F1}"),
        ("client f01234", "/clients/f01234"),
    ],
)
@pytest.mark.parametrize("session", [None, OTHER_F1])
async def test_what_is_named_is_led_to_whether_it_is_there_or_not(
    world: World, typed: str, address: str, session: Address | None
) -> None:
    assert await leads(world, typed, session) == address


async def test_a_bare_address_leads_a_notary_to_who_it_is(world: World) -> None:
    await world.report()
    assert await leads(world, PUBLISHER.upper(), NOTARY_F1) == f"/publishers/{PUBLISHER}"
    assert await leads(world, str(OTHER_F1), NOTARY_F1) == f"/notaries/{OTHER_F1}"


async def test_a_bare_address_tells_a_stranger_no_more_than_one_that_nobody_has(world: World) -> None:
    await world.report()
    answers = set()
    for address in (PUBLISHER, str(NOTARY_F1), UNKNOWN):
        got = await world.ask("GET", f"/search?q={address}", key=None)
        answers.add((*code(got), got.headers.get("Cache-Control")))
    assert len(answers) == 1, answers


async def test_what_a_notary_was_led_to_is_kept_by_no_cache(world: World) -> None:
    await world.report()
    got = await world.ask("GET", f"/search?q={PUBLISHER}", session=NOTARY_F1)
    assert got.headers["Cache-Control"].startswith("private")
    assert "Cookie" in got.headers["Vary"]


async def test_an_address_of_another_network_is_no_publisher(world: World) -> None:
    await world.report()
    got = await world.ask("GET", f"/search?q=t{PUBLISHER[1:]}", session=NOTARY_F1)
    assert 400 <= got.status < 500


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("regrid 2026/7", "/reviews?job_id=regrid+2026%2F7"),
        ("eu", "/reviews?cluster=eu"),
        ("ada", f"/notaries/{NOTARY_F1}"),
        ("Ben", f"/notaries/{OTHER_F1}"),
    ],
)
async def test_a_notary_finds_jobs_clusters_and_notaries_by_their_whole_names(
    world: World, typed: str, address: str
) -> None:
    await world.report(job_id="regrid 2026/7")
    assert await leads(world, typed, NOTARY_F1) == address
    assert code(await world.ask("GET", f"/search?q={quote(typed)}", key=None)) == (400, "malformed_cid")


@pytest.mark.parametrize("typed", ["berlin", "f0", "e", "!eu", "eu,us", "regrid"])
@pytest.mark.parametrize("session", [None, NOTARY_F1])
async def test_what_is_nothing_here_is_told_what_the_search_takes(
    world: World, typed: str, session: Address | None
) -> None:
    await world.report(job_id="regrid-1")
    got = await world.ask("GET", f"/search?q={quote(typed)}", key=None, session=session)
    assert code(got) == (400, "malformed_cid")
    told = document(got)
    assert told["detail"] == f"'{typed}' is no CID, no number and no address."
    assert "the number of a deal" in told["remedy"]
    assert "spare bits" not in told["detail"]
