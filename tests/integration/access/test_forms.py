"""The forms of the notaries' pages, filled in as nobody should: always refused, never a failure of ours."""

import io

import pytest

from tests.integration.access.serving import Got, World, cookie
from tests.integration.forms import FORM, encoded, spoiled

PAGE = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


async def post(world: World, path: str, raw: bytes, **headers: str) -> Got:
    return await world.ask("POST", path, data=io.BytesIO(raw), headers={**PAGE, "Content-Type": FORM, **headers})


async def test_whatever_is_wrong_with_the_form_of_signing_in_is_refused(world: World) -> None:
    for raw in spoiled({"message": "a text", "signature": "01ab", "next": "/reviews"}):
        got = await post(world, "/sign-in", raw)
        assert 400 <= got.status < 500, (raw[:100], got.status, got.body[-300:])


async def test_a_sign_in_form_without_a_signature_comes_back_with_its_text(world: World) -> None:
    got = await post(world, "/sign-in", encoded({"message": "the text", "signature": "  ", "next": "/reviews/rev_1"}))
    assert got.status == 400
    assert b">the text</pre>" in got.body
    assert b'name="next" value="/reviews/rev_1"' in got.body


@pytest.mark.parametrize("path", ["/sign-out", "/me/sign-out"])
async def test_signing_out_heeds_no_fields(world: World, path: str) -> None:
    for raw in spoiled({"x": "y"}, longest="x" * 10_000):
        got = await post(world, path, raw)
        assert got.status < 500, (raw[:100], got.status, got.body[-300:])


@pytest.mark.parametrize("action", ["save", "remove"])
@pytest.mark.parametrize("is_signed_in", [True, False])
async def test_whatever_is_wrong_with_the_form_of_views_is_refused(
    world: World, action: str, is_signed_in: bool
) -> None:
    session = cookie(await world.sign_in()) if is_signed_in else {}
    for raw in spoiled({"action": action, "page": "reviews", "name": "mine", "query": "state=open"}):
        got = await post(world, "/views", raw, **session)
        assert got.status == 303 or 400 <= got.status < 500, (raw[:100], got.status, got.body[-300:])
        assert got.status != 429


FILTERS = {
    "/sign-in": ("address", "next"),
    "/reviews": ("state", "cluster", "publisher", "job_id", "since", "until", "waits_for", "cursor", "limit"),
    "/audit": ("actor", "action", "subject", "since", "until", "cursor", "limit"),
    "/views": ("page", "query", "name"),
    "/search": ("q",),
}


@pytest.mark.parametrize("path", FILTERS)
async def test_whatever_is_wrong_with_filters_is_refused(world: World, path: str) -> None:
    session = cookie(await world.sign_in()) if path not in ("/sign-in", "/search") else {}
    for name in FILTERS[path]:
        for raw in spoiled({name: "x"}, longest="x" * 10_000):
            got = await world.get(
                f"{path}?{raw.decode('latin-1')}".replace("\xff\xfe", "%ff%fe"), **{**PAGE, **session}
            )
            assert got.status < 500, (raw[:100], got.status, got.body[-300:])
            assert got.status != 429, name
