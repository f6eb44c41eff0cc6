"""A review as a terminal shows it."""

from datetime import UTC, datetime, timedelta

import pytest

from explorer.cli.review_views import print_review, print_reviews
from explorer.cli.terminal import Terminal
from tests.integration.reviews.conftest import World, document
from tests.unit.signatures.builders import NOTARY_0X

BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


async def test_what_was_said_in_withdrawing_and_reopening_is_marked_and_rounds_are_shown(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.now = BEGAN
    review = await world.proven()
    for minutes, what, comment in ((1, "comments", "CC0"), (2, "withdraw", "a test"), (3, "reopen", "needed now")):
        world.now = BEGAN + timedelta(minutes=minutes)
        done = await world.ask("POST", f"/reviews/{review['id']}/{what}", {"comment": comment})
        assert done.status == 200, done.body
    await world.decide(review, NOTARY_0X, "reject")
    shown = await world.show(review)
    capsys.readouterr()
    print_review(Terminal(), shown)
    lines = lines_of(capsys)
    grants = [one["grant_id"] for one in shown["rounds"]]
    for line in (
        "2026-11-23 12:01 eu: CC0",
        "2026-11-23 12:02 eu withdrew it: a test",
        "2026-11-23 12:03 eu reopened it as round 2: needed now",
        f"1: 2026-11-23 12:00, withdrawn 2026-11-23 12:02, {grants[0]}",
        f"2: 2026-11-23 12:03, rejected 2026-11-23 12:03, {grants[1]}",
        "closed     2026-11-23 12:03 UTC",
    ):
        assert line in lines, (line, lines)
    assert any("reject in round 2, signature verified" in line for line in lines)
    assert not any(line.startswith("until") for line in lines)


async def test_only_what_is_open_has_a_deadline(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.now = BEGAN
    review = await world.proven()
    capsys.readouterr()
    print_review(Terminal(), await world.show(review))
    assert "until      2026-11-30 12:00 UTC" in lines_of(capsys)
    await world.decide(review)
    capsys.readouterr()
    print_review(Terminal(), await world.show(review))
    print_reviews(Terminal(), document(await world.ask("GET", "/reviews")))
    shown = lines_of(capsys)
    assert "closed     2026-11-23 12:00 UTC" in shown
    assert not any("until" in line or line == "rounds" for line in shown)
