"""Telemetry: what is written, and that no secret is."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from explorer.ground.registry import new_registry
from explorer.ground.telemetry import (
    Redactor,
    configure_logging,
    is_secret_name,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "chain_token",
        "apiKey",
        "KEY",
        "Authorization",
        "set-cookie",
        "db_password",
        "secret_path",
        "a_signature",
    ],
)
def test_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["key_id", "token_bytes", "monkey", "keyboard", "event", "signature_count", ""])
def test_harmless_name_is_not_taken_for_a_secret(name: str) -> None:
    assert not is_secret_name(name)


def test_secrets_are_covered_by_name_value_and_shape() -> None:
    covered = Redactor(["hunter2"])(None, "info", {
        "event": "connecting to postgresql://ana:pw@db/x with hunter2",
        "headers": {"Authorization": "Bearer abc", "Accept": "text/html"},
        "list": ["Bearer abc.def", 7, None, True],
        "api_key": 12345,
        "count": 3,
    })  # fmt: skip
    assert covered == {
        "event": "connecting to postgresql://ana:***@db/x with ***",
        "headers": {"Authorization": "***", "Accept": "text/html"},
        "list": ["Bearer ***", 7, None, True],
        "api_key": "***",
        "count": 3,
    }


def test_longer_secret_is_covered_before_one_that_it_contains() -> None:
    assert Redactor(["ab", "abcd"]).text("abcd ab") == "*** ***"


def test_json_line_holds_event_facts_and_request() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    with structlog.contextvars.bound_contextvars(request_id="r1", route="/x"):
        structlog.get_logger("explorer.test").info("deal_read", deal_id=7)
    (line,) = logged(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "deal_read",
        "deal_id": 7,
        "level": "info",
        "logger": "explorer.test",
        "request_id": "r1",
        "route": "/x",
    }


def test_standard_records_come_out_in_the_same_form() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream, secrets=["hunter2"])
    logging.getLogger("aiohttp.access").info("GET %s", "/?q=hunter2", extra={"status": 200})
    (line,) = logged(stream)
    assert (line["event"], line["logger"], line["status"]) == ("GET /?q=***", "aiohttp.access", 200)


@pytest.mark.parametrize("as_json", [True, False])
def test_traceback_is_redacted(as_json: bool) -> None:
    stream = io.StringIO()
    configure_logging(stream=stream, secrets=["hunter2"], as_json=as_json)
    try:
        int("hunter2")
    except ValueError:
        structlog.get_logger("t").exception("failed")
    assert "invalid literal for int() with base 10: '***'" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_level_is_kept_for_both_kinds_of_logger() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream, level="WARNING")
    structlog.get_logger("t").info("quiet")
    logging.getLogger("t").info("quiet")
    assert stream.getvalue() == ""


def test_terminal_gets_text() -> None:
    stream = Terminal()
    configure_logging(stream=stream)
    structlog.get_logger("t").info("deal_read", deal_id=7)
    assert "deal_read" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_configured_again_writes_once() -> None:
    stream = io.StringIO()
    configure_logging(stream=io.StringIO())
    configure_logging(stream=stream)
    structlog.get_logger("t").info("once")
    assert len(logged(stream)) == 1


def test_request_id_is_bound_only_inside() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("t").info("inside")
    structlog.get_logger("t").info("outside")
    assert [line.get("request_id") for line in logged(stream)] == ["r1", None]


def test_registries_do_not_share() -> None:
    first, second = new_registry("1.2.3"), new_registry("1.2.3")
    assert first is not second
    assert b'filplus_build_info{version="1.2.3"} 1.0' in generate_latest(first)
    assert b"process_resident_memory_bytes" in generate_latest(second)
