"""Schemathesis over every operation of a real service: no server error, every answer as the contract says."""

from importlib.resources import files
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from explorer.demo.story import CHAPTERS
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.xdist_group("fuzz")

schemathesis.openapi.format(
    "cid", st.sampled_from([cid for chapter in CHAPTERS for cid in chapter.cids]) | st.text(min_size=1, max_size=80)
)


schema = schemathesis.openapi.from_path(str(files("explorer.web").joinpath("openapi.json")))
streams, others = schema.include(operation_id="getEvents"), schema.exclude(operation_id="getEvents")


@others.parametrize()
@settings(max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_holds(case: Case[Any], real_url: str) -> None:
    """A text that fits the schema may still be no CID, and an epoch be beyond the index: those refusals are right."""
    case.call_and_validate(base_url=real_url, excluded_checks=[positive_data_acceptance])


@streams.parametrize()
@settings(max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck))
def test_streams_begin_or_are_refused(case: Case[Any], real_url: str) -> None:
    """A stream has no end to wait for: its beginning is looked at, then it is left."""
    arguments = case.as_transport_kwargs(base_url=real_url)
    with requests.request(**arguments, stream=True, timeout=PATIENCE_S) as answer:
        assert answer.status_code < 500
        if answer.ok and answer.request.method == "GET":
            assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            assert next(answer.iter_lines()) == b"retry: 3000"
