"""`filplus webhook`, over a database, beside a process that delivers."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from typer.testing import CliRunner

from explorer.alerts.outbox import enqueue
from explorer.alerts.standard_webhooks import is_genuine
from explorer.cli.program import make_program
from tests.integration.alerts.receiver import answering, receiving, well
from tests.integration.alerts.test_bad_receivers import delivering
from tests.patience import until

Run = Callable[..., Any]


@pytest.fixture
def filplus(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `filplus --json webhook …` and returns its document, once it has ended with the expected code."""
    for name in [name for name in os.environ if name.startswith("FILPLUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FILPLUS_DATABASE_URL", dsn)
    monkeypatch.setenv("FILPLUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FILPLUS_WEBHOOK_ALLOW", "127.0.0.0/8, ::1")
    program = make_program()

    async def run(*arguments: str, code: int = 0, told: str = "", **more: str) -> Any:
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        ended = await asyncio.to_thread(CliRunner().invoke, program, ["--json", "webhook", *arguments])
        for name in more:
            monkeypatch.setenv(name, "127.0.0.0/8" if name == "FILPLUS_WEBHOOK_ALLOW" else "")
        assert ended.exit_code == code, ended.output
        assert told in ended.stderr
        document = json.loads(ended.stdout)
        assert "secret" not in document or document["secret"] not in ended.stderr
        assert "shown this once" not in ended.stderr
        return document

    handlers = logging.getLogger().handlers
    yield run
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()


async def test_from_adding_to_removing(dsn: str, pool: asyncpg.Pool, filplus: Run) -> None:
    async with receiving(answering(500)) as receiver, delivering(dsn):
        added = await filplus("add", receiver.url, "--types", "grant.granted,review.requested")
        assert set(added) == {"id", "url", "types", "secret"}
        assert added["types"] == ["review.requested", "grant.granted"]
        [listed] = (await filplus("list"))["webhooks"]
        assert (listed["id"], listed["url"], listed["state"]) == (added["id"], receiver.url, "up")
        assert added["secret"] not in json.dumps(listed)

        failed = await filplus("test", added["id"], code=1)
        assert (failed["type"], failed["state"], failed["last_attempt"]["status"]) == ("webhook.test", "pending", 500)
        receiver.behaviour = well
        async with pool.acquire() as connection, connection.transaction():
            await enqueue(connection, "review.requested", "r1", {"id": "r1"})
        await until(lambda: len(receiver.taken) == 2)
        assert all(is_genuine(added["secret"], one.headers, one.body, now=datetime.now(UTC)) for one in receiver.taken)
        deliveries = (await filplus("deliveries", added["id"]))["deliveries"]
        assert [(one["type"], one["state"]) for one in deliveries] == [
            ("review.requested", "delivered"),
            ("webhook.test", "delivered"),
        ]
        await filplus("replay", str(deliveries[0]["id"]))
        await until(lambda: len(receiver.taken) == 3)
        assert receiver.taken[-1].id == deliveries[0]["webhook_id"]

        rotated = await filplus("rotate", added["id"])
        assert (await filplus("test", added["id"]))["state"] == "delivered"
        last = receiver.taken[-1]
        for secret in (added["secret"], rotated["secret"]):
            assert is_genuine(secret, last.headers, last.body, now=datetime.now(UTC))
        assert (await filplus("remove", added["id"]))["removed"]
        assert (await filplus("list"))["webhooks"] == []


async def test_410_shows_and_dead_letters_are_replayed(dsn: str, filplus: Run) -> None:
    async with receiving(answering(410)) as receiver, delivering(dsn):
        added = await filplus("add", receiver.url)
        assert (await filplus("test", added["id"], code=1))["dead_reason"] == "the endpoint answered 410 Gone"
        [listed] = (await filplus("list"))["webhooks"]
        assert (listed["state"], listed["dead"]) == ("disabled", 1)
        await filplus("replay", "--dead", added["id"], code=2)
        await filplus("enable", added["id"], told=f"filplus webhook replay --dead {added['id']}")
        await filplus("enable", added["id"], told=f"{added['id']} was enabled already")
        receiver.behaviour = well
        assert len((await filplus("replay", "--dead", added["id"]))["replayed"]) == 1
        await until(lambda: len(receiver.taken) == 1)


async def test_what_happens_while_a_webhook_is_disabled_waits_and_is_sent_in_order(
    dsn: str, pool: asyncpg.Pool, filplus: Run
) -> None:
    async with receiving(answering(410)) as receiver, delivering(dsn):
        added = await filplus("add", receiver.url)
        await filplus("test", added["id"], code=1)
        now = datetime.now(UTC)
        for number, days in enumerate((6, 4, 1, 0)):
            async with pool.acquire() as connection, connection.transaction():
                told = {"number": number}
                await enqueue(connection, "review.requested", "r1", told, now=now - timedelta(days=days))

        async def given_up() -> bool:
            [listed] = (await filplus("list"))["webhooks"]
            assert listed["state"] == "disabled"
            return (listed["pending"], listed["dead"]) == (3, 2)

        await until(given_up)
        assert len(receiver.requests) == 1
        receiver.behaviour = well
        assert (await filplus("enable", added["id"], told=f"{added['id']} is told again"))["pending"] == 3
        await until(lambda: len(receiver.taken) == 3)
        assert [one.data["number"] for one in receiver.taken] == [1, 2, 3]
        assert len((await filplus("replay", "--dead", added["id"]))["replayed"]) == 2
        await until(lambda: len(receiver.taken) == 5)


async def test_without_a_running_service_a_test_message_waits(filplus: Run) -> None:
    added = await filplus("add", "https://notary.example/hook")
    assert (await filplus("test", added["id"], "--wait", "0.5", code=1))["state"] == "pending"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "http://10.0.0.1/"), 2),
        (("add", "https://notary.example/", "--types", "review.requested,nonsense"), 2),
        (("remove", "wh_unknown"), 3),
        (("deliveries", "--cursor", "x"), 2),
        (("rotate", "wh_unknown"), 3),
        (("test", "wh_unknown"), 3),
        (("replay", "123456"), 3),
        (("replay",), 2),
    ],
)
async def test_mistakes_have_a_code_and_one_line(filplus: Run, arguments: tuple[str, ...], code: int) -> None:
    assert "detail" in (await filplus(*arguments, code=code))["error"]


async def test_nothing_private_is_allowed_unless_it_is_named(filplus: Run) -> None:
    await filplus("add", "http://127.0.0.1:9/", FILPLUS_WEBHOOK_ALLOW="", code=2)
    await filplus("add", "http://127.0.0.1:9/", FILPLUS_WEBHOOK_ALLOW="127.0.0.0/33", code=2)
    await filplus("add", "http://127.0.0.1:9/")


async def test_what_only_a_look_up_will_tell_is_said_when_it_is_added(filplus: Run) -> None:
    await filplus("add", "http://example.org/", told="go only to addresses in FILPLUS_WEBHOOK_ALLOW")


async def test_url_of_a_service_changes_nothing(filplus: Run) -> None:
    await filplus("list", FILPLUS_URL="http://127.0.0.1:1")
