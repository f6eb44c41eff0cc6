"""Lists of a browser: filters that can't be taken come back in their form, those of the queue stay the queue's."""

import re
from html import unescape

import pytest

from tests.e2e.conftest import Got
from tests.integration.reviews.conftest import World, code
from tests.unit.signatures.builders import NOTARY_F1

PAGE = {"Accept": "text/html"}


async def shown(world: World, address: str) -> Got:
    """What a notary's browser gets."""
    return await world.ask("GET", address, session=NOTARY_F1, headers=PAGE)


def fields(page: str) -> dict[str, tuple[str, bool]]:
    """What the page's form holds, by field, and whether the page says that it is wrong."""
    form = page[page.index('class="fieldrow"') :]
    found = re.findall(r'<input id="(\w+)" name="\w+" value="([^"]*)"([^>]*)>', form)
    return {name: (unescape(text), 'aria-invalid="true"' in rest) for name, text, rest in found}


@pytest.mark.parametrize(
    ("address", "wrong", "kept"),
    [
        ("/reviews?state=opne&cluster=!berlin", "state", {"cluster": "!berlin"}),
        ("/reviews?publisher=f1x&state=open", "publisher", {"state": "open"}),
        ("/reviews?since=yesterday&job_id=a%26b", "since", {"job_id": "a&b"}),
        ("/audit?since=yesterday&actor=Ada", "since", {"actor": "Ada"}),
        ("/audit?action=review.dance&subject=rev_1", "action", {"subject": "rev_1"}),
    ],
)
async def test_a_refused_form_comes_back_with_what_was_typed(
    world: World, address: str, wrong: str, kept: dict[str, str]
) -> None:
    got = await shown(world, address)
    page = got.body.decode()
    assert got.status == 400
    assert "no-store" in got.headers["Cache-Control"]
    found = fields(page)
    assert [name for name, (_, is_wrong) in found.items() if is_wrong] == [wrong]
    assert {name: found[name][0] for name in kept} == kept
    [link] = re.findall(r'<a href="([^"]+)">Without that filter</a>', page)
    assert wrong not in link
    assert (await shown(world, unescape(link))).status == 200


@pytest.mark.parametrize("query", ["dance=1", "state=open&state=open", "cursor=AAAA"])
@pytest.mark.parametrize("path", ["/reviews", "/audit"])
async def test_what_no_field_is_about_leads_back_to_the_whole(world: World, path: str, query: str) -> None:
    got = await shown(world, f"{path}?{query}")
    assert got.status == 400
    assert f'<a href="{path}">' in got.body.decode()


async def test_scripts_are_answered_as_before(world: World) -> None:
    got = await world.ask("GET", "/reviews?state=opne", session=NOTARY_F1)
    assert code(got) == (400, "malformed_parameter")
    assert code(await world.ask("GET", "/audit?since=2026-11-23", session=NOTARY_F1)) == (400, "malformed_time")


async def test_the_form_of_the_log_takes_a_day(world: World) -> None:
    await world.report()
    page = (await shown(world, "/audit?since=2020-01-01")).body.decode()
    assert fields(page)["since"] == ("2020-01-01T00:00:00Z", False)
    assert "review.requested" in page
    assert "since=2020-01-01T00%3A00%3A00Z" in page, "the export asks for the same"


async def test_narrowing_the_queue_leaves_out_what_is_closed(world: World) -> None:
    for key in ("eu", "us"):
        await world.report(job_id=f"{key}-open", key=key)
    page = (await shown(world, "/reviews")).body.decode()
    assert 'name="waits_for" value="me" checked' in page
    narrowed = (await shown(world, "/reviews?waits_for=me&cluster=%21eu")).body.decode()
    assert "1 review waits for you" in narrowed
    assert 'name="waits_for" value="me" checked' in narrowed


async def test_a_state_from_the_queues_form_lists_all_of_it(world: World) -> None:
    """What waits is open anyhow: a browser is led on, a script is told."""
    got = await shown(world, "/reviews?state=open&cluster=&waits_for=me")
    assert (got.status, got.headers["Location"]) == (303, "/reviews?state=open&waits_for=me")
    led = await shown(world, got.headers["Location"])
    assert (led.status, led.headers["Location"]) == (303, "/reviews?state=open")
    listed = (await shown(world, "/reviews?state=open")).body.decode()
    assert 'name="waits_for" value="me">' in listed


async def test_a_list_says_how_many_there_are(world: World) -> None:
    for number in range(3):
        await world.report(job_id=f"j-{number}")
    page = (await shown(world, "/reviews?state=open")).body.decode()
    assert "<h1>3 reviews</h1>" in page
    assert "<title>(3) Reviews" in page
    page = (await shown(world, "/reviews?state=open&limit=2")).body.decode()
    assert "<h1>More than 2 reviews</h1>" in page


async def test_the_log_tells_a_decision_before_it_is_opened(world: World) -> None:
    review = await world.report(job_id="regrid-1")
    await world.prove(review)
    assert (await world.decide(review)).status == 200
    page = (await shown(world, "/audit")).body.decode()
    told = re.findall(r"<summary>(.*?)</summary>", page)
    assert any(line.startswith("approve, approved, “fine”") for line in told), told
    assert any(line.startswith("asks for ") for line in told), told
    assert f'<a href="/reviews/{review["id"]}" data-row title="{review["id"]}">regrid-1</a>' in page


async def test_a_review_without_its_publishers_proof_is_marked(world: World) -> None:
    review = await world.report()
    assert "no proof yet" in (await shown(world, "/reviews")).body.decode()
    await world.prove(review)
    assert "no proof yet" not in (await shown(world, "/reviews")).body.decode()
