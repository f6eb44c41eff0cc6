"""Views that notaries save: links of their own, by a form that needs no script."""

from urllib.parse import urlencode

import pytest

from tests.integration.access.serving import World, cookie

BEN = "f1yv4fl3hyjees2c77khfiggjujcw7uxzuj2wxf7y"
HTML = {"Accept": "text/html"}


@pytest.fixture
async def ada(world: World) -> dict[str, str]:
    """The headers of a notary's pages."""
    return {**cookie(await world.sign_in()), **HTML}


async def post(world: World, headers: dict[str, str], **form: str) -> tuple[int, str, str]:
    """The answer to the form: its status, where it leads, and its page."""
    fields = {"action": "save", "page": "reviews", **form}
    typed = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    got = await world.ask("POST", "/views", data=urlencode(fields).encode(), headers=typed)
    return got.status, got.headers.get("Location", ""), got.body.decode()


async def page(world: World, path: str, headers: dict[str, str]) -> str:
    got = await world.ask("GET", path, headers=headers)
    assert got.status == 200, got.body
    return got.body.decode()


async def test_a_view_is_saved_shown_replaced_and_removed(world: World, ada: dict[str, str]) -> None:
    name = 'Closed <b>of</b> "eu" & Пётр'
    assert "Save this view" not in await page(world, "/reviews", ada)
    assert "Save this view" in await page(world, "/reviews?state=%21open&cluster=eu", ada)
    status, leads, _ = await post(world, ada, name=f" {name} ", query="cluster=eu&state=%21open")
    assert (status, leads) == (303, "/reviews?state=%21open&cluster=eu")
    link = '<a href="/reviews?state=%21open&amp;cluster=eu" aria-current="page">Closed &lt;b&gt;of&lt;/b&gt;'
    here = await page(world, leads, ada)
    assert "state=!open, cluster=eu" in await page(world, "/views", ada)
    assert link in here
    assert "Save this view" not in here
    assert "Closed &lt;b&gt;" not in await page(world, "/audit", ada), "each page has its own"
    taken = await post(world, ada, name=name, query="state=approved", replace=name)
    assert taken[:2] == (303, "/reviews?state=approved")
    assert (await page(world, "/views", ada)).count("/reviews?state=") == 1
    assert (await post(world, ada, action="remove", name=name))[:2] == (303, "/views")
    assert "None yet" in await page(world, "/views", ada)


async def test_a_view_is_not_replaced_before_that_was_asked(world: World, ada: dict[str, str]) -> None:
    await post(world, ada, name="Mine", query="state=open&cluster=eu")
    status, _, shown = await post(world, ada, name="Mine", query="state=approved")
    assert status == 409
    assert "shows state=open, cluster=eu" in shown
    assert '<button name="replace" value="Mine">' in shown
    assert (await post(world, ada, name="Mine", query="state=approved", replace="Another"))[0] == 409, "not that one"
    assert (await post(world, ada, name="Mine", query="state=open&cluster=eu"))[0] == 303, "the same is no other"
    assert (await post(world, ada, name="Mine", query="state=approved", page="audit"))[0] == 400
    assert (await post(world, ada, name="Mine", query="action=review.decided", page="audit"))[0] == 303, "of its page"
    assert (await post(world, ada, name="Mine", query="state=approved", replace="Mine"))[0] == 303
    assert "cluster=eu" not in await page(world, "/views", ada)


async def test_views_of_the_log_are_its_own(world: World, ada: dict[str, str]) -> None:
    assert (await post(world, ada, page="audit", name="Decisions", query="action=review.decided"))[0] == 303
    assert ">Decisions</a>" in await page(world, "/audit", ada)
    assert ">Decisions</a>" not in await page(world, "/reviews", ada)


async def test_nobody_sees_anothers(world: World, ada: dict[str, str]) -> None:
    ben = {**cookie(await world.sign_in(BEN)), **HTML}
    await post(world, ada, name="Mine", query="state=open")
    assert "None yet" in await page(world, "/views", ben)
    await post(world, ben, action="remove", name="Mine")
    assert ">Mine</a>" in await page(world, "/reviews", ada)


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"query": "state=open"}, 400, "needs a name"),
        ({"name": "x" * 61, "query": "state=open"}, 400, "1 to 60 characters"),
        ({"name": "a\u202eb", "query": "state=open"}, 400, "U+202E"),
        ({"name": "a\nb", "query": "state=open"}, 400, "U+000A"),
        ({"name": "all"}, 400, "has no filters"),
        ({"name": "all", "query": "cursor=x"}, 400, "has no filters"),
        ({"name": "all", "query": "nonsense=1"}, 400, "no parameter"),
        ({"name": "all", "query": "state=open&state=open"}, 400, "more than once"),
        ({"name": "all", "query": "//evil.example"}, 400, "be read"),
        ({"name": "all", "query": "state=%ff"}, 400, "be read"),
        ({"name": "all", "query": "state=%00"}, 400, "must be"),
    ],
)
async def test_what_can_not_be_saved_comes_back_with_the_reason(
    world: World, ada: dict[str, str], form: dict[str, str], status: int, said: str
) -> None:
    answered, _, shown = await post(world, ada, **form)
    assert answered == status
    assert said in shown
    if form.get("query") and form.get("name") == "all":
        assert 'value="all"' in shown, "what was typed is not lost"


async def test_there_are_twenty_at_most(world: World, ada: dict[str, str]) -> None:
    for number in range(20):
        assert (await post(world, ada, name=f"view {number}", query="state=open"))[0] == 303
    status, _, shown = await post(world, ada, name="one more", query="state=open")
    assert (status, 'value="one more"' in shown) == (409, True)
    assert (await post(world, ada, name="view 7", query="state=approved", replace="view 7"))[0] == 303, (
        "replacing is not one more"
    )


async def test_other_sites_save_nothing_and_strangers_are_led_to_sign_in(world: World, ada: dict[str, str]) -> None:
    status, _, body = await post(world, {**ada, "Sec-Fetch-Site": "cross-site"}, name="x", query="state=open")
    assert (status, "cross_site" in body) == (403, True)
    status, leads, _ = await post(world, {}, name="x", query="state=open")
    assert status == 303
    assert leads == "/sign-in?next=%2Fviews%3Fpage%3Dreviews%26query%3Dstate%253Dopen%26name%3Dx"
    form = await page(world, "/views?page=reviews&query=state%3Dopen&name=x", ada)
    assert 'name="query" value="state=open"' in form
    assert 'value="x"' in form, "and once signed in, the form is as it was sent"
    assert "None yet" in form
