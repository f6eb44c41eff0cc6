"""Forms that are refused before anything reads them: a browser shows a page, which gives back what was written."""

import io
import re
from html import unescape

import asyncpg
import pytest

from explorer.web.buckets import Rate
from tests.e2e.conftest import Got
from tests.e2e.fake_index import FakeIndex
from tests.integration.forms import FORM, encoded
from tests.integration.reviews.conftest import PUBLIC_URL, World, code, demand_fit, opened_world
from tests.unit.signatures.builders import NOTARY_F1

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
WRITTEN = "Two lines,\r\n<b>kept</b> & \u00fc."


async def post(world: World, path: str, raw: bytes, **headers: str) -> Got:
    """The answer to what a notary's browser sends."""
    cookie = f"__Host-filplus-session={world.cookies[NOTARY_F1]}"
    usual = {"Accept": BROWSER, "Content-Type": FORM, "Origin": PUBLIC_URL, "Cookie": cookie}
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    got = await world.client.ask("POST", path, headers={**usual, **named}, data=io.BytesIO(raw))
    demand_fit("POST", path, got)
    return got


def given_back(got: Got) -> str | None:
    """What the page of a refusal has of what was written; None where it has no field for it."""
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "no-store" in got.headers["Cache-Control"]
    found = re.search(r'<textarea id="written"[^>]*>(.*?)</textarea>', got.body.decode(), re.DOTALL)
    return None if found is None else unescape(found[1])


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/reviews/{id}", {"Origin": "https://evil.example"}, 403),
        ("/reviews/{id}?dance=1", {}, 400),
        ("/reviews", {}, 403),
        ("/reviews/{id}/approval", {}, 405),
        ("/nowhere", {}, 404),
        ("/me/sign-out?x=1", {}, 400),
    ],
)
async def test_a_refused_form_is_a_page_that_gives_back_what_was_written(
    world: World, path: str, headers: dict[str, str], status: int
) -> None:
    review = await world.report()
    got = await post(world, path.format(id=review["id"]), encoded({"action": "ask", "comment": WRITTEN}), **headers)
    assert (got.status, given_back(got)) == (status, WRITTEN.replace("\r\n", "\n"))
    assert b"Nothing was done." in got.body
    assert (await world.show(review))["decisions"] == []


async def test_too_many_forms_keep_what_was_written_and_lead_back(pool: asyncpg.Pool, index: FakeIndex) -> None:
    async with opened_world(pool, index, session_rate=Rate(burst=1, per_minute=1)) as world:
        review = await world.report()
        path, form = f"/reviews/{review['id']}", encoded({"action": "ask", "comment": WRITTEN})
        assert (await post(world, path, form)).status == 303
        got = await post(world, path, form)
        assert (got.status, given_back(got)) == (429, WRITTEN.replace("\r\n", "\n"))
        page = got.body.decode()
        assert f'href="{path}">Back to the page' in page
        assert f"At the earliest in {int(got.headers['Retry-After'])} second" in page


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"comment=" + b"x" * (5 << 20), FORM, 413),
        (b"comment=kept", "text/plain", 415),
        (b"comment=%ff", FORM, 400),
        (b"", FORM, 400),
    ],
)
async def test_a_form_that_can_not_be_read_is_a_page_all_the_same(
    world: World, raw: bytes, kind: str, status: int
) -> None:
    review = await world.report()
    got = await post(world, f"/reviews/{review['id']}?dance=1" if not raw else f"/reviews/{review['id']}", raw,
                     Content_Type=kind)  # fmt: skip
    assert (got.status, given_back(got)) == (status, None)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/problem+json"])
async def test_a_program_gets_a_document(world: World, accept: str) -> None:
    review = await world.report()
    got = await post(world, f"/reviews/{review['id']}", b"comment=kept", Content_Type="text/plain", Accept=accept)
    assert got.headers["Content-Type"] == "application/problem+json"
    assert code(got) == (415, "unsupported_media_type")
