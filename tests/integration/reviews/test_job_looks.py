"""What a review's page says of the job itself: names that mislead, what it reads, how it ended, blank names."""

import re
from datetime import timedelta
from typing import Any

import pytest

from explorer.reviews.life import State
from tests.e2e.fake_index import ACTIVE, HEAD_TIME, PAYLOAD
from tests.integration.reviews.conftest import World, code, document
from tests.integration.reviews.requests import job
from tests.unit.signatures.builders import NOTARY_F1, PUBLISHER_F1

PAGE = {"Accept": "text/html"}
OTHER = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


async def markup(world: World, path: str) -> str:
    """The page as a notary gets it."""
    got = await world.ask("GET", path, session=NOTARY_F1, headers=PAGE)
    assert got.status == 200, got.body
    return got.body.decode()


async def risks(world: World, review: dict[str, Any]) -> list[str]:
    """What the page says to look at, each with its label."""
    page = await markup(world, f"/reviews/{review['id']}")
    listed = re.search(r"<ul class=\"risks\">(.*?)</ul>", page, re.DOTALL)
    assert listed is not None
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", one)).strip() for one in listed[1].split("<li>")[1:]]


def reading(*cids: str, **fields: Any) -> dict[str, Any]:
    """A Bacalhau job that reads the CIDs."""
    sources = [{"Source": {"Type": "ipfs", "Params": {"CID": cid}}, "Target": "/in"} for cid in cids]
    engine = {"Type": "docker", "Params": {"Image": "example/regrid:1"}}
    return {
        "Name": "regrid",
        "Tasks": [{"Engine": engine, "InputSources": sources, "Network": {"Type": "None"}} | fields],
    }


async def test_a_job_as_its_review_names_it_brings_nothing_up(world: World) -> None:
    world.now = HEAD_TIME + timedelta(minutes=5)
    review = await world.report(cids=[ACTIVE, PAYLOAD], job=reading(ACTIVE, f"{PAYLOAD}/sub"))
    said = " ".join(await risks(world, review))
    assert not re.search("reads|network|exit code|mixes|be seen|behind", said), said


async def test_what_a_job_hides_is_said_with_the_field_where_it_stands(world: World) -> None:
    hidden = reading(
        ACTIVE,
        OTHER,
        Engine={"Type": "docker", "Params": {"Image": "p\u0443thon:3", "Entrypoint": ["sh\u202e"]}},
        Network={"Type": "Full"},
    )
    results = {"outputs": [{"cid": PAYLOAD, "size_bytes": 888 << 50}], "exit_code": 137}
    review = await world.report(job=hidden | {"Name": "r\u0435grid"}, results=results)
    said = await risks(world, review)
    for words in (
        "Look The job's Name mixes Cyrillic and Latin letters",
        "Look The image mixes Cyrillic and Latin letters",
        "Look What is run holds characters that can't be seen",
        "Look The job may use the network (Full)",
        f"Look The job reads {OTHER}, which it doesn't name here",
        "Look The job ended with exit code 137",
        "Look 1 TiB is asked for results of 888 PiB: enough for less than one copy",
    ):
        assert [one for one in said if one.replace("&#39;", "'").startswith(words)], (words, said)
    page = await markup(world, f"/reviews/{review['id']}")
    assert re.search(r"<dt>Name</dt>.*mixes Cyrillic and Latin</span>", page)
    assert re.search(r"<dt>Image</dt>.*holds U\+0443</span>", page)


async def test_verdicts_of_an_index_that_is_far_behind_are_called_old(world: World) -> None:
    world.now = HEAD_TIME + timedelta(days=3)
    assert "Look The verdicts are 3 days old: the index is behind the chain." in await risks(
        world, await world.report()
    )


@pytest.mark.parametrize("job_id", [" ", "\u00a0", "\u2800", "\u200b", "\u3164"])
async def test_a_job_that_nobody_could_find_in_a_list_is_refused(world: World, job_id: str) -> None:
    got = await world.ask("POST", "/reviews", job(job_id=job_id))
    assert code(got) == (400, "malformed_body")
    assert "name the job in letters or digits" in document(got)["detail"]


@pytest.mark.parametrize(("job_id", "shown"), [("\u2800", "(blank: U+2800)"), (" ", "(blank: U+0020)")])
async def test_a_blank_name_that_is_stored_already_has_links_with_words(world: World, job_id: str, shown: str) -> None:
    review = await world.report()
    await world.pool.execute("UPDATE reviews.reviews SET job_id = $1 WHERE id = $2", job_id, review["id"])
    await world.ask(
        "POST", f"/reviews/{review['id']}/decisions", {"decision": "ask", "comment": "?"}, session=NOTARY_F1
    )
    for path in ("/reviews", f"/publishers/{PUBLISHER_F1}", f"/notaries/{NOTARY_F1}", "/me"):
        page = await markup(world, path)
        links = re.findall(rf"<a [^>]*href=\"/reviews/{review['id']}\"[^>]*>(.*?)</a>", page, re.DOTALL)
        assert links, path
        assert all(shown in one for one in links), (path, links)
    page = await markup(world, f"/reviews/{review['id']}")
    assert re.search(rf"<h1>.*{re.escape(shown)}", page)
    assert f"<title>{State.OPEN.capitalize()}: {shown}" in page
